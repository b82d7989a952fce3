// How long an authorization may be captured: the shorter of what the scheme's rules and the provider allow. A capture
// after that may still settle, at a higher fee and with a lost dispute, so late captures are refused or authorized anew.

import type { Network } from "./card.ts"

const dayMs = 24 * 60 * 60 * 1000

/** Days by scheme rule for card-not-present payments. `preauthorized` only where the request was flagged as such. */
type Validity = {
  readonly customer: number
  readonly merchant: number
  readonly preauthorized?: number
  readonly source: string
}

/** As of 2026-09. Extended windows of single merchant categories (lodging, vehicle rental) are left to the provider's limit. */
export const schemeValidityDays: Readonly<Partial<Record<Network, Validity>>> = {
  visa: {
    customer: 10,
    merchant: 5,
    source: "Visa Core Rules of 2026-04-18, as restated in public; in force since April 2024",
  },
  mastercard: {
    customer: 7,
    merchant: 7,
    preauthorized: 30,
    source: "Mastercard Transaction Processing Rules of 2025-12, as restated in public",
  },
  maestro: {
    customer: 7,
    merchant: 7,
    source: "Mastercard Transaction Processing Rules of 2025-12, as restated in public",
  },
  amex: { customer: 7, merchant: 7, source: "American Express rules as restated by Stripe" },
  discover: {
    customer: 10,
    merchant: 10,
    source: "rules not public; providers restate 7 (Stripe) to 10 days",
  },
  diners: { customer: 10, merchant: 10, source: "runs on the Discover network, whose rules are not public" },
}

/** For networks whose rule is not public: the shortest common window, so that we err on the early side. */
export const unknownValidityDays = 7

export type ValidityTerms = {
  readonly network: Network
  readonly initiator: "customer" | "merchant"
  /** The authorization was requested as a preauthorization of an amount that may change. */
  readonly preauthorized?: boolean
  /** How long the provider itself keeps an authorization, in ms. It can only shorten the scheme's time. */
  readonly providerLimitMs?: number
}

/** How long an authorization lives, in ms. */
export function validityMs({ network, initiator, preauthorized, providerLimitMs }: ValidityTerms): number {
  const scheme = schemeValidityDays[network]
  const flagged = preauthorized === true ? scheme?.preauthorized : undefined
  const days = flagged ?? scheme?.[initiator] ?? unknownValidityDays
  return Math.min(days * dayMs, providerLimitMs ?? Number.POSITIVE_INFINITY)
}

/**
 * The last moment to capture, in ms since the epoch, by the terms alone. The moment that a provider itself may tell
 * (Stripe: `capture_before`) is not read.
 */
export function authorizedUntil(authorizedAtMs: number, terms: ValidityTerms): number {
  return authorizedAtMs + validityMs(terms)
}
