// Bugs of the caller that both stores refuse before anything is written.

import assert from "node:assert/strict"
import type { Commit } from "./ledger.ts"

export function checkCommit(commit: Commit): void {
  const { payment, expected, events, take, answer, card, attempts, operations, cardAttempts } = commit
  assert.equal(payment.version, expected + 1, "a commit moves the version by one")
  const merchants = [take, answer, card, cardAttempts?.key, ...events].flatMap((part) =>
    part === undefined ? [] : [part.merchant],
  )
  assert(
    merchants.every((merchant) => merchant === payment.merchant),
    "a commit is of one merchant",
  )
  assert(take === undefined || take.payment === payment.id, "a key that is taken is the payment's")
  assert(
    attempts.every((a) => payment.attempts.some((b) => b.id === a.id)) &&
      operations.every((a) => payment.operations.some((b) => b.id === a.id)),
    "what changed is part of the payment",
  )
  assert(
    cardAttempts?.rows.every((row) => payment.attempts.some((a) => a.id === row.id)) !== false,
    "what a card's budget counts of a payment are its attempts",
  )
}
