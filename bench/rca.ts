// `npm run rca`: the product's localiser on public incidents, scored as their authors score.

import { existsSync } from "node:fs"
import { parseArgs } from "node:util"
import { locateExcess, locateDeviation } from "../packages/server/src/insight/cause/locate-cause.ts"
import { namesOf } from "../packages/server/src/insight/cause/leaves.ts"
import { labelOf, type Case } from "./rca/case.ts"
import { robustSpotCases } from "./rca/robust-spot.ts"
import { scoreOf, summaryOf, type Scored } from "./rca/score.ts"
import { squeezeCases } from "./rca/squeeze.ts"
import { isInHalf } from "./rca/half.ts"

const help = `Runs the localiser of insight on labelled incidents.

  npm run rca -- --data DIR --format squeeze|riskloc|rs
  --limit N        the first N cases only
  --half dev|test  one half of the groups (channels of RS): what is tuned looks at dev only
  --json           only the last line
  --verbose        every case that was not answered exactly

Data: docs/insight.md says where the public sets are. The time of a case is that of the localiser on the encoded table.
The last line is JSON: {cases, f1, f1_interval, hit1, hit3, hit5, ms: {p50, p95}}.`

const { values } = asked()
if (values.help) {
  console.log(help)
} else {
  run()
}

function run(): void {
  const { data, format } = values
  if (data === undefined || !existsSync(data))
    fail(`--data names a folder${data === undefined ? "" : `; "${data}" is none`}.`)
  const limit = values.limit === undefined ? Number.MAX_SAFE_INTEGER : Number(values.limit)
  if (!(limit >= 1)) fail(`--limit is a number from 1 on, not "${values.limit}".`)
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
  const started = performance.now()
  const located =
    data.kind === "ratio" ? locateExcess(leaves, data.counts) : locateDeviation(leaves, data.values, data.forecasts)
  const ms = performance.now() - started
  const text = (element: Parameters<typeof namesOf>[1]): string => labelOf(namesOf(leaves, element))
  const predicted = located.causes.flatMap(({ elements }) => elements.map(({ element }) => text(element)))
  const ranked = located.candidates.map(({ element }) => text(element))
  const score = scoreOf(labels, predicted, ranked)
  if (values.verbose && score.fp + score.fn > 0)
    console.error(
      `${name}: ${labels.join(" ; ")}  <- ${located.candidates.map((c, i) => `${ranked[i]} (${c.score.toFixed(1)}, ${c.a.toFixed(0)}/${c.b.toFixed(1)})${predicted.includes(ranked[i]!) ? "*" : ""}`).join("  ")}`,
    )
  return { name, group, ...score, ms }
}

function asked() {
  try {
    return parseArgs({
      options: {
        data: { type: "string" },
        format: { type: "string" },
        limit: { type: "string" },
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

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
