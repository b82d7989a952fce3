import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { parseCurrency } from "../core/currency.ts"
import { declineCategories } from "../core/decline.ts"
import type { PolicyId } from "../core/id.ts"
import { connectors } from "../connectors/registry.ts"
import { accountAt, scripted, type Reply, type Scripted } from "../../testing/scripted.ts"
import { carried, correction, negated } from "./correction.ts"
import { amountBand, factsOf, type Facts } from "./facts-of.ts"
import { reachesIssuer } from "./failure.ts"
import { facts as columns, MAX_TEXT, type Fact, type FactName } from "./facts.ts"
import { bucketOf } from "./histogram/histogram.ts"

const authorised: Reply = { body: { pspReference: "PSP", resultCode: "Authorised" } }
const refused = (code: string): Reply => ({
  body: { pspReference: "PSP", resultCode: "Refused", refusalReasonCode: code, refusalReason: "no" },
})
const unavailable = refused("9")

/** A payment that two accounts are asked for, in this order. */
async function paid(first: Reply, second: Reply = authorised, ms = 60_000) {
  const world = scripted([accountAt("first"), accountAt("second")], ({ account }) =>
    account === "first" ? first : second,
  )
  const { id } = world.pay()
  await world.pass(ms)
  return { world, payment: world.stored(id), calls: transcriptsOf(world) }
}
const transcriptsOf = (world: Scripted) =>
  world.ledger.contents.transcripts().map(({ operation, durationMs }) => ({ operation, durationMs }))

describe("the facts of a payment", () => {
  test("of one attempt that was approved", async () => {
    const { payment, calls } = await paid(authorised)
    const { attempts, payment: whole } = factsOf(payment, {
      calls,
      apiVersion: () => connectors.adyen.manifest.api.version,
    })
    const [attempt] = attempts
    assert.ok(attempt !== undefined && attempts.length === 1)
    const { dimensions, measures, times } = attempt
    assert.deepEqual(
      [dimensions.provider, dimensions.account, dimensions.network, dimensions.bin, dimensions.currency],
      ["adyen", "first", "visa", "411111", "EUR"],
    )
    assert.equal(dimensions.api_version, connectors.adyen.manifest.api.version)
    assert.deepEqual([dimensions.outcome, dimensions.fault, dimensions.reason], ["approved", undefined, undefined])
    assert.deepEqual(
      [measures.settled, measures.approved, measures.at_issuer, measures.first_approved, measures.failed],
      [1n, 1n, 1n, 1n, 0n],
    )
    assert.deepEqual([measures.amount, measures.approved_amount, measures.failed_amount], [1_000n, 1_000n, 0n])
    assert.equal(times.authorize_time, bucketOf(calls[0]!.durationMs))
    assert.equal(times.settle_time, undefined)
    assert.deepEqual([whole.measures.settled, whole.measures.first_approved, whole.measures.fell_back], [1n, 1n, 0n])
    assert.equal(whole.dimensions.status, "authorized")
    assert.ok(whole.times.authorization_time !== undefined)
  })

  test("tell a fallback that recovered, and whose failure the first attempt was", async () => {
    const { payment } = await paid(unavailable)
    const { attempts, payment: whole } = factsOf(payment)
    assert.deepEqual(
      attempts.map(({ dimensions: d }) => [d.account, d.ordinal, d.fault, d.category]),
      [
        ["first", 1, "issuer", "issuer_technical"],
        ["second", 2, undefined, undefined],
      ],
    )
    assert.deepEqual(
      [whole.measures.recovered, whole.measures.fell_back, whole.measures.first_approved, whole.dimensions.attempts],
      [1n, 1n, 0n, 2],
    )
    assert.deepEqual([whole.dimensions.first_provider, whole.dimensions.account], ["adyen", "second"])
  })

  test("count what never left as technical and at no issuer", async () => {
    const { payment } = await paid("refused")
    const [first] = factsOf(payment).attempts
    assert.deepEqual(
      [first?.dimensions.outcome, first?.dimensions.fault, first?.measures.technical, first?.measures.at_issuer],
      ["not_sent", "provider", 1n, 0n],
    )
  })

  test("leave what is unknown undecided, and say later that the verdict came late", async () => {
    const { world, payment } = await paid("silence", authorised, 1_000)
    assert.equal(factsOf(payment).attempts[0]?.measures.undecided, 1n)
    assert.equal(factsOf(payment).payment.measures.settled, 0n)
    await world.pass(30 * 86_400_000, 3_600_000)
    const after = factsOf(world.stored(payment.id))
    const [attempt] = after.attempts
    assert.ok(attempt !== undefined)
    if (attempt.measures.settled === 1n) assert.equal(attempt.measures.verdict_late, 1n)
    else assert.equal(after.payment.measures.was_unknown, 1n)
  })

  test("say which rule of which policy decided, and how likely, as far as the decision's record tells", async () => {
    const policy = {
      id: "pol_1" as PolicyId,
      version: 7,
      rules: [{ name: "everything", when: { all: [] }, strategy: { kind: "ordered", accounts: ["first"] } }],
    } as const
    const world = scripted([accountAt("first")], () => authorised, policy)
    const { id } = world.pay()
    await world.pass(60_000)
    const payment = world.stored(id)
    const { dimensions } = factsOf(payment).attempts[0]!
    assert.deepEqual([dimensions.policy, dimensions.policy_version, dimensions.rule], ["pol_1", 7, "everything"])
    assert.deepEqual([dimensions.decision, dimensions.propensity], ["ordered", 1_000_000])
    const [attempt] = payment.attempts
    const decision = { reason: "explore", propensities: { first: 0.0125 } }
    const learned = factsOf({ ...payment, attempts: [{ ...attempt!, decision }] }).attempts[0]!
    assert.deepEqual([learned.dimensions.decision, learned.dimensions.propensity], ["explore", 12_500])
    assert.deepEqual([learned.measures.routed, learned.measures.explored], [1n, 1n])
  })

  test("have every column, and nothing but columns", async () => {
    const { payment } = await paid(unavailable)
    const { attempts, payment: whole } = factsOf(payment)
    for (const fact of [...attempts, whole]) {
      const table = columns[fact.fact]
      assert.deepEqual(Object.keys(fact.dimensions).toSorted(), Object.keys(table.dimensions).toSorted())
      assert.deepEqual(Object.keys(fact.measures).toSorted(), Object.keys(table.measures).toSorted())
      assert.deepEqual(Object.keys(fact.times).toSorted(), Object.keys(table.times).toSorted())
      for (const value of Object.values<string | number | undefined>(fact.dimensions))
        assert.ok(typeof value !== "string" || value.length <= MAX_TEXT)
    }
  })

  test("never hold a full card number, name or address", async () => {
    const world = scripted([accountAt("first")], () => authorised)
    const { id } = world.pay({
      billing: { name: "Ada Lovelace", address: { line1: "12 St James Square", country: "GB" } },
    })
    await world.pass(60_000)
    const text = JSON.stringify(factsOf(world.stored(id)), (_k, v: unknown) => (typeof v === "bigint" ? String(v) : v))
    for (const secret of ["Ada", "Square", "1111111"]) assert.ok(!text.includes(secret), secret)
    assert.ok(text.includes('"customer_country":"GB"'))
  })

  test("say of every category whether an issuer was asked", () => {
    assert.deepEqual(Object.keys(reachesIssuer).toSorted(), Object.keys(declineCategories).toSorted())
  })
})

describe("an amount's band", () => {
  test("is the power of two of the major unit, whatever the currency", () => {
    const band = (minor: bigint, code: string): string => amountBand({ minor, currency: parseCurrency(code)! })
    assert.deepEqual(
      [
        band(0n, "EUR"),
        band(99n, "EUR"),
        band(100n, "EUR"),
        band(3_300n, "EUR"),
        band(33n, "JPY"),
        band(33_000n, "KWD"),
      ],
      ["0", "0.5", "1", "32", "32", "32"],
    )
  })
})

describe("corrections", () => {
  const replies = fc.constantFrom<Reply>(authorised, unavailable, refused("2"), refused("12"), "silence", "refused")

  test("make the sums of all rows those of the facts as they are, at any moment", async () => {
    await fc.assert(
      fc.asyncProperty(replies, replies, async (first, second) => {
        const world = scripted([accountAt("first"), accountAt("second")], ({ account }) =>
          account === "first" ? first : second,
        )
        const { id } = world.pay()
        const rows: Fact<FactName>[] = []
        let before: Facts | undefined
        for (const ms of [50, 200, 30_000, 3_600_000, 40 * 86_400_000]) {
          await world.pass(ms, 3_600_000)
          const known = world.ledger.contents.payments().find((payment) => payment.id === id)
          if (known === undefined) continue
          const after = factsOf(known)
          rows.push(...correction(before, after))
          before = after
          assert.deepEqual(sums(rows), sums([...after.attempts, after.payment]))
          assert.deepEqual(correction(after, factsOf(known)), [])
        }
        assert.ok(before !== undefined)
      }),
      { numRuns: 25 },
    )
  })

  test("carry along what can no longer be derived", async () => {
    const { payment, calls } = await paid(unavailable)
    const before = factsOf(payment, { calls, apiVersion: () => "1" })
    assert.ok(before.attempts.every(({ times }) => times.provider_time !== undefined))
    const later = factsOf(payment, { apiVersion: () => "2" })
    assert.notDeepEqual(later, before)
    assert.deepEqual(carried(before, later), before)
    assert.deepEqual(carried(undefined, later), later)
  })

  test("take back every measure of the row that they replace", async () => {
    const { payment } = await paid(authorised)
    const [fact] = factsOf(payment).attempts
    assert.ok(fact !== undefined)
    assert.deepEqual(sums([fact, negated(fact)]), {})
    assert.deepEqual(negated(negated(fact)), fact)
  })
})

/** Per fact, dimensions and column; zero sums left out. */
function sums(rows: readonly Fact<FactName>[]): Record<string, string> {
  const totals = new Map<string, bigint>()
  for (const row of rows) {
    const group = `${row.fact} ${JSON.stringify(row.dimensions)}`
    const add = (column: string, value: bigint): void => {
      totals.set(`${group} ${column}`, (totals.get(`${group} ${column}`) ?? 0n) + value)
    }
    for (const [name, value] of Object.entries<bigint>(row.measures)) add(name, value)
    for (const [name, bucket] of Object.entries<number | undefined>(row.times))
      if (bucket !== undefined) add(`${name} ${bucket}`, BigInt(row.sign))
  }
  return Object.fromEntries(
    [...totals].filter(([, value]) => value !== 0n).map(([name, value]) => [name, String(value)]),
  )
}
