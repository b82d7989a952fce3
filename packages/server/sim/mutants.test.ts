import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { runMutants } from "./mutant-run.ts"
import { mutants, QUICK_SEEDS } from "./mutants.ts"

test("every line that is to be broken stands in the engine, once", () => {
  const texts = new Map<string, string>()
  for (const { name, file, find } of mutants) {
    const text = texts.get(file) ?? readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8")
    texts.set(file, text)
    assert.equal(text.split(find).length, 2, `"${name}" in ${file}`)
  }
})

test("the simulation catches every engine that is broken by one line of the short list", async () => {
  const quick = mutants.filter((m) => m.quick)
  const caught = await runMutants(quick, QUICK_SEEDS)
  assert.deepEqual(
    caught.filter((c) => c.seed === undefined).map((c) => c.mutant.name),
    [],
    `no promise was broken within ${QUICK_SEEDS} worlds by these`,
  )
})
