import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { AccountId } from "../core/id.ts"
import { condition, context } from "../../testing/conditions.ts"
import { compileFirst } from "./conditions/compile.ts"
import type { Condition } from "./conditions/condition.ts"
import { readCondition } from "./conditions/json.ts"
import { canHold } from "./conditions/search.ts"
import { truthOf } from "./conditions/truth.ts"
import type { Candidate } from "./decide.ts"
import { checkPolicy } from "./policy-check.ts"
import type { PolicyDocument, Rule } from "./policy.ts"
import { plainRetryPlan, type RetryPlan, type RetryStep } from "./retry-plan.ts"

const when = (text: string): Condition => {
  const read = readCondition(text)
  assert.equal(read.kind, "condition", JSON.stringify(read))
  return (read as { readonly condition: Condition }).condition
}
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
const rule = (name: string, text: string, ...accounts: readonly string[]): Rule => ({
  name,
  when: when(text),
  strategy: { kind: "ordered", accounts: accounts.length === 0 ? ["acc_a"] : accounts },
})
const found = (
  rules: readonly Rule[],
  more: Partial<PolicyDocument> = {},
  accounts: readonly Candidate[] = [account("acc_a"), account("acc_b")],
): readonly string[] =>
  checkPolicy({ rules, ...more }, accounts).map(({ severity, code, at }) => `${severity} ${code} ${at}`)

test("a policy with one rule that matches everything has nothing to say against it", () => {
  assert.deepEqual(found([rule("all", "true")]), [])
})

describe("a rule is never reached", () => {
  test("behind one that matches all it would", () => {
    const rules = [
      rule("euro", 'currency in ["EUR", "USD"]'),
      rule("small euro", 'currency == "EUR" && amount <= 100'),
      rule("all", "true"),
      rule("visa", 'card.network == "visa"'),
    ]
    assert.deepEqual(found(rules), [
      "error unreachable /rules/1",
      "warning always_true /rules/2/when",
      "error unreachable /rules/3",
    ])
  })

  test("behind several that together match all it would, which are named", () => {
    const rules = [
      rule("small", 'currency == "EUR" && amount < 5000'),
      rule("visa", 'currency == "EUR" && card.network == "visa"'),
      rule("large", 'currency == "EUR" && amount >= 5000'),
      rule("mastercard", 'currency == "EUR" && card.network == "mastercard"'),
      rule("all", "true"),
    ]
    const [first] = checkPolicy({ rules }, [account("acc_a")]).filter(({ code }) => code === "unreachable")
    assert.equal(first?.at, "/rules/3")
    assert.match(first.detail, /"small" and "large" together/)
  })

  test("behind a fact and its absence", () => {
    const rules = [rule("known", "has(card.country)"), rule("not", "!has(card.country)"), rule("all", "true")]
    assert.deepEqual(found(rules), ["error unreachable /rules/2"])
  })

  test("but not where a payment lacks the fact: unknown is no match", () => {
    const rules = [
      rule("German", 'card.country == "DE"'),
      rule("other", 'card.country != "DE"'),
      rule("unknown country", "true"),
    ]
    assert.deepEqual(found(rules), [])
  })
})

test("a condition that contradicts itself is an error, and so is an alternative that does", () => {
  const rules = [
    rule("never", 'currency == "EUR" && currency == "USD"'),
    rule("between", 'currency == "EUR" && amount > 5 && amount < 6'),
    rule("prefix", 'card.bin.startsWith("411111") && card.bin < "411111"'),
    rule("half", '(card.network == "visa" && !has(card.network)) || card.network == "mastercard"'),
    rule("unknown", 'card.country == "DE" && !has(card.country)'),
    rule("all", "true"),
  ]
  assert.deepEqual(found(rules), [
    "error never_true /rules/0/when",
    "error never_true /rules/1/when",
    "error never_true /rules/2/when",
    "error never_true /rules/3/when/any/0",
    "error never_true /rules/4/when",
  ])
})

test("rules of the same facts that share payments and treat them differently are warned of", () => {
  const rules = [
    rule("small", 'currency == "EUR" && amount < 5000', "acc_a"),
    rule("from ten", 'currency == "EUR" && amount >= 1000', "acc_b"),
    rule("all", "true", "acc_b"),
  ]
  assert.deepEqual(found(rules), ["warning overlap /rules/1"])
  const same = [
    rule("small", 'currency == "EUR" && amount < 5000'),
    ...rules.slice(1).map((one) => ({ ...one, strategy: rules[0]!.strategy })),
  ]
  assert.deepEqual(found(same), [])
})

test("an exception before its rule is what order is for, also where it asks of other facts", () => {
  const rules = [
    rule("gifts", 'metadata.kind == "gift"', "acc_b"),
    rule("visa", 'card.network == "visa"', "acc_a"),
    rule("euro", 'currency == "EUR"', "acc_b"),
    rule("exception of all", 'currency == "USD" && card.network == "mastercard"', "acc_a"),
    rule("all", "true", "acc_b"),
  ]
  assert.deepEqual(found(rules), [])
})

test("payments that no rule matches are warned of, unless the rules leave none", () => {
  assert.deepEqual(found([rule("euro", 'currency == "EUR"')]), ["warning no_default /rules"])
  const halves = [rule("customer", 'initiator.by == "customer"'), rule("merchant", 'initiator.by == "merchant"')]
  assert.deepEqual(found(halves), [])
})

describe("accounts", () => {
  test("that do not exist, or are named twice, are errors at their places", () => {
    assert.deepEqual(found([rule("all", "true", "acc_a", "acc_c", "acc_a")]), [
      "error unknown_account /rules/0/strategy/accounts/1",
      "error repeated_account /rules/0/strategy/accounts/2",
    ])
    const asked = "accounts.acc_c.success_rate > 0.5 || accounts.acc_a.cap_left > 5.0"
    assert.deepEqual(found([rule("live", asked), rule("all", "true")]), [
      "error unknown_account /rules/0/when/any/0",
      "warning no_cap /rules/0/when/any/1",
    ])
  })

  test("that cannot serve are warned of, and a rule that none can serve is an error", () => {
    const accounts = [
      account("acc_a"),
      account("acc_b", { state: "draining", currencies: "all", networks: ["amex"], merchantInitiated: false }),
    ]
    const rules = [
      rule("yen", 'currency == "JPY" && card.network == "amex"', "acc_a", "acc_b"),
      rule("amex", 'card.network == "amex"', "acc_a"),
      rule("merchant", 'initiator.by == "merchant"', "acc_b", "acc_a"),
      rule("all", "true", "acc_a"),
    ]
    assert.deepEqual(
      found(rules, {}, accounts).filter((one) => !one.includes("overlap")),
      [
        "warning never_eligible /rules/0/strategy/accounts/0",
        "warning account_not_enabled /rules/0/strategy/accounts/1",
        "warning never_eligible /rules/1/strategy/accounts/0",
        "error no_account /rules/1/strategy",
        "warning account_not_enabled /rules/2/strategy/accounts/0",
        "warning never_eligible /rules/2/strategy/accounts/0",
      ],
    )
  })

  test("that are never to be tried must leave some for every rule", () => {
    const never = [{ account: "acc_a" as AccountId, when: when('currency == "USD"') }]
    const rules = [rule("dollars", 'currency == "USD"', "acc_a"), rule("all", "true", "acc_a")]
    assert.deepEqual(found(rules, { never }), ["error no_account /rules/0/strategy"])
    const other = [rule("dollars", 'currency == "USD"', "acc_a", "acc_b"), rule("all", "true", "acc_a")]
    assert.deepEqual(found(other, { never }), [])
    const nobody = [{ account: "acc_b" as AccountId, when: when("true") }]
    assert.deepEqual(found([rule("all", "true")], { never: nobody }), ["warning never_without_rule /never/0/account"])
  })
})

test("commitments that cannot be met together are errors", () => {
  const commitments = [
    { account: "acc_a" as AccountId, minShare: 0.7, maxShare: 0.6 },
    { account: "acc_b" as AccountId, minShare: 0.4, minVolume: 5, maxVolume: 4 },
  ]
  const optimize: Rule = {
    name: "all",
    when: when("true"),
    strategy: { kind: "optimize", accounts: ["acc_a"], objective: { kind: "approval" } },
  }
  assert.deepEqual(found([optimize], { commitments }), [
    "error commitment_conflict /commitments/0/max_share",
    "warning commitment_without_rule /commitments/1/account",
    "error commitment_conflict /commitments/1/max_volume",
    "error commitment_conflict /commitments",
    "warning shares_leave_a_rest /commitments",
  ])
})

test("commitments that no strategy follows are warned of, and largest shares that leave payments for nobody", () => {
  const split: Rule = {
    name: "split",
    when: when('currency == "EUR"'),
    strategy: { kind: "split", shares: [{ account: "acc_b", share: 1 }] },
  }
  const rules = [split, rule("all", "true", "acc_a")]
  const commitments = [
    { account: "acc_a" as AccountId, minShare: 0.2, maxShare: 0.5, maxVolume: 100 },
    { account: "acc_b" as AccountId, minVolume: 5, maxShare: 0.5 },
  ]
  assert.deepEqual(found(rules, { commitments }), [
    "warning commitment_without_effect /commitments/0/min_share",
    "warning commitment_without_effect /commitments/0/max_share",
    "warning commitment_without_effect /commitments/1/max_share",
    "warning commitment_without_effect /commitments/1/min_volume",
  ])
  const optimize: Rule = {
    ...split,
    strategy: { kind: "optimize", accounts: ["acc_a", "acc_b"], objective: { kind: "approval" } },
  }
  assert.deepEqual(found([optimize, rule("all", "true")], { commitments }), [])
  const [less, ...rest] = commitments
  assert.deepEqual(found([optimize, rule("all", "true")], { commitments: [{ ...less!, maxShare: 0.4 }, ...rest] }), [
    "warning shares_leave_a_rest /commitments",
  ])
  assert.deepEqual(found([optimize, rule("all", "true")], { commitments: rest }), [])
})

test("what a retry plan says and never comes to pass is warned of", () => {
  const [step] = plainRetryPlan.steps
  const retrying = (retry: RetryPlan): readonly string[] => found([{ ...rule("all", "true"), retry }])
  const planned = (more: Partial<RetryStep>): RetryPlan => ({
    maxRetries: 2,
    steps: [{ ...step!, name: "mine", times: 1, ...more }],
  })
  const at = "warning retry_without_effect /rules/0/retry"
  assert.deepEqual(retrying(planned({ delaySeconds: [5] })), [])
  assert.deepEqual(retrying(planned({ delaySeconds: [5, 6] })), [`${at}/steps/0/delay_seconds/1`])
  assert.deepEqual(retrying(planned({ delaySeconds: [86_400], initiator: "customer" })), [
    `${at}/steps/0/delay_seconds/0`,
  ])
  assert.deepEqual(retrying(planned({ delaySeconds: [86_400], initiator: "merchant" })), [])
  assert.deepEqual(retrying({ ...planned({}), maxRetries: 0 }), [`${at}/max_retries`])
  assert.deepEqual(retrying({ maxRetries: 2, steps: [] }), [`${at}/steps`])
  assert.deepEqual(retrying({ maxRetries: 0, steps: [] }), [])
})

test("a rule without any account that is enabled is warned of, and a unit that counts nothing", () => {
  const off = [account("acc_a", { state: "disabled" }), account("acc_b", { state: "draining" })]
  assert.deepEqual(found([rule("all", "true", "acc_a", "acc_b")], {}, off), [
    "warning no_enabled_account /rules/0/strategy",
    "warning account_not_enabled /rules/0/strategy/accounts/0",
    "warning account_not_enabled /rules/0/strategy/accounts/1",
  ])
  const commitments = [{ account: "acc_a" as AccountId, unit: "amount" as const }]
  assert.deepEqual(found([rule("all", "true")], { commitments }), [
    "warning commitment_without_effect /commitments/0/unit",
  ])
})

test("what is probably not meant is warned of: amounts of several currencies, 3-D Secure that is not asked for, names twice", () => {
  const rules: readonly Rule[] = [
    rule("big", "amount >= 100"),
    {
      ...rule("big", 'currency == "EUR" && (amount < 5 || amount == 0) && initiator.by == "merchant"'),
      requireThreeDs: true,
    },
    rule("nothing", "amount == 0"),
    { name: "all", when: when("true"), strategy: { kind: "split", shares: [{ account: "acc_a", share: 0 }] } },
  ]
  assert.deepEqual(found(rules), [
    "warning amount_without_currency /rules/0/when",
    "error repeated_name /rules/1/name",
    "warning three_ds_without_effect /rules/1/require_three_ds",
    "error zero_shares /rules/3/strategy/shares",
  ])
})

describe("what the search says of all payments", () => {
  const budget = () => ({ left: 200_000 })

  test("holds for every payment: what cannot be true never is, what cannot be otherwise always is", () => {
    fc.assert(
      fc.property(condition, fc.array(context, { maxLength: 20 }), (tree, payments) => {
        const never = canHold({ isTrue: tree }, budget()) === false
        const always = canHold({ not: { isTrue: tree } }, budget()) === false
        for (const payment of payments) {
          const truth = truthOf(tree, payment) === true
          assert.ok(!(never && truth) && !(always && !truth))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test("finds what is there: a condition that a payment meets can be met", () => {
    fc.assert(
      fc.property(condition, context, (tree, payment) => {
        if (truthOf(tree, payment) === true) assert.notEqual(canHold({ isTrue: tree }, budget()), false)
      }),
      { numRuns: 2_000 },
    )
  })

  test("a rule that is said to be never reached is never the first to match", () => {
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 5 }), fc.array(context, { maxLength: 20 }), (trees, payments) => {
        const rules = trees.map((one, index): Rule => ({ ...rule(String(index), "true"), when: one }))
        const dead = checkPolicy({ rules }, [account("acc_a")]).flatMap((one) =>
          one.code === "unreachable" || one.code === "never_true" ? [one.at] : [],
        )
        const first = compileFirst(trees)
        for (const payment of payments) {
          const index = first(payment)
          assert.ok(!dead.includes(`/rules/${index}`) && !dead.includes(`/rules/${index}/when`))
        }
      }),
      { numRuns: 500 },
    )
  })
})

test("a thousand rules are checked within the limit, and what goes beyond it is said, not guessed", () => {
  const pairs = (count: number, make: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => rule(`rule ${index}`, make(index)))
  const currencies = ["EUR", "USD"]
  const thousand = pairs(
    1_000,
    (i) => `currency == "${currencies[i % 2]}" && card.bin6 == "${400_000 + i}" && card.network == "visa"`,
  )
  assert.deepEqual(found([...thousand, rule("all", "true")]), [])
  const hard = pairs(
    300,
    (i) => `metadata.a${i % 20} != "x${i}" || metadata.b${i % 19} == "y" || card.bin < "${500_000 + i}"`,
  )
  assert.ok(found([...hard, rule("all", "true")]).includes("warning not_checked /rules"))
})

test("long lists cost no more than the limit says", () => {
  const list = (rule: number): string => Array.from({ length: 500 }, (_, i) => `"${rule}x${i}"`).join(", ")
  const rules = Array.from({ length: 40 }, (_, i) => rule(`rule ${i}`, `metadata.sku in [${list(i)}]`))
  const began = performance.now()
  checkPolicy({ rules }, [account("acc_a")])
  // A sixth of a second; a whole one before lists were sets.
  assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`)
})
