// Broken engines: what an outcome means, what stands, what may be asked of it.

import type { Mutant } from "./mutants.ts"

export const coreMutants: readonly Mutant[] = [
  {
    name: "the verdict on what was accepted ignored",
    file: "core/settlement.ts",
    find: `    case "pending":
      return isVerdict(outcome) ? "settles" : "nothing"`,
    replace: `    case "pending":
      return "nothing"`,
    quick: true,
  },
  {
    name: "a success after the payment's end is kept",
    file: "core/settlement.ts",
    find: `if (payment.closed !== undefined)
    return holding.map`,
    replace: `if (payment.closed === null)
    return holding.map`,
    quick: false,
  },
  {
    name: "a success told after a decline ignored",
    file: "core/settlement.ts",
    find: `if (mayFailLater(operation) && operation.outcome?.kind === "declined" && !isByHand(operation.outcome))`,
    replace: `if (operation.outcome?.kind === "declined")`,
    quick: false,
  },
  {
    name: "a part given back although it is allowed",
    file: "core/settlement.ts",
    find: `!payment.intent.allowPartial &&`,
    replace: ``,
    quick: true,
  },
  {
    name: "a part kept although it is not allowed",
    file: "core/settlement.ts",
    find: `!payment.intent.allowPartial &&`,
    replace: `payment === null &&`,
    quick: false,
  },
  {
    name: "a late success takes the place of what stands",
    file: "core/payment.ts",
    find: `(a.settledAt ?? 0) - (b.settledAt ?? 0) || b.ordinal - a.ordinal`,
    replace: `a.ordinal - b.ordinal`,
    quick: false,
  },
  {
    name: "ended while something is open",
    file: "core/settlement.ts",
    find: `if (payment.operations.some(isOpen) || holders(payment).length > 0) return undefined`,
    replace: `if (holders(payment).length > 0) return undefined`,
    quick: true,
  },
  {
    name: "an authorization that never ends",
    file: "core/payment.ts",
    find: `    else if (!busy) times.push(payment.authorizedUntil)`,
    replace: `    void busy`,
    quick: true,
  },
  {
    name: "a capture that failed leaves the rest released",
    file: "core/evolve.ts",
    find: `captured: attempt.captured - booked(operation), released: false`,
    replace: `captured: attempt.captured - booked(operation)`,
    quick: false,
  },
  {
    name: "released by a final capture and still capturable",
    file: "core/payment.ts",
    find: `held.captured >= held.authorized || held.released`,
    replace: `held.captured >= held.authorized`,
    quick: false,
  },
  {
    name: "a void that never arrived ends the attempt",
    file: "core/evolve.ts",
    find: `return operation.kind === "void" ? told : { ...told, state: "absent", settledAt: at }`,
    replace: `return { ...told, state: "absent", settledAt: at }`,
    quick: false,
  },
  {
    name: "a decided completion leaves its authorization open",
    file: "core/evolve.ts",
    find: `const same = o.attempt === operation.attempt && authorizes(o) && isOpen(o) && decidesAttempt(operation, outcome)`,
    replace: `const same = false as boolean`,
    quick: false,
  },
  {
    name: "a refund without reservation",
    file: "core/payment-command.ts",
    find: `const left = captured - refunded - refunding`,
    replace: `const left = captured - refunded`,
    quick: true,
  },
  {
    name: "a capture beside a final one",
    file: "core/payment-command.ts",
    find: `o.kind === "capture" && o.attempt === attempt.id && isOpen(o) && o.final`,
    replace: `o.kind === "capture" && o.attempt === attempt.id && isOpen(o) && o.final && payment === null`,
    quick: true,
  },
  {
    name: "an increment beside a capture",
    file: "core/payment-command.ts",
    find: `(o.kind === "increment" || o.kind === "capture") && isOpen(o)`,
    replace: `o.kind === "increment" && isOpen(o)`,
    quick: false,
  },
  {
    name: "a cancel beside a capture",
    file: "core/payment-command.ts",
    find: `(o.kind === "capture" || o.kind === "increment") && o.attempt === attempt.id && isOpen(o)`,
    replace: `o.kind === "increment" && o.attempt === attempt.id && isOpen(o)`,
    quick: true,
  },
  {
    name: "two returns of one customer at a time",
    file: "core/payment-command.ts",
    find: `o.kind === "complete" && o.attempt === attempt.id && isOpen(o)`,
    replace: `o.kind === "complete" && payment === null`,
    quick: false,
  },
  {
    name: "a cancel of what is captured",
    file: "core/payment-command.ts",
    find: `if (attempt !== undefined && attempt.captured > 0n)`,
    replace: `if (payment === null)`,
    quick: true,
  },
  {
    name: "a capture after the authorization's end",
    file: "core/payment-command.ts",
    find: `payment.authorizedUntil !== undefined && send.now >= payment.authorizedUntil`,
    replace: `payment === null`,
    quick: false,
  },
  {
    name: "a plan that goes on beside what stands",
    file: "core/settlement.ts",
    find: `(payment.ending !== undefined || stands)`,
    replace: `payment.ending !== undefined`,
    quick: true,
  },
  {
    name: "a customer asked to act again while his return is unknown",
    file: "core/evolve.ts",
    find: `return attempt.state === "action" && stateAfter(operation.kind, outcome) === "unknown"
          ? { ...known, state: "open" }
          : attempt`,
    replace: `return attempt`,
    quick: false,
  },
  {
    name: "a refund made after its refusal ignored",
    file: "core/settlement.ts",
    find: `operation.outcome?.kind === "declined" && !isByHand(operation.outcome)`,
    replace: `!isByHand(operation.outcome!)`,
    quick: false,
  },
  {
    name: "a success told after a proven absence ignored",
    file: "core/settlement.ts",
    find: `case "absent":
    case "not_sent":
      return tookEffect`,
    replace: `case "absent": return "nothing"
    case "not_sent":
      return tookEffect`,
    quick: false,
  },
  {
    name: "a new round keeps what the provider called the last one",
    file: "core/evolve.ts",
    find: `reference === undefined || event.nextRoundKey !== undefined ? {}`,
    replace: `reference === undefined ? {}`,
    quick: false,
  },
  {
    name: "money that came back after a reversal ignored",
    file: "core/settlement.ts",
    find: `return outcome.kind === "declined" && mayFailLater(operation) ? "corrects" : "nothing"`,
    replace: `return outcome.kind === "declined" && mayFailLater(operation) && operation.kind !== "reverse" ? "corrects" : "nothing"`,
    quick: false,
  },
  {
    name: "a failed reversal leaves its attempt reversed",
    file: "core/evolve.ts",
    find: `return told.state === "reversed" ? bounced(told, operation, at) : told`,
    replace: `return told`,
    quick: false,
  },
  {
    name: "earlier rounds of a reversal not kept",
    file: "core/evolve.ts",
    find: `...(ended ? { earlierRounds: [...earlierRounds, { reference, sentAt }] } : {}),`,
    replace: ``,
    quick: false,
  },
  {
    name: "looked at anew and not woken",
    file: "core/evolve.ts",
    find: `needsPerson: false, checks: 0, checkAt: act.at }`,
    replace: `checks: 0 }`,
    quick: false,
  },
  {
    name: "what is merely open kept instead of what is held",
    file: "core/settlement.ts",
    find: `firstSettled(holding.filter((a) => a.state === "held" && !isShort(payment, a) && !isUnreliable(a))) ??
    holding.find((a) => a.state !== "held") ??`,
    replace: `holding.find((a) => a.state !== "held") ??
    firstSettled(holding.filter((a) => a.state === "held" && !isShort(payment, a) && !isUnreliable(a))) ??`,
    quick: false,
  },
]
