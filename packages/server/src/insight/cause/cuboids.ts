// All cuboids of a table, each as a map from leaf to the number of its element, so that sums per element are one pass of
// additions and taking leaves away is a subtraction. Built from the cuboid with one dimension less, by an array where the
// keys are dense and by a hash map where they are not: only elements that occur have a number.

import type { Element, Leaves } from "./leaves.ts"

export type Cuboid = {
  readonly dimensions: readonly number[]
  /** Per leaf its element. */
  readonly elements: Int32Array
  readonly count: number
  /** Per element a leaf in it. */
  readonly sample: Int32Array
}

/** Beyond so many dimensions fixed, or cuboids, one comes by drilling down from what was found (locate.ts). */
export const MAX_CUBOIDS = 256
const SHALLOW_LAYERS = 3
/** Keys of at most this many places are counted by an array. */
const MAX_DENSE = 1 << 21

export function cuboidsOf(leaves: Leaves, maxLayers = leaves.dimensions.length): readonly Cuboid[] {
  const d = leaves.dimensions.length
  const layers = Math.min(maxLayers, 2 ** d - 1 <= MAX_CUBOIDS ? d : SHALLOW_LAYERS)
  const all: Cuboid[] = []
  let previous: readonly Cuboid[] = [
    { dimensions: [], elements: new Int32Array(leaves.size), count: 1, sample: new Int32Array(1) },
  ]
  for (let layer = 1; layer <= layers; layer++) {
    const next: Cuboid[] = []
    for (const parent of previous) {
      for (let dimension = (parent.dimensions.at(-1) ?? -1) + 1; dimension < d; dimension++)
        next.push(finer(leaves, parent, dimension))
    }
    all.push(...next)
    previous = next
  }
  return all
}

function finer(leaves: Leaves, parent: Cuboid, dimension: number): Cuboid {
  const { codes, values } = leaves.dimensions[dimension]!
  const width = values.length
  const elements = new Int32Array(leaves.size)
  const sample: number[] = []
  const places = parent.count * width
  if (places <= MAX_DENSE) {
    const numbers = new Int32Array(places)
    for (let leaf = 0; leaf < leaves.size; leaf++) {
      const key = parent.elements[leaf]! * width + codes[leaf]!
      if (numbers[key] === 0) numbers[key] = sample.push(leaf)
      elements[leaf] = numbers[key]! - 1
    }
  } else {
    const numbers = new Map<number, number>()
    for (let leaf = 0; leaf < leaves.size; leaf++) {
      const key = parent.elements[leaf]! * width + codes[leaf]!
      let number = numbers.get(key)
      if (number === undefined) numbers.set(key, (number = sample.push(leaf) - 1))
      elements[leaf] = number
    }
  }
  return {
    dimensions: [...parent.dimensions, dimension],
    elements,
    count: sample.length,
    sample: Int32Array.from(sample),
  }
}

export const elementAt = (leaves: Leaves, { dimensions, sample }: Cuboid, number: number): Element =>
  dimensions.map((dimension) => ({ dimension, code: leaves.dimensions[dimension]!.codes[sample[number]!]! }))
