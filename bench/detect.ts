// `npm run detect:bench`: how soon insight's detector and the windows of others see a drop of approvals, on the same streams
// and at the same rate of false alarms; and whether its false alarms stay within what it promises.

import { parseArgs } from "node:util"
import { createFleet, type Fleet } from "../packages/server/src/insight/detect/fleet.ts"
import { MINUTES_PER_WEEK } from "../packages/server/src/insight/detect/budget.ts"
import { rivals } from "./detect/rivals.ts"
import { createStream, type StreamKind } from "./detect/stream.ts"

const help = `Measures the detector of insight beside windows, EWMA and CUSUM on the same streams.

  npm run detect:bench
  --months N   stream-months that false alarms are counted in (default 1000), over volumes and overdispersions
  --runs N     drops of each kind (default 200)
  --wander PP  quiet rates also wander by so many points within hours (default 0), which the guarantee does not cover
  --json       only the last line

Every detector is held to one false alarm in thirty days a stream: ours by its guarantee, learning what is usual from four
weeks; the others by calibration on quiet streams, knowing the truth. Delays are in minutes (median/p95; null: over a day).
The last line is JSON: {false_alarms: {nominal, observed, …}, delays: […], targets: […]}.`

const MONTH = 43_200
const WARM_UP = 40_320
const DAY = 1_440
/** Quiet months that the others' thresholds are calibrated on. */
const CALIBRATION_MONTHS = 40

const volumes = [5, 50, 500]
const rhos = [0, 0.005, 0.01]
const drops = [0.02, 0.05, 0.1, 0.3, 0.9]
const targets = [
  { volume: 50, drop: 0.05, minutes: 18 },
  { volume: 500, drop: 0.02, minutes: 16 },
  { volume: 5, drop: 0.3, minutes: 8 },
]

type Delay = { readonly median: number | null; readonly p95: number | null }

const { values } = asked()
if (values.help) console.log(help)
else run(whole("months", values.months), whole("runs", values.runs))

function run(months: number, runs: number): void {
  const say = (line: string): void => {
    if (!values.json) console.log(line)
  }
  const wander = Number(values.wander) / 100
  if (!(wander >= 0 && wander < 0.1)) fail(`--wander is a number of points from 0 to 10, not "${values.wander}".`)
  const quiet = falseAlarms(months, wander)
  for (const row of quiet.rows)
    say(
      `quiet ${row.volume}/min, rate ± ${row.rho * 100} pp: ${row.alarms} false alarms in ${row.months} stream-months`,
    )
  const delays = volumes.flatMap((volume) => {
    // Small streams show no overdispersion that could be told from chance.
    const kind: StreamKind = { volume, rho: volume >= 50 ? 0.01 : 0.005 }
    const thresholds = calibrated(kind)
    return drops.map((drop) => {
      const row = { volume, drop, ...delaysOf(kind, drop, runs, thresholds) }
      say(
        `${volume}/min, −${drop * 100} pp: ${Object.entries(row.minutes)
          .map(([name, d]) => `${name} ${shown(d)}`)
          .join("  ")}`,
      )
      return row
    })
  })
  const met = targets.map(({ volume, drop, minutes }) => {
    const median =
      delays.find((row) => row.volume === volume && row.drop === drop)?.minutes["orchestra"]?.median ?? null
    return { volume, drop, target: minutes, median, met: median !== null && median <= minutes }
  })
  console.log(JSON.stringify({ false_alarms: quiet.summary, delays, targets: met }))
}

/** One slice by itself, which may alarm falsely once in thirty days. */
function alone(): Fleet {
  return createFleet([{ name: "all", fixed: 0 }], { perWeek: MINUTES_PER_WEEK / MONTH, rate: 0.12 })
}

function falseAlarms(months: number, wander: number) {
  const each = Math.ceil(months / (volumes.length * rhos.length))
  const rows = volumes.flatMap((volume) =>
    rhos.map((rho) => {
      let alarms = 0
      for (let stream = 0; stream < each; stream++) {
        const fleet = alone()
        const next = createStream({ volume, rho, wander }, 1 + stream + 10_000 * volume + 1_000_000 * rho)
        for (let minute = 0; minute < WARM_UP + MONTH; minute++) {
          const { n, k } = next(minute)
          const told = fleet.observe(0, minute, n, k)
          if (told?.kind === "alarm" && minute >= WARM_UP) alarms++
        }
      }
      return { volume, rho, months: each, alarms, per_month: rounded(alarms / each) }
    }),
  )
  const total = rows.reduce((sum, row) => sum + row.months, 0)
  const summary = {
    nominal_per_month: 1,
    stream_months: total,
    observed_per_month: rounded(rows.reduce((sum, row) => sum + row.alarms, 0) / total),
    worst_per_month: Math.max(...rows.map((row) => row.per_month)),
    rows,
  }
  return { rows, summary }
}

/** Thresholds at which one in e quiet months has no alarm: a mean of one a month. */
function calibrated(kind: StreamKind): readonly number[] {
  const maxima = rivals.map((): number[] => [])
  for (let stream = 0; stream < CALIBRATION_MONTHS; stream++) {
    const next = createStream(kind, 77_000 + stream)
    const watching = rivals.map(({ create }) => create())
    const highest = rivals.map(() => -Infinity)
    for (let minute = 0; minute < MONTH; minute++) {
      const seen = next(minute)
      for (const [at, watch] of watching.entries()) highest[at] = Math.max(highest[at]!, watch(seen))
    }
    for (const [at, value] of highest.entries()) maxima[at]!.push(value)
  }
  return maxima.map((all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / Math.E)]!)
}

function delaysOf(kind: StreamKind, drop: number, runs: number, thresholds: readonly number[]) {
  const names = ["orchestra", ...rivals.map(({ name }) => name)]
  const delays = names.map((): number[] => [])
  for (let run = 0; run < runs; run++) {
    const fleet = alone()
    const next = createStream(kind, 500_000 + run)
    const watching = rivals.map(({ create }) => create())
    const start = WARM_UP + ((run * 7_919) % DAY)
    const found = names.map(() => Infinity)
    for (let minute = 0; minute < start + DAY && found.includes(Infinity); minute++) {
      const seen = next(minute, minute >= start ? drop : 0)
      const told = fleet.observe(0, minute, seen.n, seen.k)
      // An alarm of before is over by then, or it is none of this drop: only alarms after its start count.
      if (told?.kind === "alarm" && minute >= start) found[0] = Math.min(found[0]!, minute - start + 1)
      if (minute < start - 120) continue
      for (const [at, watch] of watching.entries()) {
        const value = watch(seen)
        if (minute >= start && value > thresholds[at]!) found[at + 1] = Math.min(found[at + 1]!, minute - start + 1)
      }
    }
    for (const [at, minutes] of found.entries()) delays[at]!.push(minutes)
  }
  const quantile = (all: readonly number[], q: number): number | null => {
    const value = all.toSorted((a, b) => a - b)[Math.floor(q * (all.length - 1))]!
    return Number.isFinite(value) ? value : null
  }
  const minutes = Object.fromEntries(
    names.map((name, at): [string, Delay] => [
      name,
      { median: quantile(delays[at]!, 0.5), p95: quantile(delays[at]!, 0.95) },
    ]),
  )
  return { rho: kind.rho, minutes }
}

function shown({ median, p95 }: Delay): string {
  return `${median ?? ">1440"}/${p95 ?? ">1440"}`
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

function whole(name: string, text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 1
    ? value
    : fail(`--${name} is a whole number from 1 on, not "${text}".`)
}

function asked() {
  try {
    return parseArgs({
      options: {
        months: { type: "string", default: "1000" },
        runs: { type: "string", default: "200" },
        wander: { type: "string", default: "0" },
        json: { type: "boolean", default: false },
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
