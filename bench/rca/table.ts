// Tables of the public data sets: comma-separated, a head line, no quotes (checked, not assumed).

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }

const MAX_ROWS = 1_000_000

export function readTable(path: string): Table {
  const lines = readFileSync(path, "utf8").split(/\r?\n/)
  if (lines.at(-1) === "") lines.pop()
  assert(lines.length <= MAX_ROWS, `${path}: more than ${MAX_ROWS} rows`)
  const [first, ...rest] = lines
  assert(first !== undefined, `${path}: empty`)
  const head = first.split(",")
  const rows = rest.map((line, at) => {
    const cells = line.split(",")
    if (cells.length !== head.length || line.includes('"'))
      throw new Error(`${path}:${at + 2}: ${cells.length} cells where the head has ${head.length}`)
    return cells
  })
  return { head, rows }
}

export function columnOf({ head }: Table, name: string, path: string): number {
  const at = head.indexOf(name)
  if (at === -1) throw new Error(`${path}: no column ${name}`)
  return at
}

export function numberOf(text: string | undefined, where: string): number {
  const value = Number(text)
  if (text === undefined || text === "" || !Number.isFinite(value)) throw new Error(`${where}: "${text}" is no number`)
  return value
}
