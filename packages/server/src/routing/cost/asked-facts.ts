// The facts of one payment, as a fee model asks for them. A fact that is asked for and not known is assumed, and stands among
// the assumptions; one that nobody asks for leaves no mark, so that a contract that does not care stays certain.

import { cardRegionOf, crossingOf } from "../../core/card-region.ts"
import type { Network } from "../../core/card.ts"
import type { Funding } from "../../core/card-facts.ts"
import type { Country } from "../../core/country.ts"
import type { Currency } from "../../core/currency.ts"
import type { Money } from "../../core/money.ts"
import type { Credential, FeeCondition, FeeEvent, FeeModel, Product } from "./fee-model.ts"
import { type CostRow, costRow } from "./interchange.ts"

export type PaymentFacts = {
  readonly event: FeeEvent
  /** In the model's currency: who has another one converts it first. */
  readonly amount: Money
  /** In which the customer pays, where that is another one. */
  readonly presentedIn?: Currency
  readonly network?: Network
  readonly funding?: Funding
  readonly product?: Product
  /** The issuer's. */
  readonly cardCountry?: Country
  /** Whether the issuer is one whose debit fees are capped (United States). */
  readonly cappedIssuer?: boolean
  readonly initiator: "customer" | "merchant"
  readonly credential: Credential
  readonly threeDs?: boolean
  /** When, for prices that changed; ms since the epoch. */
  readonly at: number
}

export type AskedFacts = {
  readonly assumptions: ReadonlySet<string>
  readonly assume: (assumption: string) => void
  readonly matches: (when: FeeCondition) => boolean
  readonly row: (part: "interchange" | "scheme_fees") => CostRow | undefined
}

export function askedFacts({ country }: FeeModel, facts: PaymentFacts): AskedFacts {
  const assumptions = new Set<string>()
  const known = <T>(fact: T | undefined, otherwise: T, assumption: string): T => {
    if (fact !== undefined) return fact
    assumptions.add(assumption)
    return otherwise
  }
  const cardCountry = () =>
    known(facts.cardCountry, country, "the card's country is not known: taken as the merchant's")
  const funding = () => known(facts.funding, "credit", "the card's funding is not known: taken as credit, the dearer")
  const product = () => known(facts.product, "consumer", "the card's product is not known: taken as a consumer's")
  const network = () => known(facts.network, "visa", "the card's network is not known: taken as Visa")
  const threeDs = () =>
    known(facts.threeDs, false, "whether the issuer is asked by 3-D Secure is not known: taken as not")
  const crossing = () => crossingOf(cardCountry(), country)
  const cardRegion = () => cardRegionOf(cardCountry())
  const cappedIssuer = () =>
    cardRegionOf(country) === "us" &&
    funding() !== "credit" &&
    known(
      facts.cappedIssuer,
      false,
      "whether the issuer's debit fees are capped is not known: taken as not, the dearer",
    )
  return {
    assumptions,
    assume: (assumption) => assumptions.add(assumption),
    matches: (when) =>
      (when.networks === undefined || when.networks.includes(network())) &&
      (when.initiators?.includes(facts.initiator) ?? true) &&
      (when.credentials?.includes(facts.credential) ?? true) &&
      (when.threeDs === undefined || when.threeDs === threeDs()) &&
      (when.crossings === undefined || when.crossings.includes(crossing())) &&
      (when.cardRegions === undefined || when.cardRegions.includes(cardRegion())) &&
      (when.fundings === undefined || when.fundings.includes(funding())) &&
      (when.products === undefined || when.products.includes(product())),
    row: (part) =>
      costRow(part, {
        merchantRegion: cardRegionOf(country),
        cardRegion: cardRegion(),
        crossing: crossing(),
        network: network(),
        funding: funding(),
        product: product(),
        cappedIssuer: cappedIssuer(),
        at: facts.at,
      }),
  }
}
