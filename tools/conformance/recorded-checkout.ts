// Checkout.com's recordings: another library's, whose statuses are not known, and the replies of the vendor's own SDK tests
// with their status.

import { amountFrom } from "../../packages/server/src/connectors/amount.ts"
import { checkout } from "../../packages/server/src/connectors/checkout/index.ts"
import type { SampleOperation } from "../../packages/server/src/connectors/contract-sample.ts"
import {
  at,
  booleanAt,
  integerAt,
  isObject,
  listAt,
  parseJson,
  textAt,
} from "../../packages/server/src/connectors/json.ts"
import type { Currency } from "../../packages/server/src/core/currency.ts"
import { money } from "../../packages/server/src/core/money.ts"
import type { Outcome } from "../../packages/server/src/core/outcome.ts"
import { isJson, readRecordings, type Recording } from "./active-merchant.ts"
import type { Exchange, Expected, RecordedRule } from "./recorded.ts"

export const checkoutRules: readonly RecordedRule[] = [
  {
    key: "checkout not a payment",
    reason:
      "tokens, stored instruments, disputes, pay-outs, reports, issuing, identities and alternative methods are no operation of the connector's",
    source: "test replies of checkout-sdk-node at a1d2c72",
  },
  {
    key: "checkout payout",
    reason: "status Paid belongs to pay-outs, which the connector never makes: unknown",
    source: "https://api-reference.checkout.com (2026-06)",
    explains: ({ response }, _aspect, { kind }) =>
      kind === "unknown" && textAt(parseJson(response.body), "status") === "Paid",
  },
  {
    key: "checkout no JSON",
    reason:
      "the body is empty or cut on purpose: it reads as unknown, as money may have moved; the other library calls that a failure",
    source: "recorded by another library's tests, ActiveMerchant 1.137.0",
    explains: ({ response }, aspect, { kind }) => aspect === "success" && kind === "unknown" && !isJson(response.body),
  },
]

export function checkoutExchanges(lines: readonly unknown[]): readonly Exchange[] {
  return readRecordings("checkout.jsonl", lines).flatMap((recording) =>
    recording.calls.filter(({ path }) => path !== "").map((call) => recorded(recording, call)),
  )
}

function recorded(recording: Recording, { method, path, body }: Recording["calls"][number]): Exchange {
  const parsed = parseJson(body)
  const name = `${recording.name} ${method} ${path}`
  const status = textAt(parsed, "error_type") === undefined ? (path === "/payments" ? 201 : 202) : 422
  const response = { status, headers: {}, body }
  const operation = operationOf(method, path)
  if (operation === undefined) return { name, response, expected: {}, foreign: "checkout not a payment" }
  const id = textAt(parsed, "id")
  const raw = [textAt(recording.rawCodes, "response_code"), ...listAt(recording.rawCodes, "error_codes").map(String)]
  return {
    name,
    response,
    operation,
    input: inputFor(parsed),
    expected: {
      ...recording.expected,
      raw: raw.filter((part) => part !== undefined),
      ...(id === undefined ? {} : { reference: id }),
    },
  }
}

function operationOf(method: string, path: string): SampleOperation | undefined {
  const [place = "", query] = path.split("?")
  if (method === "GET") {
    if (place === "/payments") return query?.includes("reference=") === true ? "inquire" : undefined
    return /^\/payments\/[^/]+(?:\/actions)?$/.test(place) ? "inquire" : undefined
  }
  if (method !== "POST") return undefined
  if (place === "/payments") return "authorize"
  const action = /^\/payments\/[^/]*\/(\w+)$/.exec(place)?.[1]
  return action === undefined ? undefined : actions[action]
}

const actions: Readonly<Record<string, SampleOperation>> = {
  captures: "capture",
  voids: "void",
  refunds: "refund",
  authorizations: "increment",
  reversals: "reverse",
}

/** What was asked is what the body says that it is about: the replies do not fit any request. */
function inputFor(parsed: unknown): Readonly<Record<string, unknown>> {
  const told = amountFrom(checkout.manifest, integerAt(parsed, "amount"), textAt(parsed, "currency"))
  return { amount: told ?? money(1_000n, "USD" as Currency), capture: "manual" }
}

export function checkoutReplies(lines: readonly unknown[]): readonly Exchange[] {
  return lines.map((line, index) => {
    const method = (textAt(line, "method") ?? "").toUpperCase()
    const path = textAt(line, "path") ?? ""
    const body = at(line, "body")
    const text = body === null || body === undefined ? "" : JSON.stringify(body)
    const status = Number(integerAt(line, "http_status") ?? 200n)
    const name = `checkout_sdk.jsonl:${index + 1} ${method} ${path} ${status}`
    const response = { status, headers: {}, body: text }
    const operation = operationOf(method, path)
    if (operation === undefined) return { name, response, expected: {}, foreign: "checkout not a payment" }
    const question = operation === "inquire" ? questionFor(path, body) : inputFor(body)
    const raised = operation === "increment" ? raisedFor(body) : {}
    return {
      name,
      response,
      operation,
      input: { ...question, ...raised },
      expected: replyExpected(operation, status, body),
    }
  })
}

// An increment's reply tells what was added, and the new total only in its balances.
function raisedFor(body: unknown): Readonly<Record<string, unknown>> {
  const amount = (count: bigint | undefined): unknown => amountFrom(checkout.manifest, count, textAt(body, "currency"))
  const total = integerAt(body, "balances", "total_authorized")
  const added = integerAt(body, "amount")
  if (total === undefined || added === undefined) return {}
  return { amount: amount(total), authorized: amount(total - added) }
}

/** Whatever the SDK asked, we ask about what the reply holds. */
function questionFor(path: string, body: unknown): Readonly<Record<string, unknown>> {
  const [place = ""] = path.split("?")
  if (place === "/payments") {
    const [first] = listAt(body, "data")
    return { ...inputFor(first), reference: null, attempt: textAt(first, "reference") ?? "att_standard" }
  }
  if (!place.endsWith("/actions")) return inputFor(body)
  const action = (Array.isArray(body) ? (body as unknown[]) : []).find((one) => textAt(one, "type") === "Capture")
  return {
    ...inputFor({ amount: at(action, "amount"), currency: "USD" }),
    about: "capture",
    operationReference: textAt(action, "id") ?? "act_standard",
  }
}

/** By the status, and by `approved` where the reply has it. */
function replyExpected(operation: SampleOperation, status: number, body: unknown): Expected {
  if (operation === "inquire") return { kinds: inquiryKinds(status, body) }
  if (status >= 400) {
    const codes = listAt(body, "error_codes").map(String)
    return { kinds: ["rejected"], ...(codes.length === 0 ? {} : { raw: codes }) }
  }
  // Accepted with 202, and 204 only says that it was asked for before: the verdict comes later.
  if (operation !== "authorize" && operation !== "increment") return { kinds: ["pending"] }
  const id = textAt(body, operation === "increment" ? "action_id" : "id")
  const approved = booleanAt(body, "approved")
  const hasRedirect = isObject(at(body, "_links", "redirect"))
  const kinds: readonly Outcome["kind"][] =
    approved === undefined ? [hasRedirect ? "action" : "pending"] : [approved ? "approved" : "declined"]
  return { kinds, ...(id === undefined ? {} : { reference: id }) }
}

function inquiryKinds(status: number, body: unknown): readonly Outcome["kind"][] {
  if (status >= 400) return status === 404 ? ["unknown"] : ["rejected"]
  const words = [body, ...listAt({ list: body }, "list"), ...listAt(body, "data")].map((one) => textAt(one, "status"))
  return words.some((word) => word === "Declined") ? ["declined"] : ["approved"]
}
