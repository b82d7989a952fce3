// Runs the simulation once for each broken engine, each in a process of its own, and tells in which world it was caught.

import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import type { Mutant } from "./mutants.ts"

export type Caught = {
  readonly mutant: Mutant
  /** The world whose judge saw it; undefined where none did. */
  readonly seed: number | undefined
  readonly failure: string
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** As many at a time as there are cores; in the order of the list. */
export async function runMutants(
  mutants: readonly Mutant[],
  seeds: number,
  onCaught: (caught: Caught) => void = () => {},
): Promise<readonly Caught[]> {
  const results: Caught[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < mutants.length) {
      const index = next
      next += 1
      const caught = await runOne(mutants[index]!, seeds)
      results[index] = caught
      onCaught(caught)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

async function runOne(mutant: Mutant, seeds: number): Promise<Caught> {
  const child = spawn(
    process.execPath,
    [
      "--import",
      file("./mutant-preload.ts"),
      file("./main.ts"),
      "--seeds",
      String(seeds),
      "--stop-at-failure",
      "--quiet",
    ],
    { env: { ...process.env, SIM_MUTANT: mutant.name }, stdio: ["ignore", "pipe", "pipe"] },
  )
  let out = ""
  let complaints = ""
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")))
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString("utf8")))
  await new Promise<void>((resolve) => child.on("close", () => resolve()))
  const last = out.trim().split("\n").at(-1) ?? ""
  if (!last.startsWith("{")) throw new Error(`"${mutant.name}" ended without a result:\n${out}\n${complaints}`)
  const { first_failure: first } = JSON.parse(last) as {
    readonly first_failure: { readonly seed: number; readonly failure: string } | null
  }
  return { mutant, seed: first?.seed, failure: first?.failure ?? "" }
}
