// A commit as the values of its statement.

import assert from "node:assert/strict"
import type { AccountId } from "../../core/id.ts"
import type { Statement } from "../database.ts"
import { commitStatement, type CommitShape } from "./commit-statement.ts"
import type { Commit, IdempotencyScope } from "./ledger.ts"
import { attemptRows, keyText, operationRows, paymentRow, record } from "./rows.ts"
import { wakeAccount } from "./wake-account.ts"

/** The statement that a commit takes, and its values. `accountIsKnown`: `wake_accounts` has the wake's account for sure. */
export function commitQuery(
  commit: Commit,
  accountIsKnown: boolean,
): { statement: Statement; values: readonly unknown[] } {
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

const isSameScope = (a: IdempotencyScope, b: IdempotencyScope): boolean =>
  a.merchant === b.merchant && a.mode === b.mode && a.method === b.method && a.path === b.path && a.key === b.key

/** In `payment_wakes.account_id`, where no provider has to be asked. */
export const NO_ACCOUNT = ""

/** Bodies are JSON and thus well formed; a stray NUL must still not cost the commit. */
export const bodyText = (body: string): string => body.replaceAll("\0", "\ufffd")
