// What an answer of Checkout.com's means. A payment says up to three times how it ended: `approved`, `status` and
// `response_code`. They have to agree; where they do not, or an amount or currency is not what was asked, nobody knows.

import { type Checks, noChecks } from "../../core/check.ts"
import type { DeclineReason } from "../../core/decline.ts"
import type { Money } from "../../core/money.ts"
import { readAdviceCode } from "../../core/network-code.ts"
import type { Effect, Evidence, Outcome, Raw } from "../../core/outcome.ts"
import { amountFrom } from "../amount.ts"
import { type HttpResponse, lookup } from "../connector.ts"
import { parseJson, textAt } from "../json.ts"
import { type ErrorCode, errorCodes } from "./error-codes.ts"
import { manifest } from "./manifest.ts"
import { responseCodes } from "./response-codes.ts"
import { avsChecks, cvvChecks, declinedReasons, fundings, paymentStatuses, type Standing } from "./tables.ts"
import { type Facts, readErrorCodes } from "./wire.ts"

/** What was asked for, against which an approval is held. */
export type Asked = { readonly amount: Money; readonly capture: "automatic" | "manual" }

const unmapped: ErrorCode = { reason: "unmapped", fault: "ours", executed: "unknown" }

/** Codes are shown in tables: what is longer is no code. */
const maxCodeLength = 200

export const isSuccess = ({ status }: HttpResponse): boolean => status >= 200 && status < 300

export function unknown(code: string, evidence: Evidence = {}): Outcome {
  return { kind: "unknown", raw: { code: code.slice(0, maxCodeLength) }, evidence }
}

/**
 * The outcome of an answer that is no success. The API sends 401, 403, 404 and 429 without a body, or with a JSON one:
 * a page of text is somebody else's and says nothing. `forbidden` is what a 403 means for the operation.
 */
export function refusal(response: HttpResponse, forbidden: DeclineReason): Outcome {
  const { status } = response
  const body = parseJson(response.body)
  const said = `http ${status}`
  if (body === undefined && response.body !== "") return unknown(said)
  const codes = readErrorCodes(body)
  const type = textAt(body, "error_type")
  const raw: Raw = told<Raw>({
    code: (codes.length > 0 ? codes.join(" ") : (type ?? said)).slice(0, maxCodeLength),
    message: codes.length > 0 ? type : undefined,
  })
  const rejected = (reason: DeclineReason, fault: "ours" | "theirs", executed: "no" | "unknown" = "no"): Outcome => ({
    kind: "rejected",
    fault,
    executed,
    reason,
    raw,
    evidence: {},
  })
  switch (status) {
    case 400:
    case 422: {
      if (codes.length === 0 && type === undefined) return unknown(said)
      // The status proves nothing: some of its codes follow processing. What none of the tables knows may be one of them.
      const rows = codes.map((code) => lookup(errorCodes, code) ?? unmapped)
      const row = rows.find(({ executed }) => executed === "unknown") ?? rows[0] ?? unmapped
      return rejected(row.reason, row.fault, row.executed)
    }
    case 401:
      return rejected("invalid_credentials", "ours")
    case 403:
      return rejected(forbidden, "ours")
    case 404:
      return rejected("not_found", "ours")
    case 429:
      // Until 2024 this also answered a copy of a request that was still being worked on; 409 does now.
      return codes.includes("duplicate_request")
        ? { kind: "unknown", raw, evidence: {} }
        : rejected("rate_limited", "theirs")
    default:
      return { kind: "unknown", raw, evidence: {} }
  }
}

/** The outcome of an authorization out of a payment as POST /payments, GET /payments/{id} or a list shows it. */
export function paymentOutcome(facts: Facts, asked: Asked, storeAgreed: boolean): Outcome {
  const raw = rawOf(facts)
  const evidence = paymentEvidence(facts, storeAgreed)
  const unclear: Outcome = { kind: "unknown", raw, evidence: told<Evidence>({ reference: facts.id }) }
  const standing = standingOf(facts)
  switch (standing) {
    case undefined:
    case "foreign":
      return unclear
    case "pending":
      // Payment details show a customer who is still at the page, and need not show where that page is.
      return facts.redirect === undefined
        ? { kind: "pending", raw, evidence, ...(facts.status === "Pending" ? { maybeCustomer: true } : {}) }
        : { kind: "action", action: { type: "redirect", method: "GET", url: facts.redirect }, raw, evidence }
    case "declined":
      return { kind: "declined", reason: declineReason(facts, "generic_decline"), raw, evidence }
    case "canceled":
      return { kind: "declined", reason: declineReason(facts, "canceled_by_customer"), raw, evidence }
    case "expired":
      return { kind: "declined", reason: declineReason(facts, "customer_timeout"), raw, evidence }
    case "voided":
      return { kind: "approved", effect: "voided", amount: 0n, raw, evidence }
    case "verified":
    case "authorized":
    case "captured":
    case "refunded": {
      const approval = approvalOf(facts, standing, asked)
      return approval === undefined
        ? unclear
        : { kind: "approved", ...approval, raw, evidence: approvedEvidence(facts, evidence) }
    }
    default:
      return standing satisfies never
  }
}

/** The standing that all of a payment's words agree on; undefined where they contradict each other or say nothing. */
function standingOf(facts: Facts): Standing | undefined {
  const verdict = verdictOf(facts)
  // Old declines came without a status; an approval without one is none.
  if (facts.status === undefined) return verdict === "declined" ? "declined" : undefined
  const standing = lookup(paymentStatuses, facts.status)
  switch (standing) {
    case undefined:
    case "foreign":
    case "pending":
      return standing
    case "declined":
    case "canceled":
      return verdict === "declined" || verdict === "silent" ? standing : undefined
    case "expired": {
      // Once approved, it held money and holds none any more; never approved, nobody came to pay.
      const held = facts.balances.authorized ?? 0n
      if (verdict === "approved" && held > 0n) return "voided"
      return verdict === "declined" && held === 0n ? "expired" : undefined
    }
    case "voided":
      return verdict === "approved" || verdict === "silent" ? standing : undefined
    case "authorized":
    case "verified":
    case "captured":
    case "refunded":
      return verdict === "approved" ? standing : undefined
    default:
      return standing satisfies never
  }
}

/** What `approved` and `response_code` say together. A code that no table knows never approves. */
export function verdictOf(facts: Facts): "approved" | "declined" | "contradiction" | "silent" {
  const { approved, responseCode } = facts
  if (responseCode === undefined) return approved === undefined ? "silent" : approved ? "approved" : "declined"
  const row = lookup(responseCodes, responseCode)
  if (row === undefined) return approved === false ? "declined" : "contradiction"
  const byCode = "approves" in row
  if (approved !== undefined && approved !== byCode) return "contradiction"
  return byCode ? "approved" : "declined"
}

function approvalOf(
  facts: Facts,
  standing: "verified" | "authorized" | "captured" | "refunded",
  asked: Asked,
): { readonly effect: Effect; readonly amount: bigint } | undefined {
  const amount = within(facts.amount, facts.currency, asked.amount)
  if (amount === undefined) return undefined
  if (standing === "verified" || asked.amount.minor === 0n) {
    const isCheck = asked.amount.minor === 0n && (standing === "verified" || standing === "authorized")
    return isCheck ? { effect: "verified", amount: 0n } : undefined
  }
  const { balances, currency } = facts
  const total = (count: bigint | undefined): bigint | undefined =>
    count === undefined ? amount : within(count, currency, asked.amount)
  const moved = (effect: Effect, sum: bigint | undefined): { effect: Effect; amount: bigint } | undefined =>
    sum === undefined || sum === 0n ? undefined : { effect, amount: sum }
  switch (standing) {
    case "authorized": {
      const held = total(balances.authorized)
      return moved(
        capturesItself(facts, asked.capture === "automatic") ? "captured" : "authorized",
        held === undefined || held < amount ? held : amount,
      )
    }
    case "captured":
      return moved("captured", total(balances.captured))
    case "refunded":
      return moved("refunded", total(balances.refunded))
    default:
      return standing satisfies never
  }
}

/**
 * Asked to capture, Checkout.com answers "Authorized" and captures moments later without anybody's doing: the payment
 * is made. Not so where its risk engine withholds the capture, of which payment details show only the flag.
 */
export function capturesItself({ responseCode, isFlagged }: Facts, automatic: boolean): boolean {
  if (!automatic) return false
  if (responseCode === undefined) return !isFlagged
  const row = lookup(responseCodes, responseCode)
  return row === undefined || !("approves" in row) || row.capture !== "withheld"
}

/** A count as minor units of what was asked; undefined in another currency, above what was asked, or unreadable. */
export function within(count: bigint | undefined, currency: string | undefined, asked: Money): bigint | undefined {
  const money = amountFrom(manifest, count, currency)
  return money === undefined || money.currency !== asked.currency || money.minor > asked.minor ? undefined : money.minor
}

// The issuer's own words say little; Mastercard's advice may say more.
const vague: ReadonlySet<DeclineReason> = new Set([
  "do_not_honor",
  "generic_decline",
  "lifecycle_declined",
  "policy_declined",
  "security_declined",
])

export function declineReason(facts: Facts, otherwise: DeclineReason): DeclineReason {
  const { responseCode, declinedReason, merchantAdvice } = facts
  if (responseCode === undefined)
    return declinedReason === undefined ? otherwise : (lookup(declinedReasons, declinedReason) ?? "unmapped")
  const row = lookup(responseCodes, responseCode)
  if (row === undefined || "approves" in row) return "unmapped"
  const advised = merchantAdvice === undefined ? undefined : readAdviceCode(merchantAdvice)?.reason
  return vague.has(row.reason) ? (advised ?? row.reason) : row.reason
}

/** `otherwise`: what to call an answer that names neither code nor status. */
export function rawOf(facts: Facts, otherwise = "no status"): Raw {
  const { responseCode, declinedReason, status, networkCode, merchantAdvice, recommendation } = facts
  const row = responseCode === undefined ? undefined : lookup(responseCodes, responseCode)
  return told<Raw>({
    code: (responseCode ?? declinedReason ?? status ?? otherwise).slice(0, maxCodeLength),
    message: facts.responseSummary,
    networkCode: networkCode ?? row?.networkCode,
    adviceCode: merchantAdvice ?? recommendation,
  })
}

/** What a payment tells beside its verdict, whatever that is. */
export function paymentEvidence(facts: Facts, storeAgreed: boolean): Evidence {
  const { source, threeDs } = facts
  const token = storeAgreed && source.id?.startsWith("src_") === true ? source.id : undefined
  return told<Evidence>({
    reference: facts.id,
    networkTransactionId: facts.schemeId,
    checks: checksOf(source.avs, source.cvv),
    providerToken:
      token === undefined
        ? undefined
        : told<NonNullable<Evidence["providerToken"]>>({ token, customer: facts.customer }),
    threeDs: unlessEmpty(told<NonNullable<Evidence["threeDs"]>>({ ...threeDs, liabilityShifted: undefined })),
    card: unlessEmpty(
      told<NonNullable<Evidence["card"]>>({
        country: source.country,
        issuer: source.issuer,
        funding: source.funding === undefined ? undefined : lookup(fundings, source.funding.toUpperCase()),
      }),
    ),
  })
}

export const approvedEvidence = (facts: Facts, evidence: Evidence): Evidence =>
  facts.authCode === undefined ? evidence : { ...evidence, authorizationCode: facts.authCode }

function checksOf(avs: string | undefined, cvv: string | undefined): Checks | undefined {
  if (avs === undefined && cvv === undefined) return undefined
  return told<Checks>({
    ...noChecks,
    ...(avs === undefined ? {} : lookup(avsChecks, avs)),
    code: (cvv === undefined ? undefined : lookup(cvvChecks, cvv)) ?? "unchecked",
    rawAvs: avs,
    rawCode: cvv,
  })
}

/** The fields that were told, without those that were not. */
export function told<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

const unlessEmpty = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value)
