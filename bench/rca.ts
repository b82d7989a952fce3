// `npm run rca`: the product's localiser on public incidents, scored as their authors score.

import { existsSync } from "node:fs"
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { locateExcess, locateDeviation } from "../packages/server/src/insight/cause/locate-cause.ts"
import { namesOf } from "../packages/server/src/insight/cause/leaves.ts"
import { labelOf, type Case } from "./rca/case.ts"
import { generate, SIZES } from "./rca/generate.ts"
import { robustSpotCases } from "./rca/robust-spot.ts"
import { scoreOf, summaryOf, type Scored } from "./rca/score.ts"
import { squeezeCases } from "./rca/squeeze.ts"
import { isInHalf } from "./rca/half.ts"

const help = `Runs the localiser of insight on labelled incidents.

  npm run rca -- --data DIR --format squeeze|riskloc|rs
  npm run rca -- --generate DIR [--limit N] [--seed N]   our own cases of approvals per attempt, in Squeeze's format
  --limit N        the first N cases only
  --half dev|test  one half of the groups (channels of RS): what is tuned looks at dev only
  --json           only the last line
  --verbose        every case that was not answered exactly

Data: docs/insight.md says where the public sets are. The time of a case is that of the localiser on the encoded table.
The last line is JSON: {cases, f1, f1_interval, hit1, hit3, hit5, ms: {p50, p95}, cpu_ms}.`

// Reading a case leaves behind several times the memory that the localiser needs; collecting that is not its work.
setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const { values } = asked()
if (values.help) {
  console.log(help)
} else if (values.generate !== undefined) {
  generate(values.generate, {
    cases: wholeOf("limit", values.limit ?? "40"),
    seed: wholeOf("seed", values.seed),
    sizes: SIZES,
  })
} else {
  run()
}

function run(): void {
  const { data, format } = values
  if (data === undefined || !existsSync(data))
    fail(`--data names a folder${data === undefined ? "" : `; "${data}" is none`}.`)
  const limit = values.limit === undefined ? Number.MAX_SAFE_INTEGER : wholeOf("limit", values.limit)
  const { half } = values
  if (half !== undefined && half !== "dev" && half !== "test") fail(`--half is dev or test, not "${half}".`)
  const scored: Scored[] = []
  for (const one of casesOf(data, format)) {
    if (half !== undefined && !isInHalf(one.group, half)) continue
    if (scored.length >= limit) break
    const result = solve(one)
    scored.push(result)
    if (!values.json && scored.length % 50 === 0) console.error(`${scored.length} cases`)
  }
  if (scored.length === 0) fail(`${data} holds no case of format ${format}.`)
  console.log(JSON.stringify(summaryOf(scored)))
}

function casesOf(data: string, format: string | undefined): Iterable<Case> {
  if (format === "rs") return robustSpotCases(data)
  if (format === "squeeze" || format === "riskloc") return squeezeCases(data)
  return fail(`--format is squeeze, riskloc or rs, not "${format ?? ""}".`)
}

function solve({ name, group, leaves, data, labels }: Case): Scored {
  collect()
  const started = performance.now()
  const cpu = process.cpuUsage()
  const located =
    data.kind === "ratio" ? locateExcess(leaves, data.counts) : locateDeviation(leaves, data.values, data.forecasts)
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  const text = (element: Parameters<typeof namesOf>[1]): string => labelOf(namesOf(leaves, element))
  const predicted = located.causes.flatMap(({ elements }) => elements.map(({ element }) => text(element)))
  const ranked = located.candidates.map(({ element }) => text(element))
  const score = scoreOf(labels, predicted, ranked)
  if (values.verbose && score.fp + score.fn > 0) {
    const shown = located.candidates.map(({ score: nats }, at) => {
      const mark = predicted.includes(ranked[at]!) ? "*" : ""
      return `${ranked[at]}${mark} ${nats.toFixed(1)}`
    })
    console.error(`${name}: ${labels.join(" ; ")}  <-  ${shown.join("  ")}`)
  }
  return { name, group, ...score, ms, cpuMs: (user + system) / 1_000 }
}

function asked() {
  try {
    return parseArgs({
      options: {
        data: { type: "string" },
        format: { type: "string" },
        limit: { type: "string" },
        generate: { type: "string" },
        seed: { type: "string", default: "1" },
        half: { type: "string" },
        json: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message.split(". ")[0] : String(error)}. --help lists what there is.`)
  }
}

function wholeOf(name: string, text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 1
    ? value
    : fail(`--${name} is a whole number from 1 on, not "${text}".`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
