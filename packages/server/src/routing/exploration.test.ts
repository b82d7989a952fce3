import assert from "node:assert/strict"
import { test } from "node:test"
import { createExploration, EXPLORATION_SHARE, explorationChance, type Exploration } from "./exploration.ts"
import { diceAt } from "./signals/dice.ts"

function chanceFor(budget: Exploration, allowed: boolean, benefit: number): number {
  const chance = explorationChance(budget.read(), allowed, benefit)
  budget.passed(allowed, benefit)
  return chance
}

test("explorations stay within their share of traffic over the first week and ever after, half of a week's in advance", () => {
  const week = 20_000
  const budget = createExploration(EXPLORATION_SHARE, week)
  let spent = 0
  for (let i = 1; i <= 50_000; i++) {
    const benefit = diceAt(1, i)
    if (diceAt(2, i) < chanceFor(budget, i % 5 !== 0, benefit)) {
      budget.spent()
      spent += 1
    }
    assert.ok(spent <= EXPLORATION_SHARE * Math.max(i, (i + week) / 2) + 1)
  }
  assert.ok(spent > 0.8 * EXPLORATION_SHARE * 50_000, "and the budget is used")
})

test("nothing is explored where nothing can be gained, nor where it is switched off", () => {
  const budget = createExploration()
  for (let i = 0; i < 5_000; i++) assert.equal(chanceFor(budget, true, -0.01), 0)
  const off = createExploration(0)
  for (let i = 0; i < 5_000; i++) assert.equal(chanceFor(off, true, 0.05), 0)
})
