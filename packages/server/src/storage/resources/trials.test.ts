// What makes every payment of a trial count once, whatever is repeated, crashes or comes at the same time.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { MerchantId, PaymentId, TrialId } from "../../core/id.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import type { Database } from "../database.ts"
import { sampleId } from "../ledger/sample.ts"
import { listEvents } from "./events.ts"
import { createMerchant } from "./merchants.ts"
import { listPolicyHistory } from "./policy-history.ts"
import { publishPolicy, setCandidate, stopTrial } from "./policy-publication.ts"
import { addPolicyVersion, createPolicy, findPolicy, type PolicyRow } from "./policies.ts"
import {
  claimDuePayments,
  claimUnits,
  findTrial,
  findTrialInOrder,
  latestTrialOf,
  listRunningTrials,
  takePayments,
  writeTally,
  type DuePayment,
  type TrialRow,
} from "./trials.ts"

let database: Database
before(async () => {
  database = (await freshDatabase()).open()
})
after(() => database.close())

const LEASE_MS = 60_000
const ada = { author: "key_ada", note: "half of it" }

/** A policy whose second version has half of the payments. */
async function published(): Promise<{
  readonly merchant: MerchantId
  readonly policy: PolicyRow
  readonly trial: TrialRow
}> {
  const merchant = sampleId("mer", Date.now())
  await createMerchant(database, { id: merchant, name: "m", settings: {} })
  const policy = await createPolicy(database, { id: sampleId("pol", Date.now()), merchant, mode: "test", name: "main" })
  for (const v of [1, 2])
    await addPolicyVersion(database, { policy: policy.id, merchant, document: { v }, author: "ada", note: "" })
  await publishPolicy(database, merchant, policy.id, 1, 1, ada)
  const trial = { id: sampleId("trl", Date.now()), experiment: { alpha: 0.05 }, tally: { n: 0 } }
  const set = await setCandidate(database, merchant, policy.id, 2, { version: 2, bps: 5_000, trial }, ada)
  assert.ok(set.kind === "edited")
  const row = await findTrial(database, merchant, trial.id)
  assert.ok(row)
  return { merchant, policy: set.row, trial: row }
}

/** Far above every transaction of the test, one behind the other. */
let place = 1_000_000_000
const taken = (payment: PaymentId, lookAt = 0) => ({
  payment,
  lookAt,
  position: { transaction: String((place += 1)), event: sampleId("evt", 1) },
})
const counted = (due: readonly DuePayment[]) => {
  const claimed = due.map(({ payment }) => payment)
  return { claimed, claim: due[0]!.claim, done: claimed, kept: [] }
}
const stopOf = (note: string) => ({
  reason: { kind: "guardrail" },
  note,
  event: { id: sampleId("evt", Date.now()), type: "policy.publication_stopped", data: { mode: "test" } },
})

test("a publication to a share begins its trial with the very act, and every other act ends it and says how", async () => {
  const { merchant, policy, trial } = await published()
  assert.deepEqual([trial.author, trial.note, trial.ended, trial.tally], ["key_ada", "half of it", undefined, { n: 0 }])
  const next = { id: sampleId("trl", Date.now()), experiment: {}, tally: {} }
  await setCandidate(database, merchant, policy.id, 3, { version: 2, bps: 9_000, trial: next }, ada)
  assert.equal((await findTrial(database, merchant, trial.id))?.ended?.as, "replaced")
  assert.equal((await latestTrialOf(database, merchant, policy.id))?.id, next.id)
  await publishPolicy(database, merchant, policy.id, 4, 2, { author: "key_bob", note: "good" })
  const ended = (await findTrial(database, merchant, next.id))?.ended
  assert.deepEqual([ended?.as, ended?.by], ["promoted", "key_bob"])
  const other = await createPolicy(database, { id: sampleId("pol", Date.now()), merchant, mode: "test", name: "other" })
  await addPolicyVersion(database, { policy: other.id, merchant, document: {}, author: "ada", note: "" })
  const again = { id: sampleId("trl", Date.now()), experiment: {}, tally: {} }
  await setCandidate(database, merchant, policy.id, 5, { version: 1, bps: 1, trial: again }, ada)
  await publishPolicy(database, merchant, other.id, 1, 1, ada)
  assert.equal((await findTrial(database, merchant, again.id))?.ended?.as, "retired")
  assert.deepEqual(
    (await listPolicyHistory(database, merchant, policy.id)).map((line) => [
      line.version,
      line.act,
      line.policyVersion,
      line.shareBps,
      line.author,
      line.note,
    ]),
    [
      [7, "retired", undefined, undefined, "key_ada", "half of it"],
      [6, "published", 1, 1, "key_ada", "half of it"],
      [5, "promoted", 2, undefined, "key_bob", "good"],
      [4, "published", 2, 9_000, "key_ada", "half of it"],
      [3, "published", 2, 5_000, "key_ada", "half of it"],
      [2, "activated", 1, undefined, "key_ada", "half of it"],
    ],
  )
})

test("a relay that repeats itself adds nothing, also where the payment was counted meanwhile", async () => {
  const { merchant, trial } = await published()
  const [one, two] = [sampleId("pay", 1), sampleId("pay", 2)]
  const batch = [taken(one), taken(two)]
  await takePayments(database, trial, batch)
  await takePayments(database, trial, batch)
  const due = (await claimDuePayments(database, 100, LEASE_MS)).filter((row) => row.trial === trial.id)
  assert.deepEqual(due.map(({ payment }) => payment).toSorted(), [one, two])
  assert.ok(await writeTally(database, trial, { n: 2 }, counted(due)))
  await takePayments(database, trial, batch)
  await takePayments(database, trial, [...batch, taken(sampleId("pay", 3), Date.now() + 9 * LEASE_MS)])
  assert.deepEqual(
    (await claimDuePayments(database, 100, LEASE_MS)).filter((row) => row.trial === trial.id),
    [],
  )
  assert.deepEqual((await findTrial(database, merchant, trial.id))?.tally, { n: 2 })
})

test("a payment is claimed by one, and of two that count over the same tally only one is heard", async () => {
  const { merchant, trial } = await published()
  const payments = Array.from({ length: 20 }, (_, i) => sampleId("pay", i))
  await takePayments(
    database,
    trial,
    payments.map((payment) => taken(payment)),
  )
  const claims = await Promise.all([1, 2, 3].map(() => claimDuePayments(database, 7, LEASE_MS)))
  const mine = claims.map((rows) => rows.filter((row) => row.trial === trial.id)).filter((rows) => rows.length > 0)
  const all = mine.flat().map(({ payment }) => payment)
  assert.equal(new Set(all).size, all.length)
  const heard = await Promise.all(mine.map((rows) => writeTally(database, trial, { n: rows.length }, counted(rows))))
  assert.equal(heard.filter((written) => written).length, 1)
  const now = await findTrial(database, merchant, trial.id)
  assert.equal(now?.revision, 1)
  assert.equal(
    await writeTally(database, now!, { n: 99 }, { ...counted(mine[0]!), claim: 5n }),
    false,
    "not ours any more",
  )
})

test("a payment keeps its place, and with its outcome it waits for those before it and is looked at no more", async () => {
  const { merchant, trial } = await published()
  const [first, second] = [sampleId("pay", 1), sampleId("pay", 2)]
  await takePayments(database, trial, [taken(first), taken(second)])
  const ours = async () => (await claimDuePayments(database, 100, LEASE_MS)).filter((row) => row.trial === trial.id)
  const due = await ours()
  const outcome = { arm: 1, values: { approval: 1 } }
  const kept = [
    { payment: first, place: 1, lookAt: 0 },
    { payment: second, place: 2, outcome },
  ]
  assert.ok(await writeTally(database, trial, {}, { ...counted(due), done: [], kept }))
  assert.deepEqual(
    (await ours()).map(({ payment, place }) => [payment, place]),
    [[first, 1]],
  )
  const found = await findTrialInOrder(database, merchant, trial.id, 10)
  assert.deepEqual(found?.drawn, [
    { payment: first, place: 1 },
    { payment: second, place: 2, outcome },
  ])
  assert.deepEqual((await findTrialInOrder(database, merchant, trial.id, 1))?.drawn.length, 1)
})

test("the payment that is a customer's evidence is the first that was asked for, whoever asks and however often", async () => {
  const { trial } = await published()
  const [first, second, third] = [sampleId("pay", 1), sampleId("pay", 2), sampleId("pay", 3)]
  const asked = await claimUnits(database, trial, [
    { unit: "cus_a", payment: first },
    { unit: "cus_a", payment: second },
    { unit: "cus_b", payment: third },
  ])
  assert.deepEqual(
    [...asked].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [
      ["cus_a", first],
      ["cus_b", third],
    ],
  )
  const again = await Promise.all(
    [second, third, first].map((payment) => claimUnits(database, trial, [{ unit: "cus_a", payment }])),
  )
  assert.deepEqual(
    again.map((found) => found.get("cus_a")),
    [first, first, first],
  )
})

test("a stop ends trial and share at once, tells the merchant, and takes away the ETag that was read before", async () => {
  const { merchant, policy, trial } = await published()
  const row = await stopTrial(database, merchant, trial.id, stopOf("worse"))
  assert.deepEqual([row?.candidate, row?.version], [undefined, policy.version + 1])
  assert.equal((await setCandidate(database, merchant, policy.id, policy.version, undefined, ada)).kind, "stale")
  const ended = (await findTrial(database, merchant, trial.id))?.ended
  assert.deepEqual([ended?.as, ended?.by, ended?.reason], ["stopped", undefined, { kind: "guardrail" }])
  const [line] = await listPolicyHistory(database, merchant, policy.id)
  assert.deepEqual(
    [line?.act, line?.policyVersion, line?.shareBps, line?.author, line?.note],
    ["stopped", 2, 5_000, undefined, "worse"],
  )
  assert.equal(await stopTrial(database, merchant, trial.id, stopOf("again")), undefined)
  const events = await listEvents(database, { merchant, mode: "test" }, { limit: 10 })
  assert.deepEqual(
    events.rows.map(({ type }) => type),
    ["policy.publication_stopped"],
  )
})

test("of a person and guardrails that act at the same moment one is first, and nothing is half done", async () => {
  for (let i = 0; i < 10; i++) {
    const { merchant, policy, trial } = await published()
    const [promoted, stopped] = await Promise.all([
      publishPolicy(database, merchant, policy.id, policy.version, 2, ada),
      stopTrial(database, merchant, trial.id, stopOf("worse")),
    ])
    const now = await findPolicy(database, merchant, policy.id)
    const how = (await findTrial(database, merchant, trial.id))?.ended?.as
    assert.equal(now?.candidate, undefined)
    assert.equal(now?.version, policy.version + 1)
    if (stopped === undefined) assert.deepEqual([promoted.kind, how, now?.active], ["edited", "promoted", 2])
    else assert.deepEqual([promoted.kind, how, now?.active], ["stale", "stopped", 1])
  }
  const running: readonly TrialId[] = (await listRunningTrials(database)).map(({ id }) => id)
  assert.equal(new Set(running).size, running.length)
})
