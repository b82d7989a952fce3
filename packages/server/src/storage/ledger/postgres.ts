// The ledger on PostgreSQL. A commit is one statement or a part of one (commit-statement.ts); a normal payment needs two of them. Nothing
// here keeps state that others could change: any number of processes may work on one database.

import assert from "node:assert/strict"
import { MAX_BUDGET_ATTEMPTS, type CardAttempt } from "../../core/card-attempt.ts"
import { given } from "../../core/given.ts"
import type { AccountId, MerchantId, PaymentId } from "../../core/id.ts"
import { failureOf, type Database } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { checkCommit } from "./commit-check.ts"
import { createCommitBatches } from "./commit-batches.ts"
import { bodyText, commitRows, NO_ACCOUNT } from "./commit-values.ts"
import type { Due, EventHead, IdempotencyRow, IdempotencyScope, InboundWebhook, Ledger, Position } from "./ledger.ts"
import {
  paymentById,
  paymentByKeys,
  attemptsOfCard,
  keyByScope,
  keepAnswer,
  duePayments,
  claimPayment,
  horizonNow,
  eventsAfter,
  eventHeadsAfter,
  takeRelay,
  relayCursor,
  moveRelay,
  insertInbound,
  claimInbound,
  finishWebhook,
} from "./postgres-statements.ts"
import { keyText, paymentFrom, type StoredPayment } from "./rows.ts"
import { wakeAccount } from "./wake-account.ts"

/** Accounts remembered as noted in `wake_accounts`: rows are never deleted there, so what was once written stands. */
export const MAX_KNOWN_ACCOUNTS = 10_000

export function createPostgresLedger(database: Database): Ledger {
  const { query } = database
  const send = createCommitBatches(database)
  const knownAccounts = new Set<string>()

  async function idempotency(scope: IdempotencyScope): Promise<IdempotencyRow | undefined> {
    const [row] = await query<StoredKey>(keyByScope, scopeValues(scope))
    return row === undefined ? undefined : idempotencyFrom(scope, row)
  }

  return {
    async commit(commit) {
      checkCommit(commit)
      const account = `${commit.payment.merchant} ${wakeAccount(commit.payment) ?? NO_ACCOUNT}`
      const committed = await send(commitRows(commit, knownAccounts.has(account))).catch((error: unknown) => {
        if (isTakenId(error)) return false
        throw error
      })
      if (committed) {
        if (knownAccounts.size >= MAX_KNOWN_ACCOUNTS) knownAccounts.clear()
        if (commit.wakeAt !== undefined) knownAccounts.add(account)
        return { kind: "committed" }
      }
      const row = commit.take === undefined ? undefined : await idempotency(commit.take)
      return row === undefined ? { kind: "conflict" } : { kind: "taken", row }
    },

    async load(merchant, id) {
      const [row] = await query<StoredPayment>(paymentById, [merchant, id])
      return row === undefined ? undefined : paymentFrom(row)
    },

    idempotency,

    async storeAnswer(scope, { status, body }) {
      await query(keepAnswer, [...scopeValues(scope), status, bodyText(body)])
    },

    async find(merchant, account, { attempt, operation, references }) {
      const texts = references.map(keyText)
      const [row] = await query<{ payment_id: PaymentId }>(paymentByKeys, [
        merchant,
        account,
        attempt === undefined ? null : keyText(attempt),
        operation === undefined ? null : keyText(operation),
        texts,
      ])
      return row === undefined ? undefined : { merchant, payment: row.payment_id }
    },

    async cardAttempts({ merchant, mode, network, fingerprint }) {
      const values = [merchant, mode, network, keyText(fingerprint), MAX_BUDGET_ATTEMPTS]
      return (await query<StoredCardAttempt>(attemptsOfCard, values)).toReversed().map(cardAttemptFrom)
    },

    async due(limit, perAccount) {
      const rows = await query<StoredWake>(duePayments, [limit, perAccount])
      return rows.map(dueFrom)
    },

    async claim({ merchant, payment, wakeAt }, leaseMs) {
      const rows = await query(claimPayment, [merchant, payment, wakeAt, Math.ceil(leaseMs)])
      return rows.length === 1
    },

    async horizon() {
      const [row] = await query<{ horizon: bigint }>(horizonNow)
      assert(row !== undefined)
      return String(row.horizon)
    },

    async events(after, horizon, limit) {
      const rows = await query<StoredEvent<string>>(eventsAfter, eventsValues(after, horizon, limit))
      return rows.map((row) => ({ ...headFrom(row), data: decodeDocument(JSON.parse(row.data)) }))
    },

    async eventHeads(after, horizon, limit) {
      const rows = await query<StoredEvent<string | null>>(eventHeadsAfter, eventsValues(after, horizon, limit))
      return rows.map((row) =>
        row.data === null ? headFrom(row) : { ...headFrom(row), data: decodeDocument(JSON.parse(row.data)) },
      )
    },

    async takeLease(name, owner, leaseMs) {
      const rows = await query(takeRelay, [name, owner, Math.ceil(leaseMs)])
      return rows.length === 1
    },

    async cursor(name) {
      const [row] = await query<{ transaction: bigint | null; event_id: string | null }>(relayCursor, [name])
      if (row === undefined || row.transaction === null) return undefined
      return { transaction: String(row.transaction), event: row.event_id ?? "" }
    },

    async moveCursor(name, owner, to) {
      const rows = await query(moveRelay, [name, owner, to.transaction, to.event])
      return rows.length === 1
    },

    async storeInbound({ id, merchant, account, deduplication, headers, body, receivedAt }) {
      const content = encodeDocument({ headers, body, deduplication })
      const rows = await query(insertInbound, [
        merchant,
        account,
        keyText(deduplication),
        id,
        Math.ceil(receivedAt),
        content,
      ])
      return rows.length === 1
    },

    async dueInbound(limit, leaseMs) {
      const rows = await query<StoredInbound>(claimInbound, [limit, Math.ceil(leaseMs)])
      return rows.map(inboundFrom)
    },

    async finishInbound(merchant, id, result, retryAt) {
      await query(finishWebhook, [merchant, id, result, retryAt === undefined ? null : Math.ceil(retryAt)])
    },
  }
}

const isTakenId = (error: unknown): boolean => {
  const failure = failureOf(error)
  return failure?.kind === "unique_violation" && failure.constraint === "payments_pkey"
}

const scopeValues = ({ merchant, mode, method, path, key }: IdempotencyScope): unknown[] => [
  merchant,
  mode,
  method,
  keyText(path),
  keyText(key),
]

type StoredKey = {
  fingerprint: string
  payment_id: PaymentId
  lease_until_ms: bigint
  response_status: number | null
  response_body: string | null
}

function idempotencyFrom({ merchant, mode, method, path, key }: IdempotencyScope, row: StoredKey): IdempotencyRow {
  return {
    merchant,
    mode,
    method,
    path,
    key,
    fingerprint: row.fingerprint,
    payment: row.payment_id,
    leaseUntil: Number(row.lease_until_ms),
    ...(row.response_status === null
      ? {}
      : { response: { status: row.response_status, body: row.response_body ?? "" } }),
  }
}

type StoredCardAttempt = {
  at_ms: bigint
  attempt_id: CardAttempt["id"]
  account_id: AccountId
  currency: CardAttempt["amount"]["currency"]
  amount: bigint
  initiator: CardAttempt["initiator"]
  result: CardAttempt["result"]
  network_code: string | null
  advice_code: string | null
  reason: CardAttempt["reason"] | null
}

const cardAttemptFrom = (row: StoredCardAttempt): CardAttempt =>
  given({
    id: row.attempt_id,
    at: Number(row.at_ms),
    account: row.account_id,
    amount: { minor: row.amount, currency: row.currency },
    initiator: row.initiator,
    result: row.result,
    networkCode: row.network_code ?? undefined,
    adviceCode: row.advice_code ?? undefined,
    reason: row.reason ?? undefined,
  })

type StoredWake = { merchant_id: MerchantId; payment_id: PaymentId; account_id: string; wake_ms: bigint }

const dueFrom = (row: StoredWake): Due => ({
  merchant: row.merchant_id,
  payment: row.payment_id,
  account: row.account_id === NO_ACCOUNT ? undefined : (row.account_id as AccountId),
  wakeAt: Number(row.wake_ms),
})

const eventsValues = (after: Position | undefined, horizon: string, limit: number): unknown[] => [
  after?.transaction ?? "-1",
  after?.event ?? "",
  horizon,
  limit,
]

type StoredEvent<Data> = {
  merchant_id: MerchantId
  id: EventHead["id"]
  payment_id: PaymentId | null
  sequence: number
  type: string
  at_ms: bigint
  transaction: bigint
  /** JSON text. */
  data: Data
}

const headFrom = (row: Omit<StoredEvent<unknown>, "data">): EventHead => ({
  id: row.id,
  merchant: row.merchant_id,
  ...(row.payment_id === null ? {} : { payment: row.payment_id }),
  sequence: row.sequence,
  type: row.type,
  at: Number(row.at_ms),
  position: { transaction: String(row.transaction), event: row.id },
})

type StoredInbound = {
  merchant_id: MerchantId
  account_id: AccountId
  id: InboundWebhook["id"]
  received_ms: bigint
  tries: number
  content: unknown
}

function inboundFrom(row: StoredInbound): InboundWebhook {
  const content = decodeDocument(row.content) as Pick<InboundWebhook, "headers" | "body" | "deduplication">
  return {
    id: row.id,
    merchant: row.merchant_id,
    account: row.account_id,
    ...content,
    receivedAt: Number(row.received_ms),
    tries: row.tries,
  }
}
