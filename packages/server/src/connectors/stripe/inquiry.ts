// Stripe's answers to questions: what became of one operation, read off the state of its intent or off a list. `absent` is said
// only where the object itself shows that nothing was done, never where it was not found.

import type { Outcome, Raw } from "../../core/outcome.ts"
import { type InquiryInput, lookup } from "../connector.ts"
import { at, listAt, textAt } from "../json.ts"
import { cancelOutcome, intentOutcome, refundOutcome, unknown } from "./answer.ts"
import { evidenceOf } from "./evidence.ts"
import { paymentStatuses, setupStatuses } from "./tables.ts"
import { hasOperation, type Intent, readCharge, readIntent, readRefund } from "./wire.ts"

/** The answer to a question about one operation. */
export function inquiryOutcome(body: unknown, input: InquiryInput): Outcome | undefined {
  if (textAt(body, "object") === "search_result") return searchOutcome(body, input)
  if (textAt(body, "object") === "list") return refundListOutcome(body, input)
  const refund = readRefund(body)
  if (refund !== undefined) return input.about === "refund" ? refundOutcome(refund, input.amount) : undefined
  const intent = readIntent(body)
  if (intent === undefined) return undefined
  switch (input.about) {
    case "prepare":
      return intentOutcome(intent, input, "prepared")
    case "authorize":
    case "complete":
      return intentOutcome(intent, input, "absent")
    case "capture":
      return captureFound(intent, input)
    case "increment":
      return incrementFound(intent, input)
    case "void":
      return voidFound(intent)
    case "reverse":
      return reversalFound(intent, input)
    case "refund":
      return undefined
    default:
      return input.about satisfies never
  }
}

// By the key that the capture left in the metadata; where nothing was captured at all, no key is needed to know.
function captureFound(intent: Intent, { operation, amount }: InquiryInput): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  const state = lookup(paymentStatuses, intent.status)
  const { received } = intent
  if (state === undefined || received === undefined) return { kind: "unknown", raw, evidence }
  if (state === "pending") return { kind: "pending", raw, evidence }
  if (!hasOperation(intent, operation)) return { kind: "absent", raw, evidence }
  if (received.minor === 0n && (state === "authorized" || state === "voided")) return { kind: "absent", raw, evidence }
  if (received.currency !== amount.currency || received.minor < amount.minor) return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "captured", amount: amount.minor, raw, evidence }
}

function incrementFound(intent: Intent, { operation, amount }: InquiryInput): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  if (intent.amount === undefined || intent.amount.currency !== amount.currency)
    return { kind: "unknown", raw, evidence }
  if (intent.amount.minor < amount.minor) return { kind: "absent", raw, evidence }
  if (!hasOperation(intent, operation)) return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "incremented", amount: amount.minor, raw, evidence }
}

// A cancellation takes effect at once or not at all.
function voidFound(intent: Intent): Outcome {
  const done = cancelOutcome(intent)
  const table = intent.of === "setup_intent" ? setupStatuses : paymentStatuses
  const state = lookup<string>(table, intent.status)
  if (done.kind === "approved" || state === undefined || state === "pending") return done
  return { kind: "absent", raw: done.raw, evidence: done.evidence }
}

function reversalFound(intent: Intent, { amount }: InquiryInput): Outcome {
  const found = voidFound(intent)
  const charge = readCharge(intent.charge)
  if (found.kind === "approved" || charge === undefined || !charge.refunded) return found
  const { amountCaptured: captured, amountRefunded: back } = charge
  const isAll = captured !== undefined && back !== undefined && back.minor > 0n && back.minor >= captured.minor
  if (!isAll || back.currency !== amount.currency) return unknown(found.raw.code, found.evidence)
  return { kind: "approved", effect: "refunded", amount: back.minor, raw: found.raw, evidence: found.evidence }
}

function refundListOutcome(body: unknown, input: InquiryInput): Outcome | undefined {
  if (input.about !== "refund" || !Array.isArray(at(body, "data"))) return undefined
  const refunds = listAt(body, "data").map(readRefund)
  const found = refunds.find((refund) => refund?.operation === input.operation)
  if (found !== undefined) return refundOutcome(found, input.amount)
  // One page of a hundred: what is not on it may be on the next. What cannot be read may be ours.
  if (at(body, "has_more") !== false || refunds.includes(undefined)) return undefined
  return { kind: "absent", raw: { code: "no such refund" }, evidence: {} }
}

function searchOutcome(body: unknown, input: InquiryInput): Outcome | undefined {
  const data = at(body, "data")
  if (!Array.isArray(data) || input.amount.minor === 0n) return undefined // SetupIntents cannot be searched
  if (input.about !== "prepare" && input.about !== "authorize" && input.about !== "complete") return undefined
  if (data.length === 0 && at(body, "has_more") === false)
    return { kind: "absent", raw: { code: "no such intent" }, evidence: {} }
  const intents = listAt(data).map(readIntent)
  const found = intents.find((intent) => intent?.attempt === input.attempt)
  return found && intentOutcome(found, input, input.about === "prepare" ? "prepared" : "absent")
}
