// Trials on payments in PostgreSQL: every payment counts once, in the order in which it was drawn, whoever counts and however often.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { freshDatabase } from "../../testing/pools.ts"
import type { MerchantId, PaymentId, PolicyId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Payment } from "../core/payment.ts"
import { stagedPublish } from "../routing/evidence.ts"
import { isCandidates } from "../routing/policy-share.ts"
import type { Database } from "../storage/database.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { changing, inserting, sampleAttempt, sampleEvent, sampleId, samplePayment } from "../storage/ledger/sample.ts"
import { createMerchant } from "../storage/resources/merchants.ts"
import { publishPolicy, setCandidate } from "../storage/resources/policy-publication.ts"
import { addPolicyVersion, createPolicy, findPolicy } from "../storage/resources/policies.ts"
import { findTrial } from "../storage/resources/trials.ts"
import { countDue, stateOf, tallyOf, trialSink, type TrialParts } from "./trials.ts"

let database: Database
before(async () => {
  database = (await freshDatabase()).open()
})
after(() => database.close())

const SHARE = 0.5
const log = { info: () => {}, warn: () => {}, error: () => {} }
const clock = { now: Date.now, sleep: async () => {}, after: () => () => {} }
const chance = { random: () => 0.5, bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) }
const partsOf = (): TrialParts => ({
  clock,
  chance,
  log,
  database,
  ledger: createPostgresLedger(database),
  directory: { account: () => undefined },
})

async function published() {
  const merchant = sampleId("mer", Date.now())
  await createMerchant(database, { id: merchant, name: "m", settings: {} })
  const { id: policy } = await createPolicy(database, {
    id: sampleId("pol", Date.now()),
    merchant,
    mode: "test",
    name: "main",
  })
  for (const v of [1, 2]) await addPolicyVersion(database, { policy, merchant, document: { v }, author: "a", note: "" })
  await publishPolicy(database, merchant, policy, 1, 1)
  const experiment = stagedPublish({ salt: "s", current: 1, candidate: 2, share: SHARE })
  const id = sampleId("trl", Date.now())
  const candidate = { version: 2, bps: SHARE * 10_000, trial: { id, experiment, tally: tallyOf(experiment) } }
  const set = await setCandidate(database, merchant, policy, 2, candidate)
  assert.equal(set.kind, "edited")
  return {
    policy,
    merchant,
    state: async () => {
      const row = await findTrial(database, merchant, id)
      assert.ok(row)
      return { row, state: stateOf(row) }
    },
  }
}

const isCandidate = (policy: PolicyId, id: PaymentId): boolean =>
  isCandidates({ id: policy, version: 2 }, SHARE * 10_000, id)

/** Stored, with its event in the log. `approved`: undefined while it is open. */
async function pay(
  merchant: MerchantId,
  policy: PolicyId,
  approved: ((isTreated: boolean) => boolean) | undefined,
): Promise<Payment> {
  const now = Date.now()
  const bare = samplePayment(now, { merchant })
  const isTreated = isCandidate(policy, bare.id)
  const share = { of: isTreated ? "candidate" : "active", bps: SHARE * 10_000 }
  const decision = { policy: { id: policy, version: isTreated ? 2 : 1, hash: "h", share } }
  const outcome = (approved?.(isTreated) === true
    ? { kind: "approved", effect: "captured", raw: { code: "ok" } }
    : { kind: "declined", reason: "insufficient_funds", raw: { code: "51" } }) as unknown as Outcome
  const payment: Payment = {
    ...bare,
    operations: [],
    attempts: [sampleAttempt(sampleId("acc", now), now, { decision, ...(approved === undefined ? {} : { outcome }) })],
    ...(approved === undefined || approved(isTreated) ? {} : { closed: { as: "failed" as const, at: now } }),
  }
  const event = sampleEvent(payment, now, { type: "payment.created" })
  await createPostgresLedger(database).commit(inserting(payment, { events: [event] }))
  return payment
}

/** As a relay would: all that is in the log, again and again. */
async function relay(): Promise<void> {
  const ledger = createPostgresLedger(database)
  await trialSink(database, 0).accept(await ledger.eventHeads(undefined, await ledger.horizon(), 10_000))
}
const lookNow = (payment: PaymentId) =>
  database.query(
    {
      name: "test-look-now",
      text: "update trial_payments set next_ms = 0 where payment_id = $1 and next_ms is not null",
    },
    [payment],
  )

test("every payment counts once, with workers at once and a relay that repeats itself", async () => {
  const { merchant, policy, state } = await published()
  const payments: Payment[] = []
  for (let i = 0; i < 60; i++) payments.push(await pay(merchant, policy, () => i % 4 !== 0))
  await Promise.all([relay(), relay()])
  const workers = [partsOf(), partsOf(), partsOf()]
  for (let rounds = 0; rounds < 3; rounds++) {
    await Promise.all(workers.map((parts) => countDue(parts)))
    await relay()
  }
  const { state: now } = await state()
  const treated = payments.filter(({ id }) => isCandidate(policy, id)).length
  assert.deepEqual(now.units, [60 - treated, treated])
  const approval = now.differences[0]!.approval!
  assert.deepEqual([approval.n, approval.control.n + approval.treated.n], [60, 60])
  assert.equal(approval.control.sum + approval.treated.sum, 45)
})

test("an outcome waits for the payments that were drawn before it, so that what ends quickly has no more weight", async () => {
  const { merchant, policy, state } = await published()
  const early = [await pay(merchant, policy, () => true), await pay(merchant, policy, () => true)]
  const open = await pay(merchant, policy, undefined)
  // Quick declines of the candidate, while its approvals are still under way: counted at once they would stop it.
  for (let i = 0; i < 80; i++) await pay(merchant, policy, (isTreated) => !isTreated)
  await relay()
  const parts = partsOf()
  await countDue(parts)
  const waiting = await state()
  assert.equal(waiting.state.units[0]! + waiting.state.units[1]!, early.length + 1 + 80, "all are drawn")
  assert.equal(waiting.state.differences[0]!.approval!.n, early.length)
  assert.equal(waiting.row.ended, undefined)
  await createPostgresLedger(database).commit(changing(open, { closed: { as: "failed", at: Date.now() } }))
  await lookNow(open.id)
  await countDue(parts)
  const { row, state: counted } = await state()
  assert.equal(counted.differences[0]!.approval!.n, early.length + 1 + 80)
  assert.equal(row.ended?.as, "stopped", "and now it is certain")
  assert.equal((await findPolicy(database, merchant, policy))?.candidate, undefined)
})
