// Drives the persona over HTTP with Adyen's own Node SDK, which parses the answers and verifies the webhooks.
import assert from "node:assert/strict"
import { after, beforeEach, test } from "node:test"
import { type CheckoutAPI, hmacValidator as HmacValidator, HttpClientException, type Types } from "@adyen/api-library"
import { type Bench, openBench } from "../persona-bench.ts"
import type { TrueCharge } from "../persona.ts"
import { adyen } from "./index.ts"
import { checkoutApi } from "./sdk-client.ts"

type PaymentRequest = Types.checkout.PaymentRequest
type PaymentResponse = Types.checkout.PaymentResponse

const merchantAccount = "OrchestraECOM"
const hmacKey = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
const DAY_MS = 86_400_000
let bench: Bench
let api: CheckoutAPI

beforeEach(() => open())
after(() => bench.close())

async function open(settings: Record<string, string> = {}): Promise<void> {
  await bench?.close()
  bench = await openBench(adyen, { apiKey: "AQEtest", merchantAccount, hmacKey, ...settings })
  api = checkoutApi(bench)
}

test("a card is authorised and captured at once, with checks, traces and a signed AUTHORISATION", async () => {
  const paid = await pay({ billingAddress: address })
  assert.equal(paid.resultCode, "Authorised")
  assert.match(paid.pspReference ?? "", /^[A-Z0-9]{16}$/)
  assert.equal(paid.merchantReference, "order-1")
  assert.deepEqual({ ...paid.amount }, { currency: "EUR", value: 1000 })
  assert.equal(paid.paymentMethod?.brand, "visa")
  const data = paid.additionalData ?? {}
  assert.equal(data["cvcResult"], "1 Matches")
  assert.equal(data["avsResult"], "7 Both postal code and address match")
  assert.equal(data["refusalReasonRaw"], "AUTHORISED")
  assert.equal(data["cardBin"], "411111")
  assert.equal(data["issuerCountry"], "NL")
  assert.match(data["networkTxReference"] ?? "", /^\d{15}$/)
  assert.match(data["authCode"] ?? "", /^\d{6}$/)
  assert.deepEqual(only(truth(paid)), { state: "captured", authorized: 1000n, captured: 1000n, held: 1000n })

  const [authorisation] = items(1_000)
  assert.equal(authorisation?.eventCode, "AUTHORISATION")
  assert.equal(authorisation?.success, "true")
  assert.equal(authorisation?.pspReference, paid.pspReference)
  assert.equal(authorisation?.reason, `${data["authCode"]}:1111:03/2030`)
  assert.deepEqual(authorisation?.operations, ["CANCEL", "CAPTURE", "REFUND"])
})

test("test holder names, and their numbers, decide as Adyen's table says", async () => {
  const table: [holder: string, number: string, resultCode: string, reason: string | undefined, code?: string][] = [
    ["UNKNOWN", "0", "Error", "Unknown", "0"],
    ["APPROVED", "1", "Authorised", undefined],
    ["DECLINED", "2", "Refused", "Refused", "2"],
    ["REFERRAL", "3", "Refused", "Referral", "3"],
    ["ERROR", "4", "Error", "Acquirer Error", "4"],
    ["BLOCK_CARD", "5", "Refused", "Blocked Card", "5"],
    ["NOT_3D_AUTHENTICATED", "11", "Refused", "3D Not Authenticated", "11"],
    ["NOT_ENOUGH_BALANCE", "12", "Refused", "Not enough balance", "12"],
    ["PENDING", "13", "Received", undefined],
    ["ACQUIRER_FRAUD", "14", "Refused", "Acquirer Fraud", "14"],
    ["FRAUD_CANCELLED", "22", "Cancelled", "FRAUD-CANCELLED", "22"],
    ["CVC_DECLINED", "24", "Refused", "CVC Declined", "24"],
    ["PARTIALLY_APPROVED", "30", "Authorised", undefined],
    ["AVS_DECLINED", "32", "Refused", "AVS Declined", "32"],
    ["PIN_REQUIRED", "33", "Refused", "Card requires online pin", "33"],
    ["AUTHENTICATION_REQUIRED", "38", "Refused", "Authentication required", "38"],
    ["ERPS_BLOCK", "46", "Refused", "Transaction blocked by Adyen to prevent excessive retry fees", "46"],
  ]
  for (const [holderName, number, resultCode, reason, code] of table) {
    const byName = await pay({ paymentMethod: card({ holderName }) })
    const byNumber = await pay({ additionalData: { RequestedTestAcquirerResponseCode: number } })
    for (const paid of [byName, byNumber]) {
      assert.equal(paid.resultCode, resultCode, holderName)
      assert.equal(paid.refusalReason, reason, holderName)
      assert.equal(paid.refusalReasonCode, code, holderName)
      if (reason !== undefined) assert.equal(truth(paid).held, 0n)
    }
  }
})

test("the numbers 0 to 46 all decide, with themselves as reason code unless they approve or wait", async () => {
  for (let number = 0; number <= 46; number++) {
    const paid = await pay({ additionalData: { RequestedTestAcquirerResponseCode: String(number) } })
    const approves = number === 1 || number === 30
    assert.equal(paid.refusalReasonCode, approves || number === 13 ? undefined : String(number))
    assert.equal(truth(paid).captured, approves ? 1000n : 0n)
  }
  const unknown = await pay({ additionalData: { RequestedTestAcquirerResponseCode: "47" } })
  assert.equal(unknown.resultCode, "Authorised")
})

test("a holder name can carry the scheme's code and text, but only with the test cards' expiry and CVC", async () => {
  const holderName = "DECLINED : 06 : ERROR"
  const raw = await pay({ paymentMethod: card({ holderName }) })
  assert.equal(raw.additionalData?.["refusalReasonRaw"], "06 : ERROR")
  const wrongCvc = await pay({ paymentMethod: card({ holderName, cvc: "111" }) })
  assert.equal(wrongCvc.refusalReason, "Refused")
  assert.equal(wrongCvc.additionalData?.["refusalReasonRaw"], "DECLINED")
})

test("a pending payment is Received, and authorised by webhook later", async () => {
  const paid = await pay({ paymentMethod: card({ holderName: "PENDING" }) })
  assert.equal(paid.resultCode, "Received")
  assert.equal(truth(paid).held, 0n)
  assert.deepEqual(events(60_000), ["AUTHORISATION true"])
  assert.equal(truth(paid).held, 1000n)
})

test("an issuer's decline comes with its ISO code as raw reason, and Mastercard's advice", async () => {
  const decline = { responseCode: "51", adviceCode: "24", weight: 1, standing: false }
  bench.setWeather({ issuer: { approvalRate: 0, declines: [decline] } })
  const paid = await pay({ paymentMethod: card({ number: "5555555555554444" }) })
  assert.equal(paid.resultCode, "Refused")
  assert.equal(paid.refusalReason, "Not enough balance")
  assert.equal(paid.refusalReasonCode, "12")
  assert.equal(paid.additionalData?.["refusalReasonRaw"], "51 : Insufficient funds/over credit limit")
  assert.equal(paid.additionalData?.["merchantAdviceCode"], "24 : Retry after 1 hour")
  assert.equal(truth(paid).state, "declined")
  assert.deepEqual(events(1_000), ["AUTHORISATION false"])
})

test("an expired card is refused without asking the issuer", async () => {
  const paid = await pay({ paymentMethod: card({ expiryMonth: "12", expiryYear: "2026" }) })
  assert.equal(paid.refusalReasonCode, "6")
})

test("an issuer approves in part only where the merchant allows it", async () => {
  bench.setWeather({ issuer: { partialRate: 1 } })
  const not = await pay({})
  assert.equal(not.refusalReason, "Not enough balance")
  const partial = await pay({ additionalData: { allowPartialAuth: "true", manualCapture: "true" } })
  assert.equal(partial.resultCode, "PartiallyAuthorised")
  assert.equal(partial.amount?.value, 500)
  assert.equal(partial.additionalData?.["authorisedAmountValue"], "500")
  assert.equal(partial.additionalData?.["requestAmount"], "1000")
  assert.equal(truth(partial).authorized, 500n)
  const signed = items(1_000).find(({ pspReference }) => pspReference === partial.pspReference)
  assert.equal(signed?.amount.value, 500)
})

test("a zero amount verifies the card and holds nothing", async () => {
  const paid = await pay({ amount: { currency: "EUR", value: 0 } })
  assert.equal(paid.resultCode, "Authorised")
  assert.deepEqual(only(truth(paid)), { state: "none", authorized: 0n, captured: 0n, held: 0n })
})

test("3DS redirects to a page whose result is submitted for the authorisation", async () => {
  const started = await pay(challenged)
  assert.equal(started.resultCode, "RedirectShopper")
  assert.deepEqual(only(truth(started)), { state: "action", authorized: 0n, captured: 0n, held: 0n })
  const url = redirectUrl(started)
  const page = await fetch(url)
  assert.match(await page.text(), /<button name="challenge" value="authenticated">/)
  const back = await act(url, "authenticated")
  assert.equal(back.origin + back.pathname, "https://shop.example/return")
  assert.equal(back.searchParams.get("order"), "1")

  const details = { details: { redirectResult: back.searchParams.get("redirectResult") ?? "" } }
  const done = await api.PaymentsApi.paymentsDetails(details)
  assert.equal(done.resultCode, "Authorised")
  assert.equal(done.additionalData?.["threeDAuthenticated"], "true")
  assert.equal(done.additionalData?.["liabilityShift"], "true")
  assert.equal(truth(started).held, 1000n)
  const again = await api.PaymentsApi.paymentsDetails(details)
  assert.deepEqual(again, done)
  assert.equal(bench.persona.truth().length, 1)
  assert.deepEqual(events(1_000), ["AUTHORISATION true"])
})

test("a failed or abandoned challenge authorises nothing", async () => {
  for (const [deed, resultCode, code] of [
    ["failed", "Refused", "11"],
    ["abandoned", "Cancelled", "16"],
  ] as const) {
    const started = await pay(challenged)
    const back = await act(redirectUrl(started), deed)
    const redirectResult = back.searchParams.get("redirectResult") ?? ""
    const done = await api.PaymentsApi.paymentsDetails({ details: { redirectResult } })
    assert.equal(done.resultCode, resultCode)
    assert.equal(done.refusalReasonCode, code)
    assert.equal(truth(started).held, 0n)
  }
})

test("a challenge that nobody completes within the hour is closed, told, and can no longer be completed", async () => {
  const started = await pay(challenged)
  const back = await act(redirectUrl(started), "authenticated")
  assert.deepEqual(events(3_600_000), ["OFFER_CLOSED true"])
  const redirectResult = back.searchParams.get("redirectResult") ?? ""
  await assert.rejects(api.PaymentsApi.paymentsDetails({ details: { redirectResult } }), error(422, "14_018"))
  assert.equal(truth(started).state, "expired")
  assert.equal((await fetch(redirectUrl(started))).status, 404)
})

test("a card that demands 3DS is challenged by itself, and refused when the merchant forbids it", async () => {
  const number = "4212345678901237"
  assert.equal((await pay({ paymentMethod: card({ number }) })).resultCode, "RedirectShopper")
  const never = { attemptAuthentication: "never" } as PaymentRequest["authenticationData"]
  const refused = await pay({ paymentMethod: card({ number }), authenticationData: never })
  assert.equal(refused.refusalReason, "Authentication required")
  const external = { cavv: "AAABBBCCC", eci: "05", directoryResponse: "Y", threeDSVersion: "2.2.0" }
  const done = await pay({ paymentMethod: card({ number }), mpiData: external as PaymentRequest["mpiData"] })
  assert.equal(done.resultCode, "Authorised")
})

test("a network token needs a fresh cryptogram when the customer is present, and none afterwards", async () => {
  const paymentMethod = card({ type: "networkToken", number: "4895370012003478", cvc: undefined })
  const mpiData = { tokenAuthenticationVerificationValue: "AgAAAAAAAIR8CQrXcIhbQAAAAAA=", eci: "07" }
  assert.equal((await pay({ paymentMethod })).refusalReasonCode, "24")
  assert.equal((await pay({ paymentMethod, mpiData })).resultCode, "Authorised")
  assert.equal((await pay({ paymentMethod, mpiData })).refusalReasonCode, "24")
  const merchantInitiated = { shopperInteraction: "ContAuth", recurringProcessingModel: "Subscription" }
  assert.equal((await pay({ paymentMethod, ...merchantInitiated })).resultCode, "Authorised")
})

test("a stored card pays again under its shopper's reference only", async () => {
  const storing = { shopperReference: "shopper-1", recurringProcessingModel: "Subscription" }
  const first = await pay({ ...storing, storePaymentMethod: true })
  const storedPaymentMethodId = first.additionalData?.["tokenization.storedPaymentMethodId"] ?? ""
  assert.match(storedPaymentMethodId, /^[A-Z0-9]{16}$/)
  const method = { type: "scheme", storedPaymentMethodId } as PaymentRequest["paymentMethod"]
  const again = { paymentMethod: method, shopperInteraction: "ContAuth", ...storing }
  assert.equal((await pay(again)).additionalData?.["cardSummary"], "1111")
  await assert.rejects(pay({ ...again, shopperReference: "shopper-2" }), error(422, "800"))
})

test("a capture is received first, then told by webhook; it releases what it leaves", async () => {
  const paid = await pay(manual)
  const captured = await modify("captureAuthorisedPayment", paid, 600, "capture-1")
  assert.equal(captured.status, "received")
  assert.notEqual(captured.pspReference, paid.pspReference)
  assert.equal(truth(paid).capturePending, 600n)
  assert.equal(truth(paid).captured, 0n)
  const [, capture] = items(5_000)
  assert.equal(capture?.eventCode, "CAPTURE")
  assert.equal(capture?.pspReference, captured.pspReference)
  assert.equal(capture?.originalReference, paid.pspReference)
  assert.equal(capture?.merchantReference, "capture-1")
  assert.deepEqual(only(truth(paid)), { state: "captured", authorized: 1000n, captured: 600n, held: 600n })
})

test("captures in parts need the account's setting; more than is left fails by webhook", async () => {
  const single = await pay(manual)
  await modify("captureAuthorisedPayment", single, 600)
  await modify("captureAuthorisedPayment", single, 400)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "CAPTURE true", "CAPTURE false"])
  await open({ multiplePartialCaptures: "true" })
  const multiple = await pay(manual)
  await modify("captureAuthorisedPayment", multiple, 600)
  await modify("captureAuthorisedPayment", multiple, 500)
  bench.advance(5_000)
  await modify("captureAuthorisedPayment", multiple, 400)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "CAPTURE true", "CAPTURE false", "CAPTURE true"])
  assert.equal(truth(multiple).captured, 1000n)
})

test("the scheme may return a capture or a refund after it was said to have worked", async () => {
  const capture = await pay({ ...manual, paymentMethod: card({ holderName: "capture failed" }) })
  await modify("captureAuthorisedPayment", capture, 1000)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "CAPTURE true"])
  assert.equal(truth(capture).capturePending, 1000n)
  assert.deepEqual(events(60_000), ["CAPTURE_FAILED true"])
  assert.deepEqual(only(truth(capture)), { state: "authorized", authorized: 1000n, captured: 0n, held: 1000n })

  const refund = await pay({ paymentMethod: card({ holderName: "refund failed" }) })
  await modify("refundCapturedPayment", refund, 1000)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "REFUND true"])
  assert.equal(truth(refund).refunded, 1000n)
  assert.deepEqual(events(60_000), ["REFUND_FAILED true"])
  assert.equal(truth(refund).refunded, 0n)
})

test("refunds give back what was captured and not more, and nothing before a capture", async () => {
  const uncaptured = await pay(manual)
  await modify("refundCapturedPayment", uncaptured, 100)
  const refused = items(5_000).find(({ eventCode }) => eventCode === "REFUND")
  assert.equal(refused?.success, "false")
  assert.equal(refused?.reason, "Transaction hasn't been captured, refund not possible")
  const paid = await pay({})
  await modify("refundCapturedPayment", paid, 700)
  await modify("refundCapturedPayment", paid, 700)
  assert.equal(truth(paid).refundPending, 700n)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "REFUND true", "REFUND false"])
  assert.equal(truth(paid).held, 300n)
})

test("a cancel releases the hold, and fails once the payment is captured", async () => {
  const paid = await pay(manual)
  await modify("cancelAuthorisedPaymentByPspReference", paid)
  assert.equal(truth(paid).held, 1000n)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "CANCELLATION true"])
  assert.deepEqual(only(truth(paid)), { state: "voided", authorized: 1000n, captured: 0n, held: 0n })
  const captured = await pay({})
  await modify("cancelAuthorisedPaymentByPspReference", captured)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "CANCELLATION false"])
  assert.equal(truth(captured).held, 1000n)
})

test("a technical cancel finds the payment by the merchant's reference, or says that it did not", async () => {
  const paid = await pay({ ...manual, reference: "attempt-7" })
  const cancel = (paymentReference: string) =>
    api.ModificationsApi.cancelAuthorisedPayment({ merchantAccount, paymentReference, reference: "undo-1" })
  assert.equal((await cancel("attempt-7")).paymentReference, "attempt-7")
  const [, found] = items(5_000)
  assert.equal(found?.eventCode, "TECHNICAL_CANCEL")
  assert.equal(found?.success, "true")
  assert.equal(found?.merchantReference, "attempt-7")
  assert.equal(found?.originalReference, paid.pspReference)
  assert.equal(truth(paid).state, "voided")
  await cancel("attempt-8")
  const [missing] = items(5_000)
  assert.equal(missing?.eventCode, "TECHNICAL_CANCEL")
  assert.equal(missing?.success, "false")
  assert.equal(missing?.originalReference, undefined)
})

test("a technical cancel that overtakes its payment cancels nothing that comes after it", async () => {
  await api.ModificationsApi.cancelAuthorisedPayment({ merchantAccount, paymentReference: "late-1" })
  assert.deepEqual(events(5_000), ["TECHNICAL_CANCEL false"])
  const late = await pay({ ...manual, reference: "late-1" })
  assert.equal(truth(late).held, 1000n)
})

test("a reversal cancels or refunds, whichever fits, and says which", async () => {
  const open = await pay(manual)
  const captured = await pay({})
  for (const paid of [open, captured]) await modify("refundOrCancelPayment", paid)
  const reversals = items(5_000).filter(({ eventCode }) => eventCode === "CANCEL_OR_REFUND")
  assert.deepEqual(
    reversals.map(({ success, additionalData }) => [success, additionalData?.["modification.action"]]),
    [
      ["true", "cancel"],
      ["true", "refund"],
    ],
  )
  assert.equal(truth(open).held, 0n)
  assert.equal(truth(captured).refunded, 1000n)
})

test("a pre-authorisation can be raised, by webhook or at once with the data of its answer", async () => {
  const preAuth = { ...manual, additionalData: { manualCapture: "true", authorisationType: "PreAuth" } }
  const paid = await pay(preAuth)
  await modify("updateAuthorisedAmount", paid, 1500)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "AUTHORISATION_ADJUSTMENT true"])
  assert.equal(truth(paid).authorized, 1500n)
  const adjustAuthorisationData = paid.additionalData?.["adjustAuthorisationData"] ?? ""
  const raised = await api.ModificationsApi.updateAuthorisedAmount(paid.pspReference ?? "", {
    merchantAccount,
    amount: { currency: "EUR", value: 1800 },
    reference: "raise-2",
    adjustAuthorisationData,
  })
  assert.equal(raised.status, "authorised")
  assert.notEqual(raised.adjustAuthorisationData, adjustAuthorisationData)
  assert.equal(truth(paid).authorized, 1800n)
  bench.setWeather({ issuer: { approvalRate: 0 } })
  await modify("updateAuthorisedAmount", paid, 2000)
  assert.deepEqual(events(5_000), ["AUTHORISATION_ADJUSTMENT false"])
  const final = await pay({
    ...manual,
    additionalData: { manualCapture: "true", RequestedTestAcquirerResponseCode: "1" },
  })
  await modify("updateAuthorisedAmount", final, 2000)
  assert.deepEqual(events(5_000), ["AUTHORISATION true", "AUTHORISATION_ADJUSTMENT false"])
})

test("a delayed capture happens by itself after its hours, unless the payment was cancelled", async () => {
  const kept = await pay({ captureDelayHours: 2 })
  const cancelled = await pay({ captureDelayHours: 2 })
  await modify("cancelAuthorisedPaymentByPspReference", cancelled)
  bench.advance(2 * 3_600_000 - 1)
  assert.equal(truth(kept).captured, 0n)
  bench.advance(1)
  assert.equal(truth(kept).captured, 1000n)
  assert.equal(truth(cancelled).captured, 0n)
})

test("a hold runs out after 28 days with an EXPIRE for what is left, unless it ended before", async () => {
  await open({ multiplePartialCaptures: "true" })
  const partly = await pay(manual)
  const cancelled = await pay(manual)
  const captured = await pay({})
  await modify("captureAuthorisedPayment", partly, 300)
  await modify("cancelAuthorisedPaymentByPspReference", cancelled)
  items(28 * DAY_MS - 1)
  const expired = items(1)
  assert.deepEqual(
    expired.map(({ eventCode, pspReference, amount }) => [eventCode, pspReference, amount.value]),
    [["EXPIRE", partly.pspReference, 700]],
  )
  assert.deepEqual(only(truth(partly)), { state: "captured", authorized: 1000n, captured: 300n, held: 300n })
  assert.equal(truth(captured).held, 1000n)
})

test("at an operator's wish a hold expires and a cardholder disputes", async () => {
  const held = await pay(manual)
  const captured = await pay({})
  items(1_000)
  assert.equal(bench.persona.befall?.(held.pspReference ?? "", { type: "expire" }), true)
  assert.equal(bench.persona.befall?.(captured.pspReference ?? "", { type: "dispute", amount: 400n }), true)
  assert.equal(bench.persona.befall?.(held.pspReference ?? "", { type: "dispute" }), false)
  assert.equal(bench.persona.befall?.("UNKNOWN", { type: "expire" }), false)
  const [expire, opened, chargeback] = items(5_000)
  assert.deepEqual(
    [expire, opened, chargeback].map((item) => item?.eventCode),
    ["EXPIRE", "NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"],
  )
  assert.equal(chargeback?.originalReference, captured.pspReference)
  assert.equal(chargeback?.amount.value, 400)
  assert.equal(truth(captured).disputed, 400n)
})

test("the same idempotency key gives the same answer and does the work once, for seven days", async () => {
  const options = { idempotencyKey: "key-1" }
  const first = await pay({}, options)
  assert.deepEqual(await pay({}, options), first)
  assert.equal(bench.persona.truth().length, 1)
  await assert.rejects(pay({ reference: "other" }, options), error(422, "704"))
  bench.advance(7 * DAY_MS)
  assert.notEqual((await pay({}, options)).pspReference, first.pspReference)
  await assert.rejects(pay({}, { idempotencyKey: "k".repeat(65) }), error(422, "702"))
})

test("without an idempotency key the same merchant reference makes a second payment", async () => {
  const first = await pay({})
  const second = await pay({})
  assert.notEqual(second.pspReference, first.pspReference)
  assert.equal(bench.persona.truth().filter(({ merchantReference }) => merchantReference === "order-1").length, 2)
})

test("an error after the work is kept under the key, a transient one gives way to the true answer", async () => {
  const fault = (status: number) => ({ faults: [{ type: "error_after" as const, probability: 1, status }] })
  bench.setWeather(fault(500))
  await assert.rejects(pay({}, { idempotencyKey: "kept" }), error(500, "903"))
  bench.setWeather(fault(503))
  const transient = await pay({}, { idempotencyKey: "transient" }).catch((thrown: HttpClientException) => thrown)
  assert.ok(transient instanceof HttpClientException)
  assert.equal(transient.responseHeaders?.["transient-error"], "true")
  bench.setWeather({})
  await assert.rejects(pay({}, { idempotencyKey: "kept" }), error(500, "903"))
  assert.equal((await pay({}, { idempotencyKey: "transient" })).resultCode, "Authorised")
  assert.equal(bench.persona.truth().length, 2)
})

test("each bad request gets the error that Adyen documents for it", async () => {
  const bad: [change: Record<string, unknown>, status: number, code: string][] = [
    [{ merchantAccount: "Somebody" }, 403, "901"],
    [{ merchantAccount: undefined }, 422, "702"],
    [{ amount: undefined }, 422, "702"],
    [{ amount: { currency: "EUR", value: -1 } }, 422, "137"],
    [{ amount: { currency: "EURO", value: 1 } }, 422, "138"],
    [{ reference: undefined }, 422, "130"],
    [{ reference: "r".repeat(81) }, 422, "702"],
    [{ paymentMethod: undefined }, 422, "14_004"],
    [{ returnUrl: undefined }, 422, "14_030"],
    [{ paymentMethod: { type: "ideal" } }, 500, "905"],
    [{ paymentMethod: card({ number: "4111111111111112" }) }, 422, "101"],
    [{ paymentMethod: card({ cvc: "73" }) }, 422, "103"],
    [{ paymentMethod: card({ expiryMonth: "13" }) }, 422, "129"],
    [{ storePaymentMethod: true }, 422, "702"],
    [{ captureDelayHours: 673 }, 422, "702"],
  ]
  for (const [change, status, code] of bad)
    await assert.rejects(pay(change), error(status, code), JSON.stringify(change))
  assert.equal(bench.persona.truth().length, 0)
  await assert.rejects(modify("captureAuthorisedPayment", { pspReference: "UNKNOWN" }, 100), error(422, "167"))
  const paid = await pay(manual)
  await assert.rejects(modify("captureAuthorisedPayment", paid, 0), error(422, "137"))
})

test("credentials are checked first, and a harmless call shows whether they work", async () => {
  const methods = await api.PaymentsApi.paymentMethods({ merchantAccount })
  assert.equal(methods.paymentMethods?.[0]?.type, "scheme")
  await assert.rejects(checkoutApi(bench, "wrong").PaymentsApi.paymentMethods({ merchantAccount }), error(401, "000"))
  const unreadable = { method: "POST", headers: { "x-api-key": "AQEtest" }, body: "{" }
  assert.equal((await fetch(`${bench.url}/v72/payments`, unreadable)).status, 400)
  assert.equal((await fetch(`${bench.url}/v72/payments`, { headers: unreadable.headers })).status, 404)
})

test("amounts count as Adyen counts them, and the truth as ISO 4217 does", async () => {
  const authorised = async (currency: string, value: number) =>
    truth(await pay({ amount: { currency, value } })).authorized
  assert.equal(await authorised("JPY", 500), 500n)
  assert.equal(await authorised("KWD", 1500), 1500n)
  assert.equal(await authorised("CLP", 150_000), 1500n)
  assert.equal(await authorised("ISK", 10_000), 100n)
  assert.equal(await authorised("IDR", 2000), 200_000n)
  assert.equal(await authorised("CVE", 12), 1200n)
  await assert.rejects(pay({ amount: { currency: "CLP", value: 150 } }), error(422, "137"))
})

test("two histories with one seed are the same to the last digit", async () => {
  const history = async () => {
    await open()
    const paid = await pay({ billingAddress: address })
    await modify("refundCapturedPayment", paid, 300)
    bench.advance(5_000)
    return { paid, webhooks: bench.webhooks() }
  }
  const first = await history()
  assert.deepEqual(await history(), first)
})

const address = { street: "Dam", houseNumberOrName: "1", city: "Amsterdam", postalCode: "1012JS", country: "NL" }
const manual = { additionalData: { manualCapture: "true" } }
const challenged = {
  ...manual,
  authenticationData: { attemptAuthentication: "always" } as PaymentRequest["authenticationData"],
}

function card(change: Record<string, unknown> = {}) {
  const plain = { type: "scheme", number: "4111111111111111", expiryMonth: "03", expiryYear: "2030", cvc: "737" }
  return { ...plain, holderName: "John Smith", ...change } as PaymentRequest["paymentMethod"]
}

/** What a test leaves out is an ordinary card payment. Tests of bad requests send what the SDK's types forbid. */
function pay(change: Record<string, unknown>, options?: { idempotencyKey: string }): Promise<PaymentResponse> {
  const request = {
    merchantAccount,
    reference: "order-1",
    amount: { currency: "EUR", value: 1000 },
    paymentMethod: card(),
    returnUrl: "https://shop.example/return?order=1",
    ...change,
  }
  return api.PaymentsApi.payments(request as PaymentRequest, options)
}

type ModificationName =
  | "captureAuthorisedPayment"
  | "refundCapturedPayment"
  | "cancelAuthorisedPaymentByPspReference"
  | "refundOrCancelPayment"
  | "updateAuthorisedAmount"

function modify(name: ModificationName, of: PaymentResponse, value?: number, reference?: string) {
  const amount = value === undefined ? {} : { amount: { currency: "EUR", value } }
  const body = { merchantAccount, ...amount, ...(reference !== undefined && { reference }) }
  const call = api.ModificationsApi[name].bind(api.ModificationsApi) as (
    id: string,
    body: object,
  ) => Promise<{ status: string; pspReference: string }>
  return call(of.pspReference ?? "", body)
}

function redirectUrl({ action }: PaymentResponse): string {
  return (action as Types.checkout.CheckoutRedirectAction).url ?? ""
}

async function act(url: string, challenge: string): Promise<URL> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams({ challenge }), redirect: "manual" })
  assert.equal(response.status, 303)
  return new URL(response.headers.get("location") ?? "")
}

/** The webhooks of this stretch of time, each verified by Adyen's validator. */
function items(ms: number): Types.notification.NotificationRequestItem[] {
  bench.advance(ms)
  const validator = new HmacValidator()
  return bench.webhooks().map(({ body }) => {
    const item = JSON.parse(body).notificationItems[0].NotificationRequestItem
    assert.equal(validator.validateHMAC(item, hmacKey), true)
    assert.equal(item.merchantAccountCode, merchantAccount)
    return item
  })
}

function events(ms: number): string[] {
  return items(ms).map(({ eventCode, success }) => `${eventCode} ${success}`)
}

function truth({ pspReference }: { pspReference?: string }): TrueCharge {
  const charge = bench.persona.truth().find(({ reference }) => reference === pspReference)
  assert.ok(charge)
  return charge
}

function only({ state, authorized, captured, held }: TrueCharge) {
  return { state, authorized, captured, held }
}

function error(status: number, code: string) {
  return (thrown: unknown): boolean => {
    assert.ok(thrown instanceof HttpClientException)
    assert.equal(thrown.statusCode, status)
    assert.equal(thrown.errorCode, code)
    return true
  }
}
