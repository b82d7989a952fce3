// The format of the Squeeze data sets (Li et al. 2019), which RiskLoc's generator and ours write too: per folder an
// `injection_info.csv` with `timestamp` and `set` ("a=a1&b=b2;a=a3&b=b4"), and per case `<timestamp>.csv` with `real`,
// `predict` and one column per dimension. Derived measures come as two files: `<timestamp>.a.csv` are the successes among
// `<timestamp>.b.csv`.

import { existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { leavesOf } from "../../packages/server/src/insight/cause/leaves.ts"
import type { Case } from "./case.ts"
import { columnOf, numberOf, readTable, type Table } from "./table.ts"

const INFO = "injection_info.csv"
const MAX_DEPTH = 4

export function* squeezeCases(folder: string, depth = 0): Generator<Case> {
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (existsSync(join(folder, INFO))) yield* casesIn(folder)
  else if (depth === 0 && !entries.some((entry) => entry.isDirectory())) throw new Error(`${folder}: no ${INFO}`)
  if (depth < MAX_DEPTH)
    for (const entry of entries) if (entry.isDirectory()) yield* squeezeCases(join(folder, entry.name), depth + 1)
}

function* casesIn(folder: string): Generator<Case> {
  const path = join(folder, INFO)
  const info = readTable(path)
  const [timestamp, set] = [columnOf(info, "timestamp", path), columnOf(info, "set", path)]
  for (const row of info.rows) {
    const name = row[timestamp]!
    const labels = row[set]!.split(";").map((label) => label.split("&").sort().join("&"))
    const about = { name: `${basename(folder)}/${name}`, group: basename(folder), labels: [...new Set(labels)] }
    if (existsSync(join(folder, `${name}.a.csv`))) yield { ...about, ...derived(folder, name) }
    else yield { ...about, ...fundamental(join(folder, `${name}.csv`)) }
  }
}

function fundamental(path: string): Pick<Case, "leaves" | "data"> {
  const { leaves, real, predict } = columns(path, readTable(path))
  return { leaves, data: { kind: "value", values: real, forecasts: predict } }
}

/** What is missing from a are failures. */
function derived(folder: string, name: string): Pick<Case, "leaves" | "data"> {
  const [pathA, pathB] = [join(folder, `${name}.a.csv`), join(folder, `${name}.b.csv`)]
  const [a, b] = [columns(pathA, readTable(pathA)), columns(pathB, readTable(pathB))]
  const keys = new Map(b.rows.map((row, leaf) => [row.join("\n"), leaf]))
  const order = a.rows.map((row, leaf) => {
    const other = keys.get(row.join("\n"))
    if (other === undefined) throw new Error(`${pathA}:${leaf + 2}: not in the file of b`)
    return other
  })
  const n = Float64Array.from(order, (leaf) => b.real[leaf]!)
  const n0 = Float64Array.from(order, (leaf) => b.predict[leaf]!)
  const failures = (all: Float64Array, good: Float64Array): Float64Array =>
    all.map((value, leaf) => Math.max(value - good[leaf]!, 0))
  const counts = { n, f: failures(n, a.real), n0, f0: failures(n0, a.predict) }
  return { leaves: a.leaves, data: { kind: "ratio", counts } }
}

function columns(path: string, table: Table) {
  const [real, predict] = [columnOf(table, "real", path), columnOf(table, "predict", path)]
  const at = table.head
    .keys()
    .filter((column) => column !== real && column !== predict)
    .toArray()
  const rows = table.rows.map((row) => at.map((column) => row[column]!))
  const numbers = (column: number): Float64Array =>
    Float64Array.from(table.rows, (row, leaf) => numberOf(row[column], `${path}:${leaf + 2}`))
  const leaves = leavesOf(
    at.map((column) => table.head[column]!),
    rows,
  )
  return { leaves, rows, real: numbers(real), predict: numbers(predict) }
}
