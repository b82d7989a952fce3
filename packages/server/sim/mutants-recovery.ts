// Broken engines: what is asked, believed, sent again and given up afterwards, and when.

import type { Mutant } from "./mutants.ts"

export const recoveryMutants: readonly Mutant[] = [
  {
    name: "a reversal that is accepted and never told stays so",
    file: "engine/reverse.ts",
    find: `if (open.state === "pending") return rearm(engine, known, open, proof, open.outcome ?? silence, seen)`,
    replace: `if (open.state === "pending") return later(engine, known, open, proof, seen)`,
    quick: false,
  },
  {
    name: "'not found' believed before a reversal too early",
    file: "engine/reverse.ts",
    find: `const unproven = asked.outcome.kind === "absent" && (asked.transcript.at < proof || !sameAccount)`,
    replace: `const unproven = false as boolean`,
    quick: false,
  },
  {
    name: "a reversal repeated under its old key",
    file: "engine/reverse.ts",
    find: `\`\${operation.id}-\${operation.round + 1}\``,
    replace: `operation.key`,
    quick: false,
  },
  {
    name: "a dead owner's plan that is never over",
    file: "engine/recover.ts",
    find: `now >= known.plan.answerBy + PLAN_GRACE_MS`,
    replace: `now >= known.plan.answerBy + PLAN_GRACE_MS + 1e13`,
    quick: true,
  },
  {
    name: "the rest of an authorization that never lapses",
    file: "engine/recover.ts",
    find: `if (held.captured > 0n) events.push({ type: "attempt_lapsed", attempt: held.id, at: now })`,
    replace: `if (held === null) events.push({ type: "attempt_lapsed", attempt: "x" as never, at: now })`,
    quick: true,
  },
  {
    name: "a request's time on its way forgotten",
    file: "engine/timing.ts",
    find: `return last + account.limits.inFlightMs + lag + CLOCK_MARGIN_MS`,
    replace: `return last + lag + CLOCK_MARGIN_MS`,
    quick: false,
  },
  {
    name: "a copy that starts in time and arrives late",
    file: "engine/timing.ts",
    find: `    now + account.limits.inFlightMs + CLOCK_MARGIN_MS <
`,
    replace: `    now <
`,
    quick: false,
  },
  {
    name: "an owner given up while it listens",
    file: "engine/timing.ts",
    find: `sendUntilMs + account.limits.listenMs + OWNER_MARGIN_MS`,
    replace: `sendUntilMs + OWNER_MARGIN_MS`,
    quick: true,
  },
  {
    name: "a copy where failures are not repeated",
    file: "engine/timing.ts",
    find: `replay.stores !== "all" ||`,
    replace: `replay.stores === "none" ||`,
    quick: false,
  },
  {
    name: "a request that is never sent again",
    file: "engine/timing.ts",
    find: `replay === undefined || replay.stores !== "all" ||`,
    replace: `replay !== null ||`,
    quick: false,
  },
  {
    name: "reversed before its webhook is due",
    file: "engine/recover.ts",
    find: `if (engine.clock.now() < webhookBy) return`,
    replace: `if (engine.clock.now() < 0) return`,
    quick: false,
  },
  {
    name: "another's plan ended before its time",
    file: "engine/recover.ts",
    find: `now >= known.plan.answerBy + PLAN_GRACE_MS`,
    replace: `now >= known.plan.answerBy - 20_000`,
    quick: false,
  },
  {
    name: "a new round without asking what became of the last one",
    file: "engine/reverse.ts",
    find: `&& (operation.state !== "owed" || operation.round > 0)`,
    replace: `&& operation.state !== "owed"`,
    quick: false,
  },
  {
    name: "absence proven by the first copy alone",
    file: "engine/timing.ts",
    find: `o.sendUntil ?? o.createdAt`,
    replace: `o.sentAt ?? o.createdAt`,
    quick: false,
  },
  {
    name: "an inquiry's lag forgotten",
    file: "engine/timing.ts",
    find: `strength === "strong" || strength === "none" ? 0 : strength.eventualMs`,
    replace: `0`,
    quick: false,
  },
  {
    name: "a round of a reversal begun twice under one key",
    file: "engine/reverse.ts",
    find: `!isOpen(open) || open.round !== operation.round) return []`,
    replace: `!isOpen(open)) return []`,
    quick: false,
  },
  {
    name: "a customer's time over without asking the provider",
    file: "engine/recover.ts",
    find: `const asked =
    inquiryStrength(account, operation, attempt) === "none"`,
    replace: `const asked =
    payment !== null`,
    quick: false,
  },
  {
    name: "a follow-up sent again where its key is forgotten",
    file: "engine/recover.ts",
    find: `replayable(account, operation, engine.clock.now()) &&`,
    replace: ``,
    quick: false,
  },
  {
    name: "half a request's time on its way",
    file: "engine/timing.ts",
    find: `return last + account.limits.inFlightMs`,
    replace: `return last + account.limits.inFlightMs / 2`,
    quick: false,
  },
  {
    name: "a customer has less time than his page",
    file: "engine/timing.ts",
    find: `actionUntil: now + account.limits.actionMs,`,
    replace: `actionUntil: now + account.limits.actionMs / 4,`,
    quick: false,
  },
  {
    name: "an authorization that outlives its provider's",
    file: "engine/timing.ts",
    find: `: { providerLimitMs: account.connector.manifest.authorizationMs }),`,
    replace: `: {}),`,
    quick: false,
  },
  {
    name: "a reversal by a name that the provider does not know",
    file: "engine/reverse.ts",
    find: `found.reference === undefined ? manifest.reverse.byAttempt : manifest.reverse.byReference`,
    replace: `manifest.reverse.byReference`,
    quick: false,
  },
]
