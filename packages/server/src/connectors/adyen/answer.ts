// What an answer of Adyen's means. A refusal comes with status 200 and a resultCode; an error with another status and an
// errorCode, and then it matters whether anything can have happened. What is not clearly said stays unknown.

import type { DeclineReason } from "../../core/decline.ts"
import type { Money } from "../../core/money.ts"
import { readAdviceCode, readNetworkCode } from "../../core/network-code.ts"
import type { Evidence, Outcome, Raw } from "../../core/outcome.ts"
import { amountFrom } from "../amount.ts"
import { type HttpResponse, lookup } from "../connector.ts"
import { at, isObject, parseJson, textAt, wordAt } from "../json.ts"
import { errorCodes } from "./error-codes.ts"
import { manifest } from "./manifest.ts"
import { inferredReasons, networks, type Refusal, refusalReasons, resultCodes } from "./tables.ts"
import {
  countAt,
  readAdvice,
  readEvidence,
  readNetworkResponse,
  readRedirect,
  readServiceError,
  type ServiceError,
  told,
} from "./wire.ts"

/** What was asked for, against which an approval is held. */
export type Asked = { readonly amount: Money; readonly capture: "automatic" | "manual" }

/** Codes are shown in tables: what is longer is no code. */
const maxCodeLength = 100
const cut = (code: string): string => code.slice(0, maxCodeLength)

export const isSuccess = ({ status }: HttpResponse): boolean => status === 200 || status === 201 || status === 202

export function unknown(code: string, evidence: Evidence = {}): Outcome {
  return { kind: "unknown", raw: { code: cut(code) }, evidence }
}

/** The outcome of POST /payments and POST /payments/details. */
export function paymentOutcome(response: HttpResponse, asked: Asked): Outcome {
  if (!isSuccess(response)) return failure(response)
  const body = parseJson(response.body)
  const result = textAt(body, "resultCode")
  if (result === undefined) return unknown(`http ${response.status}`)
  const evidence = readEvidence(body)
  switch (lookup(resultCodes, result)) {
    case "approved":
    case "partly":
      return approval(body, result, asked, evidence)
    case "action": {
      const action = readRedirect(body)
      return action === undefined
        ? unknown(result, evidence)
        : { kind: "action", action, raw: { code: result }, evidence }
    }
    case "pending":
      return { kind: "pending", raw: { code: result }, evidence: withoutToken(evidence) }
    case "declined":
      return refusal(body, result, withoutToken(evidence))
    case "unknown":
    case undefined:
      return unknown(result, evidence)
  }
}

/** A token belongs to an approval: what is told before may never come to be. */
function withoutToken({ providerToken: _token, ...evidence }: Evidence): Evidence {
  return evidence
}

function approval(body: unknown, result: string, asked: Asked, evidence: Evidence): Outcome {
  const raw: Raw = { code: result }
  // Without a reference nobody could capture, cancel or find it: not an answer that can be relied on.
  if (evidence.reference === undefined) return unknown(result, evidence)
  const amount = approvedAmount(body, result, asked)
  if (amount === undefined || amount > asked.amount.minor) return unknown(result, evidence)
  if (asked.amount.minor === 0n) return { kind: "approved", effect: "verified", amount: 0n, raw, evidence }
  if (amount === 0n) return unknown(result, evidence)
  // Networks of single messages ("sale") capture with the authorization, whatever was asked for.
  const captures = asked.capture === "automatic" || textAt(body, "additionalData", "networkProcessingMode") === "sale"
  return { kind: "approved", effect: captures ? "captured" : "authorized", amount, raw, evidence }
}

/** In minor units of the asked currency; undefined where the answer contradicts it, or does not say how big the part is. */
function approvedAmount(body: unknown, result: string, { amount: asked }: Asked): bigint | undefined {
  const additional = readAmount(
    countAt(body, "additionalData", "authorisedAmountValue"),
    at(body, "additionalData", "authorisedAmountValue"),
    textAt(body, "additionalData", "authorisedAmountCurrency"),
    asked,
  )
  const top = readAmount(
    countAt(body, "amount", "value"),
    at(body, "amount", "value"),
    textAt(body, "amount", "currency"),
    asked,
  )
  if (additional === "contradicts" || top === "contradicts") return undefined
  // `authorisedAmountValue` is where a part is told; `amount` may repeat what was asked for.
  return additional ?? top ?? (lookup(resultCodes, result) === "partly" ? undefined : asked.minor)
}

function readAmount(
  count: bigint | undefined,
  given: unknown,
  currency: string | undefined,
  asked: Money,
): bigint | "contradicts" | undefined {
  if (given === undefined && currency === undefined) return undefined
  const amount = amountFrom(manifest, count, currency ?? asked.currency)
  return amount === undefined || amount.currency !== asked.currency ? "contradicts" : amount.minor
}

function refusal(body: unknown, result: string, evidence: Evidence): Outcome {
  const code = wordAt(body, "refusalReasonCode")
  const text = textAt(body, "refusalReason")
  const networkCode = readNetworkResponse(textAt(body, "additionalData", "refusalReasonRaw"))
  const adviceCode = readAdvice(textAt(body, "additionalData", "merchantAdviceCode"))
  const brand = textAt(body, "additionalData", "paymentMethod") ?? textAt(body, "paymentMethod", "brand")
  const row = code === undefined ? refusalByText(text) : lookup(refusalReasons, code)
  const words: Words = told<Words>({
    networkCode,
    adviceCode,
    brand,
    inferred: textAt(body, "additionalData", "inferredRefusalReason"),
  })
  return {
    kind: "declined",
    reason:
      row === undefined && code === undefined && text === undefined
        ? (spoken(words) ?? silent(result))
        : refusalReason(row, words),
    raw: told<Raw>({
      code: cut(code === undefined ? result : `${result} ${code}`),
      message: textAt(body, "additionalData", "refusalReasonRaw") ?? text,
      networkCode,
      adviceCode,
    }),
    evidence,
  }
}

/** What stands beside Adyen's own code. */
export type Words = {
  readonly networkCode?: string
  readonly adviceCode?: string
  readonly brand?: string
  readonly inferred?: string
}

/** Adyen's code decides; under a wide one, Adyen's inference and then the network's code say which of its answers it was. */
export function refusalReason(row: Refusal | undefined, words: Words): DeclineReason {
  if (row === undefined) return spoken(words) ?? "unmapped"
  if (row.wide !== true) return row.reason
  const inferred = words.inferred === undefined ? undefined : lookup(inferredReasons, words.inferred)
  return inferred ?? spoken(words) ?? row.reason
}

function spoken({ networkCode, adviceCode, brand }: Words): DeclineReason | undefined {
  const network = brand === undefined ? undefined : lookup(networks, brand)
  const verdict =
    networkCode === undefined
      ? undefined
      : readNetworkCode(networkCode, {
          ...(network === undefined ? {} : { network }),
          ...(adviceCode === undefined ? {} : { adviceCode }),
        })
  if (verdict?.kind === "declined") return verdict.reason
  return adviceCode === undefined ? undefined : readAdviceCode(adviceCode)?.reason
}

const silent = (result: string): DeclineReason =>
  result === "Cancelled" ? "canceled_by_customer" : result === "Error" ? "provider_error" : "generic_decline"

/** By the words, for answers and webhooks that bring no code. Spaces and case differ between places. */
export function refusalByText(text: string | undefined): Refusal | undefined {
  const bare = (words: string): string => words.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  const wanted = bare(text ?? "")
  return wanted === "" ? undefined : Object.values(refusalReasons).find((row) => bare(row.text) === wanted)
}

// Errors that the request itself is to blame for. Adyen says some of them with status 500.
const requestErrors: ReadonlySet<string> = new Set(["validation", "configuration", "security"])

/**
 * The outcome of an answer with an error status. A page of text is a proxy's and says nothing. Statuses and their
 * meaning: docs.adyen.com/development-resources/response-handling (2026-07).
 */
export function failure(response: HttpResponse): Outcome {
  const { status } = response
  const body = parseJson(response.body)
  const error = readServiceError(body)
  if ((!isObject(body) && response.body !== "") || status < 400) return unknown(`http ${status}`)
  if (error === undefined) {
    if (status === 401 || status === 403) return rejected(`http ${status}`, "invalid_credentials", "ours")
    return status === 429 ? rejected("http 429", "rate_limited", "theirs") : unknown(`http ${status}`)
  }
  const meaning = lookup(errorCodes, error.code)
  // In flight, or done before: the first request's answer counts, whatever else this one says.
  if (error.code === "704" || status === 409) return unknown(`error ${error.code}`, evidenceOf(error))
  // "No messaging could be initiated to an issuing system": nothing was done, and the key is free again.
  if (response.headers["transient-error"]?.toLowerCase() === "true")
    return rejected(`error ${error.code}`, "provider_error", "theirs", error)
  if (status === 429) return rejected(`error ${error.code}`, "rate_limited", "theirs", error)
  if (meaning === "unknown") return unknown(`error ${error.code}`, evidenceOf(error))
  if (status === 401) return rejected(`error ${error.code}`, "invalid_credentials", "ours", error)
  if (status === 403) return rejected(`error ${error.code}`, meaning ?? "invalid_credentials", "ours", error)
  if (!requestErrors.has(error.type ?? "")) return unknown(`error ${error.code}`, evidenceOf(error))
  if (meaning !== undefined) return rejected(`error ${error.code}`, meaning, "ours", error)
  return status < 500
    ? rejected(`error ${error.code}`, "unmapped", "ours", error)
    : unknown(`error ${error.code}`, evidenceOf(error))
}

const evidenceOf = ({ reference }: ServiceError): Evidence => (reference === undefined ? {} : { reference })

function rejected(code: string, reason: DeclineReason, fault: "ours" | "theirs", error?: ServiceError): Outcome {
  return {
    kind: "rejected",
    fault,
    executed: "no",
    reason,
    raw: told<Raw>({ code: cut(code), message: error?.message }),
    evidence: error === undefined ? {} : evidenceOf(error),
  }
}
