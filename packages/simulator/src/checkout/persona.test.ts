// Drives the persona over HTTP with Checkout.com's own Node SDK.
import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { after, beforeEach, test } from "node:test"
import { Checkout } from "checkout-sdk-node"
import { type Bench, openBench } from "../persona-bench.ts"
import type { TrueCharge } from "../persona.ts"
import { checkout } from "./index.ts"

/** The SDK's answers are untyped. */
type View = { readonly id: string; readonly action_id: string } & Readonly<Record<string, unknown>>

const DAY_MS = 86_400_000
const secretKey = "sk_sbox_abcdefghijklmnopqrstuvwxyz2"
const publicKey = "pk_sbox_abcdefghijklmnopqrstuvwxyz2"
const processingChannelId = "pc_abcdefghijklmnopqrstuvwxyz"
const webhookSecret = "webhook-secret"
let bench: Bench
let api: Checkout

beforeEach(open)
after(() => bench.close())

async function open(): Promise<void> {
  await bench?.close()
  bench = await openBench(checkout, { secretKey, publicKey, processingChannelId, webhookSecret })
  api = new Checkout(secretKey, { host: bench.url, pk: publicKey })
}

test("a card is authorized with checks and traces, captured by itself, and told by signed webhooks", async () => {
  const paid = await pay({ processing_channel_id: processingChannelId })
  assert.match(paid.id, /^pay_[a-z2-7]{26}$/)
  assert.match(paid.action_id, /^act_[a-z2-7]{26}$/)
  assert.partialDeepStrictEqual(paid, {
    amount: 1000,
    currency: "EUR",
    approved: true,
    status: "Authorized",
    response_code: "10000",
    response_summary: "Approved",
    reference: "order-1",
    requiresRedirect: false,
    balances: { total_authorized: 1000, total_captured: 0, total_refunded: 0 },
    source: {
      type: "card",
      scheme: "Visa",
      last4: "4242",
      bin: "424242",
      issuer_country: "US",
      avs_check: "Y",
      cvv_check: "Y",
    },
  })
  assert.match(String(paid["scheme_id"]), /^\d{15}$/)
  assert.equal(truth(paid).capturePending, 1000n)
  assert.deepEqual(events(1_000), ["payment_approved"])
  const [captured] = webhooks(1_000)
  assert.partialDeepStrictEqual(captured, {
    type: "payment_captured",
    data: { id: paid.id, reference: "order-1", amount: 1000, currency: "EUR", response_code: "10000" },
  })
  assert.deepEqual(only(truth(paid)), { state: "captured", authorized: 1000n, captured: 1000n, held: 1000n })
  const read = await api.payments.get(paid.id)
  assert.partialDeepStrictEqual(read, {
    status: "Captured",
    balances: { total_captured: 1000, available_to_refund: 1000 },
  })
})

test("test cards and test amounts are declined as documented, unless the expiry turns the amounts off", async () => {
  const rows: [source: object, amount: number, code: string][] = [
    [card({ number: "4544249167673670" }), 1000, "20051"],
    [card({ number: "4111111111111129" }), 1000, "20001"],
    [card(), 101, "20051"],
    [card(), 12305, "20005"],
    [card({ number: "5436031030606378" }), 2051, "20051"],
    [card({ number: "5436031030606378" }), 7033, "30033"],
    [card({ expiry_month: 1, expiry_year: 2099 }), 12305, "10000"],
    // Sample traffic with other cards is not caught by amounts.
    [card({ number: "4111111111111111" }), 12305, "10000"],
  ]
  for (const [source, amount, code] of rows) {
    const paid = await pay({ source, amount })
    assert.equal(paid["response_code"], code, JSON.stringify([source, amount]))
    assert.equal(paid["approved"], code === "10000")
    assert.equal(truth(paid).state, code === "10000" ? "authorized" : "declined")
  }
  assert.equal((await pay({ amount: 12305, currency: "JPY" }))["approved"], true)
})

test("an issuer's decline keeps its ISO code in Checkout.com's, with Mastercard's advice beside it", async () => {
  for (const [responseCode, code] of [
    ["51", "20051"],
    ["41", "30041"],
    ["1A", "20154"],
    ["N7", "200N7"],
  ]) {
    bench.setWeather({ issuer: { approvalRate: 0, declines: [decline(responseCode ?? "", "03")] } })
    const paid = await pay({ source: card({ number: "5555555555554444" }) })
    assert.partialDeepStrictEqual(paid, {
      approved: false,
      status: "Declined",
      response_code: code,
      processing: { recommendation_code: "03", partner_merchant_advice_code: "03" },
    })
    const [declined] = webhooks(1_000)
    assert.partialDeepStrictEqual(declined, { type: "payment_declined", data: { response_code: code, id: paid.id } })
  }
})

test("an issuer approves in part only where the merchant allows it", async () => {
  bench.setWeather({ issuer: { partialRate: 1 } })
  assert.equal((await pay({}))["response_code"], "20051")
  const partial = await pay({ partial_authorization: { enabled: true }, capture: false })
  assert.partialDeepStrictEqual(partial, {
    amount: 500,
    amount_requested: 1000,
    response_code: "10010",
    approved: true,
  })
  assert.equal(truth(partial).authorized, 500n)
  assert.partialDeepStrictEqual(await api.payments.get(partial.id), { amount: 500, amount_requested: 1000 })
})

test("a zero or missing amount verifies the card and holds nothing", async () => {
  for (const amount of [0, undefined]) {
    const paid = await pay({ amount })
    assert.partialDeepStrictEqual(paid, { status: "Card Verified", approved: true, amount: 0 })
    assert.equal(truth(paid).held, 0n)
    assert.deepEqual(events(5_000), ["card_verified"])
  }
  bench.setWeather({ issuer: { approvalRate: 0 } })
  assert.equal((await pay({ amount: 0 }))["status"], "Declined")
  assert.deepEqual(events(5_000), ["card_verification_declined"])
})

test("3DS is pending until the cardholder acts, and is authorized before the customer is back", async () => {
  const started = await pay(challenged)
  assert.partialDeepStrictEqual(started, { status: "Pending", requiresRedirect: true, "3ds": { enrolled: "Y" } })
  assert.deepEqual(only(truth(started)), { state: "action", authorized: 0n, captured: 0n, held: 0n })
  assert.deepEqual(events(1_000), ["payment_pending"])
  const url = String(started["redirectLink"])
  assert.match(await (await fetch(url)).text(), /<button name="challenge" value="authenticated">/)
  const back = await act(url, "authenticated")
  assert.equal(back.origin + back.pathname, "https://shop.example/paid")
  const session = back.searchParams.get("cko-session-id") ?? ""
  assert.match(session, /^sid_/)
  assert.equal(truth(started).held, 1000n)
  const read = await api.payments.get(session)
  assert.partialDeepStrictEqual(read, {
    id: started.id,
    status: "Authorized",
    approved: true,
    "3ds": { authentication_response: "Y", challenged: true },
    actions: [{ type: "Authorization", response_code: "10000" }],
  })
  assert.deepEqual(events(1_000), ["payment_approved"])
  assert.equal((await act(url, "failed")).pathname, "/paid")
  assert.equal(truth(started).held, 1000n)
})

test("a failed or abandoned challenge declines and leads to the failure address", async () => {
  for (const [deed, code] of [
    ["failed", "20151"],
    ["abandoned", "20152"],
  ] as const) {
    const started = await pay(challenged)
    const back = await act(String(started["redirectLink"]), deed)
    assert.equal(back.pathname, "/failed")
    assert.partialDeepStrictEqual(await api.payments.get(started.id), { status: "Declined", approved: false })
    assert.partialDeepStrictEqual(await actions(started), [{ type: "Authorization", response_code: code }])
    assert.equal(truth(started).held, 0n)
  }
})

test("a challenge that nobody meets expires after fifteen minutes", async () => {
  const started = await pay(challenged)
  assert.deepEqual(events(15 * 60_000), ["payment_pending", "payment_expired"])
  assert.partialDeepStrictEqual(await api.payments.get(started.id), { status: "Expired", approved: false })
  const url = String(started["redirectLink"])
  assert.equal((await fetch(url)).status, 404)
  assert.equal((await act(url, "authenticated")).pathname, "/failed")
  assert.equal(truth(started).held, 0n)
})

test("a card without 3DS is declined, or goes on without it where that was allowed", async () => {
  const source = card({ number: "6200000000000005" })
  assert.equal((await pay({ ...challenged, source }))["response_code"], "20150")
  const downgraded = await pay({ ...challenged, source, "3ds": { enabled: true, attempt_n3d: true } })
  assert.partialDeepStrictEqual(downgraded, { approved: true, "3ds": { downgraded: true, enrolled: "N" } })
  const external = { enabled: true, eci: "05", cryptogram: "AAABBBCCC", xid: "ds-1", version: "2.2.0" }
  const done = await pay({ "3ds": external })
  assert.partialDeepStrictEqual(done, { approved: true, eci: "05", "3ds": { authentication_response: "Y" } })
})

test("a source of an earlier payment, and a token from the browser, pay again", async () => {
  const first = await pay({})
  const { id } = first["source"] as { id: string }
  const again = await pay({
    source: { type: "id", id },
    payment_type: "Recurring",
    merchant_initiated: true,
    previous_payment_id: first.id,
  })
  assert.partialDeepStrictEqual(again, { approved: true, source: { id, last4: "4242" } })
  const tokenized = (await api.tokens.request({ ...card() })) as { token: string }
  const byToken = await pay({ source: { type: "token", token: tokenized.token } })
  assert.partialDeepStrictEqual(byToken, { approved: true, source: { last4: "4242" } })
  bench.advance(15 * 60_000)
  await assert.rejects(pay({ source: { type: "token", token: tokenized.token } }), error(422, "token_expired"))
})

test("a network token needs a fresh cryptogram when the customer is present, and none afterwards", async () => {
  const token = {
    type: "network_token",
    token: "4895370012003478",
    token_type: "vts",
    expiry_month: 3,
    expiry_year: 2030,
  }
  const source = { ...token, cryptogram: "AgAAAAAAAIR8CQrXcIhbQAAAAAA=", eci: "07" }
  assert.equal((await pay({ source: token }))["response_code"], "20082")
  assert.equal((await pay({ source }))["approved"], true)
  assert.equal((await pay({ source }))["response_code"], "20082")
  assert.equal((await pay({ source: token, merchant_initiated: true, payment_type: "Unscheduled" }))["approved"], true)
})

test("a capture is accepted first and done shortly after; a final one releases what it leaves", async () => {
  const paid = await pay({ capture: false })
  const accepted = await capture(paid, { amount: 600, reference: "capture-1" })
  assert.match(accepted.action_id, /^act_/)
  assert.equal(accepted["reference"], "capture-1")
  assert.equal(truth(paid).capturePending, 600n)
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), { status: "Authorized" })
  assert.deepEqual(events(2_000), ["payment_approved", "payment_captured"])
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), {
    status: "Captured",
    balances: { total_captured: 600, total_voided: 400, available_to_capture: 0 },
  })
  const [latest, first] = await actions(paid)
  assert.partialDeepStrictEqual(latest, {
    id: accepted.action_id,
    type: "Capture",
    amount: 600,
    approved: true,
    response_code: "10000",
    reference: "capture-1",
  })
  assert.partialDeepStrictEqual(first, { id: paid.action_id, type: "Authorization", amount: 1000 })
})

test("captures in parts leave the rest open until one is final, and never exceed it", async () => {
  const paid = await pay({ capture: false })
  await capture(paid, { amount: 300, capture_type: "NonFinal" })
  bench.advance(2_000)
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), { status: "Partially Captured" })
  await assert.rejects(capture(paid, { amount: 701 }), error(422, "capture_value_greater_than_remaining_authorized"))
  await assert.rejects(capture(paid, { amount: 1001 }), error(422, "capture_value_greater_than_authorized"))
  await capture(paid)
  bench.advance(2_000)
  assert.deepEqual(only(truth(paid)), { state: "captured", authorized: 1000n, captured: 1000n, held: 1000n })
  await assert.rejects(capture(paid, { amount: 1 }), error(403))
})

test("a capture or refund can be declined after it was accepted", async () => {
  const capturing = await pay({ capture: false, source: card({ name: "capture declined" }) })
  await capture(capturing)
  assert.deepEqual(events(2_000), ["payment_approved", "payment_capture_declined"])
  assert.deepEqual(only(truth(capturing)), { state: "authorized", authorized: 1000n, captured: 0n, held: 1000n })
  assert.partialDeepStrictEqual(await actions(capturing), [
    { type: "Capture", approved: false, response_code: "20005" },
  ])
  const refunding = await pay({ source: card({ name: "refund declined" }) })
  bench.advance(2_000)
  await refund(refunding)
  bench.webhooks()
  assert.deepEqual(events(2_000), ["payment_refund_declined"])
  assert.equal(truth(refunding).refunded, 0n)
})

test("refunds give back what was captured and not more, and nothing before a capture", async () => {
  const paid = await pay({})
  await assert.rejects(refund(paid, { amount: 100 }), error(403))
  bench.advance(2_000)
  await refund(paid, { amount: 700, reference: "refund-1" })
  assert.equal(truth(paid).refundPending, 700n)
  await assert.rejects(refund(paid, { amount: 301 }), error(422, "refund_amount_exceeds_balance"))
  bench.advance(2_000)
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), { status: "Partially Refunded" })
  await refund(paid)
  assert.deepEqual(events(2_000).slice(-1), ["payment_refunded"])
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), { status: "Refunded" })
  await assert.rejects(refund(paid, { amount: 1 }), error(403))
})

test("a void releases the hold, and is refused once a capture was accepted", async () => {
  const paid = await pay({ capture: false })
  const accepted = (await api.payments.void(paid.id, { reference: "void-1" })) as View
  assert.equal(truth(paid).held, 1000n)
  assert.deepEqual(events(2_000), ["payment_approved", "payment_voided"])
  assert.deepEqual(only(truth(paid)), { state: "voided", authorized: 1000n, captured: 0n, held: 0n })
  assert.partialDeepStrictEqual(await api.payments.get(paid.id), { status: "Voided", balances: { total_voided: 1000 } })
  assert.equal((await actions(paid))[0]?.id, accepted.action_id)
  const captured = await pay({})
  await assert.rejects(api.payments.void(captured.id), error(403))
})

test("a void that loses against a capture is declined by webhook", async () => {
  const paid = await pay({ capture: false })
  await api.payments.void(paid.id)
  await capture(paid)
  assert.deepEqual(events(2_000), ["payment_approved", "payment_void_declined", "payment_captured"])
  assert.equal(truth(paid).captured, 1000n)
})

test("a reversal voids what is held and refunds what was taken, and finds nothing to do the second time", async () => {
  const held = await pay({ capture: false })
  const metadata = { why: "never mind" }
  const accepted = await reverse(held, { reference: "undo-1", metadata })
  assert.match(accepted.action_id, /^act_/)
  assert.equal(truth(held).held, 1000n)
  const [, voided] = webhooks(2_000)
  assert.partialDeepStrictEqual(voided, { type: "payment_voided", data: { action_id: accepted.action_id, metadata } })
  assert.equal(truth(held).held, 0n)
  assert.partialDeepStrictEqual((await actions(held))[0], { id: accepted.action_id, reference: "undo-1", metadata })
  assert.equal((await post(`/payments/${held.id}/reversals`, {})).status, 204)

  const taken = await pay({ capture: false })
  await capture(taken, { amount: 600, capture_type: "NonFinal" })
  bench.advance(2_000)
  await reverse(taken)
  bench.webhooks()
  assert.deepEqual(events(2_000), ["payment_voided", "payment_refunded"])
  assert.deepEqual(only(truth(taken)), { state: "captured", authorized: 1000n, captured: 600n, held: 0n })

  const declined = await post("/payments", {
    source: card({ number: "4544249167673670" }),
    amount: 1000,
    currency: "EUR",
  })
  const { id } = (await declined.json()) as View
  assert.equal((await post(`/payments/${id}/reversals`, {})).status, 403)
})

test("a reversal wins over a capture under way by refunding it", async () => {
  const paid = await pay({})
  await reverse(paid)
  assert.deepEqual(events(6_000), ["payment_approved", "payment_captured", "payment_refunded"])
  assert.deepEqual(only(truth(paid)), { state: "captured", authorized: 1000n, captured: 1000n, held: 0n })
})

test("an estimated authorization can be raised and prolonged, a final one cannot", async () => {
  const paid = await pay({ capture: false, authorization_type: "Estimated" })
  const raised = (await api.payments.increment(paid.id, { amount: 500, reference: "raise-1" })) as View
  assert.partialDeepStrictEqual(raised, { amount: 500, approved: true, balances: { total_authorized: 1500 } })
  assert.equal(truth(paid).authorized, 1500n)
  assert.deepEqual(events(1_000), ["payment_approved", "payment_authorization_incremented"])
  bench.advance(20 * DAY_MS)
  await api.payments.increment(paid.id, {})
  bench.advance(20 * DAY_MS)
  assert.equal(truth(paid).held, 1500n)
  bench.setWeather({ issuer: { approvalRate: 0, declines: [decline("51")] } })
  const refused = (await api.payments.increment(paid.id, { amount: 500 })) as View
  assert.partialDeepStrictEqual(refused, { approved: false, response_code: "20051" })
  assert.deepEqual(events(1_000).slice(-1), ["payment_authorization_increment_declined"])
  bench.setWeather({})
  await assert.rejects(api.payments.increment((await pay({ capture: false })).id, { amount: 500 }), error(403))
})

test("a deferred capture happens at its time", async () => {
  const paid = await pay({ capture_on: new Date(bench.now() + DAY_MS).toISOString() })
  bench.advance(DAY_MS)
  assert.equal(truth(paid).capturePending, 1000n)
  bench.advance(2_000)
  assert.equal(truth(paid).captured, 1000n)
})

test("a hold expires after seven days with a webhook, unless it ended before", async () => {
  const held = await pay({ capture: false })
  const voided = await pay({ capture: false })
  const captured = await pay({})
  await api.payments.void(voided.id)
  webhooks(7 * DAY_MS - 1)
  const [expired, ...others] = webhooks(1)
  assert.partialDeepStrictEqual(expired, { type: "payment_expired", data: { id: held.id } })
  assert.deepEqual(others, [])
  assert.partialDeepStrictEqual(await api.payments.get(held.id), { status: "Expired" })
  assert.equal(truth(captured).held, 1000n)
})

test("at an operator's wish a hold expires and a cardholder disputes", async () => {
  const held = await pay({ capture: false })
  const captured = await pay({})
  webhooks(2_000)
  assert.equal(bench.persona.befall?.(held.id, { type: "expire" }), true)
  assert.equal(bench.persona.befall?.(captured.id, { type: "dispute", amount: 400n }), true)
  assert.equal(bench.persona.befall?.(held.id, { type: "dispute" }), false)
  assert.equal(bench.persona.befall?.("pay_unknown", { type: "expire" }), false)
  const [expired, received, evidence] = webhooks(1_000)
  assert.equal(expired?.type, "payment_expired")
  assert.equal(evidence?.type, "dispute_evidence_required")
  assert.partialDeepStrictEqual(received, {
    type: "dispute_received",
    data: { payment_id: captured.id, amount: 400, payment_reference: "order-1", reason_code: "10.4" },
  })
  assert.equal(truth(captured).disputed, 400n)
})

test("payments are found by reference, the latest first, a few seconds after they were made", async () => {
  const first = await pay({})
  const second = await pay({})
  const search = { reference: "order-1" }
  assert.partialDeepStrictEqual(await api.payments.getPaymentList(search), { total_count: 0, data: [] })
  bench.advance(3_000)
  const found = await api.payments.getPaymentList(search)
  assert.partialDeepStrictEqual(found, {
    total_count: 2,
    skip: 0,
    limit: 10,
    data: [{ id: second.id }, { id: first.id }],
  })
  const page = await api.payments.getPaymentList({ ...search, limit: 1, skip: 1 })
  assert.partialDeepStrictEqual(page, { total_count: 2, data: [{ id: first.id }] })
  await assert.rejects(api.payments.getPaymentList({}), error(422, "reference_required"))
})

test("a 2xx answer is kept under its key for a day; the same key does the work once", async () => {
  const first = await pay({}, "key-1")
  const again = await pay({ amount: 5 }, "key-1")
  assert.deepEqual(again, first)
  assert.equal(bench.persona.truth().length, 1)
  bench.advance(DAY_MS)
  assert.notEqual((await pay({}, "key-1")).id, first.id)
  bench.advance(2_000)
  const refunded = await refund(first, { amount: 100 }, "key-2")
  assert.equal((await refund(first, { amount: 100 }, "key-2")).action_id, refunded.action_id)
  assert.equal(truth(first).refundPending, 100n)
})

test("an error is not kept: the same key does the work again, twice if it had been done", async () => {
  await assert.rejects(pay({ amount: -1 }, "key-1"), error(422, "amount_invalid"))
  assert.equal((await pay({}, "key-1"))["approved"], true)
  bench.setWeather({ faults: [{ type: "error_after", probability: 1 }] })
  await assert.rejects(pay({ reference: "order-2" }, "key-2"), error(500))
  bench.setWeather({})
  await pay({ reference: "order-2" }, "key-2")
  assert.equal(bench.persona.truth().filter(({ merchantReference }) => merchantReference === "order-2").length, 2)
})

test("each bad request gets an error code that names its field", async () => {
  const bad: [change: object, code: string][] = [
    [{ amount: "1000" }, "amount_invalid"],
    [{ amount: 10_000_000_000 }, "amount_invalid"],
    [{ amount: 1312, currency: "KWD" }, "amount_invalid"],
    [{ source: undefined }, "payment_source_required"],
    [{ source: { type: "giropay" } }, "payment_source_invalid"],
    [{ source: card({ number: "4242424242424241" }) }, "card_number_invalid"],
    [{ source: card({ number: undefined, type: "card" }) }, "card_number_required"],
    [{ source: card({ expiry_month: 13 }) }, "card_expiry_month_invalid"],
    [{ source: card({ expiry_year: "2030" }) }, "card_expiry_year_invalid"],
    [{ source: card({ expiry_month: 12, expiry_year: 2026 }) }, "card_expired"],
    [{ source: card({ cvv: "12" }) }, "cvv_invalid"],
    [{ source: { type: "id", id: "src_unknown" } }, "source_id_invalid"],
    [{ source: { type: "token", token: "tok_unknown" } }, "token_invalid"],
    [{ reference: "r".repeat(51) }, "reference_invalid"],
    [{ processing_channel_id: "pc_other" }, "processing_channel_id_invalid"],
    [{ previous_payment_id: "pay_unknown" }, "previous_payment_id_invalid"],
    [{ "3ds": { enabled: true } }, "success_url_required"],
    [{ authorization_type: "Guessed" }, "authorization_type_invalid"],
  ]
  for (const [change, code] of bad) await assert.rejects(pay(change), error(422, code), JSON.stringify(change))
  const raw = await post("/payments", { amount: 100, source: card() })
  assert.equal(raw.status, 422)
  assert.partialDeepStrictEqual(await raw.json(), { error_type: "request_invalid", error_codes: ["currency_required"] })
  assert.equal(bench.persona.truth().length, 0)
})

test("wrong credentials, unknown payments and too many requests are told apart", async () => {
  const stranger = new Checkout("sk_sbox_bbcdefghijklmnopqrstuvwxyz2", { host: bench.url })
  await assert.rejects(stranger.payments.get("pay_unknown"), error(401))
  // The harmless call that shows whether credentials work: an unknown payment is then not found.
  await assert.rejects(api.payments.get("pay_unknown"), error(404))
  await assert.rejects(capture({ id: "pay_unknown", action_id: "" }), error(404))
  bench.setWeather({ faults: [{ type: "rate_limited", probability: 1 }] })
  await assert.rejects(pay({}), error(429, "api_calls_quota_exceeded"))
})

test("amounts count as Checkout.com counts them, and the truth as ISO 4217 does", async () => {
  const authorized = async (currency: string, amount: number) => truth(await pay({ currency, amount })).authorized
  assert.equal(await authorized("JPY", 500), 500n)
  assert.equal(await authorized("KWD", 1310), 1310n)
  assert.equal(await authorized("CLP", 150_000), 1500n)
  assert.equal(await authorized("ISK", 500), 500n)
  await assert.rejects(pay({ currency: "CLP", amount: 150 }), error(422, "amount_invalid"))
})

test("two histories with one seed are the same to the last digit", async () => {
  const history = async () => {
    await open()
    const paid = await pay({})
    bench.advance(2_000)
    await refund(paid, { amount: 300 })
    bench.advance(2_000)
    return { paid, actions: await actions(paid), webhooks: bench.webhooks() }
  }
  assert.deepEqual(await history(), await history())
})

const challenged = {
  capture: false,
  "3ds": { enabled: true },
  success_url: "https://shop.example/paid",
  failure_url: "https://shop.example/failed",
}

function card(change: object = {}): object {
  const address = { address_line1: "1 Main Street", zip: "10001", country: "US" }
  const plain = { type: "card", number: "4242424242424242", expiry_month: 3, expiry_year: 2030, cvv: "100", name: "Jo" }
  return { ...plain, billing_address: address, ...change }
}

function decline(responseCode: string, adviceCode?: string) {
  return { responseCode, ...(adviceCode && { adviceCode }), weight: 1, standing: false }
}

/** What a test leaves out is an ordinary card payment. */
async function pay(change: object, idempotencyKey?: string): Promise<View> {
  const request = { source: card(), amount: 1000, currency: "EUR", reference: "order-1", ...change }
  return (await api.payments.request(request, idempotencyKey)) as View
}

async function capture(of: View, body?: object, key?: string): Promise<View> {
  return (await api.payments.capture(of.id, body, key)) as View
}

async function refund(of: View, body?: object, key?: string): Promise<View> {
  return (await api.payments.refund(of.id, body, key)) as View
}

async function reverse(of: View, body?: object): Promise<View> {
  return (await api.payments.reverse(of.id, body)) as View
}

async function actions(of: View): Promise<View[]> {
  return (await api.payments.getActions(of.id)) as View[]
}

function post(path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${secretKey}` }
  return fetch(`${bench.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
}

async function act(url: string, challenge: string): Promise<URL> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams({ challenge }), redirect: "manual" })
  assert.equal(response.status, 303)
  return new URL(response.headers.get("location") ?? "")
}

/** The webhooks of this stretch of time, their signatures checked. */
function webhooks(ms: number): { readonly type: string; readonly data: Record<string, unknown> }[] {
  bench.advance(ms)
  return bench.webhooks().map(({ headers, body }) => {
    assert.equal(headers["cko-signature"], createHmac("sha256", webhookSecret).update(body).digest("hex"))
    return JSON.parse(body)
  })
}

function events(ms: number): string[] {
  return webhooks(ms).map(({ type }) => type)
}

function truth({ id }: View): TrueCharge {
  const charge = bench.persona.truth().find(({ reference }) => reference === id)
  assert.ok(charge)
  return charge
}

function only({ state, authorized, captured, held }: TrueCharge) {
  return { state, authorized, captured, held }
}

function error(status: number, code?: string) {
  return (thrown: unknown): boolean => {
    const { http_code, body } = thrown as { http_code: number; body: { error_codes?: string[] } | undefined }
    assert.equal(http_code, status)
    if (code !== undefined) assert.deepEqual(body?.error_codes, [code])
    return true
  }
}
