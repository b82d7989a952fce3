// What routing may know of a payment. The record of a decision keeps it, so that the decision can be made again.

import type { Network } from "../core/card.ts"
import type { AccountId } from "../core/id.ts"
import type { MitKind } from "../core/intent.ts"
import type { Money } from "../core/money.ts"
import type { LiveReading } from "./conditions/live-reading.ts"

export type RoutingContext = {
  readonly mode: "live" | "test"
  readonly amount: Money
  readonly method: "card" | "network_token" | "provider_token"
  readonly network?: Network
  /** Of the card's issuer where it is known, else of the billing address. */
  readonly country?: string
  readonly cardCountry?: string
  readonly funding?: string
  readonly issuer?: string
  readonly product?: string
  /** The first eight or six digits, as many as may be kept. */
  readonly bin?: string
  readonly initiator: "customer" | "merchant"
  readonly stored?: "none" | "first" | "used"
  readonly purpose?: MitKind
  /** The id itself, so that its form can be judged by the card's network. */
  readonly networkTransactionId?: string
  /** Where the first payment with the stored card was made: all a MIT without a network transaction id may use. */
  readonly sourceAccount?: AccountId
  /** The only account that can read this provider token, or that may use this network token. */
  readonly tokenAccount?: AccountId
  readonly threeDs: "automatic" | "required" | "none" | "external"
  readonly billingCountry?: string
  readonly shippingCountry?: string
  /** Only what the policy asks for (conditions/reads.ts). */
  readonly metadata?: Readonly<Record<string, string>>
  /** When it is decided (ms since the epoch); a payment that is only thought of may have no time. */
  readonly now?: number
  /** How the accounts do that the policy asks about (conditions/live.ts). */
  readonly live?: Readonly<Record<string, LiveReading>>
  readonly pinned?: AccountId
}
