// Lines of the recordings that another payment library (ActiveMerchant 1.137.0) left: what it sent, what came back, and
// what it made of it. Its `success` is the truth for authorize, purchase, capture and refund.

import { at, isObject, listAt, textAt } from "../../packages/server/src/connectors/json.ts"
import type { DeclineReason } from "../../packages/server/src/core/decline.ts"
import type { Expected } from "./recorded.ts"

export type Recording = {
  /** `stripe.jsonl:12`. */
  readonly name: string
  /** The library's word: authorize, purchase, capture, refund, void, verify, store, … */
  readonly operation: string
  readonly calls: readonly { readonly method: string; readonly path: string; readonly body: string }[]
  readonly expected: Expected
  readonly rawCodes: unknown
}

export function readRecordings(file: string, lines: readonly unknown[]): readonly Recording[] {
  return lines.map((line, index) => {
    const rawCodes = at(line, "case", "raw_codes")
    return {
      name: `${file}:${index + 1}`,
      operation: textAt(line, "case", "operation") ?? "",
      rawCodes,
      expected: expectedOf(line),
      calls: listAt(line, "exchange", "exchanges").map((call) => {
        const url = textAt(call, "url")
        const { pathname, search } = new URL(url ?? "https://provider.example/nothing")
        const body = at(call, "response", "body")
        return {
          method: (textAt(call, "method") ?? "get").toUpperCase(),
          path: url === undefined ? "" : `${pathname}${search}`,
          body: typeof body === "string" ? body : "",
        }
      }),
    }
  })
}

function expectedOf(line: unknown): Expected {
  const success = at(line, "case", "am_success")
  const avs = textAt(line, "case", "avs")
  const cvv = textAt(line, "case", "cvv")
  const code = textAt(line, "case", "am_error_code")
  const reasons = success === false && code !== undefined ? standardCodes[code] : undefined
  return {
    ...(typeof success === "boolean" ? { success } : {}),
    ...(avs === undefined ? {} : { avs }),
    ...(cvv === undefined ? {} : { cvv }),
    ...(reasons === undefined ? {} : { reasons }),
  }
}

/** The library's standard error codes in our reasons. It has no finer ones: each may be any of several of ours. */
const standardCodes: Readonly<Record<string, readonly DeclineReason[]>> = {
  incorrect_number: ["invalid_number"],
  invalid_number: ["invalid_number"],
  invalid_expiry_date: ["invalid_expiry"],
  invalid_cvc: ["incorrect_cvc"],
  expired_card: ["expired_card"],
  incorrect_cvc: ["incorrect_cvc"],
  incorrect_zip: ["postal_code_mismatch"],
  incorrect_address: ["address_mismatch", "billing_details_missing"],
  incorrect_pin: ["incorrect_pin"],
  card_declined: ["generic_decline", "do_not_honor"],
  processing_error: ["network_error", "issuer_error", "provider_error"],
  call_issuer: ["refer_to_issuer"],
  pickup_card: ["pickup_card", "lost_card", "stolen_card"],
  config_error: ["merchant_misconfigured", "invalid_credentials"],
  test_mode_live_card: ["test_mode_mismatch"],
  unsupported_feature: ["feature_not_supported"],
  invalid_amount: ["invalid_amount"],
}

export const isTruth = (operation: string): boolean =>
  ["authorize", "purchase", "capture", "refund"].includes(operation)

export const isJson = (body: string): boolean => {
  try {
    return isObject(JSON.parse(body))
  } catch {
    return false
  }
}
