// A commit as rows of its statement's parameters.

import assert from "node:assert/strict"
import type { AccountId, PaymentId } from "../../core/id.ts"
import type { CommitShape } from "./commit-statement.ts"
import type { Commit, IdempotencyScope } from "./ledger.ts"
import { attemptRows, clamp, columnText, keyText, operationRows, paymentRow, record, type Row } from "./rows.ts"
import { wakeAccount } from "./wake-account.ts"

/** A commit ready to be sent, alone or with others of its shape. */
export type CommitRows = {
  readonly payment: PaymentId
  readonly shape: CommitShape
  /** By what it locks first: commits of one statement are written in this order. */
  readonly order: string
  /** By the statement's parameter: JSON objects, joined by commas. */
  readonly rows: Readonly<Record<string, string>>
}

/** `accountIsKnown`: `wake_accounts` has the wake's account for sure. */
export function commitRows(commit: Commit, accountIsKnown: boolean): CommitRows {
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
    person: commit.needsPerson === undefined ? "none" : commit.needsPerson ? "set" : "clear",
    newAccount: wakeAt !== undefined && !accountIsKnown,
    events: events.length > 0,
    answer: answer !== undefined,
    card: card !== undefined,
    transcripts: transcripts.length > 0,
    cardAttempts: commit.cardAttempts !== undefined,
  }
  const row = paymentRow(payment)
  const input: Record<string, unknown> = { merchant_id: payment.merchant, id: payment.id, ...row.columns }
  if (take !== undefined)
    Object.assign(input, {
      take_mode: take.mode,
      take_method: take.method,
      take_path: keyText(take.path),
      take_key: keyText(take.key),
      take_fingerprint: take.fingerprint,
      take_lease: Math.ceil(take.leaseUntil),
      take_status: response?.status ?? null,
      take_body: response === undefined ? null : bodyText(response.body),
    })
  if (wakeAt !== undefined)
    Object.assign(input, { wake_account: wakeAccount(payment) ?? NO_ACCOUNT, wake_ms: Math.ceil(wakeAt) })
  if (answer !== undefined)
    Object.assign(input, {
      answer_mode: answer.mode,
      answer_method: answer.method,
      answer_path: keyText(answer.path),
      answer_key: keyText(answer.key),
      answer_status: answer.response.status,
      answer_body: bodyText(answer.response.body),
    })
  if (card !== undefined)
    Object.assign(input, {
      card_id: card.id,
      card_fingerprint: card.fingerprint,
      card_key: card.keyId,
      card_sealed: `\\x${Buffer.from(card.sealed).toString("hex")}`,
      card_payment: card.payment ?? null,
    })
  const lists: Readonly<Record<string, readonly Row[]>> = {
    attempts: attemptRows(payment, attempts),
    operations: operationRows(payment, operations),
    references: references.map((columns) => ({ columns })),
    events: eventRows(commit),
    transcripts: transcriptRows(commit),
    ...(commit.cardAttempts === undefined ? {} : { card_attempts: cardAttemptRows(commit.cardAttempts) }),
  }
  const rows: Record<string, string> = { commits: record({ ...row, columns: input }) }
  for (const [name, list] of Object.entries(lists))
    rows[name] = list.map((one) => record({ ...one, columns: { of: payment.id, ...one.columns } })).join()
  const key = shape.insert && take !== undefined ? [take.merchant, take.path, take.key].join(" ") : undefined
  return { payment: payment.id, shape, order: key ?? payment.id, rows }
}

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

const eventRows = ({ events }: Commit): readonly Row[] =>
  events.map(({ id, payment, sequence, type, at, data }) => ({
    columns: { id, payment_id: payment, sequence, type, at_ms: Math.round(at) },
    documents: { data },
  }))

const transcriptRows = ({ payment, transcripts = [] }: Commit): readonly Row[] =>
  transcripts.map((transcript, ordinal) => ({
    columns: { version: payment.version, ordinal, at_ms: Math.round(transcript.at) },
    documents: { document: transcript },
  }))

const cardAttemptRows = ({ key, rows }: NonNullable<Commit["cardAttempts"]>): readonly Row[] =>
  rows.map(({ id, at, account, amount, initiator, result, networkCode, adviceCode, reason }) => ({
    columns: {
      mode: key.mode,
      network: key.network,
      fingerprint: keyText(key.fingerprint),
      at_ms: Math.round(at),
      attempt_id: id,
      account_id: account,
      currency: amount.currency,
      amount: clamp(amount.minor),
      initiator,
      result,
      network_code: columnText(networkCode),
      advice_code: columnText(adviceCode),
      reason: columnText(reason),
    },
  }))

const isSameScope = (a: IdempotencyScope, b: IdempotencyScope): boolean =>
  a.merchant === b.merchant && a.mode === b.mode && a.method === b.method && a.path === b.path && a.key === b.key

/** In `payment_wakes.account_id`, where no provider has to be asked. */
export const NO_ACCOUNT = ""

/** Bodies are JSON and thus plain; a stray NUL or half a character must still not cost the commit. */
export const bodyText = (body: string): string => body.toWellFormed().replaceAll("\0", "\ufffd")
