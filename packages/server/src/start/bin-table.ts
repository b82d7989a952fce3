// Where it comes from what the first digits of cards tell: the operator's file, or, where there is none and the demo's simulator
// runs, the published test cards that the simulator knows.

import { readFileSync, statSync } from "node:fs"
import { testBins } from "@orchestra/simulator"
import { type BinProblem, type BinTable, binTable, noBins } from "../core/bin-table.ts"
import { MAX_BIN_TABLE_BYTES, readBinTable } from "../core/bin-table-csv.ts"
import { cardFactsIn } from "../core/card-facts.ts"
import { parseCountry } from "../core/country.ts"
import { given } from "../core/given.ts"
import { Usage } from "./options.ts"

/** A table that cannot be used stops the start: payments routed by half of it would go who knows where. */
export function loadBinTable(file: string): BinTable {
  const read = readBinTable(textOf(file))
  if (read.kind === "table") return read.table
  throw new Usage(`The BIN table ${file} cannot be used:${problemLines(read)}`)
}

function textOf(file: string): string {
  const refuse = (why: string): never => {
    throw new Usage(`The BIN table ${file} cannot be read: ${why}.`)
  }
  let bytes: Uint8Array
  try {
    const { size } = statSync(file)
    if (size > MAX_BIN_TABLE_BYTES) return refuse(`it has ${size} bytes, and ${MAX_BIN_TABLE_BYTES} are taken`)
    bytes = readFileSync(file)
  } catch (error) {
    if (error instanceof Usage) throw error
    return refuse(reasonOf(error))
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return refuse("it is not written in UTF-8")
  }
}

function reasonOf(error: unknown): string {
  const code = (error as { readonly code?: string }).code
  if (code === "ENOENT") return "there is no such file"
  if (code === "EISDIR") return "it is a folder"
  if (code === "EACCES" || code === "EPERM") return "this user may not read it"
  return String(error)
}

function problemLines({
  problems,
  more,
}: {
  readonly problems: readonly BinProblem[]
  readonly more: boolean
}): string {
  const lines = problems.map(({ line, detail }) => `\n  line ${line} ${detail}`)
  return `${lines.join("")}${more ? `\n  and more after these ${problems.length}` : ""}`
}

/** The simulator's test cards. */
export function simulatedBinTable(): BinTable {
  const rows = testBins().map(({ prefix, ...bin }, index) => ({
    line: index + 1,
    from: prefix,
    to: prefix,
    facts: cardFactsIn(given({ country: parseCountry(bin.country), funding: bin.funding, issuer: bin.issuer })),
  }))
  const built = binTable(rows)
  if (built.kind === "refused") throw new Error(`the simulator's BINs are no table:${problemLines(built)}`)
  return built.table
}

/** Of the demo, whose simulator starts only after the server: it knows its test cards from then on. */
export function demoBinTable(): BinTable & { simulatorRuns(): void } {
  let table = noBins
  return {
    get rows() {
      return table.rows
    },
    factsOf: (digits) => table.factsOf(digits),
    simulatorRuns: () => {
      table = simulatedBinTable()
    },
  }
}
