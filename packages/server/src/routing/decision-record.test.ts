// The record of a decision: small, and enough to make the decision again.

import assert from "node:assert/strict"
import { test } from "node:test"
import { MAX_CARD_FACT_CHARS } from "../core/card-facts.ts"
import { parseCurrency } from "../core/currency.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import { money } from "../core/money.ts"
import { conclude, examine, RECORD_BYTES, type Candidate, type RoutingContext } from "./decide.ts"
import { MAX_ACCOUNTS_PER_RULE, type Policy } from "./policy.ts"
import { rounded } from "./readings.ts"
import { replay } from "./replay.ts"
import { createSignals } from "./signals/signals.ts"

const accounts = Array.from({ length: MAX_ACCOUNTS_PER_RULE }, (_, i): Candidate => ({
  id: `acc_01kdyq6n5ge4s8x0q2m9w7r${String(i).padStart(3, "0")}` as AccountId,
  connector: "checkout",
  state: "enabled",
  mode: "test",
  card: true,
  networkToken: true,
  networks: ["visa", "mastercard", "amex", "discover", "jcb", "unionpay"],
  tokenNetworks: ["visa", "mastercard"],
  currencies: Array.from({ length: 180 }, (_unused, n) => (n === 0 ? "EUR" : `X${n}`)),
  exponents: Object.fromEntries(Array.from({ length: 180 }, (_unused, n) => [`X${n}`, 2])),
  steps: {},
  zeroAmount: true,
  externalThreeDs: true,
  merchantInitiated: true,
  networkTransactionId: true,
  partialApproval: true,
}))
const context: RoutingContext = {
  mode: "test",
  amount: money(1_999n, parseCurrency("EUR")!),
  method: "card",
  network: "visa",
  country: "DE",
  cardCountry: "DE",
  funding: "credit",
  issuer: "𠮷".repeat(MAX_CARD_FACT_CHARS),
  product: "𠮷".repeat(MAX_CARD_FACT_CHARS),
  bin: "42424242",
  initiator: "customer",
  stored: "none",
  threeDs: "automatic",
  billingCountry: "DE",
  shippingCountry: "DE",
  now: 1_800_000_000_000,
  metadata: { cart: "8f1c", channel: "web" },
}
const policyOf = (count: number): Policy => ({
  id: "pol_01kdyq6n5ge4s8x0q2m9w7r000" as PolicyId,
  version: 12,
  rules: [
    {
      name: "Everything in Europe",
      when: { all: [] },
      strategy: {
        kind: "optimize",
        accounts: accounts.slice(0, count).map(({ id }) => id),
        objective: { kind: "expected_value", margin: 0.21, perSecond: 0.000_13 },
      },
    },
  ],
})

/** As the engine decides, after outcomes that leave no number round. */
function decided(count: number) {
  const policy = policyOf(count)
  const signals = createSignals({ accounts: accounts.map(({ id }) => ({ id })), paymentsPerWeek: 60_000 })
  const situation = {
    network: "visa",
    country: "DE",
    issuer: "42424242",
    method: "card",
    operation: "authorize",
    attempt: 1,
  }
  for (let i = 0; i < 2_000; i++)
    signals.observe(
      {
        ...situation,
        account: accounts[i % count]!.id,
        ending: i % 7 === i % 3 ? "not_paid" : "paid",
        latencyMs: 700 + ((i * 37) % 911),
      },
      1_000 * i,
    )
  const examined = examine(policy, accounts, context)
  const optimize = {
    objective: { kind: "expected_value", margin: 0.21, perSecond: 0.000_13 },
    budget: "everything",
    exploration: 0.015,
  } as const
  const readings = signals.read(
    {
      situation,
      payment: "pay_01kdyq6n5ge4s8x0q2m9w7r000",
      seed: 7,
      amount: 19.99,
      currency: "EUR",
      accounts: examined.eligible,
      challenged: false,
      reroutable: true,
      optimize,
      costOf: () => ({ paid: 0.013_458_2, declined: 0.001_234 }),
      rounded: true,
    },
    2_000_000,
  )
  return { policy, decision: conclude(examined, rounded(readings)) }
}

const bytesOf = (record: unknown): number =>
  Buffer.byteLength(
    JSON.stringify(record, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  )

for (const count of [1, 4, 20, MAX_ACCOUNTS_PER_RULE])
  test(`a record of ${count} accounts that were weighed stays within its limit`, () => {
    const bytes = bytesOf(decided(count).decision.record)
    const limit = RECORD_BYTES.beside + count * RECORD_BYTES.perAccount
    assert.ok(bytes <= limit, `${bytes} bytes of ${limit}`)
  })

test("a decision is made again from its stored record, to the last digit", () => {
  const { policy, decision } = decided(20)
  const stored = structuredClone(decision.record)
  assert.deepEqual(replay(stored, structuredClone(policy)), { kind: "replayed", decision })
})
