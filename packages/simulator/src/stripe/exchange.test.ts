// Stripe's stand-in, driven by the official SDK over HTTP: what goes around a payment. Keys, authentication,
// webhooks, refunds, disputes, saved cards.
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { setImmediate } from "node:timers/promises"
import { Stripe } from "stripe"
import type { Weather } from "../weather.ts"
import { CREDENTIALS, openStripeBench, sdkAt } from "./bench.ts"
import { KEY_LIFETIME_MS } from "./idempotency.ts"
import { REFUND_SETTLES_MS } from "./refunds.ts"

const bench = await openStripeBench()
const { sdk } = bench
after(() => bench.close())

const basics = { amount: 2000, currency: "eur", allowed_payment_method_types: ["card"], confirm: true }
const pay = (method: string, more: object = {}, options: Stripe.RequestOptions = {}) =>
  sdk.paymentIntents.create({ ...basics, payment_method: method, ...more }, options)
const truthOf = (id: string) => {
  const charge = bench.persona.truth().find((each) => each.reference === id)
  assert.ok(charge)
  return charge
}
const thrownBy = async (promise: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const error = await promise.then(
    () => assert.fail("expected an error"),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Stripe.errors.StripeError, String(error))
  return error
}
/** The webhooks since the last call. Posting them takes a turn of the event loop. */
const delivered = async () => {
  bench.advance(1_000)
  await setImmediate()
  return bench.webhooks()
}
/** The same, verified and read by the SDK. */
const events = async (): Promise<Stripe.Event[]> =>
  (await delivered()).map(({ headers, body }) => {
    const signature = headers["stripe-signature"] ?? ""
    const { webhookSecret } = CREDENTIALS
    return sdk.webhooks.constructEvent(body, signature, webhookSecret, undefined, undefined, bench.now())
  })
const typesOf = (list: readonly Stripe.Event[]): string[] => list.map(({ type }) => type)
/** What the cardholder does on the bank's page; answers where the bank sends the browser. */
const atBank = async (url: string, challenge: string): Promise<URL> => {
  const page = await fetch(url)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /Authenticate/)
  const body = new URLSearchParams({ challenge })
  const back = await fetch(url, { method: "POST", body, redirect: "manual" })
  assert.equal(back.status, 303)
  return new URL(back.headers.get("location") ?? "")
}

test("the same key gives the same answer without a second payment", async () => {
  const before = bench.persona.truth().length
  const first = await pay("pm_card_visa", {}, { idempotencyKey: "same" })
  const second = await pay("pm_card_visa", {}, { idempotencyKey: "same" })
  assert.equal(second.id, first.id)
  assert.equal(first.lastResponse.headers["idempotent-replayed"], undefined)
  assert.equal(second.lastResponse.headers["idempotent-replayed"], "true")
  assert.equal(second.lastResponse.headers["original-request"], first.lastResponse.requestId)
  assert.equal(bench.persona.truth().length, before + 1)
})

test("a decline is replayed too", async () => {
  const decline = () => thrownBy(pay("pm_card_visa_chargeDeclined", {}, { idempotencyKey: "declined" }))
  const [first, second] = [await decline(), await decline()]
  assert.equal((second.raw as { charge: string }).charge, (first.raw as { charge: string }).charge)
})

test("the same key with other parameters is an error", async () => {
  await pay("pm_card_visa", {}, { idempotencyKey: "other" })
  const error = await thrownBy(pay("pm_card_visa", { amount: 2001 }, { idempotencyKey: "other" }))
  assert.ok(error instanceof Stripe.errors.StripeIdempotencyError)
  assert.equal(error.statusCode, 400)
})

test("a request that was refused before it began does not use up its key", async () => {
  await thrownBy(pay("pm_none", {}, { idempotencyKey: "refused" }))
  assert.equal((await pay("pm_card_visa", {}, { idempotencyKey: "refused" })).status, "succeeded")
})

test("a key is forgotten after 24 hours", async () => {
  const first = await pay("pm_card_visa", {}, { idempotencyKey: "day" })
  bench.advance(KEY_LIFETIME_MS)
  assert.notEqual((await pay("pm_card_visa", {}, { idempotencyKey: "day" })).id, first.id)
})

test("a key whose request is still running is a conflict", async () => {
  bench.setWeather({ latency: { medianMs: 300, p99Ms: 300 } })
  const first = pay("pm_card_visa", {}, { idempotencyKey: "running" })
  const second = await thrownBy(pay("pm_card_visa", {}, { idempotencyKey: "running" }))
  bench.setWeather({})
  assert.deepEqual([second.statusCode, second.code], [409, "idempotency_key_in_use"])
  assert.equal((await first).status, "succeeded")
})

test("a 500 after the charge is kept under its key, although the money has moved", async () => {
  bench.setWeather({ faults: [{ type: "error_after", probability: 1 }] })
  const first = await thrownBy(pay("pm_card_visa", { metadata: { order_id: "lost" } }, { idempotencyKey: "lost" }))
  bench.setWeather({})
  assert.equal(first.statusCode, 500)
  const second = await thrownBy(pay("pm_card_visa", { metadata: { order_id: "lost" } }, { idempotencyKey: "lost" }))
  assert.equal(second.statusCode, 500)
  const paid = bench.persona.truth().filter((charge) => charge.merchantReference === "lost")
  assert.deepEqual(
    paid.map(({ captured }) => captured),
    [2000n],
  )
})

test("rate limits are worded as Stripe words them", async () => {
  bench.setWeather({ faults: [{ type: "rate_limited", probability: 1 }] })
  const error = await thrownBy(pay("pm_card_visa"))
  bench.setWeather({})
  assert.ok(error instanceof Stripe.errors.StripeRateLimitError)
  assert.equal(error.code, "rate_limit")
})

test("only the account's secret key is let in", async () => {
  assert.match((await sdk.accounts.retrieveCurrent()).id, /^acct_/)
  const wrong = await thrownBy(sdkAt(bench.url, "sk_test_wrong").accounts.retrieveCurrent())
  assert.ok(wrong instanceof Stripe.errors.StripeAuthenticationError)
  const publishable = await thrownBy(sdkAt(bench.url, CREDENTIALS.publishableKey).accounts.retrieveCurrent())
  assert.deepEqual([publishable.statusCode, publishable.code], [403, "secret_key_required"])
})

test("a challenge sends the cardholder to the bank and back, and only then is the card charged", async () => {
  const intent = await pay("pm_card_threeDSecure2Required", { return_url: "https://shop.example/back?cart=1" })
  assert.equal(intent.status, "requires_action")
  assert.equal(truthOf(intent.id).held, 0n)
  const back = await atBank(intent.next_action?.redirect_to_url?.url ?? "", "authenticated")
  assert.equal(back.searchParams.get("payment_intent"), intent.id)
  assert.equal(back.searchParams.get("payment_intent_client_secret"), intent.client_secret)
  assert.equal(back.searchParams.get("cart"), "1")
  const paid = await sdk.paymentIntents.retrieve(intent.id, { expand: ["latest_charge"] })
  assert.equal(paid.status, "succeeded")
  const threeDs = (paid.latest_charge as Stripe.Charge).payment_method_details?.card?.three_d_secure
  assert.deepEqual([threeDs?.result, threeDs?.authentication_flow], ["authenticated", "challenge"])
  assert.equal(threeDs?.electronic_commerce_indicator, "05")
})

test("a failed challenge asks for another payment method; an abandoned one leaves the payment waiting", async () => {
  const options = { return_url: "https://shop.example/back" }
  const failed = await pay("pm_card_authenticationRequired", options)
  await atBank(failed.next_action?.redirect_to_url?.url ?? "", "failed")
  const after = await sdk.paymentIntents.retrieve(failed.id)
  assert.equal(after.status, "requires_payment_method")
  assert.equal(after.last_payment_error?.code, "payment_intent_authentication_failure")
  const abandoned = await pay("pm_card_authenticationRequired", options)
  await atBank(abandoned.next_action?.redirect_to_url?.url ?? "", "abandoned")
  assert.equal((await sdk.paymentIntents.retrieve(abandoned.id)).status, "requires_action")
  assert.equal((await sdk.paymentIntents.cancel(abandoned.id)).status, "canceled")
})

test("a card may be declined after its holder has authenticated", async () => {
  const intent = await pay("pm_card_threeDSecureRequiredChargeDeclined", { return_url: "https://shop.example/back" })
  await atBank(intent.next_action?.redirect_to_url?.url ?? "", "authenticated")
  const declined = await sdk.paymentIntents.retrieve(intent.id)
  assert.equal(declined.last_payment_error?.decline_code, "generic_decline")
})

test("a bank page is of no use to whoever does not know the payment's secret", async () => {
  const intent = await pay("pm_card_authenticationRequired", { return_url: "https://shop.example/back" })
  const url = new URL(intent.next_action?.redirect_to_url?.url ?? "")
  url.searchParams.set("payment_intent_client_secret", "guess")
  assert.equal((await fetch(url, { method: "POST", body: "challenge=authenticated" })).status, 404)
})

test("who cannot show a challenge gets a decline instead, off session or by wish", async () => {
  const offSession = await thrownBy(pay("pm_card_authenticationRequired", { off_session: true }))
  assert.deepEqual([offSession.code, offSession.statusCode], ["authentication_required", 402])
  const byWish = await thrownBy(pay("pm_card_authenticationRequired", { error_on_requires_action: true }))
  assert.equal(byWish.code, "authentication_required")
  const intent = byWish.payment_intent as Stripe.PaymentIntent
  assert.equal(intent.status, "requires_payment_method")
})

test("3DS that was asked for passes without a challenge on most cards", async () => {
  const payment_method_options = { card: { request_three_d_secure: "any" } }
  const plain = await pay("pm_card_visa", { payment_method_options, expand: ["latest_charge"] })
  const threeDs = (plain.latest_charge as Stripe.Charge).payment_method_details?.card?.three_d_secure
  assert.equal(threeDs?.authentication_flow, "frictionless")
  const optional = await pay("pm_card_threeDSecureOptional", { payment_method_options })
  assert.equal(optional.status, "requires_action")
  assert.equal((await pay("pm_card_threeDSecureOptional")).status, "succeeded")
})

test("a card that is set up once is charged later without its holder", async () => {
  const customer = await sdk.customers.create({ name: "Ada" })
  const setup = await sdk.setupIntents.create({
    customer: customer.id,
    payment_method: "pm_card_authenticationRequiredOnSetup",
    confirm: true,
    return_url: "https://shop.example/back",
  })
  assert.equal(setup.status, "requires_action")
  const back = await atBank(setup.next_action?.redirect_to_url?.url ?? "", "authenticated")
  assert.equal(back.searchParams.get("setup_intent"), setup.id)
  const done = await sdk.setupIntents.retrieve(setup.id)
  assert.equal(done.status, "succeeded")
  const method = done.payment_method as string
  assert.equal((await sdk.paymentMethods.retrieve(method)).customer, customer.id)
  const paid = await pay(method, { customer: customer.id, off_session: true })
  assert.equal(paid.status, "succeeded")
  assert.equal((await pay(method, { customer: customer.id })).status, "requires_action")
})

test("a payment without its holder passes on the transaction id of an earlier one, also from elsewhere", async () => {
  const offSession = (options: object) =>
    pay("pm_card_authenticationRequiredOnSetup", { off_session: true, payment_method_options: { card: options } })
  const refused = await thrownBy(offSession({}))
  assert.equal(refused.code, "authentication_required")
  const exempt = await offSession({ mit_exemption: { network_transaction_id: "104102978678771" } })
  assert.equal(exempt.status, "succeeded")
})

test("a bank that asks for authentication gets it if the cardholder is there", async () => {
  const softly: Weather = {
    issuer: { approvalRate: 0, declines: [{ responseCode: "1A", weight: 1, standing: true }], standingShare: 1 },
  }
  bench.setWeather(softly)
  const intent = await pay("pm_card_visa", { return_url: "https://shop.example/back" })
  const refused = await thrownBy(pay("pm_card_visa", { off_session: true }))
  bench.setWeather({})
  assert.equal(intent.status, "requires_action")
  assert.equal(refused.decline_code, "authentication_required")
  await atBank(intent.next_action?.redirect_to_url?.url ?? "", "authenticated")
  assert.equal((await sdk.paymentIntents.retrieve(intent.id)).status, "succeeded")
})

test("a card that the bank refuses is not saved", async () => {
  const error = await thrownBy(
    sdk.setupIntents.create({
      payment_method: "pm_card_visa_chargeDeclinedInsufficientFunds",
      confirm: true,
      allowed_payment_method_types: ["card"],
    }),
  )
  assert.equal(error.decline_code, "insufficient_funds")
  assert.equal((error.setup_intent as Stripe.SetupIntent).status, "requires_payment_method")
  const customer = await sdk.customers.create()
  const attach = thrownBy(sdk.paymentMethods.attach("pm_card_visa_chargeDeclined", { customer: customer.id }))
  assert.equal((await attach).code, "card_declined")
})

test("a payment method that was used once without a customer is spent", async () => {
  const method = await sdk.paymentMethods.create({ type: "card", card: { token: "tok_visa" } })
  await pay(method.id)
  await assert.rejects(pay(method.id), { code: "payment_method_unexpected_state" })
})

test("a payment with another customer's card is refused", async () => {
  const [ada, eve] = [await sdk.customers.create(), await sdk.customers.create()]
  const method = await sdk.paymentMethods.attach("pm_card_visa", { customer: ada.id })
  await assert.rejects(pay(method.id), /belongs to a customer/)
  await assert.rejects(pay(method.id, { customer: eve.id }), /another customer/)
  assert.equal((await pay(method.id, { customer: ada.id })).status, "succeeded")
})

test("each step of a payment sends its signed webhooks, with the request that caused them", async () => {
  await delivered()
  const intent = await pay("pm_card_visa", { capture_method: "manual" }, { idempotencyKey: "hooks" })
  const authorized = await events()
  assert.deepEqual(typesOf(authorized), [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.amount_capturable_updated",
  ])
  assert.equal(authorized[0]?.request?.idempotency_key, "hooks")
  assert.equal(authorized[0]?.request?.id, intent.lastResponse.requestId)
  assert.equal(authorized[0]?.api_version, "2026-10-28.endive")
  const created = authorized[0]?.data.object as Stripe.PaymentIntent
  assert.equal(created.status, "requires_confirmation", "an event is a snapshot of its moment")
  await sdk.paymentIntents.capture(intent.id)
  assert.deepEqual(typesOf(await events()), ["charge.captured", "payment_intent.succeeded"])
  await sdk.refunds.create({ payment_intent: intent.id })
  assert.deepEqual(typesOf(await events()), ["refund.created", "charge.refunded"])
  await thrownBy(pay("pm_card_visa_chargeDeclined"))
  assert.deepEqual(typesOf(await events()), [
    "payment_intent.created",
    "charge.failed",
    "payment_intent.payment_failed",
  ])
  const canceled = await pay("pm_card_visa", { capture_method: "manual" })
  await sdk.paymentIntents.cancel(canceled.id)
  const [release, ...rest] = (await events()).slice(-3)
  assert.deepEqual(typesOf(rest), ["charge.refunded", "payment_intent.canceled"])
  const released = release?.data.object as Stripe.Refund
  assert.deepEqual([released.object, released.balance_transaction], ["refund", null], "no money went back")
})

test("a webhook's signature belongs to its body", async () => {
  await delivered()
  await pay("pm_card_visa")
  const [webhook] = await delivered()
  assert.ok(webhook)
  const verify = (body: string, secret: string) => () =>
    sdk.webhooks.constructEvent(
      body,
      webhook.headers["stripe-signature"] ?? "",
      secret,
      undefined,
      undefined,
      bench.now(),
    )
  assert.throws(verify(`${webhook.body} `, CREDENTIALS.webhookSecret), Stripe.errors.StripeSignatureVerificationError)
  assert.throws(verify(webhook.body, "whsec_other"), Stripe.errors.StripeSignatureVerificationError)
})

test("events can be listed afterwards, by type", async () => {
  const intent = await pay("pm_card_visa")
  const list = await sdk.events.list({ type: "payment_intent.succeeded", limit: 1 })
  const event = list.data[0]
  assert.ok(event)
  assert.equal((event.data.object as Stripe.PaymentIntent).id, intent.id)
  assert.equal((await sdk.events.retrieve(event.id)).type, "payment_intent.succeeded")
})

test("refunds add up to what was captured and no further", async () => {
  const intent = await pay("pm_card_visa")
  const refund = await sdk.refunds.create({ payment_intent: intent.id, amount: 500, reason: "requested_by_customer" })
  assert.equal(refund.status, "succeeded")
  await assert.rejects(sdk.refunds.create({ payment_intent: intent.id, amount: 1501 }), { param: "amount" })
  await sdk.refunds.create({ charge: intent.latest_charge as string })
  await assert.rejects(sdk.refunds.create({ payment_intent: intent.id }), { code: "charge_already_refunded" })
  const charge = await sdk.charges.retrieve(intent.latest_charge as string, { expand: ["refunds"] })
  assert.deepEqual([charge.refunded, charge.amount_refunded], [true, 2000])
  assert.deepEqual(
    charge.refunds?.data.map(({ amount }) => amount),
    [1500, 500],
  )
  assert.equal(truthOf(intent.id).held, 0n)
})

test("what was never captured cannot be refunded", async () => {
  const held = await pay("pm_card_visa", { capture_method: "manual" })
  await assert.rejects(sdk.refunds.create({ payment_intent: held.id }), /does not have a successful charge/)
})

test("one test card's refunds are pending first, another's fail after they succeeded", async () => {
  const slow = await pay("pm_card_pendingRefund")
  const pending = await sdk.refunds.create({ payment_intent: slow.id })
  assert.equal(pending.status, "pending")
  assert.equal(truthOf(slow.id).refundPending, 2000n)
  const bouncing = await pay("pm_card_refundFail")
  const succeeded = await sdk.refunds.create({ payment_intent: bouncing.id })
  assert.equal(succeeded.status, "succeeded")
  await delivered()
  bench.advance(REFUND_SETTLES_MS)
  assert.deepEqual(typesOf(await events()).toSorted(), [
    "charge.refund.updated",
    "charge.refund.updated",
    "refund.failed",
    "refund.updated",
  ])
  assert.equal((await sdk.refunds.retrieve(pending.id)).status, "succeeded")
  assert.equal((await sdk.refunds.retrieve(succeeded.id)).status, "failed")
  assert.equal(truthOf(slow.id).held, 0n)
  assert.equal(truthOf(bouncing.id).held, 2000n)
})

test("a test card disputes by itself, and winning evidence brings the money back", async () => {
  const intent = await pay("pm_card_createDispute")
  await delivered()
  bench.advance(3_000)
  assert.deepEqual(typesOf(await events()), ["charge.dispute.created", "charge.dispute.funds_withdrawn"])
  assert.equal(truthOf(intent.id).disputed, 2000n)
  const dispute = (await sdk.disputes.list({ payment_intent: intent.id })).data[0]
  assert.deepEqual([dispute?.status, dispute?.reason, dispute?.amount], ["needs_response", "fraudulent", 2000])
  await assert.rejects(sdk.refunds.create({ payment_intent: intent.id }), { code: "charge_disputed" })
  const won = await sdk.disputes.update(dispute?.id ?? "", { evidence: { uncategorized_text: "winning_evidence" } })
  assert.equal(won.status, "won")
  assert.equal(truthOf(intent.id).disputed, 0n)
  assert.deepEqual(typesOf(await events()), ["charge.dispute.funds_reinstated", "charge.dispute.closed"])
})

test("an operator can make a cardholder dispute a part, and a hold run out", async () => {
  const paid = await pay("pm_card_visa")
  assert.equal(bench.persona.befall(paid.id, { type: "dispute", amount: 300n, reason: "duplicate" }), true)
  assert.equal((await sdk.charges.retrieve(paid.latest_charge as string)).disputed, true)
  assert.equal(bench.persona.befall(paid.id, { type: "dispute", amount: 1701n }), false)
  const held = await pay("pm_card_visa", { capture_method: "manual" })
  assert.equal(bench.persona.befall(held.id, { type: "expire" }), true)
  assert.equal((await sdk.paymentIntents.retrieve(held.id)).status, "canceled")
  assert.equal(bench.persona.befall(held.id, { type: "expire" }), false)
})

test("one seed is one history, ids included", async () => {
  const run = async (): Promise<unknown> => {
    const fresh = await openStripeBench()
    const { id, client_secret, latest_charge } = await fresh.sdk.paymentIntents.create({
      ...basics,
      payment_method: "pm_card_visa",
    })
    await fresh.close()
    return [id, client_secret, latest_charge]
  }
  assert.deepEqual(await run(), await run())
})
