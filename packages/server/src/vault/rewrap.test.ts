import assert from "node:assert/strict"
import { test } from "node:test"
import { makeId, type MerchantId } from "../core/id.ts"
import { secret } from "../core/secret.ts"
import { systemPorts } from "../ports.ts"
import { parseKeyRing } from "./key-ring.ts"
import {
  REWRAP_BATCH,
  rewrapAll,
  rewrapBatch,
  type RewrapProgress,
  type SealedRow,
  type SealedStore,
} from "./rewrap.ts"
import { createVault, type Vault } from "./vault.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const system = systemPorts(() => 0, silent)
const ports = { ...system, clock: { ...system.clock, sleep: async () => {} } }
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const vaultOf = (...keys: readonly string[]): Vault =>
  createVault(parseKeyRing([...keys, `fingerprint:${key(250)}`].join(",")), ports)
const before = vaultOf(`k1:${key(1)}`)
const during = vaultOf(`k2:${key(2)}`, `k1:${key(1)}`)
const afterwards = vaultOf(`k2:${key(2)}`)

const merchants: readonly MerchantId[] = [1, 2, 3].map((fill) => makeId("mer", fill, Buffer.alloc(16, fill)))

type Table = { -readonly [K in keyof SealedStore]: SealedStore[K] } & {
  readonly rows: Map<string, SealedRow>
  stopAfter: number
}

/** A table with `count` rows of three merchants, in memory, in the order that storage promises. */
function tableOf(count: number): Table {
  const rows = new Map<string, SealedRow>()
  for (let n = 0; n < count; n++) {
    const merchant = merchants[n % 3] ?? assert.fail()
    const id = `acc_${String(n).padStart(6, "0")}`
    rows.set(`${merchant} ${id}`, {
      merchant,
      id,
      ...before.seal("accounts", merchant, id, secret(Buffer.from(`value ${n}`))),
    })
  }
  const table: Table = {
    table: "accounts",
    rows,
    stopAfter: Infinity,
    sealedUnderOthers: async (keyId, after, limit) =>
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(
          ([place, row]) => row.keyId !== keyId && (after === undefined || place > `${after.merchant} ${after.id}`),
        )
        .slice(0, limit)
        .map(([, row]) => row),
    replaceSealed: async (row, next) => {
      if (table.stopAfter-- <= 0) throw new Error("the process was stopped")
      const place = `${row.merchant} ${row.id}`
      if (rows.get(place)?.sealed !== row.sealed) return false
      rows.set(place, { ...row, ...next })
      return true
    },
  }
  return table
}

const values = (vault: Vault, table: Table): readonly string[] =>
  [...table.rows.values()].map((row) =>
    Buffer.from(vault.open("accounts", row.merchant, row.id, row.sealed).reveal()).toString(),
  )

/** What all passes over the table came to. */
async function rewrap(table: Table): Promise<Pick<RewrapProgress, "rewrapped" | "failed">> {
  let rewrapped = 0
  const [last] = await rewrapAll(during, [table], ports, (progress) => {
    if (progress.done) rewrapped += progress.rewrapped
  })
  return { rewrapped, failed: last?.failed ?? 0 }
}

test("rewrapping moves every row to the new key, batch by batch, and the old key may go", async () => {
  const table = tableOf(2 * REWRAP_BATCH + 7)
  const expected = values(before, table)
  const reports: RewrapProgress[] = []
  const [last] = await rewrapAll(during, [table], ports, (progress) => reports.push(progress))
  assert.deepEqual(
    reports.slice(0, 4).map(({ rewrapped, done }) => [rewrapped, done]),
    [
      [REWRAP_BATCH, false],
      [2 * REWRAP_BATCH, false],
      [2 * REWRAP_BATCH + 7, false],
      [2 * REWRAP_BATCH + 7, true],
    ],
  )
  assert.deepEqual([last?.rewrapped, last?.failed], [0, 0])
  assert.deepEqual(values(afterwards, table), expected)
})

test("a run that was cut off goes on with what is left, and a finished one finds nothing", async () => {
  const table = tableOf(20)
  table.stopAfter = 8
  await assert.rejects(rewrap(table), /stopped/)
  table.stopAfter = Infinity
  assert.deepEqual(await rewrap(table), { rewrapped: 12, failed: 0 })
  assert.deepEqual(await rewrap(table), { rewrapped: 0, failed: 0 })
  values(afterwards, table)
})

test("rows that do not open are counted and passed by, also when they fill a whole batch", async () => {
  const table = tableOf(REWRAP_BATCH + 10)
  const broken = [...table.rows].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, REWRAP_BATCH)
  for (const [place, row] of broken) table.rows.set(place, { ...row, sealed: Buffer.from("nonsense") })
  assert.deepEqual(await rewrap(table), { rewrapped: 10, failed: REWRAP_BATCH })
})

test("a row that a process with the old keys writes behind the walk is moved by the next pass", async () => {
  const table = tableOf(3)
  const [late] = [...table.rows].sort(([a], [b]) => (a < b ? -1 : 1))
  const [place, row] = late ?? assert.fail()
  table.rows.delete(place)
  const replace = table.replaceSealed
  table.replaceSealed = (old, next) => {
    table.rows.set(place, row)
    table.replaceSealed = replace
    return replace(old, next)
  }
  assert.deepEqual(await rewrap(table), { rewrapped: 3, failed: 0 })
  values(afterwards, table)
})

test("a row written by someone else meanwhile is left to them", async () => {
  const table = tableOf(2)
  const [place, row] = [...table.rows][0] ?? assert.fail()
  const raced: SealedStore = {
    ...table,
    replaceSealed: async (old, next) => {
      if (old.id === row.id)
        table.rows.set(place, {
          ...row,
          ...during.seal("accounts", row.merchant, row.id, secret(Buffer.from("newer"))),
        })
      return table.replaceSealed(old, next)
    },
  }
  const progress = await rewrapBatch(during, raced, silent)
  assert.deepEqual([progress.rewrapped, progress.passed, progress.failed], [1, 1, 0])
  assert.ok(values(afterwards, table).includes("newer"))
})
