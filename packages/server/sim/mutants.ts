// Broken engines. Each is the real engine with one line changed while it is loaded; the simulation must catch every one
// within MUTANT_SEEDS worlds (`npm run sim -- --mutants`; the quick ones in mutants.test.ts). A change whose text is no longer found fails: a mutant never goes quiet.

import { coreMutants } from "./mutants-core.ts"
import { followUpMutants } from "./mutants-follow-up.ts"
import { inboundMutants } from "./mutants-inbound.ts"
import { planMutants } from "./mutants-plan.ts"
import { recoveryMutants } from "./mutants-recovery.ts"
import { routingMutants } from "./mutants-routing.ts"

export type Mutant = {
  readonly name: string
  /** Below packages/server/src. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Caught within a few worlds: `npm test` runs these. */
  readonly quick: boolean
}

/** Worlds in which every mutant is caught, and those in which the quick ones are. */
export const MUTANT_SEEDS = 500
export const QUICK_SEEDS = 150

export const mutants: readonly Mutant[] = [
  ...planMutants,
  ...coreMutants,
  ...recoveryMutants,
  ...inboundMutants,
  ...followUpMutants,
  ...routingMutants,
  {
    name: "fail over on timeout",
    file: "engine/plan.ts",
    find: `if (attemptNow?.state === "open" && outcome.kind !== "pending") {`,
    replace: `if (attemptNow?.state === "open" && outcome.kind !== "pending") { if (run.rest[0] !== undefined) return start({ kind: "retry", step: "x", account: run.rest[0].id, at: now, shape: {}, passedOver: [] })`,
    quick: true,
  },
  {
    name: "no write-ahead",
    file: "engine/execute.ts",
    find: `return { events: [...events, started.event], ...stored }`,
    replace: `return { events, ...stored }`,
    quick: true,
  },
  {
    name: "guess on 5xx",
    file: "engine/call.ts",
    find: `masked(codec.decode(sent.response, input)`,
    replace: `masked(sent.response.status >= 500 ? { kind: "declined", reason: "provider_error", raw: { code: "5xx" }, evidence: {} } : codec.decode(sent.response, input)`,
    quick: false,
  },
  {
    name: "absence means unpaid",
    file: "engine/reconsider.ts",
    find: `const weak = outcome.kind === "absent" && (proof === undefined || askedAt < proof)`,
    replace: `const weak = false`,
    quick: false,
  },
  {
    name: "replay after the key's window",
    file: "engine/timing.ts",
    find: `if (replay === undefined || replay.stores !== "all" || operation.sentAt === undefined) return false`,
    replace: `if (replay === undefined || replay.stores !== "all" || operation.sentAt === undefined) return false\n  if (now > 0) return true`,
    quick: false,
  },
  {
    name: "obligation closed at the first 'nothing to cancel'",
    file: "engine/reverse.ts",
    find: `if (nothingThere && sentAt >= proof)`,
    replace: `if (nothingThere)`,
    quick: false,
  },
  {
    name: "a reversal without the payment's id asks about itself",
    file: "engine/reverse.ts",
    find: `inquiryStrength(account, asking ?? operation, attempt)`,
    replace: `inquiryStrength(account, operation, attempt)`,
    quick: false,
  },
  {
    name: "recover without deadline",
    file: "engine/attempt.ts",
    find: `checkAt: deadline(account, until),`,
    replace: `checkAt: now,`,
    quick: true,
  },
  {
    name: "capture without reservation",
    file: "core/payment-command.ts",
    find: `const left = authorized - captured - capturing`,
    replace: `const left = authorized - captured`,
    quick: true,
  },
  {
    name: "late webhook ignored",
    file: "core/settlement.ts",
    find: `    case "unknown":
      return isVerdict(outcome)`,
    replace: `    case "unknown":
      return operation.kind !== "reverse" ? "nothing" : isVerdict(outcome)`,
    quick: true,
  },
  {
    name: "late failure ignored",
    file: "core/settlement.ts",
    find: `return outcome.kind === "declined" && mayFailLater(operation) ?`,
    replace: `return outcome.kind === "declined" && operation.kind === "refund" ?`,
    quick: false,
  },
  {
    name: "refund retried under a new key",
    file: "engine/recover.ts",
    find: `const ahead = { ...open, sendUntil: sendUntil(now)`,
    replace: `const ahead = { ...open, key: open.key + "-again", sendUntil: sendUntil(now)`,
    quick: false,
  },
  {
    name: "relay that skips late commits",
    file: "engine/relay.ts",
    find: `await ledger.cursor(name), horizon, RELAY_BATCH`,
    replace: `await ledger.cursor(name), horizon === "" ? "" : "999999999", RELAY_BATCH`,
    quick: false,
  },
  {
    name: "reroute without a stored reversal",
    file: "core/settlement.ts",
    find: `return unknown === undefined`,
    replace: `return unknown === undefined || now > 0`,
    quick: true,
  },
  {
    name: "version not compared by the second attempt",
    file: "engine/change.ts",
    find: `before = await reload(engine, merchant, id, until)`,
    replace: `before = before === undefined ? undefined : { ...before, version: (await reload(engine, merchant, id, until))?.version ?? before.version }`,
    quick: true,
  },
  {
    name: "cancel that forgets what is still open",
    file: "core/settlement.ts",
    find: `if (payment.ending !== undefined && !holding.some((a) => isWanted(payment, a))) {`,
    replace: `if (payment.ending !== undefined && holding.every((a) => a.state === "held")) {`,
    quick: false,
  },
]
