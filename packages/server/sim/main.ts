// `npm run sim`: the deterministic simulation of the real engine. Every seed is a world of its own; the same seed is the
// same history, on every machine.

import { parseArgs, type ParseArgsConfig } from "node:util"
import { Coverage } from "./coverage.ts"
import { runMutants } from "./mutant-run.ts"
import { mutants, MUTANT_SEEDS } from "./mutants.ts"
import { simulate } from "./run.ts"

const help = `Runs the real engine in simulated worlds: lying networks, crashing processes, late webhooks, several nodes.

  npm run sim -- --seeds 1000            1,000 worlds
  npm run sim -- --seeds 1000 --from 500 starting with seed 500
  npm run sim -- --seed 42 --trace       one world, with everything that happened
  --stop-at-failure                      no further worlds after the first broken one
  --mutants                              every broken engine of mutants.ts, each until it is caught; fails if one is not
  --coverage                             how often each named situation came up, before the last line
  --quiet                                only the last line

The last line is JSON: {seeds, payments, failures, first_failure, seeds_per_second}. Ends with 1 if a promise was broken.`

const { values } = asked({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
    coverage: { type: "boolean", default: false },
    "stop-at-failure": { type: "boolean", default: false },
  },
})

/** As `parseArgs`, with one sentence where it would throw. */
function asked<const O extends ParseArgsConfig>(config: O): ReturnType<typeof parseArgs<O>> {
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message.split(". ")[0] : String(error)}. --help lists what there is.`,
    )
    process.exit(2)
  }
}

if (values.help) {
  console.log(help)
  process.exit(0)
}
if (values.mutants) {
  const caught = await runMutants(mutants, MUTANT_SEEDS, ({ mutant, seed, failure }) =>
    console.log(`${seed === undefined ? "NOT CAUGHT" : `world ${seed}`}\t${mutant.name}\t${failure}`),
  )
  process.exit(caught.every((c) => c.seed !== undefined) ? 0 : 1)
}
const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) {
    console.error(`--${name} needs a whole number, not "${text}"`)
    process.exit(2)
  }
  return value
}
const from = whole("from", values.seed ?? values.from)
const seeds = values.seed === undefined ? whole("seeds", values.seeds) : 1
const started = performance.now()
let payments = 0
let failures = 0
let first: { seed: number; failure: string } | null = null
let ran = 0
const coverage = new Coverage()
for (let seed = from; seed < from + seeds; seed++) {
  ran += 1
  const result = await simulate(seed, values.trace)
  payments += result.payments
  coverage.add(result.coverage)
  if (values.trace) for (const line of result.trace) console.log(line)
  if (result.failure !== undefined) {
    failures += 1
    first ??= { seed, failure: result.failure }
    if (!values.quiet) console.error(`seed ${seed}: ${result.failure}`)
    if (values["stop-at-failure"]) break
  }
  const every = Math.max(1, Math.round(seeds / 20))
  if (!values.quiet && seeds > 20 && (seed - from + 1) % every === 0)
    console.error(`${seed - from + 1}/${seeds} worlds, ${failures} failures`)
}
if (values.coverage) console.log(JSON.stringify(coverage.report(), undefined, 2))
const seconds = (performance.now() - started) / 1000
console.log(
  JSON.stringify({
    seeds: ran,
    payments,
    failures,
    first_failure: first,
    seeds_per_second: Math.round((ran / seconds) * 10) / 10,
  }),
)
process.exitCode = failures > 0 ? 1 : 0
