import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { MerchantId } from "../../core/id.ts"
import type { Database } from "../database.ts"
import { sampleId } from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { createMerchant } from "./merchants.ts"
import {
  addPolicyVersion,
  createPolicy,
  findPolicy,
  findPolicyVersion,
  listPolicies,
  listPoliciesInForce,
  listPolicyVersions,
  type PolicyRow,
} from "./policies.ts"
import { publishPolicy, setCandidate } from "./policy-publication.ts"

let database: Database
let merchant: MerchantId
before(async () => {
  database = (await freshDatabase()).open()
})
after(() => database.close())

async function newPolicy(of?: MerchantId, mode: "live" | "test" = "test"): Promise<PolicyRow> {
  merchant = of ?? sampleId("mer", Date.now())
  if (of === undefined) await createMerchant(database, { id: merchant, name: "m", settings: {} })
  return createPolicy(database, { id: sampleId("pol", Date.now()), merchant, mode, name: "main" })
}
const addVersion = (policy: PolicyRow, document: unknown) =>
  addPolicyVersion(database, { policy: policy.id, merchant: policy.merchant, document, author: "ada", note: "why" })

test("versions are numbered in order and keep their documents exactly", async () => {
  const policy = await newPolicy()
  const documents = [{ rules: [{ amount: 10n ** 20n }] }, { rules: [] }]
  for (const document of documents) await addVersion(policy, document)
  assert.deepEqual((await findPolicyVersion(database, merchant, policy.id, 1))?.document, documents[0])
  assert.deepEqual(
    (await listPolicyVersions(database, merchant, policy.id)).map((v) => [v.version, v.author, v.publishedAt]),
    [
      [2, "ada", undefined],
      [1, "ada", undefined],
    ],
  )
  assert.equal(await addVersion({ ...policy, id: sampleId("pol", 0) }, {}), undefined)
})

test("ten authors who save at once get ten numbers", async () => {
  const policy = await newPolicy()
  const saved = await Promise.all(Array.from({ length: 10 }, (_, i) => addVersion(policy, { i })))
  assert.deepEqual(
    saved.map((v) => v?.version).toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: 10 }, (_, i) => i + 1),
  )
})

test("publishing puts a version in force, and an older one again is a roll-back", async () => {
  const policy = await newPolicy()
  await addVersion(policy, { v: 1 })
  await addVersion(policy, { v: 2 })
  assert.deepEqual(await listPoliciesInForce(database, merchant), [])
  const second = await publishPolicy(database, merchant, policy.id, 1, 2)
  assert.ok(second.kind === "edited" && second.row.active === 2 && second.row.version === 2)
  const first = await publishPolicy(database, merchant, policy.id, 2, 1)
  assert.ok(first.kind === "edited")
  const [inForce, ...others] = await listPoliciesInForce(database, merchant)
  assert.deepEqual(others, [])
  assert.deepEqual(inForce?.policy, first.row)
  assert.deepEqual(inForce?.active.document, { v: 1 })
  assert.equal(inForce?.candidate, undefined)
  assert.ok((await findPolicyVersion(database, merchant, policy.id, 2))?.publishedAt)
})

test("a publication on an old view, or of a version that does not exist, changes nothing", async () => {
  const policy = await newPolicy()
  await addVersion(policy, {})
  await publishPolicy(database, merchant, policy.id, 1, 1)
  const now = await findPolicy(database, merchant, policy.id)
  assert.deepEqual(await publishPolicy(database, merchant, policy.id, 1, 1), { kind: "stale", row: now })
  assert.deepEqual(await publishPolicy(database, merchant, policy.id, 2, 9), { kind: "missing" })
  assert.deepEqual(await findPolicy(database, merchant, policy.id), now)
})

test("one policy per merchant and mode is in force; another mode keeps its own", async () => {
  const one = await newPolicy()
  const [two, live] = [await newPolicy(merchant), await newPolicy(merchant, "live")]
  for (const policy of [one, two, live]) {
    await addVersion(policy, { of: policy.id })
    assert.equal((await publishPolicy(database, merchant, policy.id, 1, 1)).kind, "edited")
  }
  const inForce = await listPoliciesInForce(database, merchant)
  assert.deepEqual(inForce.map(({ policy }) => policy.id).toSorted(), [two.id, live.id].toSorted())
  const retired = await findPolicy(database, merchant, one.id)
  assert.equal(retired?.active, undefined)
  assert.equal(retired?.version, 3)
  assert.equal((await listPolicies(database, merchant)).length, 3)
})

test("two policies published at once: both may be told yes, but one is in force", async () => {
  const one = await newPolicy()
  const two = await newPolicy(merchant)
  for (const policy of [one, two]) await addVersion(policy, {})
  const results = await Promise.all([one, two].map((policy) => publishPolicy(database, merchant, policy.id, 1, 1)))
  assert.ok(results.some((r) => r.kind === "edited"))
  assert.equal((await listPoliciesInForce(database, merchant)).length, 1)
})

test("a candidate takes part of the traffic until it is published or taken back", async () => {
  const policy = await newPolicy()
  await addVersion(policy, { v: 1 })
  await addVersion(policy, { v: 2 })
  const trial = { id: sampleId("trl", Date.now()), experiment: {}, tally: {} }
  const candidate = { version: 2, bps: 500, trial }
  assert.equal(
    (await setCandidate(database, merchant, policy.id, 1, candidate)).kind,
    "stale",
    "nothing is in force yet",
  )
  await publishPolicy(database, merchant, policy.id, 1, 1)
  assert.equal((await setCandidate(database, merchant, policy.id, 2, { version: 7, bps: 1, trial })).kind, "missing")
  const set = await setCandidate(database, merchant, policy.id, 2, candidate)
  assert.ok(set.kind === "edited")
  assert.deepEqual(set.row.candidate, { version: 2, bps: 500 })
  assert.deepEqual((await listPoliciesInForce(database, merchant))[0]?.candidate?.document, { v: 2 })
  const ended = await setCandidate(database, merchant, policy.id, 3, undefined)
  assert.ok(ended.kind === "edited" && ended.row.candidate === undefined)
})
