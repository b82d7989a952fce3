// Stripe's answers as outcomes. Two kinds of bodies: an object (an intent, a refund, a list) and an error, which may hold
// the intent it is about. Nothing is approved that does not say so in the amount and currency that were asked for.

import type { DeclineReason } from "../../core/decline.ts"
import type { Money } from "../../core/money.ts"
import type { Evidence, Outcome, Raw } from "../../core/outcome.ts"
import type { OperationKind } from "../../core/payment.ts"
import { type FollowUpInput, type HttpResponse, type Input, lookup } from "../connector.ts"
import { isObject, parseJson, textAt } from "../json.ts"
import { evidenceOf, reasonOfBlock } from "./evidence.ts"
import {
  adviceCodes,
  declineCodes,
  errorCodes,
  errorTypes,
  paymentStatuses,
  refundFailures,
  refundStatuses,
  setupStatuses,
} from "./tables.ts"
import { vagueReasons } from "./decline-tables.ts"
import type { ErrorRow } from "./error-tables.ts"
import {
  hasOperation,
  type Intent,
  type OwnCapture,
  ownCaptures,
  readCharge,
  readIntent,
  type Refund,
  stripped,
} from "./wire.ts"

export const unknown = (code: string, evidence: Evidence = {}): Outcome => ({
  kind: "unknown",
  raw: { code },
  evidence,
})

/** Reads the object of a good answer with `read`; everything else is an error of Stripe's, or nobody's answer. */
export function decodeAnswer(
  response: HttpResponse,
  asked: { readonly attempt: string; readonly operation?: string; readonly about: OperationKind },
  read: (body: unknown) => Outcome | undefined,
): Outcome {
  const { status } = response
  const code = `http ${status}`
  if (status >= 500 || status < 200) return unknown(code)
  const body = parseJson(response.body)
  if (!isObject(body)) return unknown(code)
  if (isObject(body["error"])) return status >= 400 ? errorOutcome(status, body["error"], asked) : unknown(code)
  if (status >= 300) return unknown(code)
  return read(body) ?? unknown(textAt(body, "status") ?? code)
}

// States in which an intent holds money, or may come to.
const mayHoldMoney: ReadonlySet<string> = new Set(["action", "pending", "authorized", "captured"])

function errorOutcome(
  status: number,
  error: Readonly<Record<string, unknown>>,
  asked: { readonly attempt: string; readonly operation?: string; readonly about: OperationKind },
): Outcome {
  const intent = readIntent(error["payment_intent"]) ?? readIntent(error["setup_intent"])
  const raw = rawOfError(error, `http ${status}`)
  const evidence = evidenceOf(intent, error["payment_method"])
  const state = intent && (lookup(paymentStatuses, intent.status) ?? "pending")
  const authorizing = asked.about === "authorize" || asked.about === "complete"
  // The error is about this request; the intent beside it tells of an earlier copy that went through.
  if (intent && authorizing && state !== undefined && mayHoldMoney.has(state)) return { kind: "unknown", raw, evidence }
  if (intent && asked.operation !== undefined && hasOperation(intent, asked.operation))
    return { kind: "unknown", raw, evidence }
  const row = rowOf(status, error)
  // Another copy may have brought it into the state that refuses this one; without the intent nobody sees which state it is.
  const spent = authorizing && intent === undefined && row.kind === "rejected" && row.reason === "wrong_state"
  return errorRowOutcome(spent ? { ...row, executed: "unknown" } : row, reasonOfError(error, intent), raw, evidence)
}

function errorRowOutcome(row: ErrorRow, reason: DeclineReason | undefined, raw: Raw, evidence: Evidence): Outcome {
  switch (row.kind) {
    case "declined":
      return { kind: "declined", reason: reason ?? row.reason, raw, evidence }
    case "rejected":
      return { kind: "rejected", fault: row.fault, executed: row.executed, reason: row.reason, raw, evidence }
    case "unknown":
      return { kind: "unknown", raw, evidence }
    default:
      return row satisfies never
  }
}

// The code decides; where Stripe sends none, the status and then the type. A code that is in no table and not a card error
// leaves open how far the request got.
function rowOf(status: number, error: Readonly<Record<string, unknown>>): ErrorRow {
  const code = textAt(error, "code")
  const type = textAt(error, "type")
  const byType = type === undefined ? undefined : lookup(errorTypes, type)
  const known = code === undefined ? undefined : lookup(errorCodes, code)
  if (byType?.kind === "unknown" || status === 409) return { kind: "unknown" }
  if (known !== undefined) return known
  if (textAt(error, "decline_code") !== undefined && byType?.kind === "declined") return byType
  if (status === 401 || status === 403)
    return { kind: "rejected", fault: "ours", executed: "no", reason: "invalid_credentials" }
  if (status === 429) return { kind: "rejected", fault: "theirs", executed: "no", reason: "rate_limited" }
  if (byType === undefined) return { kind: "unknown" }
  if (code === undefined || byType.kind === "declined") return byType
  return { kind: "rejected", fault: "ours", executed: "unknown", reason: "unmapped" }
}

/** The best word for a refusal: Stripe's own block, then `decline_code`, then `code`; an advice where these say nothing. */
export function reasonOfError(error: unknown, intent: Intent | undefined): DeclineReason | undefined {
  const blocked = reasonOfBlock(intent?.charge)
  if (blocked !== undefined) return blocked
  const declineCode = textAt(error, "decline_code")
  const code = textAt(error, "code")
  const row = code === undefined ? undefined : lookup(errorCodes, code)
  const reason =
    declineCode !== undefined
      ? (lookup(declineCodes, declineCode) ?? "unmapped")
      : row?.kind === "declined"
        ? row.reason
        : undefined
  if (reason === undefined || !vagueReasons.includes(reason)) return reason
  const advice = textAt(error, "advice_code")
  return (advice === undefined ? undefined : lookup(adviceCodes, advice)) ?? reason
}

export function rawOfError(error: unknown, otherwise: string): Raw {
  return stripped<Raw>({
    code: textAt(error, "decline_code") ?? textAt(error, "code") ?? textAt(error, "type") ?? otherwise,
    message: textAt(error, "message"),
    networkCode: textAt(error, "network_decline_code"),
    adviceCode: textAt(error, "network_advice_code") ?? textAt(error, "advice_code"),
  })
}

/** What was asked for; the money of a webhook is what the object itself says. */
type Asked = { readonly attempt?: string; readonly amount?: Money; readonly capture?: "automatic" | "manual" }

/** The outcome of an authorization out of its intent. `unconfirmed` is what an intent means that was never confirmed. */
export function intentOutcome(intent: Intent, asked: Asked, unconfirmed: "prepared" | "absent" | "unknown"): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  const none: Outcome = { kind: "unknown", raw, evidence }
  if (intent.attempt !== undefined && asked.attempt !== undefined && intent.attempt !== asked.attempt) return none
  const table = intent.of === "setup_intent" ? setupStatuses : paymentStatuses
  const state = lookup<(typeof paymentStatuses)[string] | (typeof setupStatuses)[string]>(table, intent.status)
  switch (state) {
    case undefined:
      return none
    case "unconfirmed":
      return unconfirmedOutcome(intent, asked, unconfirmed, raw, evidence)
    case "action":
      return actionOutcome(intent, raw, evidence)
    case "pending":
      return { kind: "pending", raw, evidence }
    case "verified":
      return { kind: "approved", effect: "verified", amount: 0n, raw, evidence }
    case "voided":
      // A confirmation that failed once too often also ends as canceled: then nothing was ever held.
      return intent.error === undefined
        ? { kind: "approved", effect: "voided", amount: 0n, raw, evidence }
        : declinedOutcome(intent, evidence)
    case "authorized":
      return moneyOutcome(sumOf(intent.capturable, intent.received), "authorized", asked, raw, evidence)
    case "captured": {
      const charge = readCharge(intent.charge)
      if (charge?.refunded === true && charge.amountRefunded !== undefined)
        return moneyOutcome(charge.amountRefunded, "refunded", asked, raw, evidence)
      return moneyOutcome(intent.received, "captured", asked, raw, evidence)
    }
    default:
      return state satisfies never
  }
}

function unconfirmedOutcome(
  intent: Intent,
  asked: Asked,
  unconfirmed: "prepared" | "absent" | "unknown",
  raw: Raw,
  evidence: Evidence,
): Outcome {
  if (intent.error !== undefined) return declinedOutcome(intent, evidence)
  if (unconfirmed !== "prepared") return { kind: unconfirmed, raw, evidence }
  const fits =
    asked.amount === undefined || intent.of === "setup_intent"
      ? asked.amount === undefined || asked.amount.minor === 0n
      : isSame(intent.amount, asked.amount)
  if (!fits) return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "prepared", amount: 0n, raw, evidence }
}

function declinedOutcome(intent: Intent, evidence: Evidence): Outcome {
  const raw = rawOfError(intent.error, intent.status)
  return { kind: "declined", reason: reasonOfError(intent.error, intent) ?? "unmapped", raw, evidence }
}

function actionOutcome({ redirectUrl, nextAction }: Intent, raw: Raw, evidence: Evidence): Outcome {
  if (redirectUrl !== undefined)
    return { kind: "action", action: { type: "redirect", method: "GET", url: redirectUrl }, raw, evidence }
  // Recurring payments in India wait a day after the customer was told; nobody has to act.
  if (nextAction === "card_await_notification") return { kind: "pending", raw, evidence }
  return { kind: "unknown", raw, evidence }
}

// More than was asked, another currency, nothing, or an amount that our digits cannot hold: that is no approval of ours.
function moneyOutcome(
  amount: Money | undefined,
  effect: "authorized" | "captured" | "refunded" | "incremented",
  { amount: asked }: Asked,
  raw: Raw,
  evidence: Evidence,
): Outcome {
  if (amount === undefined || amount.minor <= 0n) return { kind: "unknown", raw, evidence }
  if (asked !== undefined && (asked.currency !== amount.currency || amount.minor > asked.minor))
    return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect, amount: amount.minor, raw, evidence }
}

const isSame = (a: Money | undefined, b: Money | undefined): boolean =>
  a !== undefined && b !== undefined && a.currency === b.currency && a.minor === b.minor

const sumOf = (a: Money | undefined, b: Money | undefined): Money | undefined =>
  a === undefined || b === undefined || a.currency !== b.currency ? a : { ...a, minor: a.minor + b.minor }

/** The capture's own part: what is captured now less what was captured before it. */
export function captureOutcome(intent: Intent, input: Input["capture"]): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  const state = lookup(paymentStatuses, intent.status)
  if (state === "pending") return { kind: "pending", raw, evidence }
  const { received } = intent
  if ((state !== "captured" && state !== "authorized") || received === undefined)
    return { kind: "unknown", raw, evidence }
  if (received.currency !== input.captured.currency) return { kind: "unknown", raw, evidence }
  // The mark, where it is there: somebody may have captured by hand what we do not know of yet.
  const own = ownCaptures(intent) ?? []
  const mine = own.find(({ operation }) => operation === input.operation)?.amount
  const marked = mine !== undefined && sumOfCaptures(own) <= received.minor ? mine : undefined
  const part = marked ?? { ...received, minor: received.minor - input.captured.minor }
  return moneyCaptured(part, input, raw, evidence)
}

export const sumOfCaptures = (own: readonly OwnCapture[]): bigint =>
  own.reduce((sum, { amount }) => sum + amount.minor, 0n)

function moneyCaptured(part: Money, { amount }: FollowUpInput, raw: Raw, evidence: Evidence): Outcome {
  if (part.minor <= 0n || part.minor > amount.minor || part.currency !== amount.currency)
    return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "captured", amount: part.minor, raw, evidence }
}

export function incrementOutcome(intent: Intent, amount: Money): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  if (lookup(paymentStatuses, intent.status) !== "authorized" || !isSame(intent.amount, amount))
    return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "incremented", amount: amount.minor, raw, evidence }
}

export function cancelOutcome(intent: Intent): Outcome {
  const raw: Raw = { code: intent.status }
  const evidence = evidenceOf(intent)
  const table = intent.of === "setup_intent" ? setupStatuses : paymentStatuses
  if (lookup<string>(table, intent.status) !== "voided") return { kind: "unknown", raw, evidence }
  return { kind: "approved", effect: "voided", amount: 0n, raw, evidence }
}

/** `asked` is nothing for webhooks, and only a currency for reversals, which give back whatever is left. */
export function refundOutcome(refund: Refund, asked: Money | Money["currency"] | undefined): Outcome {
  const evidence: Evidence = { reference: refund.id }
  const raw: Raw = { code: refund.failureReason ?? refund.status }
  const none: Outcome = { kind: "unknown", raw, evidence }
  if (refund.amount === undefined) return none
  if (typeof asked === "string" ? refund.amount.currency !== asked : asked && !isSame(refund.amount, asked)) return none
  switch (lookup(refundStatuses, refund.status)) {
    case "refunded":
      return { kind: "approved", effect: "refunded", amount: refund.amount.minor, raw, evidence }
    case "pending":
      return { kind: "pending", raw, evidence }
    case "declined": {
      const { failureReason } = refund
      const reason =
        failureReason === undefined ? "refund_not_possible" : (lookup(refundFailures, failureReason) ?? "unmapped")
      return { kind: "declined", reason, raw, evidence }
    }
    case undefined:
      return none
  }
}
