// Adyen's recordings. Another library's speak the classic Payment API, whose authorise answers and errors have the form of
// Checkout's; the SDKs' mocks are of many APIs, told apart by their file names.

import { amountFrom } from "../../packages/server/src/connectors/amount.ts"
import { adyen } from "../../packages/server/src/connectors/adyen/index.ts"
import {
  at,
  integerAt,
  isObject,
  listAt,
  parseJson,
  textAt,
  wordAt,
} from "../../packages/server/src/connectors/json.ts"
import type { Currency } from "../../packages/server/src/core/currency.ts"
import { money } from "../../packages/server/src/core/money.ts"
import type { Outcome } from "../../packages/server/src/core/outcome.ts"
import { readRecordings, type Recording } from "./active-merchant.ts"
import type { Exchange, Expected, RecordedRule } from "./recorded.ts"

const classic = "https://docs.adyen.com/api-explorer/Payment/68/overview (2026-07)"
const mocks = "mocks of Adyen's Java, Node and PHP libraries"

export const adyenRules: readonly RecordedRule[] = [
  {
    key: "adyen classic modification",
    reason:
      'the classic API answers modifications in "response", as [capture-received] or Authorised; Checkout, which the connector uses, answers in "status"',
    source: classic,
    explains: ({ response }, _aspect, { kind }) => kind === "unknown" && /"response"\s*:\s*"/.test(response.body),
  },
  {
    key: "adyen classic redirect",
    reason:
      "the classic API sends the customer away with issuerUrl, md and paRequest of 3-D Secure 1; Checkout answers with an action",
    source: classic,
    explains: ({ response }, _aspect, { kind }) =>
      kind === "unknown" &&
      isObject(parseJson(response.body)) &&
      textAt(parseJson(response.body), "issuerUrl") !== undefined,
  },
  {
    key: "adyen fragment",
    reason:
      "the body is cut to its additional data on purpose: without resultCode nothing is decided, and no checks are kept of a payment that nobody knows",
    source: "recorded by another library's tests, ActiveMerchant 1.137.0",
    explains: ({ response }, _aspect, { kind }) =>
      kind === "unknown" && Object.keys(parseJson(response.body) ?? {}).join() === "additionalData",
  },
  {
    key: "adyen anonymous completion",
    reason:
      "the answer to a customer's return does not name its payment by our reference: it may be another one's, and proves nothing",
    source: "PaymentDetailsResponse.merchantReference of Checkout v72; the mocks leave it out",
    explains: ({ response }, _aspect, { kind }) =>
      kind === "unknown" &&
      textAt(parseJson(response.body), "resultCode") === "Authorised" &&
      textAt(parseJson(response.body), "merchantReference") === undefined,
  },
  {
    key: "adyen not a payment",
    reason:
      "pay-outs, stored details, terminals, sessions, links, orders, disputes and balance platforms are no operation of the connector's",
    source: mocks,
  },
]

export function adyenExchanges(lines: readonly unknown[]): readonly Exchange[] {
  return readRecordings("adyen.jsonl", lines).flatMap((recording) =>
    recording.calls.filter(({ path }) => path !== "").map((call) => recorded(recording, call)),
  )
}

type Reads = "authorize" | "complete" | "capture" | "void" | "refund" | "increment" | "reverse"

const classicOperations: Readonly<Record<string, Reads>> = {
  authorise: "authorize",
  capture: "capture",
  cancel: "void",
  refund: "refund",
  adjustAuthorisation: "increment",
}

function recorded(recording: Recording, { method, path, body }: Recording["calls"][number]): Exchange {
  const parsed = parseJson(body)
  const name = `${recording.name} ${method} ${path}`
  const status = integerAt(parsed, "status")
  const response = { status: Number(status ?? 200n), headers: {}, body }
  const operation = path.includes("/Payment/") ? classicOperations[path.split("/").at(-1) ?? ""] : undefined
  if (operation === undefined) return { name, response, expected: {}, foreign: "adyen not a payment" }
  const errorCode = wordAt(recording.rawCodes, "errorCode")
  const raw = [errorCode, textAt(recording.rawCodes, "refusalReasonRaw"), textAt(recording.rawCodes, "resultCode")]
  return {
    name,
    response,
    operation,
    input: inputFor(parsed),
    expected: { ...recording.expected, raw: raw.filter((part) => part !== undefined), ...referenceOf(parsed) },
  }
}

const referenceOf = (parsed: unknown): Expected => {
  const reference = textAt(parsed, "pspReference")
  return reference === undefined ? {} : { reference }
}

/** What was asked is what the body says that it is about: mocks do not fit any request. */
function inputFor(parsed: unknown): Readonly<Record<string, unknown>> {
  const at1 = amountFrom(adyen.manifest, integerAt(parsed, "amount", "value"), textAt(parsed, "amount", "currency"))
  const told = textAt(parsed, "additionalData", "authorisedAmountValue")
  const toldIn = textAt(parsed, "additionalData", "authorisedAmountCurrency")
  const at2 = amountFrom(adyen.manifest, told === undefined ? undefined : BigInt(told), toldIn)
  const attempt = textAt(parsed, "merchantReference")
  return {
    amount: at1 ?? at2 ?? money(1_000n, "EUR" as Currency),
    capture: "manual",
    ...(attempt === undefined ? {} : { attempt }),
  }
}

/** The codec that reads a mock, by the name of its file. */
const mockOperations: readonly (readonly [RegExp, Reads])[] = [
  [/\/authorise(?:3d)?-(?:success|error)/, "authorize"],
  [/\/Payment\/(?:authorise-success|invalid-merchant-account)/, "authorize"],
  [/\/checkout\/payments-(?:success|error)/i, "authorize"],
  [/\/checkout\/paymentResponse/, "authorize"],
  [/\/checkout\/payment(?:DetailsResponse|ResultsResponse|sresult-|s-result-)/i, "complete"],
  [/\/checkout\/paymentcapture-/, "capture"],
  [/\/checkout\/paymentsreversals-/, "reverse"],
  [/\/capture-(?:success|error)/, "capture"],
  [/\/(?:cancel|cancelOrRefund)-received/, "void"],
  [/\/adjust-authorisation-received/, "increment"],
]

export function adyenMocks(lines: readonly unknown[]): readonly Exchange[] {
  return lines.map((line, index) => {
    const file = textAt(line, "source", "file") ?? ""
    const body = at(line, "body")
    const text = typeof body === "string" ? body : JSON.stringify(body)
    const parsed = parseJson(text)
    const name = `adyen_sdk.jsonl:${index + 1} ${file.split("/").slice(-2).join("/")}`
    const response = { status: Number(integerAt(parsed, "status") ?? 200n), headers: {}, body: text }
    const items = listAt(parsed, "notificationItems")
    if (items.length > 0) return { name, response, webhook: true, expected: { kinds: eventKinds(items[0]) } }
    const operation = mockOperations.find(([pattern]) => pattern.test(`/${file}`))?.[1]
    if (operation === undefined || file.includes("PaymentsApp"))
      return { name, response, expected: {}, foreign: "adyen not a payment" }
    return { name, response, operation, input: inputFor(parsed), expected: answerExpected(parsed) }
  })
}

/** Adyen's own words for the results: docs.adyen.com/online-payments/payment-result-codes (2026-07). */
const resultKinds: Readonly<Record<string, readonly Outcome["kind"][]>> = {
  Authorised: ["approved"],
  Refused: ["declined"],
  RedirectShopper: ["action"],
  Pending: ["pending"],
  Received: ["pending"],
}

function answerExpected(parsed: unknown): Expected {
  const errorCode = wordAt(parsed, "errorCode")
  if (errorCode !== undefined) return { kinds: ["rejected"], raw: [errorCode] }
  const result = textAt(parsed, "resultCode")
  const kinds = result === undefined ? (["pending"] as const) : (resultKinds[result] ?? [])
  return { kinds, raw: result === undefined ? [] : [result], ...referenceOf(parsed) }
}

function eventKinds(entry: unknown): readonly Outcome["kind"][] {
  const item = at(entry, "NotificationRequestItem")
  // A dispute's facts stand beside the outcome, which decides nothing about the payment.
  if (textAt(item, "eventCode") === "CHARGEBACK") return ["unknown"]
  return String(at(item, "success")) === "true" ? ["approved"] : ["declined"]
}
