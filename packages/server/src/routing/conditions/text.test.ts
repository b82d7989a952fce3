import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { celEnv, isCelError, parse, plan } from "@bufbuild/cel"
import fc from "fast-check"
import type { RoutingContext } from "../routing-context.ts"
import { rfc3339 } from "../../core/instant.ts"
import { comparison, condition, context, someAccounts } from "../../../testing/conditions.ts"
import { type Condition, MAX_DEPTH, MAX_NODES, MAX_TEXT_CHARS, normal } from "./condition.ts"
import { readCondition } from "./json.ts"
import { parseCondition, printCondition } from "./text.ts"
import { truthOf, type Truth } from "./truth.ts"

const parsed = (text: string): Condition => {
  const read = parseCondition(text)
  assert.equal(read.kind, "condition", read.kind === "refused" ? `${text}\n${JSON.stringify(read.problem)}` : "")
  return (read as { readonly condition: Condition }).condition
}
const refusal = (text: string): string => {
  const read = parseCondition(text)
  assert.equal(read.kind, "refused", text)
  const { line, column, detail } = (read as { readonly problem: { line: number; column: number; detail: string } })
    .problem
  return `${line}:${column} ${detail}`
}

describe("text and tree are one", () => {
  test("parse(print(x)) is the normal form of x, and of a normal form itself", () => {
    fc.assert(
      fc.property(condition, (tree) => {
        assert.deepEqual(parsed(printCondition(tree)), normal(tree))
        assert.deepEqual(normal(normal(tree)), normal(tree))
      }),
      { numRuns: 2_000 },
    )
  })

  test("JSON reads back as it was written, and says the same as before in normal form", () => {
    fc.assert(
      fc.property(condition, context, (tree, payment) => {
        const json: unknown = JSON.parse(JSON.stringify(tree))
        assert.deepEqual(readCondition(json), { kind: "condition", condition: normal(tree) })
        assert.deepEqual(readCondition(printCondition(tree)), { kind: "condition", condition: normal(tree) })
        assert.equal(truthOf(normal(tree), payment), truthOf(tree, payment))
      }),
      { numRuns: 2_000 },
    )
  })

  test("brackets are kept: what was grouped stays grouped", () => {
    const eur = { field: "currency", op: "equals", value: "EUR" } as const
    const big = { field: "amount", op: "ge", value: 5_000 } as const
    const visa = { field: "card.network", op: "in", value: ["visa"] } as const
    const texts: Readonly<Record<string, Condition>> = {
      'currency == "EUR" && amount >= 5000 && card.network in ["visa"]': { all: [eur, big, visa] },
      '(currency == "EUR" && amount >= 5000) && card.network in ["visa"]': { all: [{ all: [eur, big] }, visa] },
      '(currency == "EUR" && amount >= 5000) || card.network in ["visa"]': { any: [{ all: [eur, big] }, visa] },
      '!(currency == "EUR")': { not: eur },
      "!has(card.network)": { not: { field: "card.network", op: "exists" } },
      true: { all: [] },
    }
    for (const [text, tree] of Object.entries(texts)) {
      assert.deepEqual(parsed(text), tree)
      assert.equal(printCondition(tree), text)
    }
  })

  test("what may be written in several ways has one form", () => {
    assert.equal(printCondition(parsed("metadata['tier']=='gold'")), 'metadata.tier == "gold"')
    assert.equal(printCondition(parsed("'tier' in metadata")), "has(metadata.tier)")
    assert.equal(
      printCondition(parsed('has(metadata.tier) && "a b" in metadata')),
      'has(metadata.tier) && "a b" in metadata',
    )
    assert.equal(printCondition(parsed("((amount<5))")), "amount < 5")
    assert.equal(printCondition(parsed("accounts.acc_a.success_rate < 1")), "accounts.acc_a.success_rate < 1.0")
    assert.equal(printCondition(parsed('currency in ["EUR",]')), 'currency in ["EUR"]')
  })
})

// Payments as CEL sees them. Groups of facts are always there, single facts only where the payment has them.
const env = celEnv()
const timestamp = (ms: number): unknown => plan(env, parse(`timestamp("${rfc3339(ms)}")`))()
const celInput = (payment: RoutingContext): Record<string, unknown> => {
  const known = (fields: Record<string, unknown>): Map<string, unknown> =>
    new Map(Object.entries(fields).filter(([, value]) => value !== undefined))
  const { bin } = payment
  return {
    amount: payment.amount.minor,
    currency: payment.amount.currency,
    method: known({ type: payment.method }),
    card: known({
      network: payment.network,
      funding: payment.funding,
      country: payment.cardCountry,
      issuer: payment.issuer,
      product: payment.product,
      bin,
      bin6: bin?.slice(0, 6),
      bin8: bin?.length === 8 ? bin : undefined,
    }),
    initiator: known({ by: payment.initiator, stored: payment.stored, purpose: payment.purpose }),
    three_ds: known({ mode: payment.threeDs }),
    billing: known({ country: payment.billingCountry }),
    shipping: known({ country: payment.shippingCountry }),
    payer: known({ country: payment.country }),
    metadata: known({ ...payment.metadata }),
    now: timestamp(payment.now!),
    accounts: new Map(
      someAccounts.map((account) => {
        const reading = payment.live?.[account]
        return [
          account,
          known({
            success_rate: reading?.successRate,
            technical_failure_rate: reading?.technicalFailureRate,
            latency_ms: reading?.latencyMs,
            state: reading?.state,
            cap_left: reading?.capLeft,
          }),
        ]
      }),
    ),
  }
}
const celTruth = (text: string, payment: RoutingContext): Truth => {
  const result: unknown = plan(env, parse(text))(celInput(payment) as never)
  if (isCelError(result)) return undefined
  assert.equal(typeof result, "boolean", text)
  return result as boolean
}

test("CEL itself says the same of every condition and every payment, absent facts included", () => {
  fc.assert(
    fc.property(fc.oneof(comparison, condition), context, (tree, payment) => {
      const text = printCondition(tree)
      assert.equal(truthOf(tree, payment), celTruth(text, payment), text)
    }),
    { numRuns: 5_000 },
  )
})

describe("a text that a tree cannot hold is refused at its place:", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["a misspelt field", 'curency == "EUR"', "1:1 no field is called curency: did you mean currency?"],
    [
      "a part that is not there",
      'card.netwrok == "visa"',
      "1:1 no field is called card.netwrok: did you mean card.network?",
    ],
    ["a misspelt word", 'card.network == "viza"', '1:17 "viza" is none of visa, mastercard, amex'],
    ["another type", 'amount > "5"', '1:10 "5" is no whole number (a value of amount)'],
    ["a fraction of a minor unit", "amount > 19.99", "1:10 amount is a whole number, in digits alone"],
    ["a word without its quotes", "currency == EUR", '1:13 a value of currency stands in quotes: "EUR"'],
    ["and as a word", 'amount > 5 and currency == "EUR"', "1:12 `and` is written `&&`"],
    ["or as a word", "(amount > 5 or amount < 3)", "1:13 `or` is written `||`"],
    ["not as a word", "not amount > 5", "1:1 `not` is written `!`, with what it negates in parentheses"],
    ["a time of no place", "now.getHours() > 5", "1:14 name the time zone whose clock is meant"],
    [
      "an account by its provider",
      'accounts.stripe.state == "healthy"',
      "1:1 no field is called accounts.stripe.state: accounts are named by their ids",
    ],
    ["an operator that a field does not take", 'currency < "EUR"', "1:10 currency takes ==, !=, in, and not <"],
    ["a prefix of an enum", 'currency.startsWith("E")', "1:9 currency takes ==, !=, in, and not .startsWith()"],
    ["has() of what every payment has", "has(amount)", "1:5 every payment has amount: there is nothing to ask"],
    ["the value on the left", "100 < amount", "1:1 the field stands on the left: amount >= 1999"],
    ["arithmetic", "amount + 1 > 5", "1:8 there is no arithmetic here, and no field has negative values"],
    ["a conditional", "amount > 5 ? true : true", "1:12 there is no `? :` here: write `&&`, `||` and `!`"],
    [
      "a comment",
      "amount > 5 // large",
      "1:12 comments cannot be kept: say it in the rule's name or in the version's note",
    ],
    ["a regular expression", 'metadata.a.matches("x")', "1:1 no field is called metadata.a.matches"],
    ["one = for two", 'currency = "EUR"', "1:10 `==` compares"],
    ["! that negates a field alone", '!currency == "EUR"', "1:2 put what is negated into parentheses: !(…)"],
    ["a comparison of a comparison", "amount < 5 < 6", "1:12 expected `&&` or `||`, or the end, and found `<`"],
    ["a text without an end", 'currency == "EUR', "1:13 the text has no end: its closing quote is missing"],
    ["a bracket that stays open", "(amount > 5", "1:12 expected `)`, and found the end"],
    ["nothing", "", "1:1 expected a field, and found the end"],
    ["false", "false", "1:1 `false` is no condition here; `true` matches everything"],
    ["an empty list", "currency in []", "1:14 an empty list matches nothing"],
    ["a value twice", 'currency in ["EUR", "EUR"]', '1:21 "EUR" stands in this list before'],
    [
      "a place that keeps no time",
      'now.getHours("Berlin") > 8',
      '1:14 "Berlin" is no time zone of the IANA database, such as "Europe/Berlin" or "UTC"',
    ],
    [
      "a BIN of nine digits",
      'card.bin.startsWith("411111223")',
      '1:21 "411111223" is none: it has 6 to 8 digits (a value of card.bin)',
    ],
    ["an unsigned number", "amount > 5u", "1:10 is no number: write digits, as in 1999 or 0.95"],
    ["a raw text", 'metadata.a == r"x"', "1:15 texts stand in plain quotes, without a letter before them"],
  ]
  for (const [name, text, expected] of cases)
    test(name, () => assert.ok(refusal(text).startsWith(expected), `${refusal(text)}\n${expected}`))

  test("a code that people take for a country's is known, and the beginning of a number that is too short is a range", () => {
    assert.match(refusal('payer.country == "UK"'), /did you mean "GB"\?/)
    const range = 'card.bin >= "410000" && card.bin < "420000"'
    assert.ok(refusal('card.bin.startsWith("41")').endsWith(`; write a range: ${range}`))
    assert.equal(printCondition(parsed(range)), range)
  })

  test("the second line is counted as such", () => {
    assert.match(refusal('currency == "EUR" &&\n  amont > 5'), /^2:3 no field is called amont: did you mean amount\?/)
  })

  test("what is too long, too deep or too much", () => {
    assert.match(refusal(" ".repeat(MAX_TEXT_CHARS + 1)), /longer than/)
    assert.match(refusal("!".repeat(MAX_DEPTH + 2) + "has(card.bin)"), /nested deeper/)
    assert.match(refusal("(".repeat(MAX_DEPTH + 2)), /nested deeper/)
    assert.match(refusal(Array.from({ length: MAX_NODES + 1 }, () => "amount > 5").join(" && ")), /longer than/)
    const alternating = (depth: number): string =>
      depth === 0 ? "amount > 5" : `amount > 5 || amount > 6 && (${alternating(depth - 1)})`
    assert.match(refusal(alternating(MAX_DEPTH - 1)), /nested deeper/)
  })

  test("any other text that CEL reads is read as CEL reads it, or refused", () => {
    const words = [
      "amount",
      "currency",
      "card.bin",
      "has",
      "metadata",
      "in",
      "true",
      "5",
      "5.0",
      '"EUR"',
      "'a'",
      "&&",
      "||",
      "!",
      "(",
      ")",
      "[",
      "]",
      ",",
      ".",
      "==",
      "<",
      "startsWith",
      "-",
      "?",
      ":",
      "//",
      "\n",
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), context, (some, payment) => {
        const text = some.join(" ")
        const read = parseCondition(text)
        if (read.kind === "condition") assert.equal(truthOf(read.condition, payment), celTruth(text, payment), text)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe("a tree of JSON is refused at its place:", () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["a group with more than its members", { all: [], any: [] }, " has `all` and `any`: put one into the other"],
    [
      "a misspelt field deep inside",
      { all: [{ not: { field: "amont", op: "gt", value: 5 } }] },
      "/all/0/not/field no field is called amont: did you mean amount?",
    ],
    ["an operator that is none", { field: "amount", op: "matches", value: 5 }, "/op is none of equals"],
    ["a value for exists", { field: "card.bin", op: "exists", value: true }, "/value has no place here"],
    [
      "a word that the field does not have",
      { field: "currency", op: "in", value: ["EUR", "EUX"] },
      "/value/1 is none of the",
    ],
    ["a value twice", { field: "currency", op: "in", value: ["EUR", "EUR"] }, "/value/1 stands in this list before"],
    ["no condition at all", 5, " is no condition"],
    ["an object that says nothing", {}, " is no condition: a text, or an object with all"],
  ]
  for (const [name, json, expected] of cases)
    test(name, () => {
      const read = readCondition(json)
      assert.equal(read.kind, "broken")
      const [problem] = read.kind === "broken" ? read.problems : []
      assert.ok(`${problem?.at} ${problem?.detail}`.startsWith(expected), JSON.stringify(problem))
    })
})
