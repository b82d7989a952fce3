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
import { MAX_ACCOUNTS_PER_RULE, type Condition, type Policy, type Rule } from "./policy.ts"
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
const context: fc.Arbitrary<RoutingContext> = fc
  .record({
    currency: fc.constantFrom(...codes),
    minor: fc.constantFrom(0n, 1n, 1_000n, 1_999n),
    method: fc.constantFrom("card", "network_token", "provider_token"),
    initiator: fc.constantFrom("customer", "merchant"),
    threeDs: fc.constantFrom("automatic", "external"),
    more: fc.record(
      {
        network: fc.constantFrom(...networks),
        country: fc.constantFrom("DE", "FR"),
        networkTransactionId: fc.constantFrom("488341541494658", "nonsense"),
        sourceAccount: fc.constantFrom(...ids),
        tokenAccount: fc.constantFrom(...ids),
        pinned: fc.constantFrom(...ids),
      },
      optional,
    ),
  })
  .map(({ currency, minor, more, ...rest }) => ({
    mode: "test",
    amount: money(minor, parseCurrency(currency)!),
    ...rest,
    ...more,
  }))
const when: fc.Arbitrary<Condition> = fc.record(
  {
    currency: subset(codes),
    network: subset(networks),
    country: subset(["DE", "FR"]),
    amount: fc.constantFrom({ min: 1n }, { max: 1_500n }, { min: 1n, max: 1_500n }),
  },
  optional,
)
const rule: fc.Arbitrary<Rule> = fc.record({ name: fc.string(), when, accounts: subset(ids) })
const policy: fc.Arbitrary<Policy | undefined> = fc.option(
  fc.array(rule, { maxLength: 4 }).map((rules) => ({ id: "pol_1" as PolicyId, version: 3, rules })),
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
      fc.property(policy, accounts, context, (rules, some, payment) => {
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
      rules: [{ name: "all", when: {}, accounts: [ids[0]!] }],
    }
    const { record } = decide(rules, [wide("acc_a")], plain)
    const edited = { ...rules, rules: [{ name: "all", when: {}, accounts: [ids[1]!] }] }
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
    const rules = {
      id: "pol_1" as PolicyId,
      version: 1,
      rules: [{ name: "all", when: {}, accounts: some.map((a) => a.id) }],
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

test("a policy's hash names what its rules say, in whatever order their fields were written", () => {
  const rules = (amount: Condition["amount"]): Policy => ({
    id: "pol_1" as PolicyId,
    version: 1,
    rules: [{ name: "all", when: { amount: amount ?? {}, currency: ["EUR"] }, accounts: [] }],
  })
  const other: Policy = {
    version: 2,
    id: "pol_2" as PolicyId,
    rules: [{ accounts: [], when: { currency: ["EUR"], amount: { max: 2n, min: 1n } }, name: "all" }],
  }
  assert.equal(policyHash(rules({ min: 1n, max: 2n })), policyHash(other))
  assert.notEqual(policyHash(rules({ min: 1n, max: 3n })), policyHash(other))
})
