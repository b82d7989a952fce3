// Commits that come while others are under way are sent together. A database that is idle gets each at once and alone; one
// that is busy gets fewer and fuller statements the busier it is, without anybody waiting for a clock.

import type { PaymentId } from "../../core/id.ts"
import { failureOf, MAX_WAITING, tooBusy, type Database, type DatabaseFailure } from "../database.ts"
import { commitStatement, MAX_BATCH, shapeName } from "./commit-statement.ts"
import type { CommitRows } from "./commit-values.ts"

/** Statements under way at a time; commits that come meanwhile wait for the first of them to end. */
export const MAX_UNDER_WAY = 4

type Waiting = {
  readonly commit: CommitRows
  readonly shape: string
  readonly resolve: (committed: boolean) => void
  readonly reject: (error: unknown) => void
}

/** Sends a commit; false where nothing of it was written, because its payment or its key is not as expected. */
export function createCommitBatches({ query }: Pick<Database, "query">): (commit: CommitRows) => Promise<boolean> {
  let underWay = 0
  let waiting: Waiting[] = []

  async function send(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    const statement = commitStatement(first.commit.shape, batch.length)
    const values = statement.parameters.map(
      (parameter) => `[${batch.map(({ commit }) => commit.rows[parameter]).join()}]`,
    )
    try {
      const rows = await query<{ id: PaymentId }>(statement, values)
      const committed = new Set(rows.map(({ id }) => id))
      for (const { commit, resolve } of batch) resolve(committed.has(commit.payment))
    } catch (error) {
      const failure = failureOf(error)
      // Nothing of it was written, and one of them was the reason: each is tried alone, so that only that one fails.
      if (batch.length > 1 && failure?.happened === "no" && ofOne.has(failure.kind)) {
        await Promise.all(batch.map((one) => send([one])))
        return
      }
      for (const { reject } of batch) reject(error)
      // It gives no connection, or no answer: whoever waits hears it now, and not one statement's limit after another.
      if (failure?.kind === "too_busy" || (failure?.kind === "timeout" && failure.happened === "unknown"))
        for (const { reject } of waiting.splice(0)) reject(tooBusy())
    }
  }

  /** The oldest that waits, and all that can go with it. */
  function next(): readonly Waiting[] {
    const payments = new Set<PaymentId>()
    const batch = waiting.filter(({ commit, shape }) => {
      if (shape !== waiting[0]!.shape || payments.has(commit.payment) || payments.size === MAX_BATCH) return false
      payments.add(commit.payment)
      return true
    })
    waiting = waiting.filter((one) => !batch.includes(one))
    // Two processes that want the same keys, or the same payments, lock them in the same order.
    return batch.toSorted((a, b) => (a.commit.order < b.commit.order ? -1 : 1))
  }

  async function work(): Promise<void> {
    underWay += 1
    while (waiting.length > 0) await send(next())
    underWay -= 1
  }

  return (commit) => {
    if (waiting.length >= MAX_WAITING) return Promise.reject(tooBusy())
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    waiting.push({ commit, shape: shapeName(commit.shape), resolve, reject })
    if (underWay < MAX_UNDER_WAY) void work()
    return promise
  }
}

/** Failures that one commit of several may be the cause of; of others, trying them one by one gives more of the same. */
const ofOne: ReadonlySet<DatabaseFailure["kind"]> = new Set(["unique_violation", "conflict", "locked", "other"])
