import assert from "node:assert/strict"
import { test } from "node:test"
import { Coverage, situations } from "./coverage.ts"
import { QUICK_SEEDS } from "./mutants.ts"
import { simulate } from "./run.ts"

test("every named situation comes up in the worlds that the broken engines are run in, and no promise is broken", async () => {
  const coverage = new Coverage()
  for (let seed = 1; seed <= QUICK_SEEDS; seed++) {
    const result = await simulate(seed)
    assert.equal(result.failure, undefined, `seed ${seed}`)
    coverage.add(result.coverage)
  }
  assert.deepEqual(
    situations.filter((situation) => coverage.report()[situation] === 0),
    [],
    "these never happened: what they would find is not found",
  )
})
