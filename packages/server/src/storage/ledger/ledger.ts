// The system of record as the engine sees it. Two stores keep this contract and pass the same suite (ledger-contract.ts):
// PostgreSQL (postgres.ts) and the simulation's in-memory store (memory.ts), late commits and version conflicts included.
//
// A commit is all or nothing: payment, attempts, operations, events, idempotency row, card, transcripts and what the card's
// budget counts stand together or not at all. PostgreSQL may write several of them in one statement. Nothing here waits for a provider.
//
// What goes in is what comes out, deeply equal: bigints of any size, every string, absent fields absent. A Secret
// anywhere in it, or anything but plain data, is a bug and asserts (document.ts).

import type { BudgetKey, CardAttempt } from "../../core/card-attempt.ts"
import type {
  AccountId,
  AttemptId,
  CardId,
  EventId,
  InboundWebhookId,
  MerchantId,
  OperationId,
  PaymentId,
} from "../../core/id.ts"
import type { Attempt, Operation, Payment } from "../../core/payment.ts"

/** Where an idempotency key counts: one merchant and mode, one method and path. */
export type IdempotencyScope = {
  readonly merchant: MerchantId
  readonly mode: Payment["mode"]
  readonly method: string
  readonly path: string
  readonly key: string
}
export type StoredResponse = { readonly status: number; readonly body: string }
export type IdempotencyRow = IdempotencyScope & {
  /** Keyed hash of the canonical body without authentication data. */
  readonly fingerprint: string
  readonly payment: PaymentId
  /** Until then the first request is being worked on (ms, database time). */
  readonly leaseUntil: number
  readonly response?: StoredResponse
}

/** One line of the outbox. `sequence` is the payment's version; `data` is what receivers get. */
export type OutboxEvent = {
  readonly id: EventId
  readonly merchant: MerchantId
  readonly payment?: PaymentId
  readonly sequence: number
  readonly type: string
  readonly data: unknown
  readonly at: number
}
/** A place in the log: transaction, then event id. Opaque outside storage and relay. */
export type Position = { readonly transaction: string; readonly event: string }
export type LoggedEvent = OutboxEvent & { readonly position: Position }
/**
 * What relays need of an event. Those of a payment come without their data: there are five of them to a payment, and who
 * sends one reads it then.
 */
export type EventHead = Omit<LoggedEvent, "data"> & { readonly data?: unknown }

/** One exchange with a provider, scrubbed. Bodies are cut at TRANSCRIPT_BYTES. */
export type Transcript = {
  readonly operation: OperationId
  readonly attempt: AttemptId
  readonly account: AccountId
  readonly at: number
  readonly durationMs: number
  readonly request: { readonly method: string; readonly path: string; readonly body?: string }
  readonly response?: { readonly status: number; readonly body: string }
  readonly error?: string
}
export const TRANSCRIPT_BYTES = 16_384

/** An encrypted card, stored with the payment that brought it. The ledger never sees inside. */
export type SealedCard = {
  readonly id: CardId
  readonly merchant: MerchantId
  readonly fingerprint: string
  readonly keyId: string
  readonly sealed: Uint8Array
  /** The payment that needs it; undefined for a stored payment method's card. Retention deletes it with the need. */
  readonly payment?: PaymentId
}

export type Commit = {
  /** The value after the change; its version is `expected + 1`. */
  readonly payment: Payment
  /** 0 inserts. */
  readonly expected: number
  /** Only those that are new or changed. An attempt's `decision` is written with its first commit and never again. */
  readonly attempts: readonly Attempt[]
  readonly operations: readonly Operation[]
  /** When the payment has to be looked at next (ms, database time); undefined: at rest. */
  readonly wakeAt: number | undefined
  /** Whether a person has to look at the payment, where this commit has changed it. */
  readonly needsPerson?: boolean
  readonly events: readonly OutboxEvent[]
  /** Takes the key with the first commit: if another request has it, nothing is written. */
  readonly take?: IdempotencyRow
  /** Stores the answer. The first one stays: a replay always says the same. */
  readonly answer?: IdempotencyScope & { readonly response: StoredResponse }
  readonly card?: SealedCard
  readonly transcripts?: readonly Transcript[]
  /** What has become known of attempts that the card's budget counts. A decline that is stored stays one. */
  readonly cardAttempts?: { readonly key: BudgetKey; readonly rows: readonly CardAttempt[] }
}
export type Committed =
  | { readonly kind: "committed" }
  /** Someone else moved the version: read again and decide again. */
  | { readonly kind: "conflict" }
  /** The key is taken; nothing was written. */
  | { readonly kind: "taken"; readonly row: IdempotencyRow }

/**
 * A payment whose `wakeAt` has come. `account` is where the next question goes: that of the open operation with the
 * earliest `checkAt`; undefined where no provider has to be asked (wake-account.ts).
 */
export type Due = {
  readonly merchant: MerchantId
  readonly payment: PaymentId
  readonly account: AccountId | undefined
  readonly wakeAt: number
}

export type Found = { readonly merchant: MerchantId; readonly payment: PaymentId }

/** A provider's webhook as it came, stored before it is answered. */
export type InboundWebhook = {
  readonly id: InboundWebhookId
  readonly merchant: MerchantId
  readonly account: AccountId
  /** Equal for redeliveries of one event: the provider's event ids, or a hash of the body. */
  readonly deduplication: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly receivedAt: number
  /** How often it was handed out by `dueInbound` before: 0 the first time. */
  readonly tries: number
}
export type InboundResult = "processed" | "ignored" | "unmatched" | "failed"

export type Ledger = {
  /** One statement, one transaction. Fails only when the database does: then whether it happened is not known, and the caller reads again. */
  commit(commit: Commit): Promise<Committed>
  load(merchant: MerchantId, payment: PaymentId): Promise<Payment | undefined>
  idempotency(scope: IdempotencyScope): Promise<IdempotencyRow | undefined>
  /** Stores the answer of a request that committed nothing else. The first answer stays. */
  storeAnswer(scope: IdempotencyScope, response: StoredResponse): Promise<void>

  /**
   * The payment of an attempt or operation, by our ids or by the provider's references, in this order. All of them count
   * only at that account: what one account's webhook says never reaches another account's attempt. Of two payments with
   * one reference, the one that stored it first.
   */
  find(
    merchant: MerchantId,
    account: AccountId,
    keys: { readonly attempt?: string; readonly operation?: string; readonly references: readonly string[] },
  ): Promise<Found | undefined>

  /** What is counted of a card, the newest MAX_BUDGET_ATTEMPTS, the oldest of them first. */
  cardAttempts(key: BudgetKey): Promise<readonly CardAttempt[]>

  /** Payments whose time has come, by `wakeAt`, at most `perAccount` of one account (those without account are not counted). Takes no locks. */
  due(limit: number, perAccount: number): Promise<readonly Due[]>
  /** Makes one due payment ours for `leaseMs`; false when another node was first or its `wakeAt` has moved. Does not change the version. */
  claim(due: Due, leaseMs: number): Promise<boolean>

  /** Events below the horizon are final: no transaction that is still running can add one before it. */
  horizon(): Promise<string>
  /** Events after `after` and with a transaction below `horizon`, in log order. */
  events(after: Position | undefined, horizon: string, limit: number): Promise<readonly LoggedEvent[]>
  /** The same events as heads. */
  eventHeads(after: Position | undefined, horizon: string, limit: number): Promise<readonly EventHead[]>
  /** One holder at a time until `leaseMs` are over; the holder renews by taking it again. */
  takeLease(name: string, owner: string, leaseMs: number): Promise<boolean>
  cursor(name: string): Promise<Position | undefined>
  /** Only who took the lease last moves the cursor: false when somebody else took it since. */
  moveCursor(name: string, owner: string, to: Position): Promise<boolean>

  /** False when this account stored an event of this `deduplication` before. */
  storeInbound(webhook: InboundWebhook): Promise<boolean>
  /** Stored webhooks that were not processed yet, or unmatched ones whose time has come again; claimed for `leaseMs`. */
  dueInbound(limit: number, leaseMs: number): Promise<readonly InboundWebhook[]>
  finishInbound(
    merchant: MerchantId,
    id: InboundWebhookId,
    result: InboundResult,
    retryAt: number | undefined,
  ): Promise<void>
}
