// Where a deviation sits: the few elements, over all cuboids, that explain it. A penalised likelihood-ratio scan:
//
//   1. Every element of every cuboid is weighed: log likelihood ratio (measure.ts) minus the price of naming it (scan.ts).
//   2. The best one is looked at from both sides. From below: where a few of its children carry all of it, one of these is
//      meant (linear-time subset scanning, Neill 2012: sorted by strength, the best subset is a prefix). From above: where
//      the rest of its parent deviates just as much, the parent is meant.
//   3. Its leaves are taken away, and the search goes on, until what is left could be chance.
//   4. What was found in one cuboid with the same strength is one cause with several elements ("bin is 4111 or 4571").
//
// Sources: Kulldorff 1997 (scan statistic), Neill 2012 (subset scan), and the ripple effect of Sun et al. 2018 (HotSpot) for
// the equal strength of siblings. No entropy and no information gain, by intent.

import { withFixed, type Element, type Leaves } from "./leaves.ts"
import type { Measure } from "./measure.ts"
import { createScan, lnChoose, type Found, type Scan } from "./scan.ts"

export type Options = {
  /** Score below which nothing is a cause: −ln of the chance to see one where there is none. */
  readonly floor: number
  /**
   * Whether a cause leaves a shadow: what is left of rates that were hit unequally shares a value with the cause and is not
   * named. Siblings of its own strength are.
   */
  readonly shadows: boolean
  /** Searches, shadows included. */
  readonly maxRounds: number
  readonly maxLayers?: number
  /** Nats by which a child and the rest of its parent must differ to be told apart. */
  readonly tellApart: number
  /** A child is meant only where it and its like have this share more evidence: no cause hits all its parts alike. */
  readonly childGain: number
}

/** For failures among attempts, whose rates one cause hits unequally. */
export const ratioOptions: Options = {
  floor: 3,
  shadows: true,
  maxRounds: 3,
  tellApart: 2,
  childGain: 1,
}
/** For values with forecasts, where noise is the forecast's alone. */
export const valueOptions: Options = {
  floor: 3,
  shadows: false,
  maxRounds: 24,
  tellApart: 2,
  childGain: 0.6,
}

/** One cause: elements of one cuboid with one strength. */
export type Cause = { readonly elements: readonly Found[]; readonly score: number }

export type Located = {
  readonly causes: readonly Cause[]
  /** All that came into question, the causes first, then what is more general than the first of them, then the rest. */
  readonly candidates: readonly Found[]
  /** Bound of the chance to find the first cause where there is nothing. */
  readonly chance: number
}

export const MAX_CANDIDATES = 10
/** Elements that are kept of the first scan to rank candidates from. */
const SHORT_LIST = 40
/** Nats by which siblings may differ in strength and still be one cause. */
const SAME_STRENGTH = 3

export function locate(leaves: Leaves, measure: Measure, options: Options): Located {
  const scan = createScan(leaves, measure, options.maxLayers)
  const shortList = scan.best(SHORT_LIST)
  const found: Found[] = []
  for (let round = 0; round < options.maxRounds; round++) {
    const best = round === 0 ? shortList[0] : scan.best(1)[0]
    if (best === undefined || best.score < options.floor) break
    const meant = meantBy(best, scan, leaves, measure, options)
    if (!options.shadows || !found.some((known) => isShadow(measure, known, meant))) found.push(meant)
    scan.take(meant.element)
  }
  const causes = found.toSorted((x, y) => y.score - x.score)
  const [first] = causes
  const general = shortList.filter(({ element }) => first !== undefined && isWithin(first.element, element))
  return {
    causes: unions(measure, causes),
    candidates: distinct([...causes, ...general, ...shortList]).slice(0, MAX_CANDIDATES),
    chance: first === undefined ? 1 : Math.min(1, Math.exp(-first.score)),
  }
}

function meantBy(best: Found, scan: Scan, leaves: Leaves, measure: Measure, options: Options): Found {
  let meant = best
  for (let step = 0; step < leaves.dimensions.length; step++) {
    const child = childMeant(meant, scan, leaves, measure, options)
    if (child === undefined) break
    meant = child
  }
  if (meant !== best) return meant
  for (let step = 0; step < leaves.dimensions.length; step++) {
    const parent = parentMeant(meant, scan, measure, options)
    if (parent === undefined) break
    meant = parent
  }
  return meant
}

/** The strongest of the children, where a few of them together explain much more than the element does. */
function childMeant(
  found: Found,
  scan: Scan,
  leaves: Leaves,
  measure: Measure,
  { tellApart, childGain }: Options,
): Found | undefined {
  const sign = Math.sign(found.a)
  let chosen: Found | undefined
  const inside = scan.present(found.element)
  let bar = found.llr * (1 + childGain) + tellApart
  for (const dimension of leaves.dimensions.keys()) {
    if (found.element.some((fixed) => fixed.dimension === dimension)) continue
    const parts = scan
      .partsOf(inside, dimension)
      .sort((x, y) => measure.strength(y.a, y.b, sign) - measure.strength(x.a, x.b, sign))
    let sum = { a: 0, b: 0 }
    for (const [at, { a, b }] of parts.slice(0, -1).entries()) {
      sum = { a: sum.a + a, b: sum.b + b }
      const evidence = scan.foundOf(found.element, sum).llr - lnChoose(parts.length, at + 1)
      if (evidence <= bar) continue
      bar = evidence
      chosen = parts
        .slice(0, at + 1)
        .map((part) => scan.foundOf(withFixed(found.element, dimension, part.code), part))
        .reduce((x, y) => (y.score > x.score ? y : x))
    }
  }
  return chosen
}

/** The parent whose rest deviates as the child does; of several the one with the most evidence. */
function parentMeant(child: Found, scan: Scan, measure: Measure, { tellApart }: Options): Found | undefined {
  if (child.element.length < 2) return undefined
  const parents = child.element
    .map(({ dimension }) => scan.foundOf(child.element.filter((fixed) => fixed.dimension !== dimension)))
    .filter(({ a, b }) => b > child.b && measure.apart(child.a, child.b, a, b) <= tellApart)
  return parents.length === 0 ? undefined : parents.reduce((x, y) => (y.score > x.score ? y : x))
}

function isShadow(measure: Measure, cause: Found, one: Found): boolean {
  const shared = one.element.some(({ dimension, code }) =>
    cause.element.some((fixed) => fixed.dimension === dimension && fixed.code === code),
  )
  return shared && !(isSameCuboid(cause.element, one.element) && isAlike(measure, [cause], one))
}

function unions(measure: Measure, found: readonly Found[]): readonly Cause[] {
  const causes: Found[][] = []
  for (const one of found) {
    const kin = causes.find((cause) => isSameCuboid(cause[0]!.element, one.element) && isAlike(measure, cause, one))
    if (kin === undefined) causes.push([one])
    else kin.push(one)
  }
  return causes.map((elements) => ({ elements, score: elements.reduce((sum, { score }) => sum + score, 0) }))
}

function isAlike(measure: Measure, cause: readonly Found[], one: Found): boolean {
  const a = cause.reduce((sum, found) => sum + found.a, 0)
  const b = cause.reduce((sum, found) => sum + found.b, 0)
  return Math.sign(a) === Math.sign(one.a) && measure.apart(one.a, one.b, a + one.a, b + one.b) <= SAME_STRENGTH
}

const isSameCuboid = (x: Element, y: Element): boolean =>
  x.length === y.length && x.every(({ dimension }, at) => dimension === y[at]!.dimension)

/** Whether all that `coarse` fixes is fixed alike in `fine`. */
export const isWithin = (fine: Element, coarse: Element): boolean =>
  coarse.every(({ dimension, code }) => fine.some((fixed) => fixed.dimension === dimension && fixed.code === code))

function distinct(all: readonly Found[]): readonly Found[] {
  const byName = new Map<string, Found>()
  for (const found of all) {
    const name = found.element.map(({ dimension, code }) => `${dimension}=${code}`).join("&")
    if (!byName.has(name)) byName.set(name, found)
  }
  return [...byName.values()]
}
