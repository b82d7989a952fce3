// What the engine is given. Everything that reaches outside comes through here, so that the whole of it runs in the
// simulation: clock, chance, store, network, card numbers and the merchants' configuration.

import type { AccountConfig, Connector, Manifest } from "../connectors/connector.ts"
import type { Country } from "../core/country.ts"
import type { AccountId, CustomerId, MerchantId, PaymentId } from "../core/id.ts"
import type { Method, OnUnknown } from "../core/intent.ts"
import type { Payment } from "../core/payment.ts"
import type { Ports } from "../ports.ts"
import type { FeeModel } from "../routing/cost.ts"
import type { Policy } from "../routing/policy.ts"
import type { Ledger } from "../storage/ledger/ledger.ts"
import type { Secret } from "../core/secret.ts"
import type { RoutingSignals } from "./signals.ts"
import type { Shadow, Shadows } from "./shadows.ts"
import type { ErrorRateCounter } from "./error-rates.ts"
import type { Transport } from "./transport.ts"

/** An account with everything needed to call its provider. */
export type Account = {
  readonly id: AccountId
  readonly merchant: MerchantId
  readonly state: "enabled" | "draining" | "disabled"
  readonly connector: Connector
  readonly config: AccountConfig
  /** The provider's address, placeholders filled in, or the simulator's. */
  readonly origin: string
  /** The address is the merchant's choice (`base_url`), and could lead into the operator's network. */
  readonly guarded?: true
  /** The manifest's limits; a simulated account may run a faster clock. */
  readonly limits: Manifest["limits"] & {
    readonly settleWithinMs: number
    readonly actionMs: number
    readonly replayWindowFactor: number
  }
  /** Counts the changes of credentials that may have been to another account of the provider; none if absent. */
  readonly generation?: number
  /** All that may be current during a rotation. */
  readonly webhookSecrets: readonly string[]
  readonly onUnknown: OnUnknown
  /** What the contract charges; without it routing counts no cost here. */
  readonly fees?: FeeModel
  /** Where the merchant is as its acquirer has it, by which the schemes' rules differ. */
  readonly country?: Country
}

/** The merchants' configuration, kept fresh by others; every look-up is in memory. */
export type Directory = {
  account(id: AccountId): Account | undefined
  /** In the order of their creation. */
  accounts(merchant: MerchantId): readonly Account[]
  /** The version that decides for this payment: where two are in force, the same one each time it is asked. */
  policy(merchant: MerchantId, mode: "live" | "test", payment: PaymentId, customer?: CustomerId): Policy | undefined
  /** The version that is active, whatever is published beside it to a share. */
  activePolicy(merchant: MerchantId, mode: "live" | "test"): Policy | undefined
  /** A version that decides without acting. */
  shadow(merchant: MerchantId, mode: "live" | "test"): Shadow | undefined
}

/** Card numbers by token; `undefined` once deleted. */
export type CardReader = {
  read(merchant: MerchantId, method: Exclude<Method, { type: "provider_token" }>): Promise<Secret<string> | undefined>
}

/** What only this process holds, until the last attempt that needs it. Never stored, never serialised. */
export type Secrets = {
  /** The number as the request brought it; later attempts then need not ask the vault. */
  readonly number?: Secret<string>
  readonly cvc?: Secret<string>
  /** Spent once sent. */
  readonly cryptogram?: Secret<string>
  readonly threeDsCryptogram?: Secret<string>
}

export type Engine = Ports & {
  /** This process among all, for the owner column and the logs. */
  readonly node: string
  readonly ledger: Ledger
  readonly transport: Transport
  readonly directory: Directory
  readonly cards: CardReader
  /** What routing has learned. */
  readonly signals: RoutingSignals
  readonly errorRates: ErrorRateCounter
  /** Hears of every payment's first decision, once it is stored. */
  readonly shadows: Pick<Shadows, "noticed">
  /** Work that goes on after its request was answered; a graceful stop waits for it. */
  background(work: Promise<void>): void
  /** Where a customer returns to after a redirect: Orchestra's own address for this payment. */
  returnUrl(payment: Payment): string
}

/** Longest wait for a connection to a provider (ms). */
export const CONNECT_MS = 5_000
/** Added to what a process may take for its own work before others take over (ms). */
export const OWNER_MARGIN_MS = 10_000
/** Attempts of one payment at most. */
export const MAX_ATTEMPTS = 8
