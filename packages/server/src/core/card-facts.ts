// What a card's number does not say by itself: who issued it, where, and what it is. The merchant tells it, or a table of
// first digits does (bin-table.ts). None of it is known of every card.

import type { Country } from "./country.ts"
import { given, type Given } from "./given.ts"

export const fundings = ["credit", "debit", "prepaid"] as const
/** Whose money it is. */
export type Funding = (typeof fundings)[number]

/** Longest name of an issuer or a product (characters). */
export const MAX_CARD_FACT_CHARS = 100

export type CardFacts = {
  /** Of the issuer. */
  readonly country?: Country
  readonly funding?: Funding
  /** As whoever told it calls the bank. */
  readonly issuer?: string
  /** As whoever told it calls the kind of card. */
  readonly product?: string
}

/** Those that are known, out of something that carries them among other things. */
export const cardFactsIn = <C, F>({
  country,
  funding,
  issuer,
  product,
}: {
  readonly country?: C
  readonly funding?: F
  readonly issuer?: string
  readonly product?: string
}): Given<{
  readonly country: C | undefined
  readonly funding: F | undefined
  readonly issuer: string | undefined
  readonly product: string | undefined
}> => given({ country, funding, issuer, product })
