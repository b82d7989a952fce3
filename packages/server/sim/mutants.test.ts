import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { test } from "node:test"
import { mutants, MUTANT_SEEDS } from "./mutants.ts"

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The simulation with a broken engine; its last line. */
function simulateBroken(name: string): {
  readonly seeds: number
  readonly failures: number
  readonly first_failure: { readonly failure: string } | null
} {
  const run = spawnSync(
    process.execPath,
    [
      "--import",
      file("./mutant-preload.ts"),
      file("./main.ts"),
      "--seeds",
      String(MUTANT_SEEDS),
      "--stop-at-failure",
      "--quiet",
    ],
    {
      encoding: "utf8",
      env: { ...process.env, SIM_MUTANT: name },
    },
  )
  const last = run.stdout.trim().split("\n").at(-1) ?? ""
  assert.ok(last.startsWith("{"), `the simulation ended without a result:\n${run.stdout}\n${run.stderr}`)
  return JSON.parse(last) as ReturnType<typeof simulateBroken>
}

for (const { name } of mutants) {
  test(`the simulation catches an engine with: ${name}`, () => {
    const { failures, first_failure } = simulateBroken(name)
    assert.equal(failures, 1, `no promise was broken within ${MUTANT_SEEDS} worlds`)
    assert.ok(first_failure !== null && first_failure.failure.length > 0)
  })
}
