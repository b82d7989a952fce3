// A fee model written as the JSON that fee-model-json.ts reads: what is written reads back as it was.

import type { Currency } from "../../core/currency.ts"
import { given } from "../../core/given.ts"
import { type Charge, type FeeCondition, type FeeModel, isTiers, type Price, type Pricing } from "./fee-model.ts"
import { FINE, type Fine, fixedText, percentText } from "./fine-amount.ts"

export function feeModelToJson(model: FeeModel): unknown {
  const { currency, country, pricing, fees, conversion, refund, chargeback, leastPerPayment, monthly } = model
  const charge = (one: Charge | undefined): unknown => (one === undefined ? undefined : chargeToJson(one, currency))
  const amount = (fine: Fine | undefined): string | undefined =>
    fine === undefined ? undefined : fixedText(fine, currency)
  return given({
    currency,
    country,
    pricing: pricingToJson(pricing, currency),
    fees:
      fees.length === 0
        ? undefined
        : fees.map(({ name, on, when, charge: one }) => ({
            name,
            on,
            ...conditionToJson(when),
            ...chargeToJson(one, currency),
          })),
    ...given({ conversion: charge(conversion), refund: charge(refund), chargeback: charge(chargeback) }),
    least_per_payment: amount(leastPerPayment),
    monthly:
      monthly === undefined ? undefined : given({ fixed: amount(monthly.fixed), minimum: amount(monthly.minimum) }),
  })
}

function pricingToJson(pricing: Pricing, currency: Currency): unknown {
  if (pricing.kind === "blended")
    return {
      kind: pricing.kind,
      rates: pricing.rates.map(({ when, price }) => ({ ...conditionToJson(when), ...priceToJson(price, currency) })),
    }
  const { kind, markup, schemeFees } = pricing
  return {
    kind,
    markup: priceToJson(markup, currency),
    scheme_fees: schemeFees === "estimated" ? schemeFees : chargeToJson(schemeFees, currency),
  }
}

function priceToJson(price: Price, currency: Currency): object {
  if (!isTiers(price)) return chargeToJson(price, currency)
  return {
    applies: price.applies,
    tiers: price.tiers.map(({ from, charge }) => ({
      from: fixedText(from * FINE, currency),
      ...chargeToJson(charge, currency),
    })),
  }
}

function chargeToJson({ percent, fixed, least, most }: Charge, currency: Currency): object {
  const amount = (fine: Fine | undefined): string | undefined =>
    fine === undefined ? undefined : fixedText(fine, currency)
  return given({
    percent: percent === undefined ? undefined : percentText(percent),
    fixed: amount(fixed),
    least: amount(least),
    most: amount(most),
  })
}

function conditionToJson({ cardRegions, threeDs, ...same }: FeeCondition): object {
  const when = given({ ...same, card_regions: cardRegions, three_ds: threeDs })
  return Object.keys(when).length === 0 ? {} : { when }
}
