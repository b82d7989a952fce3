// The sums of a measure over every element of every cuboid, kept while leaves are taken away, and the best elements by their
// evidence after its price.
//
// The price of an element is −ln of its prior: every layer is as likely as any other, within it every cuboid, within that
// every element that occurs. These priors sum to one, so the score is −ln of a bound on the chance to find
// anything that strong where nothing is (Bonferroni over all elements, the bound of measure.ts for each): the
// look-elsewhere effect is paid for, and "score ≥ 3" is significance at 5 %.

import { cuboidsOf, elementAt } from "./cuboids.ts"
import { leavesIn, type Element, type Leaves } from "./leaves.ts"
import type { Measure } from "./measure.ts"

export type Found = {
  readonly element: Element
  readonly llr: number
  /** Evidence after its price, in nats. */
  readonly score: number
  readonly a: number
  readonly b: number
}

/** One value of a dimension within an element. */
export type Part = { readonly code: number; readonly a: number; readonly b: number }

export type Scan = ReturnType<typeof createScan>

export function createScan(leaves: Leaves, measure: Measure, maxLayers?: number) {
  const cuboids = cuboidsOf(leaves, maxLayers)
  const gone = new Uint8Array(leaves.size)
  let [A, B] = [0, 0]
  for (let leaf = 0; leaf < leaves.size; leaf++) {
    A += measure.a[leaf]!
    B += measure.b[leaf]!
  }
  const sums = cuboids.map(({ elements, count }) => {
    const a = new Float64Array(count)
    const b = new Float64Array(count)
    for (let leaf = 0; leaf < leaves.size; leaf++) {
      const element = elements[leaf]!
      a[element]! += measure.a[leaf]!
      b[element]! += measure.b[leaf]!
    }
    return { a, b }
  })
  const counts = new Map(cuboids.map(({ dimensions, count }) => [dimensions.join(), count]))
  const layers = leaves.dimensions.length

  return { best, foundOf, partsOf, present, take }

  /** The best elements over all cuboids, best first, whether or not they are worth their price. */
  function best(limit: number): readonly Found[] {
    const top: { cuboid: number; element: number; score: number; llr: number }[] = []
    for (const [at, cuboid] of cuboids.entries()) {
      const { a, b } = sums[at]!
      const price = priceOf(cuboid.dimensions)
      for (let element = 0; element < a.length; element++) {
        const llr = measure.llr(a[element]!, b[element]!, A, B)
        const score = llr - price
        if (llr <= 0 || (top.length === limit && score <= top[limit - 1]!.score)) continue
        if (top.length === limit) top.pop()
        const place = top.findIndex((known) => known.score < score)
        top.splice(place === -1 ? top.length : place, 0, { cuboid: at, element, score, llr })
      }
    }
    return top.map(({ cuboid, element, ...evidence }) => ({
      element: elementAt(leaves, cuboids[cuboid]!, element),
      ...evidence,
      a: sums[cuboid]!.a[element]!,
      b: sums[cuboid]!.b[element]!,
    }))
  }

  /** An element with its evidence, whatever its layer. Its sums where they are known already. */
  function foundOf(element: Element, known?: { readonly a: number; readonly b: number }): Found {
    const { a, b } = known ?? sumOf(present(element))
    const llr = measure.llr(a, b, A, B)
    return { element, llr, score: llr - priceOf(element.map(({ dimension }) => dimension)), a, b }
  }

  /** What an element holds of each value of a dimension. */
  function partsOf(inside: Int32Array, dimension: number): Part[] {
    const { codes, values } = leaves.dimensions[dimension]!
    const a = new Float64Array(values.length)
    const b = new Float64Array(values.length)
    for (const leaf of inside) {
      a[codes[leaf]!]! += measure.a[leaf]!
      b[codes[leaf]!]! += measure.b[leaf]!
    }
    const parts: Part[] = []
    for (let code = 0; code < values.length; code++) if (b[code]! > 0) parts.push({ code, a: a[code]!, b: b[code]! })
    return parts
  }

  /** Takes an element's leaves away. */
  function take(element: Element): void {
    const inside = present(element)
    for (const leaf of inside) {
      gone[leaf] = 1
      A -= measure.a[leaf]!
      B -= measure.b[leaf]!
    }
    for (const [at, { elements }] of cuboids.entries()) {
      const { a, b } = sums[at]!
      for (const leaf of inside) {
        a[elements[leaf]!]! -= measure.a[leaf]!
        b[elements[leaf]!]! -= measure.b[leaf]!
      }
    }
  }

  /** The leaves of an element that are still there. */
  function present(element: Element): Int32Array {
    return leavesIn(leaves, element).filter((leaf) => gone[leaf] === 0)
  }

  function sumOf(some: Int32Array): { readonly a: number; readonly b: number } {
    let [a, b] = [0, 0]
    for (const leaf of some) {
      a += measure.a[leaf]!
      b += measure.b[leaf]!
    }
    return { a, b }
  }

  function priceOf(dimensions: readonly number[]): number {
    const elements =
      counts.get(dimensions.join()) ??
      dimensions.reduce((n, at) => Math.min(n * leaves.dimensions[at]!.values.length, leaves.size), 1)
    return Math.log(elements) + lnChoose(layers, dimensions.length) + Math.log(layers)
  }
}

/** ln of how many subsets of size k a set of n has. */
export function lnChoose(n: number, k: number): number {
  let sum = 0
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i)
  return sum
}
