// The publications that the schemes' retry rules are taken from, so that every row can name its own. We read restatements:
// by acquirers and processors, who pass the schemes' bulletins on, and by reference sites. Facts are taken, not wording.

/** `acquirer`: an acquirer, processor or gateway writes to its merchants. `reference`: a site or package that collects rules. */
type Source = {
  readonly publisher: string
  readonly title: string
  /** A day, a month or a year; absent where the page bears none. */
  readonly published?: string
  readonly kind: "acquirer" | "reference"
  readonly address: string
}

const acquirer = (publisher: string, title: string, address: string, published?: string): Source => ({
  publisher,
  title,
  kind: "acquirer",
  address,
  ...(published === undefined ? {} : { published }),
})

export const schemeSources = {
  adyen_visa: acquirer(
    "Adyen",
    "Mapping to Visa system integrity fee categories",
    "docs.adyen.com/development-resources/raw-acquirer-responses/visa-integrity-fees",
  ),
  bill1st: acquirer("Bill1st", "Merchant Advice & Response Codes", "docs.bill1st.com/docs/mac-response-codes", "2021"),
  braintree_2023: acquirer(
    "Braintree",
    "Network updates: Mastercard, fall 2023",
    "developer.paypal.com/braintree/articles/risk-and-security/compliance/network-updates/2023/mastercard-f23",
    "2023",
  ),
  braintree_2024: acquirer(
    "Braintree",
    "Network updates: Mastercard, spring 2024",
    "developer.paypal.com/braintree/articles/risk-and-security/compliance/network-updates/2024/mc-s24",
    "2024",
  ),
  braintree_advice: acquirer(
    "Braintree",
    "Merchant Advice Codes",
    "developer.paypal.com/braintree/docs/reference/general/merchant-responses/merchant-advice-codes",
  ),
  braspag: acquirer(
    "Braspag",
    "Regras para retentativa das bandeiras",
    "suporte.braspag.com.br/hc/pt-br/articles/360051740351",
  ),
  checkout_codes: acquirer(
    "Checkout.com",
    "Visa response codes",
    "checkout.com/docs/developer-resources/codes/visa-response-codes",
    "2025-02-26",
  ),
  checkout_fees: acquirer(
    "Checkout.com",
    "Changes to Visa system integrity fees",
    "checkout.com/merchant-communications/changes-to-visa-system-integrity-fees",
    "2026",
  ),
  checkout_retry: acquirer(
    "Checkout.com",
    "When can I retry a declined transaction?",
    "support.checkout.com/hc/en-us/articles/25482040901394",
    "2025",
  ),
  checkout_stop: acquirer(
    "Checkout.com",
    "Manage your decline response codes",
    "checkout.com/merchant-communications/manage-your-decline-response-codes",
    "2023-04-27",
  ),
  cielo_codes: acquirer(
    "Cielo",
    "New retry codes for Visa: 5C and 9G",
    "docs.cielo.com.br/ecommerce-cielo-en/changelog/new-retry-codes-for-visa-5c-e-9g",
    "2025",
  ),
  cielo_visa: acquirer(
    "Cielo",
    "New limit for Visa retries starting May 25, 2025",
    "docs.cielo.com.br/ecommerce-cielo-en/changelog/new-limit-for-visa-retries-starting-may-25-2025",
    "2025",
  ),
  click2pay: acquirer(
    "Click2Pay",
    "Regra para cobrança de retentativas",
    "click2pay.com.br/blog/regra-para-cobranca-de-retentativas-",
  ),
  cybersource: acquirer(
    "CyberSource",
    "ccAuthReply_merchantAdviceCode",
    "developer.cybersource.com/docs/cybs/en-us/api-fields/reference/all/so/api-fields/cc-auth-reply-merchant-advice-code.html",
  ),
  dintero: acquirer(
    "Dintero",
    "Do Not Try Again & Excessive Reattempts",
    "docs.dintero.com/docs/checkout/tokenization-error-handling",
  ),
  evolve: acquirer(
    "Evolve",
    "Visa's Processing Integrity Fee Program",
    "developers.getevolved.com/enterprise/docs/visas-processing-integrity-fee-program",
  ),
  forte_mastercard: acquirer(
    "Forte",
    "Mastercard Excessive Authorization Attempts Fee",
    "support.forte.net/support/solutions/articles/11000081270",
    "2019",
  ),
  forte_visa: acquirer("Forte", "Visa decline categories", "support.forte.net", "2021"),
  hyperpay: acquirer("HyperPay", "MAC Control", "hyperpay.docs.oppwa.com/mac", "2025-10-17"),
  maast: acquirer(
    "Maast",
    "Mastercard's decline code grouping and MAC",
    "help.maast.com/help/mastercards-decline-code-grouping-and-mac",
    "2021",
  ),
  paya: acquirer(
    "Paya",
    "Card brand fees, April 2023",
    "paya.helpjuice.com/44505-fees/card-brand-fees-april-2023-",
    "2023-04",
  ),
  paypal: acquirer(
    "PayPal",
    "How to avoid excessive retries penalties",
    "paypal.com/us/brc/article/avoid-excessive-retries-penalties",
  ),
  payvision: acquirer(
    "Payvision",
    "New Visa fees for declined transactions reattempts",
    "payvision.com/scheme-updates/visa-new-fees-for-declined-transactions-reattempts",
    "2021-03-29",
  ),
  payway: acquirer(
    "Payway",
    "Visa Excessive Reattempts Rule & Fees",
    "payway.com/visa-excessive-reattempts-rule-fees",
    "2022",
  ),
  payzu: acquirer("PayZu", "Card network retry program", "docs.payzu.com.br/en/docs/cartao/retry-program"),
  solidgate: acquirer(
    "Solidgate",
    "Merchant advice codes",
    "docs.solidgate.com/payments/payments-insights/merchant-advice-codes",
  ),
  stone: acquirer("Stone", "Limite de Retentivas", "online.stone.com.br/docs/limite-de-retentivas"),
  tabapay_advice: acquirer(
    "TabaPay",
    "Mastercard Merchant Advice Code",
    "developers.tabapay.com/docs/merchant-advice-code-mac",
  ),
  tabapay_codes: acquirer(
    "TabaPay",
    "Visa Response Code Updates",
    "developers.tabapay.com/docs/visa-response-code-updates",
    "2026-05",
  ),
  tabapay_codes_2024: acquirer(
    "TabaPay",
    "Changelog",
    "developers.tabapay.com/changelog/changelog-112724",
    "2024-11-27",
  ),
  tabapay_mastercard: acquirer("TabaPay", "Mastercard", "developers.tabapay.com/docs/mastercard-1", "2024"),
  tabapay_retry: acquirer("TabaPay", "Excessive Retry Rules", "developers.tabapay.com/docs/excessive-retry-rules"),
  tabapay_visa: acquirer(
    "TabaPay",
    "Changelog (Visa Rules ID 0030640)",
    "developers.tabapay.com/changelog/changelog-122724",
    "2024-12-27",
  ),
  wind_river: acquirer(
    "Wind River Financial",
    "October 2021 interchange and network fee updates",
    "windriverfinancial.com/october-2021-interchange-network-fee-updates",
    "2021-10",
  ),
  worldpay: acquirer(
    "Worldpay",
    "Raw response codes",
    "developer.worldpay.com/products/access/reference/response-codes/scheme-codes",
  ),
  yuno: acquirer("Yuno", "Merchant advice codes", "docs.y.uno"),
  decline_codes: {
    publisher: "ianfoxdev",
    title: "decline-codes, which cites the Visa Core Rules of 2026-04-18, table 7-2",
    published: "2026-10",
    kind: "reference",
    address: "packagist.org/packages/ianfoxdev/decline-codes",
  },
  retries: {
    publisher: "retries.com",
    title: "Mastercard Transaction Processing Excellence",
    kind: "reference",
    address: "retries.com/guides/transaction-processing-excellence",
  },
  wang: {
    publisher: "T. Wang",
    title: "Card decline codes: Visa and Mastercard retry rules, which cites the Visa Core Rules of 2026-04-18",
    published: "2026-09",
    kind: "reference",
    address: "dev.to/tomwangcn/card-decline-codes-visa-vs-mastercard-retry-rules-pe9",
  },
} as const satisfies Readonly<Record<string, Source>>

export type SchemeSource = keyof typeof schemeSources
