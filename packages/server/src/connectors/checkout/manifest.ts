// Checkout.com on its current platform ("NAS"): the Unified Payments API for cards. Every claim with its source and the
// date of the page or SDK that it was read from.

import type { InquiryStrength, Manifest, OperationSupport } from "../connector.ts"

const idempotency = "https://www.checkout.com/docs/developer-resources/api/idempotency (2026-01)"
const dayMs = 86_400_000

// Answers of 2xx are kept for a day; after 4xx and 5xx the same request is processed anew, so that repeating an unknown
// one can do it twice.
const replay: OperationSupport["replay"] = { stores: "2xx", windowMs: dayMs }

// A follow-up is accepted first and shows among the payment's actions only once it is processed, which is asynchronous
// and has no documented limit. Until this is over, "not among the actions" says nothing.
const actionsLag: InquiryStrength = { eventualMs: 15 * 60_000 }

const followUp: OperationSupport = {
  replay,
  inquiry: { byReference: actionsLag, byAttempt: "none" },
  acceptedFirst: true,
  source: `${idempotency}; https://api-reference.checkout.com captures, voids, refunds, actions (2026-06)`,
}

// The currencies of Checkout.com's SDK, without those that ISO has withdrawn since, and without CLF, whose digits its
// documents contradict each other on.
const currencies =
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
  CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
  IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
  MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
  SBD SCR SDG SEK SGD SHP SOS SRD STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST
  XAF XCD XOF XPF YER ZAR ZMW`.split(/\s+/)

export const manifest = {
  id: "checkout",
  name: "Checkout.com",
  website: "https://www.checkout.com",
  // The addresses without a prefix are deprecated: the SDK refuses to start without one since 5.2 (2026-07).
  baseUrl: { live: "https://{prefix}.api.checkout.com", test: "https://{prefix}.api.sandbox.checkout.com" },
  api: {
    version: "unversioned",
    source: "https://api-reference.checkout.com (2026-06): no version in path or header; new behaviour is opted into",
  },
  credentials: [
    {
      name: "secret_key",
      title: "Secret key",
      pattern: "^sk_(?:sbox_)?[a-z2-7]{26}[a-z2-7*#$=]$",
      hint: "Dashboard → Developers → Keys. The account needs access with whole card numbers, which Checkout.com grants.",
    },
  ],
  settings: [
    {
      name: "prefix",
      title: "Address prefix",
      pattern: "^(?:pl-)?[a-z0-9]{8}$",
      identifies: true,
      hint: "The first eight characters of your client id after cli_; another one in the sandbox than live.",
    },
    {
      name: "processing_channel_id",
      title: "Processing channel",
      pattern: "^pc_[a-z0-9]{26}$",
      optional: true,
      hint: "Needed where the key is allowed on several channels.",
    },
    {
      name: "authorization_type",
      title: "Type of manual authorizations",
      pattern: "^(?:Final|Estimated)$",
      optional: true,
      hint: "Estimated allows increments and changes the networks' fees and deadlines. Final if empty.",
    },
    {
      name: "descriptor_city",
      title: "City on statements",
      pattern: "^[ -~]{1,13}$",
      optional: true,
      hint: "Checkout.com takes a statement descriptor only together with a city; without it none is sent.",
    },
  ],
  operations: {
    authorize: {
      replay,
      inquiry: {
        byReference: "strong",
        // GET /payments?reference= reads a search index. How far it lags behind is not documented; seconds are usual.
        byAttempt: { eventualMs: 2 * 60_000 },
      },
      acceptedFirst: false,
      source: `${idempotency}; https://www.checkout.com/docs/payments/manage-payments/get-a-list-of-payments (2022-09)`,
    },
    capture: followUp,
    void: followUp,
    refund: followUp,
    increment: {
      replay,
      inquiry: { byReference: { eventualMs: 2 * 60_000 }, byAttempt: "none" },
      acceptedFirst: false,
      source: `${idempotency}; https://www.checkout.com/docs/payments/manage-payments/authorize-a-payment/adjust-an-estimated-authorization (2023-06)`,
    },
    reverse: {
      // Not among the endpoints that keep answers; a second reversal answers 204, does nothing and proves nothing.
      replay: { stores: "none", windowMs: 0 },
      inquiry: { byReference: actionsLag, byAttempt: "none" },
      acceptedFirst: true,
      source: "https://www.checkout.com/docs/payments/manage-payments/reverse-a-payment (2024-04, 2026-05)",
    },
  },
  reverse: {
    byReference: true,
    byAttempt: false,
    absence: "none",
    source: "https://www.checkout.com/docs/payments/manage-payments/reverse-a-payment (2024-04): by payment id only",
  },
  completion: "inquiry",
  methods: {
    card: true,
    networkToken: true,
    providerToken: true,
    networks: ["visa", "mastercard", "maestro", "amex", "discover", "diners", "jcb", "unionpay", "cartes_bancaires"],
    // `token_type` is vts or mdes: other networks' tokens have no name there.
    tokenNetworks: ["visa", "mastercard", "maestro"],
  },
  currencies,
  // Source: https://www.checkout.com/docs/developer-resources/codes/calculating-the-amount (2025-11). ISK, UGX and the
  // others without minor units are counted as in ISO 4217; only the Chilean peso has two digits, always 00.
  exponents: { CLP: 2 },
  // As above: "the last digit must always be a 0".
  steps: { BHD: 10, IQD: 10, JOD: 10, KWD: 10, LYD: 10, OMR: 10, TND: 10 },
  features: {
    partialCapture: true,
    multipleCaptures: true,
    partialRefund: true,
    multipleRefunds: true,
    zeroAmount: true,
    partialApproval: true,
    externalThreeDs: true,
    merchantInitiated: true,
  },
  limits: {
    // Not documented: "wait at least 30 seconds before you reattempt" is the only hint. We listen as long as we may.
    listenMs: 70_000,
    answerMs: 8_000,
    inFlightMs: 120_000,
    keepAliveMs: 20_000,
    // 100 writes a second for the whole account (https://www.checkout.com/docs/resources/api-rate-limits, 2025-06).
    connections: 32,
  },
  // The 3-D Secure page must be finished within 15 minutes (response code 20152).
  actionMs: 15 * 60_000,
  webhooks: {
    // First delivery at once, then after 5 and 10 minutes.
    settleWithinMs: 20 * 60_000,
    source:
      "https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks (2026-01): eight retries in 30 hours, no signed time",
  },
} as const satisfies Manifest
