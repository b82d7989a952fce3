// Stripe's recordings: PaymentIntents and the older Charges of another library. Statuses were not recorded; an error's
// follows from its type (https://docs.stripe.com/api/errors, 2026-10).

import { amountFrom } from "../../packages/server/src/connectors/amount.ts"
import { at, integerAt, isObject, parseJson, textAt } from "../../packages/server/src/connectors/json.ts"
import { stripe } from "../../packages/server/src/connectors/stripe/index.ts"
import { type Currency } from "../../packages/server/src/core/currency.ts"
import { type Money, money } from "../../packages/server/src/core/money.ts"
import { isJson, isTruth, readRecordings, type Recording } from "./active-merchant.ts"
import type { Exchange, Expected, RecordedRule } from "./recorded.ts"

const recordings = "recorded by another library's tests, ActiveMerchant 1.137.0"

export const stripeRules: readonly RecordedRule[] = [
  {
    key: "stripe charges API",
    reason: "the answer is a Charge: the connector pays with PaymentIntents and never asks for one",
    source: "https://docs.stripe.com/payments/payment-intents/migration/charges (2026-10)",
  },
  {
    key: "stripe not a payment",
    reason: "tokens, customers, stored cards and application fees are no operation of the connector's",
    source: recordings,
  },
  {
    key: "stripe not JSON",
    reason:
      "the body is no JSON (some bodies are cut or are another language's notation): it reads as unknown, as money may have moved; the other library calls that a failure",
    source: recordings,
    explains: ({ response }, aspect, { kind }) => aspect === "success" && kind === "unknown" && !isJson(response.body),
  },
  {
    key: "stripe failure of machines",
    reason:
      "an api_error or an error without type says nothing about what was done: unknown, where the other library says failure",
    source: "https://docs.stripe.com/api/errors (2026-10)",
    explains: ({ response }, aspect, { kind }) => {
      const error = at(parseJson(response.body), "error")
      const type = textAt(error, "type")
      const isMachines = isObject(error) && (type === "api_error" || type === undefined)
      return (aspect === "success" || aspect === "raw") && kind === "unknown" && isMachines
    },
  },
  {
    key: "stripe refund without status",
    reason: "the recorded refund is of 2015 and has no status; today's always has one, and without it nothing is said",
    source: "https://docs.stripe.com/api/refunds/object#refund_object-status (2026-10)",
    explains: ({ response }, aspect, { kind }) =>
      (aspect === "success" || aspect === "reference") &&
      kind === "unknown" &&
      lacks(response.body, "refund", "status"),
  },
  {
    key: "stripe amount without currency",
    reason: "the fixture leaves the currency out: an amount that nobody knows the worth of is no approval",
    source: recordings,
    explains: ({ response }, aspect, { kind }) =>
      aspect === "success" && kind === "unknown" && lacks(response.body, "payment_intent", "currency"),
  },
  {
    key: "stripe redirect",
    reason:
      "the customer has to be sent away: an action for us, a failure for the other library, which was not told to expect 3-D Secure",
    source: recordings,
    explains: (_exchange, aspect, { kind }) => aspect === "success" && kind === "action",
  },
]

function lacks(body: string, object: string, field: string): boolean {
  const parsed = parseJson(body)
  return textAt(parsed, "object") === object && at(parsed, field) === undefined
}

export function stripeExchanges(lines: readonly unknown[]): readonly Exchange[] {
  return readRecordings("stripe.jsonl", lines).flatMap((recording) =>
    recording.calls.filter(({ path }) => path !== "").map((call) => exchangeOf(recording, call)),
  )
}

type Call = Recording["calls"][number]

function exchangeOf(recording: Recording, { method, path, body }: Call): Exchange {
  const parsed = parseJson(body)
  const error = at(parsed, "error")
  const status = isObject(error) ? errorStatus(textAt(error, "type")) : 200
  const name = `${recording.name} ${method} ${path.split("?")[0]}`
  const response = { status, headers: {}, body }
  const operation = operationOf(method, path, isObject(error))
  if (operation === undefined) {
    const foreign = /^\/v1\/charges(?:\/[^/]+)?(?:\/capture)?(?:\?|$)/.test(path)
      ? "stripe charges API"
      : "stripe not a payment"
    return { name, response, expected: {}, foreign }
  }
  return {
    name,
    response,
    operation,
    input: inputFor(operation, parsed),
    expected: expectedOf(recording, path, parsed),
  }
}

const errorStatus = (type: string | undefined): number =>
  type === "card_error" ? 402 : type === "api_error" ? 500 : type === "idempotency_error" ? 409 : 400

/** The codec that reads the answer. Errors have one form at all endpoints, those of Charges included. */
function operationOf(
  method: string,
  path: string,
  isError: boolean,
): "authorize" | "capture" | "void" | "refund" | "inquire" | undefined {
  const [place = ""] = path.split("?")
  if (method === "GET") return /^\/v1\/(?:payment|setup)_intents\/[^/]+$/.test(place) ? "inquire" : undefined
  if (/^\/v1\/payment_intents(?:\/[^/]+\/confirm)?$/.test(place) || place === "/v1/setup_intents") return "authorize"
  if (/^\/v1\/payment_intents\/[^/]+\/capture$/.test(place)) return "capture"
  if (/^\/v1\/payment_intents\/[^/]+\/cancel$/.test(place)) return "void"
  if (/^\/v1\/charges\/[^/]+\/refunds$/.test(place) || place === "/v1/refunds") return "refund"
  return place === "/v1/charges" && isError ? "authorize" : undefined
}

/** Bodies are fixtures and do not fit the requests beside them: what was asked is what the body says that it is about. */
function inputFor(operation: string, parsed: unknown): Readonly<Record<string, unknown>> {
  const asked =
    amountOf(parsed, operation === "capture" ? "amount_received" : "amount") ?? money(2_000n, "USD" as Currency)
  const isSetup = textAt(parsed, "object") === "setup_intent"
  const amount = isSetup ? { ...asked, minor: 0n } : asked
  const sums = { authorized: amount, captured: money(0n, amount.currency) }
  const capture = textAt(parsed, "capture_method") === "manual" ? "manual" : "automatic"
  return {
    amount,
    capture,
    reference: textAt(parsed, "id") ?? "pi_standard",
    ...(operation === "authorize" ? {} : sums),
  }
}

const amountOf = (parsed: unknown, field: string): Money | undefined =>
  amountFrom(stripe.manifest, integerAt(parsed, field), textAt(parsed, "currency"))

function expectedOf({ operation, expected, rawCodes }: Recording, path: string, parsed: unknown): Expected {
  const code = textAt(rawCodes, "decline_code") ?? textAt(rawCodes, "code") ?? textAt(parsed, "error", "type")
  const isError = at(parsed, "error") !== undefined
  const id = textAt(parsed, "id")
  const isMain = isTruth(operation) || !path.includes("/refunds")
  return {
    ...expected,
    // A refund of a fee that failed after the refund itself went through is none of this exchange's.
    ...(isMain ? {} : { success: !isError }),
    ...(isError && code !== undefined ? { raw: [code] } : {}),
    ...(isError || id === undefined ? {} : { reference: id }),
  }
}
