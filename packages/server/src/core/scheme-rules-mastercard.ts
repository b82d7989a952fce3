// Mastercard's rules for another attempt after a decline: the Transaction Processing Excellence programmes (a fee for
// declined attempts beyond a number per day and per 30 days, and for attempts after an advice never to try again), and what
// each merchant advice code asks. As restated by acquirers; the manual is not public as a whole. Not here, because it is due
// on the decline whatever follows: the fee for advice 24 to 30 (Authorization Optimizer; US and Canada 0.02 USD, EEA and
// United Kingdom 0.004 EUR, rest of Europe 0.01 EUR; Braintree 2023).

import type { CardRegion } from "./card-region.ts"
import type { AdviceRule, FeeRule, LimitRule, StopRule } from "./scheme-rule.ts"

const schemes = ["mastercard"] as const
const notBrazil: readonly CardRegion[] = ["us", "canada", "eea", "uk", "elsewhere"]
const thirtyDays = 30 * 24

const rolling = "TabaPay counts by the calendar day and in tumbling 30 days; read as rolling windows, which hold both."

export const mastercardLimitRules: readonly LimitRule[] = [
  {
    id: "mastercard/day-20",
    kind: "limit",
    schemes,
    regions: ["us", "canada"],
    from: "2019-01-01",
    until: "2022-10-01",
    declines: 20,
    windowHours: 24,
    per: [],
    says: "20 declined attempts with the same card in 24 hours, whatever the amount.",
    sources: ["forte_mastercard"],
    certainty: "single",
    conflict: "The source bears no day; 2019 is the year that others name.",
  },
  {
    id: "mastercard/day-10",
    kind: "limit",
    schemes,
    regions: notBrazil,
    from: "2022-10-01",
    declines: 10,
    windowHours: 24,
    per: [],
    says: "10 declined attempts with the same card in 24 hours, whatever the amount.",
    sources: ["retries", "checkout_retry", "braintree_2024", "tabapay_retry", "dintero"],
    certainty: "agreed",
    conflict: `Mastercard counts by card acceptor; we count the merchant's attempts through all providers together. ${rolling}`,
  },
  {
    id: "mastercard/day-10-brazil",
    kind: "limit",
    schemes,
    regions: ["brazil"],
    from: "2022-10-01",
    until: "2023-02-01",
    declines: 10,
    windowHours: 24,
    per: [],
    says: "10 declined attempts with the same card in 24 hours, whatever the amount.",
    sources: ["payzu"],
    certainty: "single",
  },
  {
    id: "mastercard/day-7-brazil",
    kind: "limit",
    schemes,
    regions: ["brazil"],
    from: "2023-02-01",
    declines: 7,
    windowHours: 24,
    per: [],
    says: "7 declined attempts with the same card in 24 hours, whatever the amount.",
    sources: ["braspag", "click2pay", "payzu"],
    certainty: "disputed",
    conflict:
      "Braspag allows 10 attempts and bills from the 8th; PayZu begins the excess with the 8th of the accounting month but lets it be tried again after 24 hours. Read as 7 in 24 hours, beside 35 in 30 days.",
  },
  {
    id: "mastercard/month-35-2023",
    kind: "limit",
    schemes,
    regions: ["us", "brazil", "eea", "uk", "elsewhere"],
    from: "2023-11-01",
    declines: 35,
    windowHours: thirtyDays,
    per: ["amount"],
    says: "35 declined attempts with the same card and amount in 30 days.",
    sources: ["braintree_2023", "retries", "checkout_retry", "click2pay"],
    certainty: "disputed",
    conflict: `Dated for the United States only; elsewhere read from the same day. ${rolling}`,
  },
  {
    id: "mastercard/month-35-canada",
    kind: "limit",
    schemes,
    regions: ["canada"],
    from: "2024-04-01",
    declines: 35,
    windowHours: thirtyDays,
    per: ["amount"],
    says: "35 declined attempts with the same card and amount in 30 days.",
    sources: ["braintree_2024", "tabapay_mastercard"],
    certainty: "agreed",
  },
]

export const mastercardStopRules: readonly StopRule[] = [
  {
    id: "mastercard/advice-never",
    kind: "stop",
    schemes,
    from: "2021-10-01",
    after: { adviceCodes: ["03", "21"] },
    scope: "payment",
    says: "After advice 03 (do not try again) or 21 (payment cancelled) the payment is not tried again.",
    sources: ["maast", "wind_river", "retries", "checkout_retry", "tabapay_advice"],
    certainty: "agreed",
    conflict: "CyberSource reads 21 as an ordinary do-not-honor; all others as a cancelled recurring payment.",
  },
  {
    id: "mastercard/advice-never-amount",
    kind: "stop",
    schemes,
    from: "2021-10-01",
    after: { adviceCodes: ["03", "21"] },
    scope: "amount",
    days: 30,
    says: "For 30 days another attempt with the card and amount is billed at once.",
    sources: ["maast", "retries", "hyperpay"],
    certainty: "agreed",
  },
  {
    id: "mastercard/advice-security",
    kind: "stop",
    schemes,
    from: "2021-10-01",
    after: { adviceCodes: ["42", "99"] },
    scope: "payment",
    says: "After advice 42 (risk or sanctions score exceeded) or 99 (do not try again) the payment is not tried again.",
    sources: ["cybersource", "yuno"],
    certainty: "agreed",
  },
  {
    id: "mastercard/advice-40",
    kind: "stop",
    schemes,
    from: "2021-10-01",
    after: { adviceCodes: ["40"] },
    scope: "payment",
    says: "After advice 40 (non-reloadable prepaid card) the payment is not tried again.",
    sources: ["yuno"],
    certainty: "disputed",
    conflict:
      "Yuno reads 40 as a ban on retries; Braintree, TabaPay and CyberSource as a mere word on the kind of card. Read as a ban: such a card has no money to wait for.",
  },
]

const excess = (
  id: string,
  regions: readonly CardRegion[],
  currency: string,
  minor: bigint,
  rest: Pick<FeeRule, "from" | "until" | "says" | "sources" | "certainty" | "conflict">,
): readonly FeeRule[] =>
  (["excess", "stop"] as const).map((charge) => ({
    id: `mastercard/fee/${charge}-${id}`,
    kind: "fee",
    charge,
    schemes,
    regions,
    currency,
    minor,
    ...rest,
  }))

const stopNote =
  "For attempts after advice 03 and 21 Maast (2021) quotes 0.03 USD, retries.com the same fee as for the excess: read as that."
const assumedLikeUs = "No source that we read gives the fee here; assumed as in the United States."

export const mastercardFeeRules: readonly FeeRule[] = [
  ...excess("2019", ["us", "canada"], "USD", 10n, {
    from: "2019-01-01",
    until: "2022-10-01",
    says: "0.10 USD for each such attempt.",
    sources: ["forte_mastercard"],
    certainty: "single",
  }),
  ...excess("2022", notBrazil, "USD", 10n, {
    from: "2022-10-01",
    until: "2023-01-01",
    says: "0.10 USD for each such attempt.",
    sources: ["retries"],
    certainty: "single",
    conflict: stopNote,
  }),
  ...excess("2023", notBrazil, "USD", 15n, {
    from: "2023-01-01",
    until: "2024-01-01",
    says: "0.15 USD for each such attempt.",
    sources: ["braintree_2023", "retries"],
    certainty: "disputed",
    conflict: `Braintree's table dates it 2023-01-01, its text and retries.com 2023-11-01: read as the earlier day, on which it is dearer. ${stopNote}`,
  }),
  ...excess("2024", ["us", "eea", "uk", "elsewhere"], "USD", 30n, {
    from: "2024-01-01",
    until: "2024-08-01",
    says: "0.30 USD for each such attempt.",
    sources: ["braintree_2023", "retries"],
    certainty: "agreed",
    conflict: `Dated for the United States; elsewhere assumed. ${stopNote}`,
  }),
  ...excess("2024-later", ["us", "uk", "elsewhere"], "USD", 30n, {
    from: "2024-08-01",
    until: "2025-01-01",
    says: "0.30 USD for each such attempt.",
    sources: ["braintree_2023", "retries"],
    certainty: "agreed",
    conflict: `Dated for the United States; elsewhere assumed. ${stopNote}`,
  }),
  ...excess("canada-early-2024", ["canada"], "USD", 30n, {
    from: "2024-01-01",
    until: "2024-04-01",
    says: "0.30 USD for each such attempt.",
    sources: ["retries"],
    certainty: "assumed",
    conflict: assumedLikeUs,
  }),
  ...excess("canada", ["canada"], "USD", 50n, {
    from: "2024-04-01",
    says: "0.50 USD for each such attempt.",
    sources: ["braintree_2024", "tabapay_mastercard"],
    certainty: "agreed",
    conflict: `Billed from 2024-05-05 on. ${stopNote}`,
  }),
  ...excess("us-2025", ["us"], "USD", 50n, {
    from: "2025-01-01",
    says: "0.50 USD for each such attempt.",
    sources: ["braintree_2023", "retries"],
    certainty: "agreed",
    conflict: stopNote,
  }),
  ...excess("eea", ["eea"], "EUR", 55n, {
    from: "2024-08-01",
    says: "0.55 EUR for each such attempt.",
    sources: ["retries"],
    certainty: "single",
    conflict: `Stated for the EU as of August 2024. ${stopNote}`,
  }),
  ...excess("elsewhere-2025", ["uk", "elsewhere"], "USD", 50n, {
    from: "2025-01-01",
    says: "0.50 USD for each such attempt.",
    sources: ["retries"],
    certainty: "assumed",
    conflict: `${assumedLikeUs} ${stopNote}`,
  }),
  ...excess("brazil", ["brazil"], "BRL", 200n, {
    from: "2022-10-01",
    says: "2.00 BRL for each such attempt.",
    sources: ["payzu", "braspag", "click2pay"],
    certainty: "agreed",
  }),
]

const advice = (
  adviceCode: string,
  says: string,
  rest: Pick<AdviceRule, "asks" | "afterHours" | "changes" | "sources" | "certainty" | "conflict">,
): AdviceRule => ({
  id: `mastercard/advice-${adviceCode}`,
  kind: "advice",
  schemes,
  from: "2021-10-01",
  adviceCode,
  says,
  ...rest,
})

const after = (adviceCode: string, hours: number): AdviceRule =>
  advice(adviceCode, hours < 48 ? `Not before ${hours} hours.` : `Not before ${hours / 24} days.`, {
    asks: "later",
    afterHours: hours,
    sources: ["braintree_2023", "braintree_advice", "stone"],
    certainty: "agreed",
  })

export const mastercardAdviceRules: readonly AdviceRule[] = [
  advice("01", "Only with newer account data; after response code 83 only authenticated.", {
    asks: "changed",
    changes: ["account_update", "three_ds", "new_card"],
    sources: ["braintree_advice", "solidgate", "maast"],
    certainty: "agreed",
  }),
  advice("02", "Not before 72 hours.", {
    asks: "later",
    afterHours: 72,
    sources: ["solidgate", "yuno"],
    certainty: "disputed",
    conflict:
      "The code names no time. Airwallex and Solidgate recommend 72 hours, Yuno 10 days. Nothing is billed for coming earlier, so this is the one place where the shorter reading is kept.",
  }),
  advice("04", "Only as a card number, or with a fresh cryptogram.", {
    asks: "changed",
    changes: ["card_number", "fresh_cryptogram", "new_card"],
    sources: ["braintree_advice", "solidgate", "stone"],
    certainty: "agreed",
  }),
  advice("22", "Only after the merchant's set-up is put right.", {
    asks: "changed",
    changes: ["merchant_setup"],
    sources: ["solidgate", "cybersource"],
    certainty: "agreed",
  }),
  after("24", 1),
  after("25", 24),
  after("26", 2 * 24),
  after("27", 4 * 24),
  after("28", 6 * 24),
  after("29", 8 * 24),
  after("30", 10 * 24),
  advice("41", "Nothing: the card is a virtual number for one use.", {
    asks: "free",
    sources: ["braintree_advice", "tabapay_advice", "cybersource"],
    certainty: "agreed",
  }),
  advice("43", "Nothing: the card is a virtual number for several uses.", {
    asks: "free",
    sources: ["braintree_advice", "yuno"],
    certainty: "agreed",
  }),
]
