// Adyen Checkout API v72, cards: what it can do, as data. Each claim names where it was read and when; what follows from
// the claims (how an unknown outcome ends, what a webhook proves) is told in NOTES.md.

import type { Manifest, OperationSupport } from "../connector.ts"

const docs = "https://docs.adyen.com"
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

// The answer for a key is kept at least 7 days, errors included, per company account and region. There is no endpoint
// that tells what became of a payment or of a modification.
const support = (acceptedFirst: boolean, page: string): OperationSupport => ({
  replay: { stores: "all", windowMs: 7 * day },
  inquiry: { byReference: "none", byAttempt: "none" },
  acceptedFirst,
  source: `${docs}${page}, ${docs}/development-resources/api-idempotency (2026-07)`,
})

// The currencies of Adyen's own list that ISO 4217 knows today. Left out: CNH (no ISO code) and retired codes.
const currencies = `AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CLP CNY COP
  CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
  ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LYD MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
  NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STN
  SVC SZL THB TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW`

export const manifest: Manifest = {
  id: "adyen",
  name: "Adyen",
  website: "https://www.adyen.com",
  baseUrl: {
    live: "https://{live_prefix}-checkout-live.adyenpayments.com/checkout",
    test: "https://checkout-test.adyen.com",
  },
  api: { version: "v72", source: `${docs}/api-explorer/Checkout/72/overview, OpenAPI of 2026-07` },
  credentials: [
    {
      name: "api_key",
      title: "API key",
      pattern: "^\\S{20,400}$",
      hint: "Customer Area > Developers > API credentials. Needs the role for raw card data if card numbers are sent.",
    },
  ],
  settings: [
    { name: "merchant_account", title: "Merchant account", pattern: "^[\\w\\-]{1,80}$", identifies: true },
    {
      name: "live_prefix",
      title: "Live URL prefix",
      pattern: "^[0-9A-Za-z]{4,40}-[0-9A-Za-z\\-]{1,80}$",
      optional: true,
      identifies: true,
      hint: "Live only: Customer Area > Developers > API URLs, e.g. 1797a841fbb37ca7-AdyenDemo.",
    },
  ],
  operations: {
    authorize: support(false, "/api-explorer/Checkout/72/post/payments"),
    complete: support(false, "/api-explorer/Checkout/72/post/payments/details"),
    capture: support(true, "/online-payments/capture"),
    void: support(true, "/online-payments/cancel"),
    refund: support(true, "/online-payments/refund"),
    increment: support(true, "/online-payments/adjust-authorisation"),
    reverse: support(true, "/online-payments/reversal"),
  },
  reverse: {
    byReference: true,
    byAttempt: true,
    // A technical cancel that names no payment, told after `inFlightMs`: see NOTES.md, "How unknown ends".
    absence: "proof",
    source: `${docs}/online-payments/cancel#technical-cancel-webhook (2026-07)`,
  },
  completion: "call",
  methods: {
    card: true,
    networkToken: true,
    providerToken: true,
    // Source: the card brands of Adyen's test cards, docs.adyen.com/development-resources/test-cards-and-credentials (2026-07).
    networks: [
      "visa",
      "mastercard",
      "amex",
      "discover",
      "diners",
      "jcb",
      "unionpay",
      "maestro",
      "cartes_bancaires",
      "elo",
      "hipercard",
    ],
  },
  currencies: currencies.split(/\s+/),
  // Source: the rows marked "differs from standard" in docs.adyen.com/development-resources/currency-codes (2026-07).
  exponents: { CLP: 2, CVE: 0, IDR: 0, ISK: 2 },
  features: {
    partialCapture: true,
    // Off by default: the first capture releases the rest. Adyen's support switches it on per account.
    multipleCaptures: false,
    partialRefund: true,
    multipleRefunds: true,
    zeroAmount: true,
    // Works once Adyen's support has enabled it for the account.
    partialApproval: true,
    externalThreeDs: true,
    merchantInitiated: true,
  },
  limits: {
    listenMs: 75_000,
    answerMs: 10_000,
    // Adyen publishes no bound. Four times our own listening, far beyond the scheme's answer times (seconds).
    inFlightMs: 5 * minute,
    keepAliveMs: 4_000,
    connections: 64,
  },
  // Adyen expires authorizations after 28 days at the latest, most schemes earlier. docs.adyen.com/online-payments/capture (2026-07).
  authorizationMs: 28 * day,
  // An unfinished card payment is closed after 12 hours (OFFER_CLOSED, Webhooks v1, 2026-07).
  actionMs: 12 * hour,
  webhooks: {
    // Webhooks come within seconds; after a failed delivery the first retries follow within minutes.
    settleWithinMs: 15 * minute,
    source: `${docs}/development-resources/webhooks/handle-webhook-events (2026-07)`,
  },
}
