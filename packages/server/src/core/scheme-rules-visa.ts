// Visa's rules for another attempt after a decline: four categories of response codes, none or a number of reattempts by
// category, and a fee for each attempt beyond (the System Integrity Fee). As restated by acquirers; the manual is not public
// as a whole. Not here, because no card tells it: the fee for declines of category 3 (data quality) beyond a number per
// card acceptor and 30 days, which Checkout.com (2026) puts at 25,000 and Click2Pay at 10,000.

import type { CategoryRule, FeeRule, LimitRule, StopRule } from "./scheme-rule.ts"

const schemes = ["visa"] as const

const category = (
  id: string,
  number: 1 | 2 | 3,
  codes: string,
  rest: Pick<CategoryRule, "from" | "until" | "sources" | "certainty" | "conflict">,
): CategoryRule => ({
  id: `visa/category/${id}`,
  kind: "category",
  schemes,
  category: number,
  codes: codes.split(" "),
  says: categorySays[number],
  ...rest,
})

const categorySays = {
  1: "Category 1: the issuer will never approve.",
  2: "Category 2: the issuer cannot approve at this time.",
  3: "Category 3: something in the payment's data is wrong, and is to be checked first.",
} as const

/** Codes that no row names are of category 4, generic, which is limited like 2 and 3. */
export const visaCategoryRules: readonly CategoryRule[] = [
  category("never", 1, "04 07 12 41 43 46 R0 R1 R3", {
    from: "2021-07-01",
    sources: ["checkout_codes", "worldpay", "evolve", "bill1st"],
    certainty: "agreed",
    conflict:
      "Bill1st's older list leaves 46 out. TabaPay (2026) reads 46 as a deactivated token, and R0, R1 and R3 as orders that concern recurring payments only; they stay in category 1.",
  }),
  category("14", 1, "14", {
    from: "2021-07-01",
    sources: ["checkout_codes", "worldpay", "evolve", "tabapay_codes"],
    certainty: "disputed",
    conflict:
      "Forte's older list has 14 in category 3, retries.com leaves it out of 1. Read as 1: the same number must not be tried again.",
  }),
  category("15", 1, "15", {
    from: "2021-07-01",
    sources: ["checkout_codes", "worldpay", "evolve"],
    certainty: "disputed",
    conflict:
      "Checkout.com says that 15 is phased out from 2025-04-12. Where an issuer still sends it, it is read as before.",
  }),
  category("57", 1, "57", {
    from: "2021-07-01",
    sources: ["checkout_codes", "worldpay", "evolve", "bill1st"],
    certainty: "disputed",
    conflict:
      "TabaPay (2026) dates 57 in category 1 from 2026-10-25; the others have it there since 2021. Read as 1 from the start.",
  }),
  category("until-2023", 1, "03 62 78 93", {
    from: "2021-07-01",
    until: "2023-05-01",
    sources: ["bill1st", "paya", "forte_visa"],
    certainty: "disputed",
    conflict:
      "Lists of 2021 to April 2023 have them in category 1, those of Checkout.com (2025) and TabaPay (2026) in 2. No source dates the move: read as 1 until the month after the last list that says so.",
  }),
  category("after-2023", 2, "03 62 78 93", {
    from: "2023-05-01",
    sources: ["checkout_codes", "worldpay"],
    certainty: "disputed",
    conflict: "The move from category 1 is not dated, see above.",
  }),
  category("later", 2, "19 51 59 61 65 75 91 96", {
    from: "2021-07-01",
    sources: ["checkout_codes", "worldpay"],
    certainty: "agreed",
  }),
  category("later-rare", 2, "39 52 53 86 N3 N4", {
    from: "2021-07-01",
    sources: ["worldpay", "forte_visa"],
    certainty: "single",
  }),
  category("2025", 2, "5C 9G", {
    from: "2025-04-11",
    sources: ["tabapay_codes_2024", "cielo_codes", "checkout_codes"],
    certainty: "agreed",
  }),
  category("83", 2, "83", {
    from: "2026-10-25",
    sources: ["tabapay_codes"],
    certainty: "single",
  }),
  category("data", 3, "54 55 82 N7 1A", {
    from: "2021-07-01",
    sources: ["forte_visa", "worldpay"],
    certainty: "agreed",
  }),
  category("data-rare", 3, "63 70", {
    from: "2021-07-01",
    sources: ["worldpay"],
    certainty: "single",
  }),
]

export const visaStopRules: readonly StopRule[] = [
  {
    id: "visa/never",
    kind: "stop",
    schemes,
    from: "2021-07-01",
    after: { category: 1 },
    scope: "payment",
    says: "After a decline of category 1 the payment is not tried again.",
    sources: ["payvision", "payway", "checkout_codes", "tabapay_codes"],
    certainty: "disputed",
    conflict:
      "Payvision forbids it from July 2021; Bill1st allows 15 attempts until April 2022, when the fee begins. Read as forbidden from July 2021.",
  },
  {
    id: "visa/never-amount",
    kind: "stop",
    schemes,
    from: "2021-07-01",
    after: { category: 1 },
    scope: "amount",
    days: 365,
    says: "A later attempt with the card for the same amount is a reattempt too.",
    sources: ["paypal", "braspag"],
    certainty: "disputed",
    conflict:
      "Payway counts within 30 days; Braspag bills a second attempt whenever it is made. Read without an end, of which we remember a year.",
  },
  {
    id: "visa/never-card",
    kind: "stop",
    schemes,
    from: "2021-07-01",
    after: { category: 1 },
    codes: ["04", "07", "12", "14", "15", "41", "43", "46", "57", "03", "62", "78", "93"],
    scope: "card",
    days: 30,
    says: "For 30 days the card is not tried for another amount either.",
    sources: ["tabapay_retry"],
    certainty: "disputed",
    conflict:
      "TabaPay blocks the card at the merchant; PayPal says that Visa compares the amount. Read as the card, for the 30 days in which Visa counts.",
  },
  {
    id: "visa/stop-orders-card",
    kind: "stop",
    schemes,
    from: "2021-07-01",
    after: { category: 1 },
    codes: ["R0", "R1", "R3"],
    scope: "card",
    days: 30,
    initiator: "merchant",
    says: "After a cardholder's stop order (R0, R1, R3) the card takes no merchant-initiated payment for 30 days.",
    sources: ["tabapay_codes", "tabapay_retry"],
    certainty: "disputed",
    conflict:
      "R0 stops one payment, R1 those of a merchant or its category, R3 all, and all three concern recurring payments only (TabaPay 2026). Read as: no merchant-initiated payment; what the customer starts goes on.",
  },
]

const firstCounts =
  "Whether the first decline counts: Evolve bills the 16th reattempt after it, Dintero and Braspag allow 15 attempts in all. Read with the first one counted."

export const visaLimitRules: readonly LimitRule[] = [
  {
    id: "visa/reattempts-15",
    kind: "limit",
    schemes,
    from: "2021-07-01",
    until: "2025-05-25",
    declines: 15,
    windowHours: 30 * 24,
    per: ["amount"],
    says: "15 declined attempts with the same card and amount in 30 days (categories 2 to 4).",
    sources: ["payvision", "payway", "evolve", "braspag"],
    certainty: "agreed",
    conflict: firstCounts,
  },
  {
    id: "visa/reattempts-20",
    kind: "limit",
    schemes,
    from: "2025-05-25",
    declines: 20,
    windowHours: 30 * 24,
    per: ["amount", "initiator"],
    says: "20 declined attempts with the same card and amount in 30 days (categories 2 to 4), those of customer and merchant counted apart.",
    sources: ["tabapay_visa", "cielo_visa", "checkout_retry", "wang", "decline_codes"],
    certainty: "disputed",
    conflict: `Checkout.com dates the change 2025-05-19, TabaPay and Cielo 2025-05-25: read as the later day. Pages of Adyen, Worldpay and others still say 15: older, none of them after the change. PayPal counts card number and network token apart, TabaPay together: read as together. A success in between starts the count anew at Dintero and TabaPay; read as not. ${firstCounts}`,
  },
]

const fee = (
  id: string,
  minor: bigint,
  rest: Pick<FeeRule, "charge" | "crossing" | "from" | "until" | "says" | "sources" | "certainty" | "conflict">,
): FeeRule => ({ id: `visa/fee/${id}`, kind: "fee", schemes, currency: "USD", minor, ...rest })

const restated = { sources: ["payway", "paya"], certainty: "agreed" } as const
const elsewhereToo =
  "Stated for the United States and Brazil; elsewhere the same is assumed. Brazil's acquirers quote 0.25 USD across borders, undated."

export const visaFeeRules: readonly FeeRule[] = (["stop", "excess"] as const).flatMap((charge) => [
  fee(`${charge}-domestic`, 10n, {
    charge,
    crossing: ["domestic"],
    from: "2022-04-01",
    says: "0.10 USD for each such attempt.",
    ...restated,
    conflict: elsewhereToo,
  }),
  fee(`${charge}-intra`, 15n, {
    charge,
    crossing: ["intra"],
    from: "2022-04-01",
    says: "0.15 USD for each such attempt across a border.",
    ...restated,
    conflict: elsewhereToo,
  }),
  fee(`${charge}-inter-2022`, 15n, {
    charge,
    crossing: ["inter"],
    from: "2022-04-01",
    until: "2026-04-25",
    says: "0.15 USD for each such attempt between regions.",
    ...restated,
    conflict: elsewhereToo,
  }),
  fee(`${charge}-inter-2026`, 25n, {
    charge,
    crossing: ["inter"],
    from: "2026-04-25",
    says: "0.25 USD for each such attempt between regions.",
    sources: ["checkout_fees"],
    certainty: "single",
    conflict:
      "Announced for Asia-Pacific, Europe, Canada, the United Arab Emirates and the United States; read as everywhere.",
  }),
])

/** So many declines by a cardholder's stop order are free; from the next on each is billed. */
export const FREE_STOP_ORDERS = 3
export const stopOrderCodes: readonly string[] = ["R0", "R1", "R3"]

export const visaStopOrderFee: FeeRule = fee("stop-order", 100n, {
  charge: "stop_order",
  from: "2023-04-27",
  says: "1 USD from the fourth decline by a cardholder's stop order on (Visa Stop Payment Service), beside the other fee.",
  sources: ["checkout_stop"],
  certainty: "single",
  conflict:
    "1 EUR where it is billed in euros; read in dollars everywhere. The source's day is that of its publication.",
})
