// What every store of facts must do, as one suite. The facts are of real payments where that matters elsewhere; here they are
// made by hand, so that every sum can be said beforehand.

import assert from "node:assert/strict"
import { test } from "node:test"
import type { PaymentId } from "../../core/id.ts"
import { correction } from "../../insight/correction.ts"
import { facts as columns, type Fact, type FactName } from "../../insight/facts.ts"
import type { Facts } from "../../insight/facts-of.ts"
import { sampleId } from "../ledger/sample.ts"
import { MAX_GROUPS, type FactQuery } from "../../insight/fact-query.ts"
import type { FactStore } from "./fact-store.ts"

export type StoreUnderTest = {
  readonly store: FactStore
  /** What another process finds that opens it after this one was closed. */
  reopen(): Promise<FactStore>
  close(): Promise<void>
}

/** A whole day and minute. */
const T = 1_800_057_600_000
const M = T / 60_000
const at = (event: string) => ({ transaction: "17", event })

export function factStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  const it = (behaviour: string, body: (store: FactStore, under: StoreUnderTest) => Promise<void>): void =>
    void test(`${name}: ${behaviour}`, async () => {
      const under = await create()
      try {
        await body(under.store, under)
      } finally {
        await under.close()
      }
    })

  it("begins without a cursor and without facts", async (store) => {
    assert.equal(await store.cursor(), undefined)
    assert.deepEqual([...(await store.current([sampleId("pay", T)]))], [])
    assert.deepEqual(await groups(store), [])
  })

  it("gives facts back as they were given, whatever is in them", async (store) => {
    const awkward = sample(T, {
      dimensions: {
        raw_code: `Zoë 🙂 ' " \\ ; drop -- \n`,
        network_code: "",
        issuer: undefined,
        policy_version: 2 ** 53 - 1,
      },
      measures: { amount: 999_999_999_999n, fee: 2n ** 62n },
      times: { provider_time: 0, settle_time: 1_090 },
    })
    const wide = { ...awkward.payment, measures: { ...awkward.payment.measures, fee_squared: 10n ** 30n } }
    const given: Facts = { ...awkward, payment: wide }
    await store.append([...given.attempts, given.payment], at("a"))
    assert.deepEqual([...(await store.current([idOf(given)]))], [[idOf(given), given]])
  })

  it("keeps rows and cursor over a reopening", async (store, under) => {
    const one = sample(T)
    await store.append([...one.attempts, one.payment], at("b"))
    const again = await under.reopen()
    assert.deepEqual(await again.cursor(), at("b"))
    assert.deepEqual([...(await again.current([idOf(one)])).values()], [one])
  })

  it("moves the cursor without rows, and adds rows without moving it", async (store) => {
    await store.append([], at("c"))
    await store.append([sample(T).payment], undefined)
    assert.deepEqual(await store.cursor(), at("c"))
    assert.equal((await groups(store, { fact: "payment", sums: ["payments"] }))[0]?.sums["payments"], 1n)
  })

  it("writes all of a batch or nothing of it, and no cursor with it", async (store) => {
    await store.append([sample(T).payment], at("d"))
    const broken = { ...sample(T).payment, measures: {} } as unknown as Fact<"payment">
    await assert.rejects(store.append([sample(T).payment, broken], at("e")))
    assert.deepEqual(await store.cursor(), at("d"))
    assert.equal((await groups(store, { fact: "payment", sums: ["payments"] }))[0]?.sums["payments"], 1n)
    await store.append([sample(T).payment], at("f"))
    assert.equal((await groups(store, { fact: "payment", sums: ["payments"] }))[0]?.sums["payments"], 2n)
  })

  it("holds after a correction what is so now, in sums, buckets and groups", async (store) => {
    const before = sample(T, { measures: { undecided: 1n, settled: 0n, approved: 0n }, times: { provider_time: 7 } })
    const after = sample(T, {
      of: before,
      dimensions: { provider: "stripe", outcome: "approved" },
      measures: { undecided: 0n, settled: 1n, approved: 1n },
      times: { provider_time: 9 },
    })
    await store.append(correction(undefined, before), at("a"))
    await store.append(correction(before, after), at("b"))
    assert.deepEqual([...(await store.current([idOf(before)])).values()], [after])
    const found = await groups(store, {
      sums: ["approved", "undecided"],
      times: ["provider_time"],
      groupBy: ["provider"],
    })
    assert.deepEqual(found, [
      { step: M, key: ["stripe"], sums: { approved: 1n, undecided: 0n }, times: { provider_time: [[9, 1]] } },
    ])
  })

  it("takes the later of two rows of a fact for the current one, also of the same version", async (store) => {
    const before = sample(T, { dimensions: { api_version: undefined } })
    const after = sample(T, { of: before, dimensions: { api_version: "2" } })
    await store.append(correction(undefined, before), at("a"))
    await store.append(correction(before, after), at("b"))
    assert.deepEqual([...(await store.current([idOf(before)])).values()], [after])
  })

  it("groups by dimensions, of which the unknown is one value, and by steps of time", async (store) => {
    const rows = [
      sample(T, { dimensions: { provider: "adyen", ordinal: 2 } }),
      sample(T + 59_999, { dimensions: { provider: "adyen", ordinal: 2 } }),
      sample(T + 60_000, { dimensions: { provider: "adyen", ordinal: 2 } }),
      sample(T + 61 * 60_000, { dimensions: { provider: undefined, ordinal: 10 } }),
    ]
    await store.append(
      rows.flatMap(({ attempts }) => attempts),
      at("a"),
    )
    const found = async (more: Partial<FactQuery>) =>
      (await groups(store, { sums: ["attempts"], ...more })).map(({ step, key, sums }) => [
        step - M,
        ...key,
        Number(sums["attempts"]),
      ])
    assert.deepEqual(await found({ groupBy: ["provider", "ordinal"] }), [
      [0, "adyen", 2, 3],
      [0, null, 10, 1],
    ])
    assert.deepEqual(await found({ step: 1 }), [
      [0, 2],
      [1, 1],
      [61, 1],
    ])
    assert.deepEqual(await found({ step: 60, groupBy: ["provider"] }), [
      [0, "adyen", 3],
      [60, null, 1],
    ])
    assert.deepEqual(await found({ from: M + 1, to: M + 61 }), [[1, 1]])
  })

  it("filters by what is among values, unknown or not", async (store) => {
    const networks = ["visa", "visa", "mastercard", undefined, `'; drop`]
    await store.append(
      networks.flatMap((network) => sample(T, { dimensions: { network, ordinal: 1 } }).attempts),
      at("a"),
    )
    const count = async (...filter: FactQuery["filter"]): Promise<number> =>
      Number((await groups(store, { sums: ["attempts"], filter }))[0]?.sums["attempts"] ?? 0n)
    assert.equal(await count({ dimension: "network", among: ["visa"] }), 2)
    assert.equal(await count({ dimension: "network", among: ["visa", null] }), 3)
    assert.equal(await count({ dimension: "network", among: ["visa"], not: true }), 3)
    assert.equal(await count({ dimension: "network", among: [null], not: true }), 4)
    assert.equal(await count({ dimension: "network", among: [`'; drop`] }), 1)
    assert.equal(await count({ dimension: "network", among: [] }), 0)
    assert.equal(await count({ dimension: "ordinal", among: [1] }, { dimension: "network", among: ["mastercard"] }), 1)
  })

  it("sums up exactly beyond 2^63", async (store) => {
    const much = 2n ** 62n
    const rows = [1, 2, 3].flatMap(() => sample(T, { measures: { amount: much } }).attempts)
    await store.append(rows, at("a"))
    assert.equal((await groups(store, { sums: ["amount"] }))[0]?.sums["amount"], 3n * much)
  })

  it("counts the hours in which something was", async (store) => {
    const failed = (minutes: number, n: bigint) =>
      sample(T + minutes * 60_000, { measures: { failed: n }, dimensions: { provider: "adyen" } }).attempts
    await store.append([...failed(0, 1n), ...failed(30, 1n), ...failed(60, 0n), ...failed(121, 1n)], at("a"))
    const asked = { sums: ["failed"], hoursOf: "failed" }
    assert.deepEqual(
      (await groups(store, asked)).map(({ hours }) => hours),
      [2],
    )
    assert.deepEqual(
      (await groups(store, { ...asked, groupBy: ["provider"], step: 60 })).map(({ hours }) => hours),
      [1, 0, 1],
    )
  })

  it("says so instead of answering with some of the groups", async (store) => {
    const rows = Array.from(
      { length: MAX_GROUPS + 1 },
      (_, i) => sample(T, { dimensions: { bin: String(i) } }).attempts[0]!,
    )
    for (let i = 0; i < rows.length; i += 1_000) await store.append(rows.slice(i, i + 1_000), at("a"))
    assert.deepEqual(await store.sums(query({ sums: ["attempts"], groupBy: ["bin"] })), { kind: "too_many" })
    const fewer = query({
      sums: ["attempts"],
      groupBy: ["bin"],
      filter: [{ dimension: "bin", among: ["0"], not: true }],
    })
    assert.equal((await store.sums(fewer)).kind, "groups")
  })

  it("forgets everything when told so", async (store) => {
    const one = sample(T)
    await store.append([...one.attempts, one.payment], at("a"))
    await store.clear()
    assert.equal(await store.cursor(), undefined)
    assert.deepEqual(await groups(store), [])
    await store.append([...one.attempts, one.payment], at("b"))
    assert.deepEqual([...(await store.current([idOf(one)])).values()], [one])
  })
}

const query = (more: Partial<FactQuery>): FactQuery => ({
  fact: "attempt",
  sums: [],
  times: [],
  groupBy: [],
  filter: [],
  from: M,
  to: M + 1_440,
  ...more,
})

async function groups(store: FactStore, more: Partial<FactQuery> = {}) {
  const answer = await store.sums(query(more))
  assert.equal(answer.kind, "groups")
  return answer.groups
}

const idOf = ({ payment }: Facts): PaymentId => payment.id as PaymentId

/** A payment with one attempt. Every column is there; `more` is of the attempt. */
function sample(
  startedAt: number,
  more: {
    readonly of?: Facts
    readonly dimensions?: Partial<Fact<"attempt">["dimensions"]>
    readonly measures?: Partial<Fact<"attempt">["measures"]>
    readonly times?: Partial<Fact<"attempt">["times"]>
  } = {},
): Facts {
  const id = more.of?.payment.id ?? sampleId("pay", startedAt)
  const made = <F extends FactName>(fact: F, own: string): Fact<F> => {
    const { dimensions, measures, times } = columns[fact]
    const all = <V>(names: object, value: V) => Object.fromEntries(Object.keys(names).map((name) => [name, value]))
    const head = { fact, id: own, payment: id, version: 1, sign: 1, startedAt, settledAt: startedAt + 1 } as const
    return {
      ...head,
      dimensions: all(dimensions, undefined) as Fact<F>["dimensions"],
      measures: { ...all(measures, 0n), [`${fact}s`]: 1n } as Fact<F>["measures"],
      times: all(times, undefined) as Fact<F>["times"],
    }
  }
  const attempt = made("attempt", more.of?.attempts[0]?.id ?? sampleId("att", startedAt))
  return {
    payment: made("payment", id),
    attempts: [
      {
        ...attempt,
        dimensions: { ...attempt.dimensions, ...more.dimensions },
        measures: { ...attempt.measures, ...more.measures },
        times: { ...attempt.times, ...more.times },
      },
    ],
  }
}
