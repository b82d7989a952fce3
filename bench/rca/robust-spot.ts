// The RS data set (RobustSpot 2022, in riskloc's repository): 135 incidents of a live-video service, viewers (`cnt`) and
// stalled ones (`value`) per minute and leaf, with the minute and the cause that people named. What came before in the same
// file is the history.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { leavesOf } from "../../packages/server/src/insight/cause/leaves.ts"
import { labelOf, type Case } from "./case.ts"
import { columnOf, numberOf, readTable } from "./table.ts"

type Incident = { readonly data: string; readonly timestamp: number; readonly labels: readonly string[] }

/** Minutes before the incident that are its baseline, as in the original publication. */
const HISTORY_MINUTES = 4

export function* robustSpotCases(folder: string): Generator<Case> {
  const path = join(folder, "anomaly.yaml")
  if (!existsSync(path)) throw new Error(`${folder}: no anomaly.yaml`)
  for (const incident of incidentsOf(readFileSync(path, "utf8"), path)) yield caseOf(folder, incident)
}

function caseOf(folder: string, { data, timestamp, labels }: Incident): Case {
  const path = join(folder, `${data}.csv`)
  const table = readTable(path)
  const at = {
    minute: columnOf(table, "min", path),
    failures: columnOf(table, "value", path),
    attempts: columnOf(table, "cnt", path),
  }
  const dimensions = table.head
    .keys()
    .filter((column) => !Object.values(at).includes(column))
    .toArray()
  const leaves = new Map<string, { row: readonly string[]; n: number; f: number; n0: number; f0: number }>()
  for (const [line, row] of table.rows.entries()) {
    const [minute, f, n] = [at.minute, at.failures, at.attempts].map((column) =>
      numberOf(row[column], `${path}:${line + 2}`),
    ) as [number, number, number]
    const before = minute < timestamp && minute >= timestamp - HISTORY_MINUTES * 60
    if (minute !== timestamp && !before) continue
    const values = dimensions.map((column) => row[column]!)
    const key = values.join("\n")
    const leaf = leaves.get(key) ?? { row: values, n: 0, f: 0, n0: 0, f0: 0 }
    leaves.set(key, leaf)
    if (before) [leaf.n0, leaf.f0] = [leaf.n0 + n, leaf.f0 + f]
    else [leaf.n, leaf.f] = [leaf.n + n, leaf.f + f]
  }
  const all = [...leaves.values()]
  const column = (name: "n" | "f" | "n0" | "f0"): Float64Array => Float64Array.from(all, (leaf) => leaf[name])
  return {
    name: data,
    // The channel, which is the last part of the name; the few that name none are their own.
    group: /[_ ](\d{5,})$/.exec(data)?.[1] ?? data,
    leaves: leavesOf(
      dimensions.map((place) => table.head[place]!),
      all.map((leaf) => leaf.row),
    ),
    data: { kind: "ratio", counts: { n: column("n"), f: column("f"), n0: column("n0"), f0: column("f0") } },
    labels,
  }
}

/** The three lines that the file has per incident; anything else is an error with its place. */
function incidentsOf(text: string, path: string): readonly Incident[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "")
  const incidents: Incident[] = []
  for (let at = 0; at < lines.length; at += 3) {
    const data = /^- data: (.+?)\s*$/.exec(lines[at]!)?.[1]
    const timestamp = /^\s+timestamp: (\d+)\s*$/.exec(lines[at + 1] ?? "")?.[1]
    const cause = /^\s+cause: (.+?)\s*$/.exec(lines[at + 2] ?? "")?.[1]
    if (data === undefined || timestamp === undefined || cause === undefined)
      throw new Error(`${path}: incident ${at / 3 + 1} is not data, timestamp, cause`)
    const labels = [...cause.matchAll(/\{([^}]*)\}/g)].map(([, body]) =>
      labelOf(
        Object.fromEntries(
          [...body!.matchAll(/'([^']+)':\s*(?:'([^']*)'|([^,\s}]+))/g)].map(([, name, quoted, bare]) => [
            name!,
            quoted ?? bare!,
          ]),
        ),
      ),
    )
    if (labels.length === 0) throw new Error(`${path}: incident ${at / 3 + 1} has no cause`)
    incidents.push({ data: data.replace(/^['"]|['"]$/g, ""), timestamp: Number(timestamp), labels })
  }
  return incidents
}
