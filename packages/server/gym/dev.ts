import { ours } from "./ours.ts"
import { bestSingle, follow, measure, oracleRate } from "./metrics.ts"
import { run } from "./run.ts"
import { chance, createWorld } from "./world.ts"
const volume = Number(process.argv[2] ?? 300000)
const [from, to] = (process.argv[3] ?? "1..3").split("..").map(Number)
const name = (process.argv[4] ?? "calibrated") as "calibrated"
const acc: Record<string, number> = {}
const att: Record<string, number[]> = { hard: [], gray: [], silent: [] }
let n = 0
for (let seed = from!; seed <= to!; seed++) {
  const t0 = performance.now()
  const world = createWorld({ name, volume, seed })
  const t1 = performance.now()
  const single = bestSingle(world)
  const oracle = oracleRate(world)
  const t2 = process.cpuUsage().user / 1000
  const result = run(world, ours(world))
  const t3 = process.cpuUsage().user / 1000
  const m = measure(world, result, single.rate, oracle)
  const reg = { quiet: 0, divq: 0, out: 0, iss: 0, d1: 0, d7: 0 }
  for (let i = 0; i < world.count; i++) {
    let o = false,
      best = 0
    for (let k = 0; k < 4; k++) {
      if (world.outageAt[i * 4 + k]! >= 0) o = true
      best = Math.max(best, chance(world, i, k))
    }
    const r = (100 * (best - chance(world, i, result.provider[i]!))) / world.count
    if (o) reg.out += r
    else if (world.issuerOutageAt[i]! >= 0) reg.iss += r
    else if (result.diverted[i]) reg.divq += r
    else reg.quiet += r
    if (i < world.count / 7) reg.d1 += r * 7
    if (i > (world.count * 6) / 7) reg.d7 += r * 7
  }
  const flat: Record<string, number> = {
    Rq: reg.quiet,
    Rdiv: reg.divq,
    Rout: reg.out,
    Riss: reg.iss,
    Rd1: reg.d1,
    Rd7: reg.d7,
    oracle_pp: 100 * (oracle - single.rate),
    single: single.rate,
    pp: m.approval_pp_vs_best_single,
    head: m.headroom,
    hard: m.outage_share.hard,
    gray: m.outage_share.gray,
    silent: m.outage_share.silent,
    falseEj: m.false_ejections_per_month,
    expl: m.exploration_share,
    probe: m.probe_share,
    iss: m.issuer_outage_switching,
    retry: m.retry_pp,
    soft: m.retry_soft_pp,
    div: result.diverted.reduce((a, b) => a + b, 0) / world.count,
    changes: result.changes.length,
  }
  for (const k of Object.keys(flat)) acc[k] = (acc[k] ?? 0) + flat[k]!
  for (const k of ["hard", "gray", "silent"] as const) att[k]!.push(...m.attempts_to_leave[k])
  n++
  console.error(
    seed,
    Object.entries(flat)
      .map(([k, v]) => `${k}=${v.toFixed(4)}`)
      .join(" "),
    `world ${(t1 - t0).toFixed(0)} run ${(t3 - t2).toFixed(0)}ms`,
  )
  if (process.argv[5] === "out")
    world.events.outages.forEach((o, i) => {
      if (o.kind === "slow") return
      const f = follow(world, result, o, i)
      console.error(
        "OUT",
        o.kind,
        "p",
        o.provider,
        "min",
        ((o.untilMs - o.fromMs) / 60000).toFixed(0),
        "flap",
        o.flapMs,
        "net",
        o.network,
        "c",
        o.country,
        "3ds",
        o.challengedOnly,
        "quiet",
        (i * 7 + 3) % 10 < 3,
        JSON.stringify(f),
      )
    })
  if (process.argv[5] === "trace")
    for (const c of result.changes) if (c.kind === "health" && c.to === "ejected") console.error(JSON.stringify(c))
}
const med = (a: number[]) => a.sort((x, y) => x - y)[Math.floor(a.length / 2)]
console.log(
  "MEAN",
  Object.entries(acc)
    .map(([k, v]) => `${k}=${(v / n).toFixed(4)}`)
    .join(" "),
  "leave",
  med(att["hard"]!),
  med(att["gray"]!),
  med(att["silent"]!),
  att["hard"]!.length,
  att["gray"]!.length,
  att["silent"]!.length,
)
