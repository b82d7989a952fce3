import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { locateExcess } from "../../packages/server/src/insight/cause/locate-cause.ts"
import { namesOf } from "../../packages/server/src/insight/cause/leaves.ts"
import { labelOf } from "./case.ts"
import { generate } from "./generate.ts"
import { robustSpotCases } from "./robust-spot.ts"
import { scoreOf, summaryOf } from "./score.ts"
import { squeezeCases } from "./squeeze.ts"

const folder = mkdtempSync(join(tmpdir(), "orchestra-rca-"))
after(() => rmSync(folder, { recursive: true, force: true }))

function written(name: string, files: Readonly<Record<string, string>>): string {
  const home = join(folder, name)
  mkdirSync(home)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text)
  return home
}

describe("the scorer", () => {
  test("counts exact matches, and pools them over cases", () => {
    const one = scoreOf(["a=1", "b=2"], ["a=1", "c=3"], ["c=3", "a=1"])
    assert.deepEqual(one, { tp: 1, fp: 1, fn: 1, hits: [0, 0.5, 0.5] })
    const summary = summaryOf([
      { name: "x", group: "g", ms: 10, cpuMs: 10, ...one },
      { name: "y", group: "h", ms: 20, cpuMs: 20, ...scoreOf(["a=1"], ["a=1"], ["a=1"]) },
    ])
    assert.deepEqual([summary.cases, summary.f1, summary.hit1], [2, 0.6667, 0.5])
  })
})

describe("the readers", () => {
  test("read the format of the Squeeze sets, labels in alphabetical order", () => {
    const home = written("squeeze", {
      "injection_info.csv": "timestamp,set\n100,b=b1&a=a1;a=a2\n",
      "100.csv": "real,predict,a,b\n1,2,a1,b1\n3,3,a2,b1\n",
    })
    const [one] = [...squeezeCases(home)]
    assert.deepEqual(one?.labels, ["a=a1&b=b1", "a=a2"])
    assert.ok(one?.data.kind === "value")
    assert.deepEqual([...one.data.values], [1, 3])
  })

  test("read RS, with the minutes before as history and failures among attempts", () => {
    const home = written("rs", {
      "anomaly.yaml": "- data: case1_0821_12345678\n  timestamp: 600\n  cause: [{'p2p':1}, {'cdn':3, 'p2p':0}]\n",
      "case1_0821_12345678.csv":
        "min,value,cnt,cdn,p2p\n300,9,9,3,1\n480,1,10,3,1\n540,3,20,3,1\n600,5,10,3,1\n600,0,4,3,0\n660,9,9,3,1\n",
    })
    const [one] = [...robustSpotCases(home)]
    assert.deepEqual([one?.group, one?.labels], ["12345678", ["p2p=1", "cdn=3&p2p=0"]])
    assert.ok(one?.data.kind === "ratio")
    const { n, f, n0, f0 } = one.data.counts
    assert.deepEqual(
      [[...n], [...f], [...n0], [...f0]],
      [
        [10, 4],
        [5, 0],
        [30, 0],
        [4, 0],
      ],
    )
  })

  test("say where a file is wrong", () => {
    const home = written("broken", {
      "injection_info.csv": "timestamp,set\n1,a=a1\n",
      "1.csv": "real,predict,a\n1,2,a1\nmany,2,a2\n",
    })
    assert.throws(() => [...squeezeCases(home)], /1\.csv:3: "many" is no number/)
    assert.throws(() => [...squeezeCases(written("none", {}))], /no injection_info\.csv/)
  })
})

test("our own cases are the same for the same seed, can be read, and their causes are found", () => {
  const [home, again] = [join(folder, "own"), join(folder, "again")]
  for (const place of [home, again]) generate(place, { cases: 4, seed: 3, sizes: [6, 8, 5, 3] })
  const cases = [...squeezeCases(home)]
  assert.deepEqual(
    cases.map(({ labels, data }) => ({ labels, data })),
    [...squeezeCases(again)].map(({ labels, data }) => ({ labels, data })),
  )
  for (const { leaves, data, labels, name } of cases) {
    assert.ok(data.kind === "ratio")
    const [first] = locateExcess(leaves, data.counts).candidates
    assert.ok(first !== undefined && labels.includes(labelOf(namesOf(leaves, first.element))), name)
  }
})
