// The table that a localiser searches: one row (leaf) per combination of dimension values that occurred, dictionary-encoded
// in columns. An element fixes some dimensions ("provider=a, network=visa"); a cuboid is all elements that fix the same
// dimensions; its layer is how many.

import assert from "node:assert/strict"

export type Dimension = {
  readonly name: string
  readonly values: readonly string[]
  /** Per leaf the index of its value. */
  readonly codes: Int32Array
}

export type Leaves = { readonly size: number; readonly dimensions: readonly Dimension[] }

/** Fixed dimensions by index, ascending, with the code of the value. */
export type Element = readonly { readonly dimension: number; readonly code: number }[]

export const MAX_LEAVES = 1_000_000
export const MAX_DIMENSIONS = 16

/** Encodes rows of texts, one column per dimension. */
export function leavesOf(names: readonly string[], rows: readonly (readonly string[])[]): Leaves {
  assert(rows.length <= MAX_LEAVES, `${rows.length} leaves, at most ${MAX_LEAVES}`)
  assert(names.length <= MAX_DIMENSIONS, `${names.length} dimensions, at most ${MAX_DIMENSIONS}`)
  const dimensions = names.map((name, at): Dimension => {
    const known = new Map<string, number>()
    const codes = new Int32Array(rows.length)
    for (const [leaf, row] of rows.entries()) {
      const value = row[at]
      assert(value !== undefined, `leaf ${leaf} has no ${name}`)
      let code = known.get(value)
      if (code === undefined) known.set(value, (code = known.size))
      codes[leaf] = code
    }
    return { name, values: [...known.keys()], codes }
  })
  return { size: rows.length, dimensions }
}

export function isIn(leaves: Leaves, element: Element, leaf: number): boolean {
  for (const { dimension, code } of element) if (leaves.dimensions[dimension]!.codes[leaf] !== code) return false
  return true
}

/** The leaves of an element, ascending. */
export function leavesIn({ size, dimensions }: Leaves, element: Element): Int32Array {
  let inside = new Int32Array(size)
  for (let leaf = 0; leaf < size; leaf++) inside[leaf] = leaf
  for (const { dimension, code } of element) {
    const { codes } = dimensions[dimension]!
    let kept = 0
    for (let at = 0; at < inside.length; at++) {
      const leaf = inside[at]!
      if (codes[leaf] === code) inside[kept++] = leaf
    }
    inside = inside.subarray(0, kept)
  }
  return inside
}

export function namesOf(leaves: Leaves, element: Element): Readonly<Record<string, string>> {
  return Object.fromEntries(
    element.map(({ dimension, code }) => {
      const { name, values } = leaves.dimensions[dimension]!
      return [name, values[code]!]
    }),
  )
}

export const withFixed = (element: Element, dimension: number, code: number): Element =>
  [...element, { dimension, code }].toSorted((a, b) => a.dimension - b.dimension)
