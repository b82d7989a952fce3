import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { parseCurrency } from "../core/currency.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import { money } from "../core/money.ts"
import {
  decide,
  MAX_UNRULED_ACCOUNTS,
  ROUTER_VERSION,
  type Candidate,
  type DecisionRecord,
  type RoutingContext,
} from "./decide.ts"
import { policyHash } from "./policy-hash.ts"
import { condition, context } from "../../testing/conditions.ts"
import type { Condition } from "./conditions/condition.ts"
import { MAX_ACCOUNTS_PER_RULE, type Policy, type Rule } from "./policy.ts"
import { replay } from "./replay.ts"

const codes = ["EUR", "JPY", "KWD"] as const
const networks = ["visa", "mastercard", "amex"] as const
const ids = ["acc_a", "acc_b", "acc_c", "acc_d"] as AccountId[]

const subset = <T>(of: readonly T[]) => fc.subarray([...of])
const optional = { noNullPrototype: true, requiredKeys: [] }
const candidateOf = (id: AccountId): fc.Arbitrary<Candidate> =>
  fc.record(
    {
      id: fc.constant(id),
      connector: fc.constantFrom("stripe", "adyen"),
      state: fc.constantFrom("enabled", "enabled", "draining", "disabled"),
      mode: fc.constantFrom("test", "test", "live"),
      card: fc.boolean(),
      networkToken: fc.boolean(),
      networks: subset(networks),
      tokenNetworks: subset(networks),
      currencies: fc.oneof(fc.constant("all" as const), subset(codes)),
      exponents: fc.dictionary(fc.constantFrom(...codes), fc.constantFrom(0, 2, 3), { noNullPrototype: true }),
      steps: fc.dictionary(fc.constantFrom(...codes), fc.constantFrom(1, 10), { noNullPrototype: true }),
      zeroAmount: fc.boolean(),
      externalThreeDs: fc.boolean(),
      merchantInitiated: fc.boolean(),
      networkTransactionId: fc.boolean(),
      partialApproval: fc.boolean(),
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        "id",
        "connector",
        "state",
        "mode",
        "card",
        "networkToken",
        "networks",
        "currencies",
        "exponents",
        "steps",
        "zeroAmount",
        "externalThreeDs",
        "merchantInitiated",
        "partialApproval",
      ],
    },
  )
const accounts = fc
  .tuple(...ids.slice(0, 3).map((id) => fc.option(candidateOf(id), { nil: undefined })))
  .map((some) => some.filter((one) => one !== undefined))
const routed: fc.Arbitrary<RoutingContext> = fc
  .tuple(
    context,
    fc.record(
      {
        networkTransactionId: fc.constantFrom("488341541494658", "nonsense"),
        sourceAccount: fc.constantFrom(...ids),
        tokenAccount: fc.constantFrom(...ids),
        pinned: fc.constantFrom(...ids),
      },
      optional,
    ),
  )
  .map(([one, more]) => ({ ...one, ...more }))
const when: fc.Arbitrary<Condition> = fc.oneof(condition, fc.constant({ all: [] }))
const strategy: fc.Arbitrary<Rule["strategy"]> = fc.oneof(
  subset(ids).map((accounts) => ({ kind: "ordered" as const, accounts })),
  fc.constant({ kind: "decline" as const, reason: "no" }),
)
const rule: fc.Arbitrary<Rule> = fc
  .record({ name: fc.string(), when, strategy, asks: fc.boolean() })
  .map(({ asks, ...rest }) => (asks ? { ...rest, requireThreeDs: true } : rest))
const never = fc.array(fc.record({ account: fc.constantFrom(...ids), when }), { maxLength: 2 })
const share = fc.constantFrom({ of: "active" as const, bps: 9_500 }, { of: "candidate" as const, bps: 500 })
const policy: fc.Arbitrary<Policy | undefined> = fc.option(
  fc
    .record({ rules: fc.array(rule, { maxLength: 4 }), more: fc.record({ never, share }, optional) })
    .map(({ rules, more }) => ({ id: "pol_1" as PolicyId, version: 3, rules, ...more })),
  { nil: undefined },
)

const eur = parseCurrency("EUR")!
const plain: RoutingContext = {
  mode: "test",
  amount: money(1_000n, eur),
  method: "card",
  network: "visa",
  initiator: "customer",
  threeDs: "automatic",
}
const wide = (id: string): Candidate => ({
  id: id as AccountId,
  connector: "checkout",
  state: "enabled",
  mode: "test",
  card: true,
  networkToken: true,
  networks: [...networks, "discover", "jcb", "unionpay"],
  tokenNetworks: [...networks, "discover", "jcb", "unionpay"],
  currencies: Array.from({ length: 180 }, (_, i) => (i === 0 ? "EUR" : `X${i}`)),
  exponents: Object.fromEntries(Array.from({ length: 180 }, (_, i) => [`X${i}`, 2])),
  steps: {},
  zeroAmount: true,
  externalThreeDs: true,
  merchantInitiated: true,
  partialApproval: true,
})

describe("a stored decision", () => {
  test("is made again from its record alone and the version of its policy, whatever the accounts are now", () => {
    fc.assert(
      fc.property(policy, accounts, routed, (rules, some, payment) => {
        const made = decide(rules, some, payment)
        const stored: DecisionRecord = structuredClone(made.record)
        assert.deepEqual(replay(stored, structuredClone(rules)), { kind: "replayed", decision: made })
      }),
      { numRuns: 1_000 },
    )
  })

  test("is not made again by other rules, by another router, or without its inputs", () => {
    const rules: Policy = {
      id: "pol_1" as PolicyId,
      version: 1,
      rules: [{ name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts: [ids[0]!] } }],
    }
    const { record } = decide(rules, [wide("acc_a")], plain)
    const edited: Policy = {
      ...rules,
      rules: [{ name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts: [ids[1]!] } }],
    }
    const why = (of: DecisionRecord, by: Policy | undefined): string => {
      const replayed = replay(of, by)
      return replayed.kind === "impossible" ? replayed.why : replayed.kind
    }
    assert.equal(why(record, rules), "replayed")
    assert.equal(why(record, edited), "other_policy")
    assert.equal(why(record, undefined), "other_policy")
    assert.equal(why({ ...record, router: ROUTER_VERSION + 1 }, rules), "other_router")
    const { inputs: _inputs, ...old } = record
    assert.equal(why(old as DecisionRecord, rules), "no_inputs")
  })

  test("holds little, however much its accounts can do", () => {
    const some = Array.from({ length: MAX_ACCOUNTS_PER_RULE }, (_, i) => wide(`acc_${i}`))
    const rules: Policy = {
      id: "pol_1" as PolicyId,
      version: 1,
      rules: [{ name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts: some.map((a) => a.id) } }],
    }
    const { inputs } = decide(rules, some, plain).record
    assert.equal(inputs.accounts.length, MAX_ACCOUNTS_PER_RULE)
    const each = JSON.stringify(inputs.accounts).length / MAX_ACCOUNTS_PER_RULE
    assert.ok(each < 500, `${each} characters for an account`)
  })

  test(`looks at ${MAX_UNRULED_ACCOUNTS} accounts where no policy names any, at those that take payments first`, () => {
    const off = Array.from({ length: 100 }, (_, i) => ({ ...wide(`acc_off${i}`), state: "disabled" as const }))
    const { candidates, record } = decide(undefined, [...off, wide("acc_on")], plain)
    assert.deepEqual(candidates, ["acc_on"])
    assert.equal(record.inputs.accounts.length, MAX_UNRULED_ACCOUNTS)
    assert.deepEqual(replay(record, undefined).kind === "replayed" && candidates, ["acc_on"])
  })
})

test("a policy's hash names what it says, in whatever order its fields were written", () => {
  const document = (value: number): Policy => ({
    id: "pol_1" as PolicyId,
    version: 1,
    rules: [
      {
        name: "all",
        when: { field: "amount", op: "ge", value },
        strategy: { kind: "ordered", accounts: ["acc_a"] },
      },
    ],
  })
  const other: Policy = {
    version: 2,
    id: "pol_2" as PolicyId,
    rules: [
      {
        strategy: { accounts: ["acc_a"], kind: "ordered" },
        when: { value: 5, op: "ge", field: "amount" },
        name: "all",
      },
    ],
  }
  assert.equal(policyHash(document(5)), policyHash(other))
  assert.notEqual(policyHash(document(6)), policyHash(other))
  assert.notEqual(policyHash({ ...other, never: [{ account: ids[0]!, when: { all: [] } }] }), policyHash(other))
})
