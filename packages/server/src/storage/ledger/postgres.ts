// The ledger on PostgreSQL. A commit is one statement (commit-statement.ts); a normal payment needs two of them. Nothing
// here keeps state between calls: any number of processes may work on one database.

import assert from "node:assert/strict"
import type { AccountId, MerchantId, PaymentId } from "../../core/id.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { checkCommit } from "./commit-check.ts"
import { commitStatement, type CommitShape } from "./commit-statement.ts"
import type { Commit, Due, IdempotencyRow, IdempotencyScope, InboundWebhook, Ledger, LoggedEvent } from "./ledger.ts"
import {
  attemptRows,
  keyText,
  operationRows,
  paymentFrom,
  paymentRow,
  record,
  storedPaymentColumns,
  type StoredPayment,
} from "./rows.ts"
import { wakeAccount } from "./wake-account.ts"

export function createPostgresLedger(database: Database): Ledger {
  const { query } = database

  async function idempotency(scope: IdempotencyScope): Promise<IdempotencyRow | undefined> {
    const [row] = await query<StoredKey>(keyByScope, scopeValues(scope))
    return row === undefined ? undefined : idempotencyFrom(scope, row)
  }

  return {
    async commit(commit) {
      checkCommit(commit)
      const { statement, values } = statementOf(commit)
      const committed = await query<{ payments: number }>(statement, values).then(
        ([row]) => row?.payments === 1,
        (error: unknown) => {
          if (isTakenId(error)) return false
          throw error
        },
      )
      if (committed) return { kind: "committed" }
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
      const rows = await query<StoredEvent>(eventsAfter, [
        after?.transaction ?? "-1",
        after?.event ?? "",
        horizon,
        limit,
      ])
      return rows.map(eventFrom)
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

function statementOf(commit: Commit): { statement: Statement; values: readonly unknown[] } {
  const { payment, expected, attempts, operations, wakeAt, events, take, card, transcripts = [] } = commit
  const merged = take !== undefined && commit.answer !== undefined && isSameScope(take, commit.answer)
  const answer = merged ? undefined : commit.answer
  const response = take?.response ?? (merged ? commit.answer?.response : undefined)
  const references = referencesOf(commit)
  const shape: CommitShape = {
    insert: expected === 0,
    take: take !== undefined,
    attempts: attempts.length > 0,
    operations: operations.length > 0,
    references: references.length > 0,
    wake: wakeAt !== undefined ? "set" : expected === 0 ? "none" : "clear",
    events: events.length > 0,
    answer: answer !== undefined,
    card: card !== undefined,
    transcripts: transcripts.length > 0,
  }
  const named: Record<string, unknown> = { merchant_id: payment.merchant, id: payment.id, expected }
  for (const [name, value] of Object.entries(paymentRow(payment))) named[`payment_${name}`] = value
  if (take !== undefined)
    Object.assign(named, {
      take_mode: take.mode,
      take_method: take.method,
      take_path: keyText(take.path),
      take_key: keyText(take.key),
      take_fingerprint: take.fingerprint,
      take_payment: take.payment,
      take_lease: Math.ceil(take.leaseUntil),
      take_status: response?.status ?? null,
      take_body: response === undefined ? null : bodyText(response.body),
    })
  if (attempts.length > 0) named["attempts"] = attemptRows(payment, attempts)
  if (operations.length > 0) named["operations"] = operationRows(payment, operations)
  if (references.length > 0) named["references"] = JSON.stringify(references)
  if (wakeAt !== undefined)
    Object.assign(named, { wake_account: wakeAccount(payment) ?? NO_ACCOUNT, wake_ms: Math.ceil(wakeAt) })
  if (events.length > 0) named["events"] = eventRows(commit)
  if (answer !== undefined)
    Object.assign(named, {
      answer_mode: answer.mode,
      answer_method: answer.method,
      answer_path: keyText(answer.path),
      answer_key: keyText(answer.key),
      answer_status: answer.response.status,
      answer_body: bodyText(answer.response.body),
    })
  if (card !== undefined)
    Object.assign(named, {
      card_id: card.id,
      card_fingerprint: card.fingerprint,
      card_key: card.keyId,
      card_sealed: Buffer.from(card.sealed),
      card_payment: card.payment ?? null,
    })
  if (transcripts.length > 0) named["transcripts"] = transcriptRows(commit)
  const statement = commitStatement(shape)
  return { statement, values: statement.parameters.map((name) => named[name]) }
}

/** In `payment_wakes.account_id`, where no provider has to be asked. */
const NO_ACCOUNT = ""

function referencesOf({ payment, attempts, operations }: Commit): { account_id: AccountId; reference: string }[] {
  const found = new Map<string, { account_id: AccountId; reference: string }>()
  const note = (account: AccountId, reference: string | undefined): void => {
    if (reference !== undefined)
      found.set(`${account} ${reference}`, { account_id: account, reference: keyText(reference) })
  }
  for (const attempt of attempts) note(attempt.account, attempt.reference)
  for (const operation of operations) {
    const attempt = payment.attempts.find((a) => a.id === operation.attempt)
    assert(attempt !== undefined, "an operation belongs to an attempt of its payment")
    note(attempt.account, operation.reference)
  }
  return [...found.values()]
}

function eventRows({ events }: Commit): string {
  const rows = events.map(({ id, payment, sequence, type, at, data }) =>
    record({ id, payment_id: payment, sequence, type, at_ms: Math.round(at) }, { data }),
  )
  return `[${rows.join()}]`
}

function transcriptRows({ transcripts = [] }: Commit): string {
  const rows = transcripts.map((transcript, ordinal) =>
    record({ ordinal, at_ms: Math.round(transcript.at) }, { document: transcript }),
  )
  return `[${rows.join()}]`
}

const isTakenId = (error: unknown): boolean => {
  const failure = failureOf(error)
  return failure?.kind === "unique_violation" && failure.constraint === "payments_pkey"
}

const isSameScope = (a: IdempotencyScope, b: IdempotencyScope): boolean =>
  a.merchant === b.merchant && a.mode === b.mode && a.method === b.method && a.path === b.path && a.key === b.key

const scopeValues = ({ merchant, mode, method, path, key }: IdempotencyScope): unknown[] => [
  merchant,
  mode,
  method,
  keyText(path),
  keyText(key),
]

/** Bodies are JSON and thus well formed; a stray NUL must still not cost the commit. */
const bodyText = (body: string): string => body.replaceAll("\0", "\ufffd")

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

type StoredWake = { merchant_id: MerchantId; payment_id: PaymentId; account_id: string; wake_ms: bigint }

const dueFrom = (row: StoredWake): Due => ({
  merchant: row.merchant_id,
  payment: row.payment_id,
  account: row.account_id === NO_ACCOUNT ? undefined : (row.account_id as AccountId),
  wakeAt: Number(row.wake_ms),
})

type StoredEvent = {
  merchant_id: MerchantId
  id: LoggedEvent["id"]
  payment_id: PaymentId | null
  sequence: number
  type: string
  at_ms: bigint
  transaction: bigint
  data: unknown
}

const eventFrom = (row: StoredEvent): LoggedEvent => ({
  id: row.id,
  merchant: row.merchant_id,
  ...(row.payment_id === null ? {} : { payment: row.payment_id }),
  sequence: row.sequence,
  type: row.type,
  at: Number(row.at_ms),
  data: decodeDocument(row.data),
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

const paymentById: Statement = {
  name: "payment-by-id",
  text: `select ${storedPaymentColumns} from payments p where merchant_id = $1 and id = $2`,
}

const paymentByKeys: Statement = {
  name: "payment-by-keys",
  text: `select payment_id from (
      select payment_id, 0 as rank from attempts
      where merchant_id = $1 and id = $3 and account_id = $2
      union all
      select o.payment_id, 1 from operations o
      join attempts a on a.merchant_id = o.merchant_id and a.id = o.attempt_id
      where o.merchant_id = $1 and o.id = $4 and a.account_id = $2
      union all
      select payment_id, 1 + array_position($5::text[], reference) from provider_references
      where merchant_id = $1 and account_id = $2 and reference = any ($5::text[])
    ) found order by rank limit 1`,
}

const keyByScope: Statement = {
  name: "idempotency-key",
  text: `select fingerprint, payment_id, lease_until_ms, response_status, response_body from idempotency_keys
    where merchant_id = $1 and mode = $2 and method = $3 and path = $4 and key = $5`,
}

const keepAnswer: Statement = {
  name: "idempotency-answer",
  text: `update idempotency_keys set response_status = $6, response_body = $7
    where merchant_id = $1 and mode = $2 and method = $3 and path = $4 and key = $5 and response_status is null`,
}

const duePayments: Statement = {
  name: "payments-due",
  text: `select w.merchant_id, w.payment_id, w.account_id, w.wake_ms
    from wake_accounts a
    cross join lateral (
      select merchant_id, payment_id, account_id, wake_ms from payment_wakes
      where merchant_id = a.merchant_id and account_id = a.account_id and wake_ms <= now_ms()
      order by wake_ms, payment_id
      limit case when a.account_id = '' then $1::integer else least($1::integer, $2::integer) end
    ) w
    order by w.wake_ms, w.merchant_id, w.payment_id limit $1::integer`,
}

const claimPayment: Statement = {
  name: "payment-claim",
  text: `update payment_wakes set wake_ms = now_ms() + $4::bigint
    where merchant_id = $1 and payment_id = $2 and wake_ms = $3 returning 1`,
}

const horizonNow: Statement = { name: "outbox-horizon", text: "select ledger_horizon() as horizon" }

const eventsAfter: Statement = {
  name: "outbox-events",
  text: `select merchant_id, id, payment_id, sequence, type, at_ms, transaction, data from events
    where (transaction, id) > ($1::bigint, $2::text) and transaction < $3::bigint
    order by transaction, id limit $4`,
}

const takeRelay: Statement = {
  name: "relay-take",
  text: `insert into relays (name, owner, lease_until_ms) values ($1, $2, now_ms() + $3::bigint)
    on conflict (name) do update set owner = excluded.owner, lease_until_ms = excluded.lease_until_ms
    where relays.owner = excluded.owner or relays.lease_until_ms <= now_ms()
    returning 1`,
}

const relayCursor: Statement = {
  name: "relay-cursor",
  text: "select transaction, event_id from relays where name = $1",
}

const moveRelay: Statement = {
  name: "relay-move",
  text: "update relays set transaction = $3::bigint, event_id = $4 where name = $1 and owner = $2 returning 1",
}

const insertInbound: Statement = {
  name: "inbound-insert",
  text: `with stored as (
      insert into inbound_webhooks (merchant_id, account_id, deduplication, id, received_ms, next_ms)
      values ($1, $2, $3, $4, $5, $5) on conflict (merchant_id, account_id, deduplication) do nothing returning 1),
    body as (
      insert into inbound_webhook_bodies (merchant_id, id, content) select $1, $4, $6::jsonb from stored)
    select 1 from stored`,
}

// No row is locked ahead: of two that claim at once the second waits for the first, sees the moved time and passes by.
const claimInbound: Statement = {
  name: "inbound-claim",
  text: `with due as (
      select merchant_id, id, next_ms from inbound_webhooks
      where next_ms <= now_ms() order by next_ms, id limit $1),
    claimed as (
      update inbound_webhooks w set next_ms = now_ms() + $2::bigint, tries = w.tries + 1
      from due where w.merchant_id = due.merchant_id and w.id = due.id and w.next_ms = due.next_ms
      returning w.merchant_id, w.account_id, w.id, w.received_ms, w.tries - 1 as tries, due.next_ms as due_ms)
    select c.merchant_id, c.account_id, c.id, c.received_ms, c.tries, b.content
    from claimed c join inbound_webhook_bodies b on b.merchant_id = c.merchant_id and b.id = c.id
    order by c.due_ms, c.id`,
}

const finishWebhook: Statement = {
  name: "inbound-finish",
  text: `update inbound_webhooks set result = $3, next_ms = $4
    where merchant_id = $1 and id = $2 and next_ms is not null`,
}
