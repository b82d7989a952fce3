// Facts that have changed, as signed rows: the old one taken back, the new one added. Whatever sums up over all rows is then
// right at any moment, and no store has to update anything.

import assert from "node:assert/strict"
import type { Fact, FactName } from "./facts.ts"
import type { Facts } from "./facts-of.ts"

/** The rows that turn the facts of `before` into those of `after`: nothing for what stayed the same. */
export function correction(before: Facts | undefined, after: Facts): readonly Fact<FactName>[] {
  const rows: Fact<FactName>[] = []
  const old = new Map<string, Fact<FactName>>(
    (before === undefined ? [] : [...before.attempts, before.payment]).map((fact) => [fact.id, fact]),
  )
  for (const fact of [...after.attempts, after.payment]) {
    const known = old.get(fact.id)
    old.delete(fact.id)
    if (known !== undefined && saysTheSame(known, fact)) continue
    if (known !== undefined) rows.push(negated(known))
    rows.push(fact)
  }
  assert(old.size === 0, "an attempt never goes away")
  return rows
}

/**
 * The facts with what can no longer be derived: exchanges are kept for some months only, and a connector's version is
 * today's. What was known when the attempt was made stays.
 */
export function carried(before: Facts | undefined, after: Facts): Facts {
  if (before === undefined) return after
  const known = new Map(before.attempts.map((fact) => [fact.id, fact]))
  return {
    payment: { ...after.payment, times: { ...before.payment.times, ...defined(after.payment.times) } },
    attempts: after.attempts.map((fact) => {
      const old = known.get(fact.id)
      if (old === undefined) return fact
      const api_version = old.dimensions.api_version ?? fact.dimensions.api_version
      return {
        ...fact,
        dimensions: { ...fact.dimensions, api_version },
        times: { ...old.times, ...defined(fact.times) },
      }
    }),
  }
}

const defined = <T extends object>(times: T): Partial<T> =>
  Object.fromEntries(Object.entries(times).filter(([, bucket]) => bucket !== undefined)) as Partial<T>

export function negated<F extends FactName>(fact: Fact<F>): Fact<F> {
  const measures = Object.fromEntries(
    Object.entries<bigint>(fact.measures).map(([name, value]) => [name, -value]),
  ) as Fact<F>["measures"]
  return { ...fact, sign: fact.sign === 1 ? -1 : 1, measures }
}

/** All but the version: a payment changes in ways that no column shows. */
function saysTheSame(a: Fact<FactName>, b: Fact<FactName>): boolean {
  const told = ({ version: _version, ...rest }: Fact<FactName>): string =>
    JSON.stringify(rest, (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))
  return told(a) === told(b)
}
