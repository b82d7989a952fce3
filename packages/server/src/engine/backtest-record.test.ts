import assert from "node:assert/strict"
import { test } from "node:test"
import { accountAt, scripted } from "../../testing/scripted.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import type { Condition } from "../routing/conditions/condition.ts"
import type { Policy, Rule } from "../routing/policy.ts"
import { candidateOf } from "./attempt.ts"
import { draftDecider, recordOf } from "./backtest-record.ts"

const accounts = [accountAt("acc_a"), accountAt("acc_b")]
const ids = accounts.map(({ id }) => id)
const all: Rule = { name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts: ids } }
const policy = (...rules: readonly Rule[]): Policy => ({ id: "pol_0" as PolicyId, version: 1, rules })
const to = (account: AccountId, when: Condition): Rule => ({
  ...all,
  when,
  strategy: { kind: "ordered", accounts: [account] },
})

/** What a draft says of a payment that was decided by its order. */
async function ask(draft: Policy) {
  const town = scripted(accounts, () => "refused", policy(all))
  const { id } = town.pay({ metadata: { shop: "berlin" } })
  await town.pass(1_000)
  const record = recordOf(town.stored(id), town.engine.directory.account)
  assert.ok(!("none" in record))
  return draftDecider(draft, accounts.map(candidateOf))(record.context, record.candidates)
}

test("a draft may ask for metadata that nobody asked for then", async () => {
  const draft = policy(to(ids[1]!, { field: "metadata.shop", op: "equals", value: "berlin" }), all)
  assert.deepEqual(await ask(draft), { kind: "decided", rule: "all", propensities: { acc_b: 1 } })
})

test("a draft that needs what was not read then is not asked, instead of guessed", async () => {
  const optimize: Rule = { ...all, strategy: { kind: "optimize", accounts: ids, objective: { kind: "approval" } } }
  assert.deepEqual(await ask(policy(optimize)), { kind: "impossible", why: "no_worth" })
  const healthy = to(ids[1]!, { field: "accounts.acc_a.state", op: "equals", value: "ejected" })
  assert.deepEqual(await ask(policy(healthy, all)), { kind: "impossible", why: "no_live_readings" })
})
