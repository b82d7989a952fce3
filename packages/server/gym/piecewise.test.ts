import assert from "node:assert/strict"
import { test } from "node:test"
import { anchors, problems, regret, summary, type Problem } from "./piecewise.ts"

const RUNS = 12
/** GLR's regret on PB1 has a heavy tail (a change that is missed costs a whole episode): it needs more runs than a test has. */
const heavy = new Set(["GLR-klUCB local PB1", "GLR-klUCB global PB1"])

for (const [name, anchor] of Object.entries(anchors))
  for (const problem of Object.keys(problems) as Problem[]) {
    if (heavy.has(`${name} ${problem}`)) continue
    test(`${name} has its known regret on ${problem}`, () => {
      const [wanted, sd] = anchor[problem]
      const { mean } = summary(Array.from({ length: RUNS }, (_, i) => regret(anchor.maker, problem, i + 1)))
      // Three standard errors of our runs and of the anchor's hundred.
      const tolerance = 3 * sd * Math.sqrt(1 / RUNS + 1 / 100)
      assert.ok(Math.abs(mean - wanted) <= tolerance, `${mean} against ${wanted} ± ${tolerance}`)
    })
  }
