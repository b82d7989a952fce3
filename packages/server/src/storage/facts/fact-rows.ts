// A fact as the values of a row, in the order of its table, and back.

import assert from "node:assert/strict"
import type { PaymentId } from "../../core/id.ts"
import { facts, type Fact, type FactName } from "../../insight/facts.ts"
import type { Facts } from "../../insight/facts-of.ts"
import { tableColumns, type Column } from "./fact-sql.ts"

export type Value = string | bigint | null

export const MINUTE_MS = 60_000
const MAX_SUM = 2n ** 63n - 1n

export function valuesOf(fact: Fact<FactName>, batch: number): readonly Value[] {
  const head: Readonly<Record<string, Value>> = {
    id: fact.id,
    payment: fact.payment,
    version: BigInt(fact.version),
    sign: BigInt(fact.sign),
    batch: BigInt(batch),
    minute: BigInt(Math.floor(fact.startedAt / MINUTE_MS)),
    started_at: BigInt(fact.startedAt),
    settled_at: fact.settledAt === undefined ? null : BigInt(fact.settledAt),
  }
  const told = { ...fact.dimensions, ...fact.measures, ...fact.times } as Readonly<Record<string, unknown>>
  return columnsOf(fact.fact).map((column) => {
    const value = Object.hasOwn(head, column.name) ? head[column.name]! : valueOf(told[column.name])
    assert(value !== null || column.nullable, `${fact.fact} ${fact.id} has no ${column.name}`)
    assert(column.type !== "sum" || inRange(value), `${column.name} of ${fact.id} is no sum: ${value}`)
    return value
  })
}

/** `values` are those of a row as a driver gives them back: small numbers may be numbers. */
export function factFrom<F extends FactName>(fact: F, values: readonly (Value | number)[]): Fact<F> {
  const row = new Map(columnsOf(fact).map(({ name }, index) => [name, values[index] ?? null]))
  const whole = (name: string): number | undefined => {
    const value = row.get(name) ?? null
    return value === null ? undefined : Number(value)
  }
  const { dimensions, measures, times } = facts[fact]
  const startedAt = whole("started_at")
  assert(startedAt !== undefined)
  return {
    fact,
    id: String(row.get("id")),
    payment: String(row.get("payment")),
    version: whole("version") ?? 0,
    sign: whole("sign") === -1 ? -1 : 1,
    startedAt,
    settledAt: whole("settled_at"),
    dimensions: Object.fromEntries(
      Object.entries(dimensions).map(([name, { type }]) => [
        name,
        type === "whole" ? whole(name) : (row.get(name) ?? undefined),
      ]),
    ) as Fact<F>["dimensions"],
    measures: Object.fromEntries(
      Object.keys(measures).map((name) => [name, BigInt(row.get(name) ?? 0n)]),
    ) as Fact<F>["measures"],
    times: Object.fromEntries(Object.keys(times).map((name) => [name, whole(name)])) as Fact<F>["times"],
  }
}

/** The facts of payments out of rows that add, with their batches: of each fact the latest stands. */
export function currentFacts(
  rows: Iterable<{ readonly fact: Fact<FactName>; readonly batch: number }>,
): ReadonlyMap<PaymentId, Facts> {
  const latest = new Map<string, { readonly fact: Fact<FactName>; readonly batch: number }>()
  for (const row of rows) {
    const known = latest.get(row.fact.id)
    if (known === undefined || known.batch < row.batch) latest.set(row.fact.id, row)
  }
  const attempts = new Map<string, Fact<"attempt">[]>()
  const found = new Map<PaymentId, Facts>()
  for (const { fact } of latest.values())
    if (isOf("attempt", fact)) attempts.set(fact.payment, [...(attempts.get(fact.payment) ?? []), fact])
  for (const { fact } of latest.values())
    if (isOf("payment", fact)) {
      const inOrder = (attempts.get(fact.id) ?? []).toSorted(
        (a, b) => Number(a.dimensions.ordinal) - Number(b.dimensions.ordinal),
      )
      found.set(fact.id as PaymentId, { attempts: inOrder, payment: fact })
    }
  return found
}

function isOf<F extends FactName>(name: F, fact: Fact<FactName>): fact is Fact<F> {
  return fact.fact === name
}

const tables = { attempt: tableColumns("attempt"), payment: tableColumns("payment") }
const columnsOf = (fact: FactName): readonly Column[] => tables[fact]

const inRange = (value: Value): boolean => typeof value === "bigint" && value <= MAX_SUM && value >= -MAX_SUM

function valueOf(value: unknown): Value {
  if (value === undefined) return null
  if (typeof value === "number") return BigInt(value)
  assert(typeof value === "string" || typeof value === "bigint", `no value of a fact: ${typeof value}`)
  return value
}
