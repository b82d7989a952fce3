// Adyen Checkout v72 for one merchant account: authentication, idempotency and the routes; the operations stand in
// authorise.ts and modification.ts. There is no way to ask for a payment, as at Adyen there is none.
import { challengeOf, noChallengePage, sendBack, withParameter } from "../challenge-page.ts"
import { createHoldExpiry } from "../hold-expiry.ts"
import { json, type JsonObject, parseObject, textAt } from "../json-body.ts"
import { createKeptAnswers, fingerprintOf } from "../kept-answers.ts"
import { createMoneyLedger } from "../money-ledger.ts"
import type { ByHand, CreatePersona, Misfortune, PersonaWebhook, WireRequest, WireResponse } from "../persona.ts"
import { fromIso } from "./amount.ts"
import { workByHand } from "./by-hand.ts"
import { completePayment, startPayment } from "./authorise.ts"
import { type AdyenError, type Checked, errorResponse, errors, failed, fieldMissing } from "./error.ts"
import { type Modification, modify, PROCESSING_MS, technicalCancel } from "./modification.ts"
import { webhookOf } from "./notification.ts"
import { pageOf, REDIRECT_PATH } from "./payment-response.ts"
import { readPurchase } from "./purchase.ts"
import { type AdyenState, newReference, notify, paymentOfRedirect } from "./state.ts"

const MAX_KEY_LENGTH = 64
/** At least seven days; longer is allowed, and then surprises nobody. */
export const KEY_WINDOW_MS = 7 * 86_400_000

const DEFENSE_PERIOD_MS = 18 * 86_400_000

export const createAdyen: CreatePersona = (account, ports, issuer) => {
  const { apiKey = "", merchantAccount = "", hmacKey = "", multiplePartialCaptures } = account.credentials
  const answers = createKeptAnswers(ports.now, KEY_WINDOW_MS)
  let deliver = (_webhook: PersonaWebhook): void => {}
  const state: AdyenState = {
    merchantAccount,
    publicUrl: account.publicUrl,
    multipleCaptures: multiplePartialCaptures === "true",
    accountId: account.id,
    ports,
    issuer,
    ledger: createMoneyLedger(account.id, ports.now),
    expiry: createHoldExpiry(ports, noticeExpiry),
    payments: new Map(),
    latestByMerchantReference: new Map(),
    byRedirect: new Map(),
    storedCards: new Map(),
    spentCryptograms: new Set(),
    send: (notification) => deliver(webhookOf(notification, hmacKey)),
  }

  return {
    id: "adyen",
    handle,
    page,
    onWebhook(to) {
      deliver = to
    },
    truth: state.ledger.truth,
    befall,
    replaceStored(request, response) {
      const key = request.headers["idempotency-key"]
      // A transient error promises that the same key may be sent again: the work and its answer stay as they were.
      if (key === undefined || response.headers["transient-error"] === "true") return
      answers.keep(key, fingerprintOf(request), response)
    },
    trouble: (status) => {
      if (status === 429) return errorResponse(errors.tooManyRequests)
      if (status === 503) return errorResponse(errors.unavailable, { "transient-error": "true" })
      return errorResponse({ ...errors.internal, status })
    },
  }

  function handle(request: WireRequest): WireResponse {
    if (request.headers["x-api-key"] !== apiKey || apiKey === "") return errorResponse(errors.unauthorized)
    const key = request.headers["idempotency-key"]
    if (key === undefined) return route(request)
    if (key.length > MAX_KEY_LENGTH) return errorResponse(errors.keyTooLong)
    const kept = answers.find(key)
    const fingerprint = fingerprintOf(request)
    if (kept && kept.fingerprint !== fingerprint) return errorResponse(errors.keyInUse)
    const response = kept?.response ?? route(request)
    if (!kept) answers.keep(key, fingerprint, response)
    // The echoed key says that the request was processed under it.
    return { ...response, headers: { ...response.headers, "idempotency-key": key } }
  }

  function route({ method, path, body: text }: WireRequest): WireResponse {
    const [, resource = ""] = /^(?:\/checkout)?\/v72(\/[^?]*)/.exec(path) ?? []
    const operation = method === "POST" ? operationAt(resource) : undefined
    if (!operation) return errorResponse(errors.notFound)
    const body = parseObject(text)
    if (!body) return errorResponse(errors.unreadable)
    const [status, run] = operation
    const done = checkMerchant(body, resource) ?? run(body)
    return done.ok ? json(status, done.value) : errorResponse(withReference(done.error))
  }

  type Run = (body: JsonObject) => Checked<unknown>

  function operationAt(resource: string): readonly [status: number, run: Run] | undefined {
    switch (resource) {
      case "/payments":
        return [200, pay]
      case "/payments/details":
        return [200, details]
      case "/paymentMethods":
        return [200, paymentMethods]
      case "/cancels":
        return [201, (body) => technicalCancel(state, body)]
    }
    const match = /^\/payments\/([^/]+)\/(captures|cancels|refunds|reversals|amountUpdates)$/.exec(resource)
    if (!match) return undefined
    return [
      201,
      (body) => {
        const payment = state.payments.get(match[1] ?? "")
        return payment ? modify(state, payment, match[2] as Modification, body) : failed(errors.originalMissing)
      },
    ]
  }

  /** /payments/details says nothing about the merchant account: the redirectResult belongs to one. */
  function checkMerchant(body: JsonObject, resource: string): Checked<unknown> | undefined {
    if (resource === "/payments/details") return undefined
    const named = textAt(body, "merchantAccount")
    if (named === undefined) return failed(fieldMissing("merchantAccount"))
    return named === merchantAccount ? undefined : failed(errors.merchantAccount)
  }

  function pay(body: JsonObject): Checked<unknown> {
    const purchase = readPurchase(body, (shopper, id) => state.storedCards.get(`${shopper}/${id}`))
    return purchase.ok ? { ok: true, value: startPayment(state, purchase.value) } : purchase
  }

  function details(body: JsonObject): Checked<unknown> {
    const result = textAt(body, "details", "redirectResult")
    if (result === undefined) return failed(fieldMissing("details"))
    const payment = paymentOfRedirect(state, result.split("!")[0] ?? "")
    const done = payment && completePayment(state, payment)
    return done === undefined ? failed(errors.payload) : { ok: true, value: done }
  }

  /** The harmless call that shows whether credentials work. */
  function paymentMethods(): Checked<unknown> {
    const brands = ["visa", "mc", "amex", "discover", "diners", "jcb", "maestro", "cup"]
    return { ok: true, value: { paymentMethods: [{ brands, name: "Cards", type: "scheme" }] } }
  }

  function page(request: WireRequest): WireResponse {
    const [path = ""] = request.path.split("?")
    const payment = path.startsWith(REDIRECT_PATH)
      ? paymentOfRedirect(state, path.slice(REDIRECT_PATH.length))
      : undefined
    if (!payment || payment.verdict || state.ledger.get(payment.pspReference)?.state !== "action")
      return noChallengePage()
    const deed = request.method === "POST" ? challengeOf(request) : undefined
    if (deed === undefined) return pageOf(payment)
    // The first deed counts: going back and pressing another button changes nothing.
    payment.challenge ??= deed
    return sendBack(withParameter(payment.purchase.returnUrl, "redirectResult", `${payment.redirectId}!Y2hhbGxlbmdl`))
  }

  function noticeExpiry(pspReference: string): void {
    const payment = state.payments.get(pspReference)
    const charge = state.ledger.get(pspReference)
    if (!payment || !charge) return
    // A capture under way keeps the hold alive until it is decided.
    if (charge.state === "authorized") return state.expiry.watch(pspReference, ports.now() + PROCESSING_MS)
    // A hold that had captures ends as captured; what they left runs out all the same.
    const left = charge.authorized - charge.captured
    if (left > 0n) notify(state, payment, "EXPIRE", true, { amount: fromIso(left, charge.currency) })
  }

  function befall(pspReference: string, event: Misfortune | ByHand): boolean {
    const payment = state.payments.get(pspReference)
    const charge = state.ledger.get(pspReference)
    if (!payment || !charge) return false
    switch (event.type) {
      case "expire": {
        const held = charge.state === "authorized"
        if (!state.ledger.expire(pspReference).ok) return false
        state.expiry.forget(pspReference)
        if (held) notify(state, payment, "EXPIRE", true, { amount: fromIso(charge.capturable, charge.currency) })
        return true
      }
      case "dispute": {
        const disputeReference = newReference(state)
        const amount = event.amount ?? charge.captured
        if (!state.ledger.dispute(pspReference, disputeReference, amount).ok) return false
        const network = payment.purchase.card.bin.network
        const about = {
          pspReference: disputeReference,
          originalReference: pspReference,
          amount: fromIso(amount, charge.currency),
          reason: event.reason ?? "Other Fraud-Card Absent Environment",
          additionalData: {
            chargebackReasonCode: network === "mastercard" ? "4837" : "10.4",
            chargebackSchemeCode: network === "mastercard" ? "mc" : network,
            defendable: "true",
            defensePeriodEndsAt: new Date(ports.now() + DEFENSE_PERIOD_MS).toISOString(),
            disputeStatus: "Undefended",
          },
        }
        notify(state, payment, "NOTIFICATION_OF_CHARGEBACK", true, about)
        ports.after(PROCESSING_MS, () => notify(state, payment, "CHARGEBACK", true, about))
        return true
      }
      case "capture":
      case "refund":
      case "void":
      case "cancel_or_refund":
        return workByHand(state, payment, event)
      default:
        return event satisfies never
    }
  }

  /** Errors found while processing have a reference of their own. */
  function withReference(error: AdyenError): AdyenError & { pspReference: string } {
    return { ...error, pspReference: newReference(state) }
  }
}
