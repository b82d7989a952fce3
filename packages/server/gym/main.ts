// `npm run gym`: the real routing code against simulated weeks of payments, beside baselines on the same payments and dice.

import { parseArgs } from "node:util"
import { baselines, type PolicyMaker } from "./baselines/policies.ts"
import { commitmentsOf, keptOf, promiseIn } from "./commitments.ts"
import { evidence, evidenceTable } from "./evidence.ts"
import { bestSingle, measure, oracleRate, type Metrics } from "./metrics.ts"
import { ours } from "./ours.ts"
import { anchors, problems, regret, summary, type Problem } from "./piecewise.ts"
import { lastLine, table, type Row } from "./report.ts"
import { run, type Run } from "./run.ts"
import { createWorld, type WorldName } from "./world.ts"

const help = `Runs the routing of the server in simulated weeks of payments, beside baselines on the same payments and dice.

  npm run gym                                        the calibrated world, 300,000 payments a week, seeds 1..3
  npm run gym -- --world adversarial                 changes and outages strike the best provider at the peak
  npm run gym -- --world piecewise --seeds 1..100    published bandit problems with known regrets: checks the baselines
  --volume 60000|300000|1200000                      payments a week
  --seeds A..B                                       worlds; 1..19 are for tuning, reports use 100 and up
  --days N                                           7 by default; every world starts knowing nothing
  --policy NAME                                      one policy instead of all: ${["orchestra", "orchestra_committed", ...Object.keys(baselines)].join(", ")}
  --evidence                                         off-policy estimates and guardrails against the worlds' truth
  --json                                             only the last line

The last line is JSON: {world, volume, seeds, policies: {name: {approval_pp_vs_best_single, headroom, outage_share, …}}}.`

/** The same router, which owes the least used provider volume. */
const COMMITTED = "orchestra_committed"

const { values } = asked()
if (values.help) {
  console.log(help)
  process.exit(0)
}
const [from, to] = seedsOf(values.seeds)
if (values.world === "piecewise") piecewise(from, to)
else if (values.world !== "calibrated" && values.world !== "adversarial")
  fail(`--world is calibrated, adversarial or piecewise, not "${values.world}"`)
else if (values.evidence) claims(values.world, from, to)
else payments(values.world, from, to)

function asked() {
  try {
    return parseArgs({
      options: {
        world: { type: "string", default: "calibrated" },
        volume: { type: "string", default: "300000" },
        seeds: { type: "string", default: "1..3" },
        days: { type: "string", default: "7" },
        policy: { type: "string" },
        evidence: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message.split(". ")[0] : String(error)}. --help lists what there is.`)
  }
}

function payments(name: WorldName, first: number, last: number): void {
  const volume = whole("volume", values.volume)
  const days = whole("days", values.days)
  const all: Readonly<Record<string, PolicyMaker>> = { orchestra: (world) => ours(world), ...baselines }
  const wanted = values.policy === undefined ? ["orchestra", COMMITTED, ...Object.keys(baselines)] : [values.policy]
  for (const policy of wanted)
    if (policy !== COMMITTED && !Object.hasOwn(all, policy))
      fail(`no policy is called "${policy}": ${["orchestra", COMMITTED, ...Object.keys(baselines)].join(", ")}`)
  const found = new Map<string, Metrics[]>(wanted.map((policy) => [policy, []]))
  for (let seed = first; seed <= last; seed++) {
    const world = createWorld({ name, volume, seed, days })
    const single = bestSingle(world)
    const oracle = oracleRate(world)
    let free: Run | undefined
    const unbound = (): Run => (free ??= run(world, ours(world)))
    for (const policy of wanted) {
      const started = performance.now()
      let metrics: Metrics
      if (policy === COMMITTED) {
        const promised = promiseIn(world, unbound())
        const bound = run(world, ours(world, { commitments: commitmentsOf(world, promised) }))
        metrics = { ...measure(world, bound, single.rate, oracle), ...keptOf(world, promised, unbound(), bound) }
      } else {
        const result = policy === "orchestra" ? unbound() : run(world, all[policy]!(world))
        metrics = measure(world, result, single.rate, oracle)
      }
      found.get(policy)!.push(metrics)
      console.error(
        `seed ${seed} ${policy}: ${metrics.approval_pp_vs_best_single.toFixed(2)} pp over the best single provider, ` +
          `${((performance.now() - started) / 1_000).toFixed(1)} s`,
      )
    }
  }
  const rows: Row[] = wanted.map((policy) => ({ policy, runs: found.get(policy)! }))
  if (!values.json) console.log(table(rows))
  console.log(lastLine({ world: name, volume, seeds: `${first}..${last}`, rows }))
}

function claims(name: WorldName, first: number, last: number): void {
  const volume = whole("volume", values.volume)
  const report = evidence({ name, volume, from: first, to: last, tell: (line) => console.error(line) })
  if (!values.json) console.log(evidenceTable(report))
  console.log(JSON.stringify({ world: name, volume, seeds: `${first}..${last}`, evidence: report }))
}

function piecewise(first: number, last: number): void {
  const policies: Record<string, Record<string, object>> = {}
  for (const [name, anchor] of Object.entries(anchors))
    for (const problem of Object.keys(problems) as Problem[]) {
      const regrets: number[] = []
      for (let seed = first; seed <= last; seed++) regrets.push(regret(anchor.maker, problem, seed))
      const { mean, sd } = summary(regrets)
      const [wanted, wantedSd] = anchor[problem]
      ;(policies[name] ??= {})[problem] = { regret: mean, sd, anchor: wanted, anchor_sd: wantedSd }
      const line = `${name.padEnd(18)} ${problem}  regret ${mean.toFixed(0)} ± ${sd.toFixed(0)}, anchor ${wanted} ± ${wantedSd}`
      if (values.json) console.error(line)
      else console.log(line)
    }
  console.log(JSON.stringify({ world: "piecewise", volume: null, seeds: `${first}..${last}`, policies }))
}

function seedsOf(text: string): [number, number] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text)
  if (match === null) return fail(`--seeds is A or A..B, not "${text}"`)
  const first = Number(match[1])
  return [first, Number(match[2] ?? first)]
}

function whole(name: string, text: string): number {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : fail(`--${name} needs a whole number, not "${text}"`)
}

function fail(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}
