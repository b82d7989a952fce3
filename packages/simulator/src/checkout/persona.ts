// Checkout.com's Unified Payments API (NAS) for one account: authentication, idempotency and the routes; the
// operations stand in authorize.ts and action.ts.
import { HEX, randomText } from "../chance.ts"
import { challengeOf, noChallengePage, sendBack, withParameter } from "../challenge-page.ts"
import { createHoldExpiry } from "../hold-expiry.ts"
import { json, type JsonObject, parseObject, textAt } from "../json-body.ts"
import { createKeptAnswers, fingerprintOf } from "../kept-answers.ts"
import { createMoneyLedger } from "../money-ledger.ts"
import type { ByHand, CreatePersona, Misfortune, PersonaWebhook, WireRequest, WireResponse } from "../persona.ts"
import { increment, requestCapture, requestRefund, requestVoid } from "./action.ts"
import { fromIso } from "./amount.ts"
import { completeChallenge, startPayment } from "./authorize.ts"
import {
  type Checked,
  type CheckoutError,
  errorResponse,
  failed,
  invalid,
  NOT_FOUND,
  TOO_MANY_REQUESTS,
  UNAUTHORIZED,
} from "./error.ts"
import { workByHand } from "./by-hand.ts"
import { webhookOf } from "./event.ts"
import { actionsView, actionSummaries, balancesOf, pageOf, paymentView, SESSION_PATH } from "./payment-view.ts"
import { readCard, readPurchase } from "./purchase.ts"
import { requestReversal } from "./reversal.ts"
import { chargeOf, type CheckoutState, findPayment, newId, type Payment, rememberToken, timestamp } from "./state.ts"
import { EVENT_MS } from "./timing.ts"

export const KEY_WINDOW_MS = 86_400_000
/** Lists are fed from a copy that is a little behind. */
export const LIST_LAG_MS = 3_000

const TOKEN_VALID_MS = 15 * 60_000
const EVIDENCE_MS = 10 * 86_400_000
const DEFAULT_LIST_LIMIT = 10
const MAX_LIST_LIMIT = 100

type Answer = { readonly status: number; readonly body: unknown }

export const createCheckout: CreatePersona = (account, ports, issuer) => {
  const { secretKey = "", publicKey = "", processingChannelId = "", webhookSecret = "" } = account.credentials
  const answers = createKeptAnswers(ports.now, KEY_WINDOW_MS)
  let deliver = (_webhook: PersonaWebhook): void => {}
  const state: CheckoutState = {
    accountId: account.id,
    processingChannelId,
    publicUrl: account.publicUrl,
    ports,
    issuer,
    ledger: createMoneyLedger(account.id, ports.now),
    expiry: createHoldExpiry(ports, noticeExpiry),
    payments: new Map(),
    bySession: new Map(),
    byReference: new Map(),
    sources: new Map(),
    tokens: new Map(),
    spentCryptograms: new Set(),
    send(type, payment, data) {
      const { purchase, id: paymentId } = payment
      const whole = {
        id: paymentId,
        reference: purchase.reference ?? null,
        amount: Number(purchase.value),
        currency: purchase.currency,
        balances: balancesOf(chargeOf(state, payment)),
        ...data,
        // An action's own metadata comes beside the payment's: how the two mix is not documented.
        metadata: { ...purchase.metadata, ...(data["metadata"] as object | undefined) },
      }
      const at = timestamp(ports.now())
      deliver(webhookOf({ id: newId(state, "evt"), type, timestamp: at, paymentId, data: whole }, webhookSecret))
    },
  }

  return {
    id: "checkout",
    handle,
    page,
    onWebhook(to) {
      deliver = to
    },
    truth: state.ledger.truth,
    befall,
    replaceStored(request, response) {
      const key = request.headers["cko-idempotency-key"]
      if (key === undefined) return
      // Only 2xx answers are cached: after an error the same key does the work again.
      if (response.status >= 200 && response.status < 300) answers.keep(key, fingerprintOf(request), response)
      else answers.forget(key)
    },
    trouble: (status) => errorResponse(status === 429 ? TOO_MANY_REQUESTS : { status }, newRequestId()),
  }

  function handle(request: WireRequest): WireResponse {
    const [path = ""] = request.path.split("?")
    if (!isAuthorized(path, request.headers["authorization"])) return error(UNAUTHORIZED)
    const key = request.method === "POST" ? request.headers["cko-idempotency-key"] : undefined
    // The key alone decides: another body under the same key gets the first body's answer.
    const kept = key === undefined ? undefined : answers.find(key)
    if (kept) return kept.response
    const done = route(request.method, path, request)
    if (!done.ok) return error(done.error)
    const { status, body } = done.value
    const headers = { "cko-request-id": newRequestId() }
    const response = status === 204 ? { status, headers, body: "" } : json(status, body, headers)
    if (key !== undefined) answers.keep(key, fingerprintOf(request), response)
    return response
  }

  /** Public keys come without "Bearer" too: the official SDK sends them so. */
  function isAuthorized(path: string, header: string | undefined): boolean {
    if (path !== "/tokens") return secretKey !== "" && header === `Bearer ${secretKey}`
    return publicKey !== "" && (header === publicKey || header === `Bearer ${publicKey}`)
  }

  function route(method: string, path: string, request: WireRequest): Checked<Answer> {
    if (method === "GET") return read(path, new URL(request.path, "http://api").searchParams)
    if (method !== "POST") return failed(NOT_FOUND)
    // Actions need no body.
    const body = request.body.trim() === "" ? {} : parseObject(request.body)
    if (!body) return failed({ status: 400, type: "request_invalid", codes: ["request_body_malformed"] })
    if (path === "/payments") return pay(body)
    if (path === "/tokens") return tokenize(body)
    const [, id = "", action] =
      /^\/payments\/([^/]+)\/(captures|voids|refunds|authorizations|reversals)$/.exec(path) ?? []
    const payment = state.payments.get(id)
    if (action === undefined || !payment) return failed(NOT_FOUND)
    switch (action) {
      case "captures":
        return answered(202, requestCapture(state, payment, body))
      case "voids":
        return answered(202, requestVoid(state, payment, body))
      case "refunds":
        return answered(202, requestRefund(state, payment, body))
      case "reversals":
        return requestReversal(state, payment, body)
      default:
        return answered(201, increment(state, payment, body))
    }
  }

  function read(path: string, query: URLSearchParams): Checked<Answer> {
    if (path === "/payments") return list(query)
    const [, id = "", actions] = /^\/payments\/([^/]+)(\/actions)?$/.exec(path) ?? []
    const payment = findPayment(state, id)
    if (!payment) return failed(NOT_FOUND)
    if (actions) return ok(200, actionsView(payment))
    const view = paymentView(state, payment)
    return ok(200, id === payment.id ? view : { ...view, actions: actionSummaries(payment) })
  }

  function list(query: URLSearchParams): Checked<Answer> {
    const reference = query.get("reference")
    if (!reference) return invalid("reference_required")
    const limit = countOf(query.get("limit"), DEFAULT_LIST_LIMIT)
    const skip = countOf(query.get("skip"), 0)
    if (limit === undefined || limit < 1 || limit > MAX_LIST_LIMIT) return invalid("limit_invalid")
    if (skip === undefined) return invalid("skip_invalid")
    const found = (state.byReference.get(reference) ?? [])
      .map((id) => state.payments.get(id))
      .filter((payment) => payment !== undefined && ports.now() - payment.createdAt >= LIST_LAG_MS)
      .toReversed() as Payment[]
    const data = found.slice(skip, skip + limit).map((payment) => paymentView(state, payment))
    return ok(200, { total_count: found.length, skip, limit, data })
  }

  function pay(body: JsonObject): Checked<Answer> {
    const purchase = readPurchase(body, {
      now: ports.now(),
      processingChannelId,
      source: (id) => state.sources.get(id),
      payment: (id) => state.payments.has(id),
      token: (token) => {
        const kept = state.tokens.get(token)
        return kept && kept.expiresAt <= ports.now() ? "expired" : kept?.card
      },
    })
    if (!purchase.ok) return purchase
    const { status, view } = startPayment(state, purchase.value)
    return ok(status, view)
  }

  /** Done by the customer's browser with the public key, so that the merchant never sees the card. */
  function tokenize(body: JsonObject): Checked<Answer> {
    if (textAt(body, "type") !== "card") return invalid("token_type_invalid")
    const card = readCard(body, "number", ports.now())
    if (!card.ok) return card
    const { pan, bin, expiryMonth, expiryYear } = card.value
    const expiresAt = ports.now() + TOKEN_VALID_MS
    return ok(201, {
      type: "card",
      token: rememberToken(state, card.value, expiresAt),
      expires_on: timestamp(expiresAt),
      expiry_month: expiryMonth,
      expiry_year: expiryYear,
      last4: pan.slice(-4),
      bin: pan.slice(0, 6),
      card_type: bin.funding.toUpperCase(),
      issuer: bin.issuer,
      issuer_country: bin.country,
    })
  }

  function page(request: WireRequest): WireResponse {
    const [path = ""] = request.path.split("?")
    const payment = path.startsWith(SESSION_PATH) ? findPayment(state, path.slice(SESSION_PATH.length)) : undefined
    const { successUrl, failureUrl } = payment?.purchase ?? {}
    if (!payment?.sessionId || successUrl === undefined || failureUrl === undefined) return noChallengePage()
    const deed = request.method === "POST" ? challengeOf(request) : undefined
    const waits = state.ledger.get(payment.id)?.state === "action" && payment.verdict === undefined
    if (deed === undefined) return waits ? pageOf(payment) : noChallengePage()
    // The first deed counts; later ones are sent to where that one led.
    const approved = waits ? completeChallenge(state, payment, deed) : (payment.verdict?.approved ?? false)
    return sendBack(withParameter(approved ? successUrl : failureUrl, "cko-session-id", payment.sessionId))
  }

  function noticeExpiry(id: string): void {
    const payment = state.payments.get(id)
    const charge = state.ledger.get(id)
    if (!payment || !charge) return
    // A capture under way keeps the hold alive until it is decided.
    if (charge.state === "authorized") return state.expiry.watch(id, ports.now() + EVENT_MS)
    if (charge.authorized > charge.captured) state.send("payment_expired", payment, {})
  }

  function befall(id: string, event: Misfortune | ByHand): boolean {
    const payment = state.payments.get(id)
    const charge = state.ledger.get(id)
    if (!payment || !charge) return false
    switch (event.type) {
      case "expire":
        if (!state.ledger.expire(id).ok) return false
        state.expiry.forget(id)
        state.send("payment_expired", payment, {})
        return true
      case "dispute": {
        const dispute = newId(state, "dsp")
        const amount = event.amount ?? charge.captured
        if (!state.ledger.dispute(id, dispute, amount).ok) return false
        const data = disputeData(payment, dispute, amount, event.reason)
        state.send("dispute_received", payment, data)
        ports.after(EVENT_MS, () => state.send("dispute_evidence_required", payment, data))
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

  function disputeData(payment: Payment, id: string, amount: bigint, reason: string | undefined) {
    const { network } = payment.purchase.card.bin
    const captured = payment.actions.find(({ type, approved }) => type === "Capture" && approved)
    return {
      id,
      category: "fraudulent",
      amount: fromIso(amount, payment.purchase.currency),
      reason_code: reason ?? (network === "mastercard" ? "4837" : "10.4"),
      payment_id: payment.id,
      payment_action_id: captured?.id,
      payment_reference: payment.purchase.reference,
      payment_arn: captured?.processing["acquirer_reference_number"],
      payment_method: network.toUpperCase(),
      evidence_required_by: timestamp(ports.now() + EVIDENCE_MS),
      date: timestamp(ports.now()),
    }
  }

  function error(because: CheckoutError): WireResponse {
    return errorResponse(because, newRequestId())
  }

  function newRequestId(): string {
    const hex = randomText(ports.random, 32, HEX)
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
  }
}

function ok(status: number, body: unknown): Checked<Answer> {
  return { ok: true, value: { status, body } }
}

function answered(status: number, done: Checked<unknown>): Checked<Answer> {
  return done.ok ? ok(status, done.value) : done
}

function countOf(text: string | null, absent: number): number | undefined {
  if (text === null) return absent
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
