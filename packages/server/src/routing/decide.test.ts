import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { parseCurrency } from "../core/currency.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import { money } from "../core/money.ts"
import type { Condition } from "./conditions/condition.ts"
import { decide, type Candidate, type RoutingContext } from "./decide.ts"
import { policyHash } from "./policy-hash.ts"
import type { Policy, Rule } from "./policy.ts"

const eur = parseCurrency("EUR")!
const a = "acc_a" as AccountId
const b = "acc_b" as AccountId

const account = (id: AccountId, more: Partial<Candidate> = {}): Candidate => ({
  id,
  connector: "lab",
  state: "enabled",
  mode: "test",
  card: true,
  networkToken: true,
  networks: ["visa"],
  currencies: "all",
  exponents: {},
  steps: {},
  zeroAmount: true,
  externalThreeDs: true,
  merchantInitiated: true,
  partialApproval: true,
  ...more,
})
const payment = (more: Partial<RoutingContext> = {}): RoutingContext => ({
  mode: "test",
  amount: money(1_000n, eur),
  method: "card",
  network: "visa",
  initiator: "customer",
  threeDs: "automatic",
  ...more,
})
const everything: Condition = { all: [] }
const dollars: Condition = { field: "currency", op: "equals", value: "USD" }
const policy = (...rules: Policy["rules"]): Policy => ({ id: "pol_1" as PolicyId, version: 7, rules })

/** The reason for which the only account is left out. */
const reason = (candidate: Partial<Candidate>, context: Partial<RoutingContext> = {}): string | undefined =>
  decide(undefined, [account(a, candidate)], payment(context)).record.excluded[0]?.reason

describe("a decision", () => {
  test("without a policy takes the accounts in their own order", () => {
    assert.deepEqual(decide(undefined, [account(b), account(a)], payment()).candidates, [b, a])
  })

  test("is the first rule that matches, and says which", () => {
    const rules = policy(
      { name: "dollars", when: dollars, strategy: { kind: "ordered", accounts: [a] } },
      {
        name: "large",
        when: { field: "amount", op: "ge", value: 500 },
        strategy: { kind: "ordered", accounts: [b, a] },
      },
      { name: "all", when: everything, strategy: { kind: "ordered", accounts: [a] } },
    )
    const { candidates, record } = decide(rules, [account(a), account(b)], payment())
    assert.deepEqual(candidates, [b, a])
    assert.deepEqual(record.rule, { index: 1, name: "large" })
    assert.deepEqual(record.policy, { id: "pol_1", version: 7, hash: policyHash(rules) })
  })

  test("has no candidates where no rule matches, and none is invented", () => {
    const rules = policy({ name: "dollars", when: dollars, strategy: { kind: "ordered", accounts: [a] } })
    assert.deepEqual(decide(rules, [account(a)], payment()).candidates, [])
  })

  test("names an account once, however often a rule does", () => {
    assert.deepEqual(
      decide(
        policy({ name: "all", when: everything, strategy: { kind: "ordered", accounts: [a, b, a] } }),
        [account(a), account(b)],
        payment(),
      ).candidates,
      [a, b],
    )
  })

  test("of a pinned payment asks no rule", () => {
    const { candidates, record } = decide(
      policy({ name: "all", when: everything, strategy: { kind: "ordered", accounts: [a] } }),
      [account(a), account(b)],
      payment({ pinned: b }),
    )
    assert.deepEqual(candidates, [b])
    assert.equal(record.rule, undefined)
  })

  test("is the same for the same inputs", () => {
    const rules = policy({ name: "all", when: everything, strategy: { kind: "ordered", accounts: [a, b] } })
    assert.deepEqual(
      decide(rules, [account(a), account(b)], payment()),
      decide(rules, [account(a), account(b)], payment()),
    )
  })
})

describe("an account is left out, with its reason, when", () => {
  const cases: readonly (readonly [string, string, Partial<Candidate>, Partial<RoutingContext>?])[] = [
    ["it is disabled", "disabled", { state: "disabled" }],
    ["it is draining", "draining", { state: "draining" }],
    ["it is of the other mode", "other_mode", { mode: "live" }],
    ["it takes no cards", "method", { card: false }],
    ["it takes no network tokens", "method", { networkToken: false }, { method: "network_token" }],
    ["it does not take the network", "network", { networks: ["mastercard"] }],
    ["it does not take the currency", "currency", { currencies: ["USD"] }],
    [
      "it counts the currency more coarsely than the amount",
      "inexact_amount",
      { exponents: { EUR: 0 } },
      { amount: money(1_050n, eur) },
    ],
    [
      "its smallest step does not divide the amount",
      "inexact_amount",
      { steps: { EUR: 10 } },
      { amount: money(1_005n, eur) },
    ],
    ["it cannot verify a card without charging it", "zero_amount", { zeroAmount: false }, { amount: money(0n, eur) }],
    [
      "it takes no 3DS results from elsewhere",
      "external_three_ds",
      { externalThreeDs: false },
      { threeDs: "external" },
    ],
    [
      "it takes no merchant-initiated payments",
      "merchant_initiated",
      { merchantInitiated: false },
      { initiator: "merchant", networkTransactionId: "488341541494658" },
    ],
    [
      "nothing links a merchant-initiated payment to its first one",
      "mit_source",
      {},
      { initiator: "merchant", sourceAccount: b },
    ],
    [
      "it may not send the network's id of a first payment that was made elsewhere",
      "network_transaction_id",
      { networkTransactionId: false },
      {
        initiator: "merchant",
        networkTransactionId: "488341541494658",
        sourceAccount: b,
      },
    ],
    [
      "the id is none of the card's network",
      "invalid_network_transaction_id",
      {},
      { initiator: "merchant", networkTransactionId: "MCC1234560112" },
    ],
    [
      "it takes cards of the network, but none of its tokens",
      "network",
      { networks: ["visa", "amex"], tokenNetworks: ["visa"] },
      { method: "network_token", network: "amex" },
    ],
    ["another provider issued the token", "foreign_token", {}, { method: "provider_token", tokenAccount: b }],
    ["the token was requested elsewhere", "requestor_token", {}, { method: "network_token", tokenAccount: b }],
  ]
  for (const [name, expected, candidate, context] of cases)
    test(name, () => assert.equal(reason(candidate, context), expected))

  test("it does not exist", () => {
    assert.equal(
      decide(
        policy({ name: "all", when: everything, strategy: { kind: "ordered", accounts: [b] } }),
        [account(a)],
        payment(),
      ).record.excluded[0]?.reason,
      "unknown_account",
    )
  })

  test("and not otherwise: a step that divides, a source that fits, a token of its own", () => {
    assert.equal(reason({ steps: { EUR: 10 } }, { amount: money(1_010n, eur) }), undefined)
    assert.equal(reason({}, { initiator: "merchant", sourceAccount: a }), undefined)
    assert.equal(reason({}, { initiator: "merchant", networkTransactionId: "488341541494658" }), undefined)
    const unable = { networkTransactionId: false }
    const linked = { initiator: "merchant", networkTransactionId: "488341541494658" } as const
    assert.equal(reason(unable, { ...linked, sourceAccount: a }), undefined, "it made the first payment itself")
    assert.equal(
      reason(unable, { ...linked, method: "provider_token", tokenAccount: a }),
      undefined,
      "by its own token",
    )
    const token = { method: "provider_token", tokenAccount: a } as const
    assert.equal(reason({}, { initiator: "merchant", ...token }), undefined, "its own token says which was the first")
    assert.equal(reason(unable, { networkTransactionId: "488341541494658" }), undefined, "the customer is there")
    assert.equal(reason({}, { ...linked, networkTransactionId: "488341541494658" }), undefined)
    assert.equal(reason({ tokenNetworks: [] }, {}), undefined, "a card is no token")
    assert.equal(reason({ card: false }, { method: "provider_token", tokenAccount: a }), undefined)
  })
})

describe("a rule", () => {
  const rule = (more: Partial<Rule>): Policy =>
    policy({ name: "all", when: everything, strategy: { kind: "ordered", accounts: [a, b] }, ...more })
  const both = [account(a), account(b)]

  test("that declines looks at no account, and says why", () => {
    const declines = rule({ name: "too much", strategy: { kind: "decline", reason: "above the limit" } })
    const { candidates, record } = decide(declines, both, payment())
    assert.deepEqual([candidates, record.excluded, record.inputs.accounts], [[], [], []])
    assert.deepEqual(record.rule, { index: 0, name: "too much" })
    assert.deepEqual(record.declined, { reason: "above the limit" })
    assert.deepEqual(decide(declines, both, payment({ pinned: b })).candidates, [b], "a pinned payment asks no rule")
  })

  test("that requires 3-D Secure asks for it where the payment leaves it open and a customer is there", () => {
    const asks = rule({ requireThreeDs: true })
    const of = (more: Partial<RoutingContext>) => decide(asks, both, payment(more)).record.threeDs
    assert.equal(of({}), "required")
    for (const threeDs of ["none", "external", "required"] as const) assert.equal(of({ threeDs }), "left")
    assert.equal(of({ initiator: "merchant", sourceAccount: a }), "left")
    assert.equal(decide(rule({}), both, payment()).record.threeDs, undefined)
  })

  test("never goes where the policy says never, and neither does a pinned payment", () => {
    const never = [{ account: a, when: { field: "card.network", op: "equals", value: "visa" } }] as const
    const { candidates, record } = decide({ ...rule({}), never }, both, payment())
    assert.deepEqual(candidates, [b])
    assert.deepEqual(record.excluded, [{ account: a, reason: "never_route" }])
    assert.deepEqual(decide({ ...rule({}), never }, both, payment({ pinned: a })).candidates, [])
    const { network: _network, ...unknown } = payment()
    assert.deepEqual(decide({ ...rule({}), never }, both, unknown).candidates, [a, b], "unknown is no match")
  })

  test("gives its words on retries and silence to the decision", () => {
    const retry = { maxRetries: 0, steps: [] }
    const { onUnknown, retry: given } = decide(rule({ onUnknown: "wait", retry }), both, payment())
    assert.deepEqual([onUnknown, given], ["wait", retry])
  })

  test("stands in the record with the share of payments that its version has", () => {
    const share = { of: "candidate", bps: 500 } as const
    assert.deepEqual(decide({ ...rule({}), share }, both, payment()).record.policy?.share, share)
  })
})
