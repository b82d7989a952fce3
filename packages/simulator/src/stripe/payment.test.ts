// Stripe's stand-in, driven by the official SDK over HTTP: payments from creation to money.
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { Stripe } from "stripe"
import { openStripeBench } from "./bench.ts"

const bench = await openStripeBench()
const { sdk } = bench
after(() => bench.close())

const card = (number: string, more: object = {}): Stripe.PaymentIntentCreateParams.PaymentMethodData =>
  ({ type: "card", card: { number, exp_month: 3, exp_year: 2030, cvc: "123" }, ...more }) as never
const basics = { amount: 2000, currency: "eur", allowed_payment_method_types: ["card"], confirm: true }
const pay = (number: string, more: object = {}) =>
  sdk.paymentIntents.create({ ...basics, payment_method_data: card(number), ...more })
const declineOf = async (promise: Promise<unknown>): Promise<Stripe.errors.StripeCardError> => {
  const error = await promise.then(
    () => assert.fail("expected a card error"),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Stripe.errors.StripeCardError, String(error))
  return error
}
const truthOf = (id: string) => {
  const charge = bench.persona.truth().find((each) => each.reference === id)
  assert.ok(charge)
  return charge
}

test("a payment with card data is approved and captured at once, and the charge tells how", async () => {
  const intent = await pay("4242424242424242", {
    expand: ["latest_charge"],
    metadata: { order_id: "order-17" },
    payment_method_data: card("4242424242424242", {
      billing_details: { name: "Ada", address: { line1: "1 High St", postal_code: "N1" } },
    }),
  })
  assert.equal(intent.status, "succeeded")
  assert.equal(intent.amount_received, 2000)
  const charge = intent.latest_charge as Stripe.Charge
  assert.equal(charge.captured, true)
  assert.equal(charge.outcome?.network_status, "approved_by_network")
  const details = charge.payment_method_details?.card
  assert.match(details?.network_transaction_id ?? "", /^\d{15}$/)
  assert.deepEqual(details?.checks, {
    address_line1_check: "pass",
    address_postal_code_check: "pass",
    cvc_check: "pass",
  })
  const truth = truthOf(intent.id)
  assert.equal(truth.captured, 2000n)
  assert.equal(truth.merchantReference, "order-17")
})

test("a decline is a 402 with codes, advice, the charge and the intent, which may be paid with another card", async () => {
  const error = await declineOf(pay("4000000000009995", { expand: ["latest_charge"] }))
  assert.equal(error.statusCode, 402)
  assert.equal(error.code, "card_declined")
  assert.equal(error.decline_code, "insufficient_funds")
  assert.equal(error.message, "Your card has insufficient funds.")
  const intent = error.payment_intent as Stripe.PaymentIntent
  assert.equal(intent.status, "requires_payment_method")
  assert.equal(intent.last_payment_error?.network_decline_code, "51")
  assert.equal(intent.last_payment_error?.advice_code, "try_again_later")
  const charge = intent.latest_charge as Stripe.Charge
  assert.equal(charge.status, "failed")
  assert.equal(charge.outcome?.reason, "insufficient_funds")
  assert.equal(error.charge, charge.id)
  assert.equal(truthOf(intent.id).state, "declined")

  const again = await sdk.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa" })
  assert.equal(again.status, "succeeded")
  assert.notEqual(again.latest_charge, charge.id)
})

test("the documented test cards decline with their documented codes", async () => {
  const documented: readonly (readonly [number: string, code: string, declineCode: string])[] = [
    ["4000000000000002", "card_declined", "generic_decline"],
    ["4000000000009987", "card_declined", "lost_card"],
    ["4000000000009979", "card_declined", "stolen_card"],
    ["4000000000000069", "expired_card", "expired_card"],
    ["4000000000000127", "incorrect_cvc", "incorrect_cvc"],
    ["4000000000000119", "processing_error", "processing_error"],
    ["4000000000006975", "card_declined", "card_velocity_exceeded"],
    ["4100000000000019", "card_declined", "fraudulent"],
  ]
  for (const [number, code, declineCode] of documented) {
    const error = await declineOf(pay(number))
    assert.deepEqual([error.code, error.decline_code], [code, declineCode], number)
  }
})

test("card data that cannot be right is refused before any payment exists", async () => {
  const before = bench.persona.truth().length
  const refused = async (data: object): Promise<unknown> => {
    const error = await declineOf(pay("", { payment_method_data: { type: "card", card: data } }))
    return [error.code, error.param]
  }
  const good = { number: "4242424242424242", exp_month: 3, exp_year: 2030 }
  assert.deepEqual(await refused({ ...good, number: "4242424242424241" }), ["incorrect_number", "number"])
  assert.deepEqual(await refused({ ...good, exp_month: 13 }), ["invalid_expiry_month", "exp_month"])
  assert.deepEqual(await refused({ ...good, exp_year: 1995 }), ["invalid_expiry_year", "exp_year"])
  assert.deepEqual(await refused({ ...good, cvc: "99" }), ["invalid_cvc", "cvc"])
  assert.equal(bench.persona.truth().length, before)
})

test("a blocked payment never reaches the network", async () => {
  const error = await declineOf(pay("4100000000000019", { expand: ["latest_charge"] }))
  const charge = (error.payment_intent as Stripe.PaymentIntent).latest_charge as Stripe.Charge
  assert.equal(charge.outcome?.type, "blocked")
  assert.equal(charge.outcome?.network_status, "not_sent_to_network")
  assert.equal(charge.outcome?.network_decline_code, null)
})

test("checks fail for the cards that fail them, and the payment goes through", async () => {
  const intent = await pay("4000000000000101", { expand: ["latest_charge"] })
  const charge = intent.latest_charge as Stripe.Charge
  assert.equal(charge.payment_method_details?.card?.checks?.cvc_check, "fail")
  assert.equal(charge.payment_method_details?.card?.checks?.address_line1_check, null)
})

test("a hold captured in part ends, and the rest counts as refunded", async () => {
  const held = await pay("4242424242424242", { capture_method: "manual" })
  assert.equal(held.status, "requires_capture")
  assert.equal(held.amount_capturable, 2000)
  const captured = await sdk.paymentIntents.capture(held.id, { amount_to_capture: 1500, expand: ["latest_charge"] })
  assert.equal(captured.status, "succeeded")
  assert.equal(captured.amount_received, 1500)
  const charge = captured.latest_charge as Stripe.Charge
  assert.deepEqual([charge.amount, charge.amount_captured, charge.amount_refunded], [2000, 1500, 500])
  assert.equal(truthOf(held.id).held, 1500n)
  await assert.rejects(sdk.paymentIntents.capture(held.id), { code: "payment_intent_unexpected_state" })
})

test("multicapture takes money several times if it was asked for, and not otherwise", async () => {
  const single = await pay("4242424242424242", { capture_method: "manual" })
  await assert.rejects(sdk.paymentIntents.capture(single.id, { amount_to_capture: 5, final_capture: false }), {
    param: "final_capture",
  })
  const options = { card: { request_multicapture: "if_available" } }
  const held = await pay("4242424242424242", { capture_method: "manual", payment_method_options: options })
  const first = await sdk.paymentIntents.capture(held.id, { amount_to_capture: 700, final_capture: false })
  assert.deepEqual([first.status, first.amount_capturable, first.amount_received], ["requires_capture", 1300, 700])
  await assert.rejects(sdk.paymentIntents.capture(held.id, { amount_to_capture: 1301 }), { code: "amount_too_large" })
  const last = await sdk.paymentIntents.capture(held.id, { amount_to_capture: 300 })
  assert.deepEqual([last.status, last.amount_received], ["succeeded", 1000])
  assert.equal(truthOf(held.id).held, 1000n)
})

test("an authorization is incremented only if that was asked for", async () => {
  const plain = await pay("4242424242424242", { capture_method: "manual" })
  await assert.rejects(
    sdk.paymentIntents.incrementAuthorization(plain.id, { amount: 2500 }),
    /does not support incremental/,
  )
  const options = { card: { request_incremental_authorization: "if_available" } }
  const held = await pay("4242424242424242", { capture_method: "manual", payment_method_options: options })
  const raised = await sdk.paymentIntents.incrementAuthorization(held.id, { amount: 2500 })
  assert.deepEqual([raised.amount, raised.amount_capturable], [2500, 2500])
  assert.equal(truthOf(held.id).authorized, 2500n)
})

test("a cancelled hold is released; a paid payment cannot be cancelled", async () => {
  const held = await pay("4242424242424242", { capture_method: "manual" })
  const canceled = await sdk.paymentIntents.cancel(held.id, { cancellation_reason: "abandoned" })
  assert.deepEqual([canceled.status, canceled.cancellation_reason], ["canceled", "abandoned"])
  assert.equal(truthOf(held.id).held, 0n)
  const paid = await pay("4242424242424242")
  await assert.rejects(sdk.paymentIntents.cancel(paid.id), { code: "payment_intent_unexpected_state", statusCode: 400 })
})

test("a hold runs out after seven days", async () => {
  const held = await pay("4242424242424242", { capture_method: "manual" })
  bench.advance(7 * 86_400_000 - 60_000)
  assert.equal((await sdk.paymentIntents.retrieve(held.id)).status, "requires_capture")
  bench.advance(60_000)
  const expired = await sdk.paymentIntents.retrieve(held.id)
  assert.deepEqual([expired.status, expired.cancellation_reason], ["canceled", "automatic"])
  assert.equal(truthOf(held.id).state, "expired")
})

test("a partial approval is taken only by who asked for it, and declined otherwise", async () => {
  bench.setWeather({ issuer: { partialRate: 1 } })
  const error = await declineOf(pay("4242424242424242"))
  assert.equal(error.decline_code, "insufficient_funds")
  const options = { card: { request_partial_authorization: "if_available" } }
  const intent = await pay("4242424242424242", { capture_method: "manual", payment_method_options: options })
  assert.deepEqual([intent.amount, intent.amount_capturable], [2000, 1000])
  assert.equal(truthOf(intent.id).authorized, 1000n)
  bench.setWeather({})
})

test("issuer declines carry the network's decline and advice codes", async () => {
  bench.setWeather({
    issuer: { approvalRate: 0, declines: [{ responseCode: "65", adviceCode: "25", weight: 1, standing: false }] },
  })
  const error = await declineOf(pay("5555555555554444"))
  bench.setWeather({})
  const intent = error.payment_intent as Stripe.PaymentIntent
  assert.equal(error.decline_code, "withdrawal_count_limit_exceeded")
  assert.equal(intent.last_payment_error?.network_decline_code, "65")
  assert.equal(intent.last_payment_error?.network_advice_code, "25")
})

test("created without confirming, found by its id, then confirmed: the strong way to ask what became of a payment", async () => {
  const intent = await sdk.paymentIntents.create({
    amount: 500,
    currency: "usd",
    allowed_payment_method_types: ["card"],
  })
  assert.equal(intent.status, "requires_payment_method")
  await assert.rejects(sdk.paymentIntents.confirm(intent.id), { code: "payment_intent_unexpected_state" })
  const updated = await sdk.paymentIntents.update(intent.id, { amount: 600, payment_method: "pm_card_mastercard" })
  assert.equal(updated.status, "requires_confirmation")
  const paid = await sdk.paymentIntents.confirm(intent.id, { expand: ["latest_charge", "payment_method"] })
  assert.equal(paid.amount_received, 600)
  assert.equal((paid.payment_method as Stripe.PaymentMethod).card?.brand, "mastercard")
  const details = (paid.latest_charge as Stripe.Charge).payment_method_details?.card
  assert.match(details?.network_transaction_id ?? "", /^MCC\d{10}$/)
  await assert.rejects(sdk.paymentIntents.confirm(intent.id), /already succeeded/)
})

test("requests that are wrong in themselves are named by parameter, as Stripe names them", async () => {
  const refusal = async (params: object): Promise<unknown[]> => {
    const error: unknown = await sdk.paymentIntents.create(params as never).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError, String(error))
    return [error.code, error.param]
  }
  assert.deepEqual(await refusal({ currency: "eur" }), ["parameter_missing", "amount"])
  assert.deepEqual(await refusal({ amount: 20.5, currency: "eur" }), ["parameter_invalid_integer", "amount"])
  assert.deepEqual(await refusal({ amount: 20, currency: "eur" }), ["amount_too_small", "amount"])
  assert.deepEqual(await refusal({ amount: 100_000_000, currency: "eur" }), ["amount_too_large", "amount"])
  assert.deepEqual(await refusal({ amount: 2000, currency: "zzz" }), [undefined, "currency"])
  assert.deepEqual(await refusal({ amount: 2001, currency: "kwd" }), [undefined, "amount"])
  assert.deepEqual(await refusal({ ...basics, amuont: 1 }), ["parameter_unknown", "amuont"])
  assert.deepEqual(await refusal({ ...basics, payment_method: "pm_none" }), ["resource_missing", "payment_method"])
  await assert.rejects(sdk.paymentIntents.retrieve("pi_none"), { statusCode: 404, code: "resource_missing" })
})

test("payment methods of the dashboard need somewhere to return to", async () => {
  const automatic = { amount: 2000, currency: "eur", confirm: true, payment_method: "pm_card_visa" } as const
  await assert.rejects(sdk.paymentIntents.create(automatic), /you must provide a `return_url`/)
  const paid = await sdk.paymentIntents.create({
    ...automatic,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  })
  assert.equal(paid.status, "succeeded")
})

test("how a merchant says that it takes cards depends on the API version", async () => {
  const types = { amount: 2000, currency: "eur", payment_method_types: ["card"] } as never
  await assert.rejects(sdk.paymentIntents.create(types), { code: "parameter_unknown", param: "payment_method_types" })
  const before = await sdk.paymentIntents.create(types, { apiVersion: "2025-09-30.clover" })
  assert.deepEqual(before.payment_method_types, ["card"])
  assert.equal(before.automatic_payment_methods, null)
})

test("search finds payments by metadata, but not at once", async () => {
  const intent = await pay("4242424242424242", { metadata: { attempt: "att_search" } })
  const search = () => sdk.paymentIntents.search({ query: "metadata['attempt']:'att_search' AND status:'succeeded'" })
  assert.equal((await search()).data.length, 0)
  bench.advance(60_000)
  assert.deepEqual(
    (await search()).data.map(({ id }) => id),
    [intent.id],
  )
})

test("lists run newest first in pages that the SDK can walk", async () => {
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.unshift((await pay("4242424242424242")).id)
  const seen: string[] = []
  for await (const intent of sdk.paymentIntents.list({ limit: 2 })) {
    seen.push(intent.id)
    if (seen.length === 5) break
  }
  assert.deepEqual(seen, ids)
  const before = await sdk.paymentIntents.list({ limit: 2, ending_before: ids[3] as string })
  assert.deepEqual(
    before.data.map(({ id }) => id),
    ids.slice(1, 3),
  )
})
