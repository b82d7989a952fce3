// What routing learns, as it is shared between nodes and kept over restarts. Two stores keep this contract and pass the same
// suite (signal-store-contract.ts): PostgreSQL (signal-store-postgres.ts) and the simulation's (signal-store-memory.ts). Documents are the engine's; here they
// are opaque. Nothing here is part of a payment's transaction, and nothing here may be waited for by a payment.

import type { AccountId, EventId, MerchantId, RoutingChangeId, SignalBatchId } from "../../core/id.ts"
import type { Page, PageRequest } from "./page.ts"

export type Mode = "live" | "test"
export type Owner = { readonly merchant: MerchantId; readonly mode: Mode }

/** What one node saw of one merchant's attempts in a moment. */
export type SignalBatch = Owner & {
  readonly id: SignalBatchId
  readonly node: string
  readonly at: number
  /** How many observations the document holds. */
  readonly observations: number
  readonly document: unknown
  /** What it adds to the month's volumes. */
  readonly volumes: readonly Volume[]
}
export type StoredBatch = Omit<SignalBatch, "volumes"> & { readonly transaction: string }

/** `month` in UTC, e.g. "2026-12". `amount` in whole units. */
export type Volume = {
  readonly account: AccountId
  readonly month: string
  readonly payments: number
  readonly amount: number
}

/** A place in the log of batches. */
export type SignalPlace = { readonly transaction: string; readonly id: string }

/** `scope`: "all", or dimension and value, e.g. "country:DE". */
export type HealthNote = Owner & {
  readonly id: RoutingChangeId
  readonly account: AccountId
  readonly scope: string
  readonly from: string
  readonly to: string
  readonly at: number
  readonly document: unknown
  /** Told to the merchant's webhooks with the change. */
  readonly event?: { readonly id: EventId; readonly type: string; readonly data: unknown }
}
export type HealthState = Omit<HealthNote, "id" | "from" | "to" | "event" | "merchant" | "mode"> & {
  readonly state: string
}
export type RoutingChange = Omit<HealthNote, "event" | "merchant" | "mode">

/** A node that is this far behind (ms) tells what others have told; what is older than this is told again. */
export const HEALTH_SETTLES_MS = 10_000

export type SignalStore = {
  /** All of them or none. A batch that is there already is not written, and its volumes are not added, a second time. */
  write(batches: readonly SignalBatch[]): Promise<void>
  /** Where who starts reading now goes on: everything before is visible, or never will be. */
  end(): Promise<SignalPlace>
  /** Batches after a place, in log order; none of a transaction that an unfinished one may still precede. */
  after(place: SignalPlace, limit: number): Promise<readonly StoredBatch[]>
  /** Whose batches are newer than `since`, at most `limit` of them. */
  owners(since: number, limit: number): Promise<readonly Owner[]>
  /** One merchant's batches, newest first, older than `before` and not older than `since`. */
  recent(owner: Owner, since: number, before: SignalBatchId | undefined, limit: number): Promise<readonly StoredBatch[]>
  volumes(owner: Owner, month: string): Promise<readonly Volume[]>
  /**
   * Notes a change of health; false where it was told before. It is news only where it begins at what was told last
   * (healthy, where nothing was), or where that was told HEALTH_SETTLES_MS ago.
   */
  noteHealth(note: HealthNote): Promise<boolean>
  health(owner: Owner): Promise<readonly HealthState[]>
  /** Newest first. */
  changes(owner: Owner, request: PageRequest): Promise<Page<RoutingChange>>
}

/** Accounts × scopes of one merchant that a look at its health shows. */
export const MAX_HEALTH_ROWS = 1_000
