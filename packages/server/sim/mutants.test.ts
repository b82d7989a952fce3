import assert from "node:assert/strict"
import { test } from "node:test"
import { runMutants } from "./mutant-run.ts"
import { mutants, QUICK_SEEDS } from "./mutants.ts"

test("the simulation catches every engine that is broken by one line of the short list", async () => {
  const quick = mutants.filter((m) => m.quick)
  const caught = await runMutants(quick, QUICK_SEEDS)
  assert.deepEqual(
    caught.filter((c) => c.seed === undefined).map((c) => c.mutant.name),
    [],
    `no promise was broken within ${QUICK_SEEDS} worlds by these`,
  )
})
