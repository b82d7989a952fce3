// What processes used, as Linux counts it: processor time and memory. On other systems the benchmark does without.

import { readFileSync, readdirSync } from "node:fs"
import { cpus, totalmem } from "node:os"

/** Kernel ticks per second, the same on every Linux that matters. */
const TICKS = 100
const PAGE_BYTES = 4_096

type Stat = { readonly parent: number; readonly ownMs: number; readonly childrenMs: number; readonly rssBytes: number }

/** Processor time of a process so far, its threads included (ms). */
export const cpuMs = (pid: number): number => statOf(pid)?.ownMs ?? Number.NaN

/** Processor time of a process and all below it, those that have ended included (ms). */
export function familyCpuMs(pid: number): number {
  const own = statOf(pid)
  if (own === undefined) return Number.NaN
  const children = processes().filter(({ stat }) => stat.parent === pid)
  return own.ownMs + own.childrenMs + children.reduce((sum, { stat }) => sum + stat.ownMs, 0)
}

export const rssBytes = (pid: number): number => statOf(pid)?.rssBytes ?? Number.NaN

/** The machine in a few words; `load` is the share of its cores that others keep busy. */
export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}`

function processes(): readonly { readonly pid: number; readonly stat: Stat }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = statOf(Number(name))
      return stat === undefined ? [] : [{ pid: Number(name), stat }]
    })
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name stands in brackets and may hold anything; fields are counted behind it. See proc_pid_stat(5).
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    const ms = (field: number): number => ((fields[field - 3] ?? 0) * 1_000) / TICKS
    return {
      parent: fields[4 - 3] ?? 0,
      ownMs: ms(14) + ms(15),
      childrenMs: ms(16) + ms(17),
      rssBytes: (fields[24 - 3] ?? 0) * PAGE_BYTES,
    }
  } catch {
    return undefined
  }
}
