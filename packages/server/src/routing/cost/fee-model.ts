// What a merchant pays for the payments of one account, as the contract with the provider says it. A model is data: prices
// (blended, or interchange plus a markup; either may fall in tiers with the month's volume), further fees with conditions,
// and what refunds, chargebacks, conversions and the month itself cost. All amounts are in the account's settlement currency.

import type { CardRegion, Crossing } from "../../core/card-region.ts"
import type { Network } from "../../core/card.ts"
import type { Funding } from "../../core/card-facts.ts"
import type { Country } from "../../core/country.ts"
import type { Currency } from "../../core/currency.ts"
import type { Fine, Share } from "./fine-amount.ts"

export const MAX_RATES = 64
export const MAX_TIERS = 16
export const MAX_FEES = 32
export const MAX_FEE_NAME = 64

export const products = ["consumer", "commercial"] as const
export type Product = (typeof products)[number]
export const credentials = ["card", "network_token", "provider_token"] as const
export type Credential = (typeof credentials)[number]
export const feeEvents = ["payment", "decline", "refund", "chargeback"] as const
/** What happened at the provider. `payment`: an approved one. */
export type FeeEvent = (typeof feeEvents)[number]

/** A share of the amount and a fixed amount, both or either; the sum kept between `least` and `most`. */
export type Charge = {
  readonly percent?: Share
  readonly fixed?: Fine
  readonly least?: Fine
  readonly most?: Fine
}

/**
 * By the account's volume of the month before the payment. `part`: a payment that crosses into another tier is charged for
 * each part at its tier's percentage; `payment`: the whole payment is charged in the tier in which it begins.
 */
export type Tiers = {
  readonly applies: "part" | "payment"
  /** By rising `from` (minor units); the first begins at 0. */
  readonly tiers: readonly { readonly from: bigint; readonly charge: Charge }[]
}

export type Price = Charge | Tiers

/** All that are named must hold; an empty condition always does. */
export type FeeCondition = {
  readonly networks?: readonly Network[]
  readonly fundings?: readonly Funding[]
  readonly products?: readonly Product[]
  /** Between the card's country and the merchant's. */
  readonly crossings?: readonly Crossing[]
  readonly cardRegions?: readonly CardRegion[]
  readonly initiators?: readonly ("customer" | "merchant")[]
  readonly credentials?: readonly Credential[]
  readonly threeDs?: boolean
}

/** `estimated`: by the tables of interchange.ts, or by what settlements showed. */
export type Pricing =
  /** One price for all that it contains; the first rate that matches. The last one matches everything. */
  | { readonly kind: "blended"; readonly rates: readonly { readonly when: FeeCondition; readonly price: Price }[] }
  /** What the issuer and the scheme take, passed on, and the provider's own markup. */
  | { readonly kind: "interchange_plus"; readonly markup: Price; readonly schemeFees: "estimated" | Charge }

/** Charged beside the price, each for itself. */
export type Fee = {
  readonly name: string
  readonly on: readonly FeeEvent[]
  readonly when: FeeCondition
  readonly charge: Charge
}

export type FeeModel = {
  readonly currency: Currency
  /** The merchant's at this account: where a card is domestic. */
  readonly country: Country
  readonly pricing: Pricing
  readonly fees: readonly Fee[]
  /** Of a payment that is presented in another currency than it is settled in. */
  readonly conversion?: Charge
  readonly refund?: Charge
  readonly chargeback?: Charge
  /** The least that an approved payment costs in all. */
  readonly leastPerPayment?: Fine
  /** Of the month; not part of a payment's cost, because no payment changes it. */
  readonly monthly?: { readonly fixed?: Fine; readonly minimum?: Fine }
}

export const isTiers = (price: Price): price is Tiers => "tiers" in price

/** Whether some price depends on the month's volume. */
export const hasTiers = ({ pricing }: FeeModel): boolean =>
  pricing.kind === "blended" ? pricing.rates.some(({ price }) => isTiers(price)) : isTiers(pricing.markup)

/** Exact. */
export function chargeFor({ percent = 0n, fixed = 0n, least, most }: Charge, minor: bigint): Fine {
  return between(minor * percent + fixed, least, most)
}

/** Exact. `before`: the month's volume before the payment, in minor units. */
export function priceFor(price: Price, minor: bigint, before: bigint): Fine {
  if (!isTiers(price)) return chargeFor(price, minor)
  const { tiers, applies } = price
  const first = tiers.findLastIndex(({ from }) => from <= before)
  const charge = tiers[first]?.charge
  if (charge === undefined) throw new RangeError("no tier begins at 0")
  if (applies === "payment") return chargeFor(charge, minor)
  let sum = charge.fixed ?? 0n
  let left = minor
  let at = before
  for (const [index, tier] of tiers.entries()) {
    if (index < first || left === 0n) continue
    const end = tiers[index + 1]?.from
    const part = end === undefined || end - at > left ? left : end - at
    sum += part * (tier.charge.percent ?? 0n)
    left -= part
    at += part
  }
  return between(sum, charge.least, charge.most)
}

function between(fine: Fine, least: Fine | undefined, most: Fine | undefined): Fine {
  const raised = least !== undefined && fine < least ? least : fine
  return most !== undefined && raised > most ? most : raised
}
