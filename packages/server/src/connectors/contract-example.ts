// The smallest connector that keeps the contract: an invented provider with JSON, one key and HMAC webhooks. It is what
// the tests of the contract suite break on purpose, and a first page for whoever writes a connector. Test support.

import type { DeclineReason } from "../core/decline.ts"
import type { Evidence, Outcome } from "../core/outcome.ts"
import { secret } from "../core/secret.ts"
import { amountFrom, exactAmount } from "./amount.ts"
import {
  type AccountConfig,
  type AuthorizeInput,
  type Connector,
  defineConnector,
  type FollowUpInput,
  type HttpRequest,
  type HttpResponse,
  type InquiryInput,
  lookup,
  type Manifest,
  type Notice,
  type OperationSupport,
  type WebhookRequest,
} from "./connector.ts"
import type { Material } from "./contract.ts"
import { nodeHmac } from "./contract-webhook.ts"
import { integerAt, isObject, isReference, parseJson, referenceAt, textAt, writeJson } from "./json.ts"
import { scrubber } from "./scrub.ts"
import { type SignatureScheme, verifySignature } from "./signature.ts"

const source = "https://northpay.example/docs, read 2026-01"

const support: OperationSupport = {
  replay: { stores: "all", windowMs: 86_400_000 },
  inquiry: { byReference: "strong", byAttempt: "none" },
  acceptedFirst: false,
  source,
}

const manifest: Manifest = {
  id: "northpay",
  name: "Northpay",
  website: "https://northpay.example",
  baseUrl: { live: "https://api.northpay.example", test: "https://sandbox.northpay.example" },
  api: { version: "v2", source },
  credentials: [{ name: "apiKey", title: "API key", pattern: "^np_[a-z0-9]{20}$" }],
  settings: [],
  operations: { authorize: support, capture: support, void: support, refund: support },
  reverse: { byReference: false, byAttempt: false, absence: "none", source },
  completion: "inquiry",
  methods: { card: true, networkToken: true, providerToken: false, networks: ["visa", "mastercard", "amex"] },
  currencies: ["EUR", "JPY", "KWD", "ISK"],
  exponents: { ISK: 2 },
  steps: { KWD: 10 },
  features: {
    partialCapture: true,
    multipleCaptures: false,
    partialRefund: true,
    multipleRefunds: true,
    zeroAmount: false,
    partialApproval: true,
    externalThreeDs: false,
    merchantInitiated: true,
  },
  limits: { listenMs: 60_000, answerMs: 10_000, inFlightMs: 120_000, keepAliveMs: 4_000, connections: 8 },
  actionMs: 600_000,
  webhooks: { toleranceMs: 300_000, settleWithinMs: 3_600_000, source },
}

const statuses: Readonly<Record<string, "authorized" | "captured" | "voided" | "refunded" | "declined">> = {
  held: "authorized",
  taken: "captured",
  released: "voided",
  returned: "refunded",
  refused: "declined",
}
const reasons: Readonly<Record<string, DeclineReason>> = { poor: "insufficient_funds", gone: "stolen_card" }

export const exampleTables = { statuses, reasons }

type Moved = Extract<Outcome, { kind: "approved" }>["effect"]
type Asked = { readonly amount: AuthorizeInput["amount"] }

function send(method: "GET" | "POST", path: string, account: AccountConfig, key?: string, body?: object): HttpRequest {
  return {
    method,
    path: `/v2/${path}`,
    headers: {
      authorization: `Bearer ${account.credentials["apiKey"]!.reveal()}`,
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: writeJson(body) }),
  }
}

function encodeAuthorize(input: AuthorizeInput, account: AccountConfig): HttpRequest {
  const { method } = input
  if (method.type === "provider_token") throw new TypeError("Northpay has no tokens")
  return send("POST", "payments", account, input.key, {
    reference: input.attempt,
    amount: Number(exactAmount(manifest, input.amount)),
    currency: input.amount.currency,
    capture: input.capture === "automatic",
    // Who asks, and for which agreement.
    initiator: {
      by: input.initiator.by,
      purpose: input.initiator.purpose,
      first: input.initiator.networkTransactionId,
    },
    card: {
      number: method.number.reveal(),
      month: method.expiryMonth,
      year: method.expiryYear,
      ...(method.type === "card" ? { cvc: method.cvc?.reveal() } : { cryptogram: method.cryptogram?.reveal() }),
    },
    note: input.description?.toWellFormed(),
  })
}

const encodeFollowUp =
  (verb: string) =>
  (input: FollowUpInput, account: AccountConfig): HttpRequest =>
    send("POST", `payments/${encodeURIComponent(checked(input.reference))}/${verb}`, account, input.key, {
      reference: input.operation,
      ...(verb === "void" ? {} : { amount: Number(exactAmount(manifest, input.amount)) }),
    })

function checked(id: string): string {
  if (!isReference(id)) throw new TypeError("not an id of Northpay's")
  return id
}

const decodeAs =
  (...allowed: readonly Moved[]) =>
  (response: HttpResponse, { amount: asked }: Asked): Outcome => {
    const body = parseJson(response.body)
    const status = textAt(body, "status")
    const reference = referenceAt(body, "id")
    const evidence: Evidence = reference === undefined ? {} : { reference }
    const raw = { code: textAt(body, "code") ?? status ?? `http ${response.status}` }
    const none: Outcome = { kind: "unknown", raw, evidence }
    if (!isObject(body) || response.status >= 500 || status === undefined) return none
    if (response.status === 422 && status === "invalid")
      return { kind: "rejected", fault: "ours", executed: "no", reason: "invalid_request", raw, evidence }
    const effect = lookup(statuses, status)
    if (effect === "declined" && response.status === 402)
      return { kind: "declined", reason: lookup(reasons, raw.code) ?? "unmapped", raw, evidence }
    if (effect === undefined || effect === "declined" || response.status !== 200 || !allowed.includes(effect))
      return none
    // What nobody can name, nobody can capture or void.
    if (reference === undefined) return none
    if (effect === "voided") return { kind: "approved", effect, amount: 0n, raw, evidence }
    const amount = amountFrom(manifest, integerAt(body, "amount"), textAt(body, "currency"))
    if (amount === undefined || amount.currency !== asked.currency || amount.minor > asked.minor) return none
    return { kind: "approved", effect, amount: amount.minor, raw, evidence }
  }

function decodeInquiry(response: HttpResponse, input: InquiryInput): Outcome {
  const body = parseJson(response.body)
  if (response.status === 200 && textAt(body, "status") === "untouched")
    return { kind: "absent", raw: { code: "untouched" }, evidence: {} }
  const about = {
    authorize: decodeAs("authorized", "captured", "voided", "refunded"),
    capture: decodeAs("captured"),
    void: decodeAs("voided"),
    refund: decodeAs("refunded"),
  }
  return (lookup<(typeof about)["void"]>(about, input.about) ?? decodeAs())(response, input)
}

const scheme: SignatureScheme = {
  header: "x-signature",
  algorithm: "sha256",
  secret: "utf8",
  encoding: "hex",
  layout: { kind: "pairs", time: "t", signature: "v1" },
  signed: "{time}.{body}",
  toleranceMs: 300_000,
}

function decodeWebhook({ body }: WebhookRequest): readonly Notice[] {
  const event = parseJson(body)
  const eventId = textAt(event, "event")
  const currency = textAt(event, "currency")
  const amount = amountFrom(manifest, integerAt(event, "amount"), currency)
  if (eventId === undefined || textAt(event, "type") !== "refund.done" || amount === undefined) return []
  const outcome: Outcome = {
    kind: "approved",
    effect: "refunded",
    amount: amount.minor,
    raw: { code: "refund.done" },
    evidence: {},
  }
  return [{ about: "refund", eventId, type: "refund.done", trust: "signed", outcome, currency: amount.currency }]
}

export const example: Connector = defineConnector({
  manifest,
  codecs: {
    authorize: { encode: encodeAuthorize, decode: decodeAs("authorized", "captured") },
    capture: { encode: encodeFollowUp("capture"), decode: decodeAs("captured") },
    void: { encode: encodeFollowUp("void"), decode: decodeAs("voided") },
    refund: { encode: encodeFollowUp("refund"), decode: decodeAs("refunded") },
  },
  inquire: {
    encode: (input, account) => send("GET", `payments/${checked(input.reference ?? "none")}`, account),
    decode: decodeInquiry,
  },
  webhook: {
    verify: (request, secrets, nowMs, hmac) => verifySignature(scheme, request, secrets, nowMs, hmac),
    decode: decodeWebhook,
    acknowledgement: { status: 204, body: "" },
  },
  scrub: scrubber({ fields: ["number", "cvc", "cryptogram", "authorization"], patterns: [/\bnp_[a-z0-9]{20}\b/g] }),
})

const respond = (status: number, body: object): HttpResponse => ({ status, headers: {}, body: JSON.stringify(body) })
const done = (status: string): HttpResponse => respond(200, { id: "np_1", status, amount: 1999, currency: "EUR" })
const refused = (code: string): HttpResponse => respond(402, { status: "refused", code })
const invalid = respond(422, { status: "invalid" })
const approved = (effect: string, code: string, amount = "1999"): object => ({
  kind: "approved",
  effect,
  amount,
  raw: { code },
  evidence: { reference: "np_1" },
})
const rejected = {
  kind: "rejected",
  fault: "ours",
  executed: "no",
  reason: "invalid_request",
  raw: { code: "invalid" },
  evidence: {},
}
const asked = { amount: { minor: 1999n, currency: "EUR" } } as Asked
const all = decodeAs("authorized", "captured", "voided", "refunded")

export const exampleMaterial: Material = {
  config: { mode: "test", credentials: { apiKey: secret("np_4kd83hx72jq90slw51mz") }, settings: {} },
  samples: [
    { name: "holds", operation: "authorize", response: done("held"), outcome: approved("authorized", "held") },
    {
      name: "refuses",
      operation: "authorize",
      response: refused("poor"),
      outcome: { kind: "declined", reason: "insufficient_funds", raw: { code: "poor" }, evidence: {} },
    },
    { name: "takes", operation: "capture", response: done("taken"), outcome: approved("captured", "taken") },
    { name: "takes nothing", operation: "capture", response: invalid, outcome: rejected },
    { name: "releases", operation: "void", response: done("released"), outcome: approved("voided", "released", "0") },
    { name: "releases nothing", operation: "void", response: invalid, outcome: rejected },
    { name: "returns", operation: "refund", response: done("returned"), outcome: approved("refunded", "returned") },
    { name: "returns nothing", operation: "refund", response: invalid, outcome: rejected },
    { name: "is held", operation: "inquire", response: done("held"), outcome: approved("authorized", "held") },
    {
      name: "was never charged",
      operation: "inquire",
      response: done("untouched"),
      outcome: { kind: "absent", raw: { code: "untouched" }, evidence: {} },
    },
  ],
  webhooks: {
    samples: [
      {
        name: "a refund is done",
        body: '{"event":"ev_1","type":"refund.done","amount":500,"currency":"EUR"}',
        notices: [
          {
            about: "refund",
            eventId: "ev_1",
            type: "refund.done",
            trust: "signed",
            outcome: {
              kind: "approved",
              effect: "refunded",
              amount: "500",
              raw: { code: "refund.done" },
              evidence: {},
            },
            currency: "EUR",
          },
        ],
      },
    ],
    secrets: ["first secret", "second secret"],
    covers: "body",
    sign: (body, key, atMs) => {
      const time = Math.floor(atMs / 1_000)
      const signature = nodeHmac("sha256", new TextEncoder().encode(key), `${time}.${body}`)
      return { headers: { "x-signature": `t=${time},v1=${Buffer.from(signature).toString("hex")}` }, body }
    },
  },
  tables: [
    {
      name: "reasons",
      table: reasons,
      reach: (code) => {
        const outcome = all(refused(code), asked)
        return outcome.kind === "declined" ? outcome.reason : outcome.kind
      },
      miss: "unmapped",
    },
    {
      name: "statuses",
      table: statuses,
      reach: (status) => {
        const outcome = all(status === "refused" ? refused("poor") : done(status), asked)
        return outcome.kind === "approved" ? outcome.effect : outcome.kind
      },
      miss: "unknown",
    },
  ],
  tableModule: exampleTables,
}
