import assert from "node:assert/strict"
import { test } from "node:test"
import { accountAt, scripted } from "../../testing/scripted.ts"
import { connectors } from "../connectors/registry.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Policy } from "../routing/policy.ts"
import { sampleId } from "../storage/ledger/sample.ts"
import { createShadows, MAX_WAITING_SHADOWS, shadowDecision, type Decided } from "./shadows.ts"

const accounts = ["acc_a", "acc_b"].map((id) => accountAt(id, connectors.adyen))
const [a, b] = accounts.map(({ id }) => id) as [(typeof accounts)[number]["id"], (typeof accounts)[number]["id"]]
const policy = sampleId("pol", 1)
const optimize = (version: number): Policy => ({
  id: policy,
  version,
  rules: [
    {
      name: "best",
      when: { all: [] },
      strategy: { kind: "optimize", accounts: [a, b], objective: { kind: "approval" } },
    },
  ],
})

/** A payment that was really decided by this policy. */
async function decided(
  inForce: Policy,
): Promise<{ readonly world: ReturnType<typeof scripted>; readonly one: Decided }> {
  const world = scripted(
    accounts,
    () => ({ body: { resultCode: "Authorised", pspReference: "P1", amount: { currency: "EUR", value: 1000 } } }),
    inForce,
  )
  const heard: Decided[] = []
  Object.assign(world.engine, { shadows: { noticed: (one: Decided) => void heard.push(one) } })
  world.pay()
  await world.pass(60_000)
  const [one] = heard
  assert.ok(one)
  return { world, one }
}

test("a shadow with the same rules comes to the same decision from the record, whatever was learned since", async () => {
  const { world, one } = await decided(optimize(1))
  for (let i = 0; i < 20; i++) {
    world.pay()
    await world.pass(60_000)
  }
  const shadow = shadowDecision(world.engine, optimize(2), one)
  const says = ({ chosen, propensities, scores, reason }: DecisionRecord) => ({ chosen, propensities, scores, reason })
  assert.deepEqual(says(shadow), says(one.record))
})

test("a shadow that asks what the live rule did not read reads it itself, and spends nothing", async () => {
  const ordered: Policy = {
    ...optimize(1),
    rules: [{ name: "first", when: { all: [] }, strategy: { kind: "ordered", accounts: [a] } }],
  }
  const { world, one } = await decided(ordered)
  assert.deepEqual(one.record.chosen, [a])
  const before = shadowDecision(world.engine, optimize(2), one)
  for (let i = 0; i < 50; i++) assert.deepEqual(shadowDecision(world.engine, optimize(2), one), before)
  assert.equal(shadowDecision(world.engine, optimize(2), one).scores?.length, 2)
})

test("what waits is bounded, what comes on top is counted as missed, and what cannot be stored is stored later", async () => {
  const { world, one } = await decided(optimize(1))
  const shadow = { id: sampleId("shd", 1), policy: optimize(2) }
  const directory = { ...world.engine.directory, shadow: () => shadow }
  const shadows = createShadows({ ...world.engine, directory })
  for (let i = 0; i < MAX_WAITING_SHADOWS + 7; i++) shadows.noticed(one)
  let rounds = 1
  while (shadows.decideSome()) rounds += 1
  assert.ok(rounds <= MAX_WAITING_SHADOWS)
  const stored: unknown[] = []
  await shadows.write(async () => false)
  shadows.noticed(one)
  shadows.decideSome()
  await shadows.write(async (_merchant, id, { rerouting, missed }) => {
    stored.push([id, rerouting.payments, missed])
    return true
  })
  await shadows.write(async () => assert.fail("nothing is left"))
  assert.deepEqual(stored, [[shadow.id, MAX_WAITING_SHADOWS + 1, 7]])
})
