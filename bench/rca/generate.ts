// Our own cases of a derived measure, in the format of the Squeeze sets: approvals (a) of attempts (b), before (predict) and
// now (real). The public sets with derived measures cannot be had; these have what payments have: small counts, rates that
// differ by dimension, causes that hit their leaves unequally, and a mix that shifts at the same time. Seeded.

import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRandom, type Random } from "../../packages/server/gym/random.ts"

export type Recipe = { readonly cases: number; readonly seed: number; readonly sizes: readonly number[] }

/** 48,000 leaves in five dimensions, as S has them. */
export const SIZES = [10, 12, 10, 8, 5]
/** Attempts of a leaf now; before there were this many times as many. */
const MEDIAN_ATTEMPTS = 6
const HISTORY = 4
/** A cause has at least this many approvals to lose, else nobody could find it. */
const MIN_LOST = 60
const MAX_LAYER = 3

type Cause = { readonly fixed: ReadonlyMap<number, number>; readonly odds: number }

export function generate(folder: string, { cases, seed, sizes }: Recipe): void {
  mkdirSync(folder, { recursive: true })
  const info = ["timestamp,set"]
  for (let at = 0; at < cases; at++) {
    const name = String(100_000 + at)
    const labels = writeCase(join(folder, name), createRandom(seed * 1_000 + at), sizes)
    info.push(`${name},${labels.join(";")}`)
  }
  writeFileSync(join(folder, "injection_info.csv"), `${info.join("\n")}\n`)
}

function writeCase(path: string, random: Random, sizes: readonly number[]): readonly string[] {
  const names = sizes.map((_, at) => String.fromCharCode(97 + at))
  const effects = sizes.map((size) => Array.from({ length: size }, () => 0.35 * random.normal()))
  const volumes = sizes.map((size) => Array.from({ length: size }, () => random.logNormal(1, 0.5)))
  const shifts = sizes.map((size) => Array.from({ length: size }, () => random.logNormal(1, 0.15)))
  const leaves = leavesOf(sizes)
  const sizeOf = leaves.map((leaf) => leaf.reduce((size, code, at) => size * volumes[at]![code]!, MEDIAN_ATTEMPTS))
  const rateOf = leaves.map((leaf) => sigmoid(leaf.reduce((logit, code, at) => logit + effects[at]![code]!, -2)))
  const causes = causesOf(random, sizes, leaves, sizeOf, rateOf)
  const a = [[...names, "real", "predict"].join(",")]
  const b = [...a]
  for (const [at, leaf] of leaves.entries()) {
    const shift = leaf.reduce((factor, code, dimension) => factor * shifts[dimension]![code]!, 1)
    const [now, before] = [count(random, sizeOf[at]! * shift), count(random, sizeOf[at]! * HISTORY)]
    if (now === 0 && before === 0) continue
    const hit = causes.find((cause) => isHit(cause, leaf))
    const odds = hit === undefined ? 1 : 1 + (hit.odds - 1) * random.logNormal(1, 0.3)
    const bad = (rateOf[at]! / (1 - rateOf[at]!)) * odds
    const cells = leaf.map((code, dimension) => `${names[dimension]}${code + 1}`).join(",")
    b.push(`${cells},${now},${before}`)
    a.push(`${cells},${now - binomial(random, now, bad / (1 + bad))},${before - binomial(random, before, rateOf[at]!)}`)
  }
  writeFileSync(`${path}.a.csv`, `${a.join("\n")}\n`)
  writeFileSync(`${path}.b.csv`, `${b.join("\n")}\n`)
  return causes.map(({ fixed }) => [...fixed].map(([at, code]) => `${names[at]}=${names[at]}${code + 1}`).join("&"))
}

/** One to three causes that do not overlap, each large enough to be seen. */
function causesOf(
  random: Random,
  sizes: readonly number[],
  leaves: readonly (readonly number[])[],
  attempts: readonly number[],
  rates: readonly number[],
): readonly Cause[] {
  const wanted = 1 + random.whole(3)
  const causes: Cause[] = []
  for (let tries = 0; causes.length < wanted && tries < 500; tries++) {
    const dimensions = sizes.map((_, at) => at).toSorted(() => random.next() - 0.5)
    const fixed = new Map(
      dimensions
        .slice(0, 1 + random.whole(MAX_LAYER))
        .toSorted((x, y) => x - y)
        .map((at) => [at, random.whole(sizes[at]!)] as const),
    )
    const cause: Cause = { fixed, odds: random.logNormal(5, 0.5) }
    const meets = causes.some((known) => [...known.fixed].every(([at, code]) => (fixed.get(at) ?? code) === code))
    const lost = leaves.reduce((sum, leaf, at) => {
      const bad = (rates[at]! / (1 - rates[at]!)) * cause.odds
      return isHit(cause, leaf) ? sum + attempts[at]! * (bad / (1 + bad) - rates[at]!) : sum
    }, 0)
    if (!meets && lost >= MIN_LOST) causes.push(cause)
  }
  return causes
}

const isHit = ({ fixed }: Cause, leaf: readonly number[]): boolean =>
  [...fixed].every(([at, code]) => leaf[at] === code)

const leavesOf = (sizes: readonly number[]): readonly (readonly number[])[] =>
  sizes.reduce<readonly (readonly number[])[]>(
    (all, size) => all.flatMap((leaf) => Array.from({ length: size }, (_, code) => [...leaf, code])),
    [[]],
  )

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Poisson, by a normal where that is as good. */
function count(random: Random, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()))
  let [k, p] = [0, random.next()]
  for (const floor = Math.exp(-mean); p > floor; k++) p *= random.next()
  return k
}

function binomial(random: Random, n: number, p: number): number {
  let k = 0
  for (let i = 0; i < n; i++) if (random.next() < p) k++
  return k
}
