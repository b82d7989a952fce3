// Stripe as data: what it can do, by which documentation, and what we chose where the documentation leaves a choice.
// The reasons behind the choices stand in NOTES.md.

import type { Manifest, OperationSupport } from "../connector.ts"

const dayMs = 86_400_000

// The result of the first request is kept with its key, failures and 500s included, for at least 24 hours. Requests
// that fail validation or meet a running one are not kept: those were not executed.
const replay = { stores: "all", windowMs: dayMs } as const
const idempotency = "https://docs.stripe.com/api/idempotent_requests, read 2026-10"

// A PaymentIntent is read back consistently by its id. The search by metadata lags by up to an hour in an outage and is
// not offered to accounts in India.
const byId = { byReference: "strong", byAttempt: "none" } as const
const byIdOrSearch = { byReference: "strong", byAttempt: { eventualMs: 3_600_000 } } as const

const support = (inquiry: OperationSupport["inquiry"], page: string): OperationSupport => ({
  replay,
  inquiry,
  acceptedFirst: false,
  source: `${idempotency}; https://docs.stripe.com/api/${page}, read 2026-10`,
})

export const manifest = {
  id: "stripe",
  name: "Stripe",
  website: "https://stripe.com",
  baseUrl: { live: "https://api.stripe.com", test: "https://api.stripe.com" },
  api: {
    version: "2026-10-28.endive",
    source: "https://docs.stripe.com/changelog; pinned by the npm package stripe 23.1.0 of 2026-10-29",
  },
  credentials: [
    {
      name: "secret_key",
      title: "Secret key",
      pattern: "^(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,250}$",
      hint: "A restricted key needs write access to PaymentIntents, SetupIntents and Refunds, and read access to the account.",
    },
  ],
  settings: [
    {
      name: "connected_account",
      title: "Connected account",
      pattern: "^acct_[A-Za-z0-9]{5,60}$",
      optional: true,
      identifies: true,
      hint: "Only for platforms that act for another account (Stripe-Account header).",
    },
    {
      name: "mit_exemption",
      title: "Network transaction ids",
      pattern: "^enabled$",
      optional: true,
      hint: "Stripe has switched on network transaction ids of other providers for this account (mit_exemption).",
    },
    {
      name: "partial_authorizations",
      title: "Partial authorizations",
      pattern: "^enabled$",
      optional: true,
      hint: "Stripe has switched on partial authorizations for this account (it needs IC+ pricing).",
    },
  ],
  operations: {
    prepare: support(byIdOrSearch, "payment_intents/create"),
    authorize: support(byIdOrSearch, "payment_intents/confirm"),
    capture: support(byId, "payment_intents/capture"),
    void: support(byId, "payment_intents/cancel"),
    refund: support(byId, "refunds/create"),
    increment: support(byId, "payment_intents/increment_authorization"),
    reverse: support(byId, "payment_intents/cancel"),
  },
  reverse: {
    byReference: true,
    byAttempt: false,
    // Cancelling works on an intent in any state before capture, so that a reversal always ends in a clear answer; an
    // unknown id means that we ask with another account's key.
    absence: "none",
    source: "https://docs.stripe.com/api/payment_intents/cancel, read 2026-10",
  },
  completion: "inquiry",
  methods: {
    card: true,
    networkToken: false,
    providerToken: true,
    networks: ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "cartes_bancaires"],
  },
  // https://docs.stripe.com/currencies, presentment currencies of a US or EU account, read 2026-10. STD (retired in ISO
  // 4217 in 2018) is left out.
  currencies:
    `USD AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK
    JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN
    NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL
    THB TJS TND TOP TRY TTD TWD TZS UAH UGX UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW`.split(/\s+/),
  // https://docs.stripe.com/currencies#special-cases, read 2026-10: ISK and UGX are zero-decimal and yet written with two
  // digits, which are always 00; the ariary has no digits at Stripe although ISO counts it in hundredths.
  exponents: { ISK: 2, UGX: 2, MGA: 0 },
  // Same page: three-decimal currencies end in 0.
  steps: { BHD: 10, JOD: 10, KWD: 10, OMR: 10, TND: 10 },
  features: {
    partialCapture: true,
    multipleCaptures: true,
    partialRefund: true,
    multipleRefunds: true,
    zeroAmount: true,
    // Where the account's setting says so: https://docs.stripe.com/payments/partial-authorization, read 2026-10.
    partialApproval: true,
    externalThreeDs: true,
    merchantInitiated: true,
  },
  // `mit_exemption` is in no public reference: Stripe switches it on, account by account.
  networkTransactionIds: { setting: "mit_exemption" },
  limits: {
    // stripe-node's own default timeout, https://github.com/stripe/stripe-node#configuration, 2026-10.
    listenMs: 80_000,
    answerMs: 15_000,
    // Not documented. An intent that was still unconfirmed this long after our request has not been reached by it.
    inFlightMs: 300_000,
    keepAliveMs: 4_000,
    // 25 requests a second and endpoint, 100 in all: https://docs.stripe.com/rate-limits, read 2026-10.
    connections: 32,
  },
  // Seven days for payments of the customer, fewer for some networks and for merchant-initiated ones; the exact moment is
  // `capture_before` on the charge. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method, read 2026-10.
  authorizationMs: 7 * dayMs,
  // The redirect page has no documented end: this is how long we wait for a customer.
  actionMs: 3_600_000,
  webhooks: {
    toleranceMs: 300_000,
    settleWithinMs: dayMs,
    source: "https://docs.stripe.com/webhooks#verify-events, read 2026-10; tolerance as in stripe-node 23.1.0",
  },
} as const satisfies Manifest
