import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { money, type Currency } from "../core/money.ts"
import type { AccountId } from "../core/id.ts"
import { matches, type Candidate, type RoutingContext } from "./decide.ts"
import { checkPolicy, covers } from "./policy-check.ts"
import type { Condition, Rule } from "./policy.ts"

const account = (id: string, change: Partial<Candidate> = {}): Candidate => ({
  id: id as AccountId,
  connector: "stripe",
  state: "enabled",
  mode: "test",
  card: true,
  networkToken: false,
  networks: ["visa", "mastercard"],
  currencies: ["EUR", "USD"],
  exponents: {},
  steps: {},
  zeroAmount: true,
  externalThreeDs: true,
  merchantInitiated: true,
  partialApproval: false,
  ...change,
})
const rule = (name: string, when: Condition, ...accounts: string[]): Rule => ({
  name,
  when,
  accounts: accounts as AccountId[],
})
const codes = (rules: readonly Rule[], accounts: readonly Candidate[] = [account("acc_a")]): readonly string[] =>
  checkPolicy(rules, accounts).map(({ severity, code, at }) => `${severity} ${code} ${at}`)

test("a policy with one rule that matches everything has nothing to say against it", () => {
  assert.deepEqual(codes([rule("all", {}, "acc_a")]), [])
})

test("an account that does not exist, or is named twice, is an error at its place", () => {
  assert.deepEqual(codes([rule("all", {}, "acc_a", "acc_b", "acc_a")]), [
    "error unknown_account /rules/0/accounts/1",
    "error repeated_account /rules/0/accounts/2",
  ])
})

test("a rule behind one that matches all it would is an error", () => {
  const rules = [
    rule("euro", { currency: ["EUR", "USD"] }, "acc_a"),
    rule("small euro", { currency: ["EUR"], amount: { max: 100n } }, "acc_a"),
    rule("all", {}, "acc_a"),
    rule("visa", { network: ["visa"] }, "acc_a"),
  ]
  assert.deepEqual(codes(rules), ["error unreachable /rules/1", "error unreachable /rules/3"])
})

test("payments that no rule matches are warned of", () => {
  assert.deepEqual(codes([rule("euro", { currency: ["EUR"] }, "acc_a")]), ["warning no_default /rules"])
})

test("what is probably not meant is warned of: amounts of several currencies, accounts that cannot serve", () => {
  const accounts = [account("acc_a"), account("acc_b", { state: "draining" })]
  const rules = [
    rule("big", { amount: { min: 100n } }, "acc_a"),
    rule("yen", { currency: ["JPY"] }, "acc_a"),
    rule("amex", { network: ["amex"] }, "acc_a"),
    rule("all", {}, "acc_b"),
  ]
  assert.deepEqual(codes(rules, accounts), [
    "warning amount_without_currency /rules/0/when/amount",
    "warning never_eligible /rules/1/accounts/0",
    "warning never_eligible /rules/2/accounts/0",
    "warning account_not_enabled /rules/3/accounts/0",
  ])
})

test("a country that does not exist, an empty range and a name that is taken are errors", () => {
  const rules = [
    rule("one", { country: ["DE", "XX"] }, "acc_a"),
    rule("one", { currency: ["EUR"], amount: { min: 5n, max: 4n } }, "acc_a"),
    rule("all", {}, "acc_a"),
  ]
  assert.deepEqual(codes(rules), [
    "error unknown_country /rules/0/when/country/1",
    "error empty_range /rules/1/when/amount/max",
    "error repeated_name /rules/1/name",
  ])
})

const some = (values: readonly string[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), { nil: undefined })
const bound = fc.option(fc.bigInt({ min: 0n, max: 6n }), { nil: undefined })
const condition: fc.Arbitrary<Condition> = fc
  .record({
    currency: some(["EUR", "USD"]),
    country: some(["DE", "FR"]),
    network: some(["visa", "amex"]),
    min: bound,
    max: bound,
  })
  .map(
    ({ min, max, ...lists }) =>
      ({
        ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined)),
        amount: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
      }) as Condition,
  )
const context: fc.Arbitrary<RoutingContext> = fc
  .record({
    minor: fc.bigInt({ min: 0n, max: 7n }),
    currency: fc.constantFrom("EUR", "USD"),
    country: fc.constantFrom(undefined, "DE", "FR"),
    network: fc.constantFrom("visa" as const, "amex" as const),
  })
  .map(({ minor, currency, country, network }) => ({
    mode: "test",
    amount: money(minor, currency as Currency),
    method: "card",
    network,
    initiator: "customer",
    threeDs: "automatic",
    ...(country === undefined ? {} : { country }),
  }))

test("what a condition covers, it matches: an unreachable rule is never the first to match", () => {
  fc.assert(
    fc.property(condition, condition, context, (outer, inner, payment) => {
      if (covers(outer, inner) && matches(inner, payment)) assert.ok(matches(outer, payment))
    }),
    { numRuns: 2_000 },
  )
})
