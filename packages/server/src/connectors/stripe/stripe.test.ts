import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import type { Outcome } from "../../core/outcome.ts"
import { secret } from "../../core/secret.ts"
import type { AccountConfig, HttpResponse, Input, InquiryInput, Notice } from "../connector.ts"
import { connectorContract, readSamples, readWebhookSamples, standardInput, type TableCoverage } from "../contract.ts"
import type { ErrorRow } from "./error-tables.ts"
import { stripe } from "./index.ts"
import * as tables from "./tables.ts"

const config: AccountConfig = {
  mode: "test",
  credentials: { secret_key: secret("sk_test_51Q9cOrchestraContractSuite") },
  settings: { connected_account: "acct_1Q9cOrchestra" },
}
const folder = new URL("./samples/", import.meta.url)

// How Stripe would send each code.

const intent = (status: string, more: object = {}): object => ({
  id: "pi_1",
  object: "payment_intent",
  status,
  amount: 1999,
  amount_capturable: status === "requires_capture" ? 1999 : 0,
  amount_received: status === "succeeded" ? 1999 : 0,
  currency: "eur",
  next_action: { type: "redirect_to_url", redirect_to_url: { url: "https://hooks.stripe.com/x" } },
  ...more,
})
const setup = (status: string): object => ({ ...intent(status), id: "seti_1", object: "setup_intent" })
const charge = (more: object): object => ({
  id: "ch_1",
  object: "charge",
  status: "succeeded",
  currency: "eur",
  amount_captured: 1999,
  amount_refunded: 0,
  ...more,
})
const refund = (status: string, more: object = {}): object => ({
  id: "re_1",
  object: "refund",
  status,
  amount: 1999,
  currency: "eur",
  balance_transaction: "txn_1",
  ...more,
})
const dispute = (status: string): object => ({ id: "du_1", object: "dispute", status, amount: 1999, currency: "eur" })

const answer = (body: unknown, status = 200): { status: number; headers: {}; body: string } => ({
  status,
  headers: {},
  body: JSON.stringify(body),
})
const authorize = (body: unknown, status = 200): Outcome =>
  stripe.codecs.authorize!.decode(answer(body, status), standardInput(stripe, "authorize") as Input["authorize"])
const inquire = (body: unknown): Outcome =>
  stripe.inquire!.decode(answer(body), standardInput(stripe, "inquire") as InquiryInput)
const refunded = (body: unknown): Outcome =>
  stripe.codecs.refund!.decode(answer(body), standardInput(stripe, "refund") as Input["refund"])
const notices = (type: string, object: object): readonly Notice[] =>
  stripe.webhook.decode({ headers: {}, body: JSON.stringify({ id: "evt_1", object: "event", type, data: { object } }) })

const reasonOf = (outcome: Outcome): string => ("reason" in outcome ? outcome.reason : outcome.kind)
const effectOf = (outcome: Outcome): string => (outcome.kind === "approved" ? outcome.effect : outcome.kind)
const stateOf = (outcome: Outcome): string => (outcome.kind === "absent" ? "unconfirmed" : effectOf(outcome))
const rowOf = (outcome: Outcome): ErrorRow => {
  const { raw: _raw, evidence: _evidence, ...row } = outcome
  return row as ErrorRow
}
const refusal = (error: object): unknown => ({ error: { type: "card_error", code: "card_declined", ...error } })
const blocked = (reason: string): unknown =>
  intent("requires_payment_method", {
    last_payment_error: { type: "card_error", code: "card_declined", decline_code: "generic_decline" },
    latest_charge: charge({ status: "failed", outcome: { type: "blocked", reason } }),
  })
const withCard = (card: object): unknown =>
  intent("succeeded", { latest_charge: charge({ payment_method_details: { card } }) })

// An event is shown every kind of object; it reads its own.
function eventRow(type: string): unknown {
  const objects: readonly object[] = [
    ...Object.keys(tables.paymentStatuses).map((status) => intent(status)),
    ...Object.keys(tables.setupStatuses).map((status) => setup(status)),
    refund("succeeded"),
    charge({ captured: true }),
    charge({ captured: false }),
    dispute("needs_response"),
    { object: "radar.early_fraud_warning", id: "issfr_1" },
  ]
  const found = objects.flatMap((object) => notices(type, object).map((notice) => ({ notice, object })))
  const best = found.find(({ notice }) => notice.trust === "signed") ?? found[0]
  if (best === undefined) return undefined
  const { object } = best.object as { readonly object: string }
  const of = object === "radar.early_fraud_warning" ? "warning" : object
  return { about: best.notice.about, of, trust: best.notice.trust }
}

const coverage: readonly TableCoverage[] = [
  {
    name: "decline codes",
    table: tables.declineCodes,
    reach: (code) => reasonOf(authorize(refusal({ decline_code: code }), 402)),
    miss: "unmapped",
  },
  {
    name: "advice codes",
    table: tables.adviceCodes,
    reach: (code) => reasonOf(authorize(refusal({ decline_code: "do_not_honor", advice_code: code }), 402)),
    miss: "do_not_honor",
  },
  {
    name: "block reasons",
    table: tables.blockReasons,
    reach: (code) => reasonOf(inquire(blocked(code))),
    miss: "unmapped",
  },
  {
    name: "error codes",
    table: tables.errorCodes,
    // With the intent beside it: without one, a wrong state is another copy's.
    reach: (code) => {
      const error = { type: "invalid_request_error", code, payment_intent: intent("canceled") }
      return rowOf(authorize({ error }, 400))
    },
    miss: { kind: "rejected", fault: "ours", executed: "unknown", reason: "unmapped" },
  },
  {
    name: "error types",
    table: tables.errorTypes,
    reach: (type) => rowOf(authorize({ error: { type } }, 400)),
    miss: { kind: "unknown" },
  },
  {
    name: "refund failures",
    table: tables.refundFailures,
    reach: (code) => reasonOf(refunded(refund("failed", { failure_reason: code }))),
    miss: "unmapped",
  },
  {
    name: "payment statuses",
    table: tables.paymentStatuses,
    reach: (status) => stateOf(inquire(intent(status))),
    miss: "unknown",
  },
  {
    name: "setup statuses",
    table: tables.setupStatuses,
    reach: (status) => stateOf(inquire(setup(status))),
    miss: "unknown",
  },
  {
    name: "refund statuses",
    table: tables.refundStatuses,
    reach: (status) => effectOf(refunded(refund(status))),
    miss: "unknown",
  },
  {
    name: "checks",
    table: tables.checkResults,
    reach: (word) => authorize(withCard({ checks: { cvc_check: word } })).evidence.checks?.code,
    miss: "unchecked",
  },
  {
    name: "liability shifts",
    table: tables.liabilityShifts,
    reach: (result) => authorize(withCard({ three_d_secure: { result } })).evidence.threeDs?.liabilityShifted,
    miss: undefined,
  },
  {
    name: "dispute statuses",
    table: tables.disputeStatuses,
    reach: (status) => notices("charge.dispute.updated", dispute(status))[0]?.dispute?.stage,
    miss: undefined,
  },
  { name: "events", table: tables.events, reach: eventRow, miss: undefined },
]

connectorContract(stripe, {
  config,
  samples: readSamples(folder),
  webhooks: {
    samples: readWebhookSamples(folder),
    secrets: ["whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH", "whsec_oMyQh1QKhJrxQ8mtx2Kc3nW9nZb7Yy1d"],
    covers: "body",
    sign: (body, key, atMs) => {
      const time = Math.floor(atMs / 1_000)
      const signature = createHmac("sha256", key).update(`${time}.${body}`).digest("hex")
      return { headers: { "stripe-signature": `t=${time},v1=${signature}` }, body }
    },
  },
  tables: coverage,
  tableModule: tables,
})

const whole = standardInput(stripe, "authorize") as Input["authorize"]

test("a network transaction id is sent only where Stripe has opened that door, and never with the customer there", () => {
  const input: Input["authorize"] = {
    ...whole,
    initiator: { by: "merchant", purpose: "recurring", networkTransactionId: "485029173640127" },
  }
  const open = { ...config, settings: { mit_exemption: "enabled" } }
  const field = "payment_method_options[card][mit_exemption][network_transaction_id]"
  const sent = (account: AccountConfig): string | null =>
    new URLSearchParams(stripe.codecs.authorize!.encode(input, account).body).get(field)
  assert.equal(sent(open), "485029173640127")
  assert.equal(sent(config), null)
  const present = { ...input, initiator: { ...input.initiator, by: "customer", stored: "used" } } as const
  assert.equal(new URLSearchParams(stripe.codecs.authorize!.encode(present, open).body).get(field), null)
})

test("a smaller authorization is asked for only where the merchant allows it and Stripe offers it to the account", () => {
  const sent = (allowPartial: boolean, settings: AccountConfig["settings"]): string | null =>
    new URLSearchParams(stripe.codecs.authorize!.encode({ ...whole, allowPartial }, { ...config, settings }).body).get(
      "payment_method_options[card][request_partial_authorization]",
    )
  assert.equal(sent(true, { partial_authorizations: "enabled" }), "if_available")
  assert.equal(sent(false, { partial_authorizations: "enabled" }), null)
  assert.equal(sent(true, {}), null)
})

test("the customer's card is never asked for a second factor where the merchant wants none", () => {
  const { body } = stripe.codecs.authorize!.encode({ ...whole, threeDs: { mode: "none" } }, config)
  assert.equal(new URLSearchParams(body).get("error_on_requires_action"), "true")
})

test("a co-badged card goes over Cartes Bancaires when that network was chosen", () => {
  const method = { ...whole.method, network: "cartes_bancaires" } as Input["authorize"]["method"]
  const { body } = stripe.codecs.authorize!.encode({ ...whole, method }, config)
  assert.equal(new URLSearchParams(body).get("payment_method_options[card][network]"), "cartes_bancaires")
})

test("an authorization without the id that prepare learned is a bug, and so is a network token", () => {
  const { reference: _reference, ...unprepared } = whole
  assert.throws(() => stripe.codecs.authorize!.encode(unprepared, config), TypeError)
  const { type: _type, cvc: _cvc, ...card } = whole.method as Extract<Input["authorize"]["method"], { type: "card" }>
  const method = { ...card, type: "network_token" } as const
  assert.throws(() => stripe.codecs.authorize!.encode({ ...whole, method }, config), TypeError)
})

test("what the descriptor may not hold is left out, and nothing is sent when no letter remains", () => {
  const suffix = (descriptor: string): string | null =>
    new URLSearchParams(stripe.codecs.prepare!.encode({ ...whole, descriptor }, config).body).get(
      "statement_descriptor_suffix",
    )
  assert.equal(suffix("Bücher <*> 'Order' \"42\" and more than fits"), "Bcher  Order 42 and mo")
  assert.equal(suffix("42 — 東京"), null)
})

test("only the account that answers with itself has working credentials", () => {
  const decode = (response: HttpResponse): unknown => stripe.verifyCredentials!.decode(response)
  assert.deepEqual(decode(answer({ object: "account", id: "acct_1", charges_enabled: true })), {
    ok: true,
    detail: "acct_1 may charge",
  })
  assert.deepEqual(decode(answer({ object: "account", id: "acct_1", charges_enabled: false })), {
    ok: true,
    detail: "acct_1 may not charge yet",
  })
  assert.deepEqual(decode(answer({ error: { message: "Invalid API Key provided" } }, 401)), {
    ok: false,
    detail: "Invalid API Key provided",
  })
})
