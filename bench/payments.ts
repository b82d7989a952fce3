// `npm run bench -- payments`: what a payment costs here, beside what it could cost at least. Three things in turn, in
// one run on one machine, each with its load from another process:
//
//   A  Orchestra     a real server (main.ts, all roles) on the embedded PostgreSQL, before a simulated Adyen without
//                    added latency: POST /v1/payments, a new card, confirmed and captured by one call of the provider
//   B  its SQL       the statements of one such payment, captured from the server, alone through the same driver and pool
//   C  a bare proxy  a Fastify that forwards one request to the same provider and answers
//
// Rounds are interleaved (ABCABC): the machine's other work hits all three alike, and ratios stay what they are. Then
// payments arrive at half of A's rate, and the time that the provider took is taken off each. docs/benchmarks.md has
// numbers and what they mean.

import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { systemPorts, type Log } from "../packages/server/src/ports.ts"
import { openDatabase } from "../packages/server/src/storage/database.ts"
import { startEmbedded, type Embedded } from "../packages/server/src/storage/embedded.ts"
import { migrate } from "../packages/server/src/storage/ledger/migrate.ts"
import { loadOrCreateKeyFile } from "../packages/server/src/vault/key-file.ts"
import type { MerchantId, PaymentId } from "../packages/server/src/core/id.ts"
import type { BoundCommands } from "./payments/bound.ts"
import type { CaptureCommands, Captured } from "./payments/capture.ts"
import { GiB, median, MiB, quantiles, round, table } from "./payments/figures.ts"
import type { Loaded, LoadCommands, Target } from "./payments/load.ts"
import { cpuMs, familyCpuMs, machine, rssBytes } from "./payments/machine.ts"
import { bytesPerPayment, prefill, storedPayments, warmIndexes } from "./payments/prefill.ts"
import type { ProviderCommands } from "./payments/provider.ts"
import type { ProxyCommands } from "./payments/proxy.ts"
import { openShop, type Persona, type Shop } from "./payments/shop.ts"
import { startWorker, type Worker } from "./payments/worker.ts"

const help = `npm run bench -- payments [options]

  --full           1 k, 100 k and 1 M stored payments, and ten minutes of load for the memory (about 40 minutes)
  --sizes LIST     stored payments, apart by commas (default 1000,100000)
  --customers N    paying at once in the closed loop (default 48)
  --rounds N       of A, B and C in turn (default 3)
  --seconds N      of one stretch (default 8)
  --soak N         minutes of load at half rate for the memory (default 0; 10 with --full)
  --statements     print the captured statements in full
  --profile DIR    write the server's CPU profiles there
`

type Options = {
  readonly sizes: readonly number[]
  readonly customers: number
  readonly rounds: number
  readonly ms: number
  readonly soakMinutes: number
  readonly statements: boolean
  readonly profile: string | undefined
}

const DATABASE = "orchestra"
/** B writes into a copy, or Orchestra's outbox would relay what the bound has written. */
const BOUND_DATABASE = "bound"
/** Before anything counts: code is compiled, plans are made, connections stand (ms). */
const WARM_UP_MS = 4_000
const SOAK_STEP_MS = 60_000
/** Room that the largest level takes: its payments, B's copy of them, and the write-ahead log beside. */
const BYTES_PER_PAYMENT = 2 * 24 * 1_024
const BYTES_BESIDE = 8 * 2 ** 30
const STOP_LIMIT_MS = 30_000

const log: Log = { info: () => {}, warn: () => {}, error: (fields, message) => console.error(message, fields) }

export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (options === undefined) {
    console.log(help)
    return
  }
  const needed = BYTES_BESIDE + BYTES_PER_PAYMENT * Math.max(...options.sizes)
  const { bavail, bsize } = statfsSync(tmpdir())
  if (bavail * bsize < needed)
    throw new Error(`${tmpdir()} has ${GiB(bavail * bsize)} free, and ${GiB(needed)} are needed: set TMPDIR`)
  const dir = mkdtempSync(join(tmpdir(), "orchestra-bench-"))
  const stopping: (() => Promise<unknown>)[] = [async () => rmSync(dir, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const step of stopping.splice(0).toReversed()) await step().catch((error: unknown) => console.error(error))
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => void stop().then(() => process.exit(130)))
  try {
    await bench(options, dir, stopping)
  } finally {
    await stop()
  }
}

type Cast = {
  readonly embedded: Embedded
  readonly masterKeys: string
  readonly dir: string
  readonly shop: Shop
  readonly load: Worker<LoadCommands>
  readonly provider: Worker<ProviderCommands>
  readonly bound: Worker<BoundCommands>
  readonly proxy: Worker<ProxyCommands>
  readonly proxyOrigin: string
  readonly captured: Captured
}

async function bench(options: Options, dir: string, stopping: (() => Promise<unknown>)[]): Promise<void> {
  const began = Date.now()
  console.log(`${new Date(began).toISOString().slice(0, 10)}, ${machine()}\n`)
  const { clock, chance } = systemPorts(() => 0, log)
  const embedded = await startEmbedded({ dir, ports: { clock, log } })
  stopping.push(() => embedded.stop())
  await administer(embedded, `create database ${DATABASE}`)
  const masterKeys = loadOrCreateKeyFile(join(dir, "keys"), "first", chance)
  const started = <C extends object>(file: string): Worker<C> => {
    const worker = startWorker<C>(file)
    stopping.push(() => worker.stop())
    return worker
  }
  const provider = started<ProviderCommands>("./provider.ts")
  const load = started<LoadCommands>("./load.ts")
  const bound = started<BoundCommands>("./bound.ts")
  const proxy = started<ProxyCommands>("./proxy.ts")
  const { accounts } = await provider.ask("start")
  const database = openDatabase({ ...at(embedded, DATABASE), log, connections: 1 })
  await migrate(database, log)
  const shop = await openShop(database, masterKeys, accounts, log)
  await database.close()

  const captured = await capture(embedded, masterKeys, shop, "adyen")
  printStatements(captured, options.statements)
  const [request] = captured.requests
  if (request === undefined) throw new Error("the payment asked no provider")
  const origin = accounts.find(({ persona }) => persona === "adyen")?.url ?? ""
  const proxyOrigin = await proxy.ask("start", { origin, request })
  const cast: Cast = { embedded, masterKeys, dir, shop, load, provider, bound, proxy, proxyOrigin, captured }

  const measured: Measured[] = []
  try {
    for (const [index, size] of options.sizes.entries()) {
      const last = index === options.sizes.length - 1
      measured.push(await level(options, cast, stopping, size, index === 0, last ? options.soakMinutes : 0))
    }
  } finally {
    // Nobody may be there when a long run fails: what was measured until then is told.
    report(measured, Date.now() - began)
  }
}

type Measured = {
  readonly size: number
  readonly stored: number
  readonly orchestra: readonly number[]
  readonly bound: readonly number[]
  readonly proxy: readonly number[]
  readonly overhead: Quantiles
  readonly total: Quantiles
  readonly proxyOverhead: Quantiles
  /** Processor time per payment of A, and of B with its client (ms). */
  readonly cpu: { readonly server: number; readonly database: number; readonly rest: number; readonly bound: number }
  readonly rss: readonly [number, number]
  /** The server's memory before the soak and after each of its minutes; empty without. */
  readonly soaked: readonly number[]
}
type Quantiles = ReturnType<typeof quantiles>

/** Everything that is measured at one number of stored payments. */
async function level(
  options: Options,
  cast: Cast,
  stopping: (() => Promise<unknown>)[],
  size: number,
  first: boolean,
  soakMinutes: number,
): Promise<Measured> {
  const { embedded, load, provider, bound, shop } = cast
  const { customers, rounds, ms } = options
  await fill(cast, size)
  await bound.ask("start", { database: at(embedded, BOUND_DATABASE), captured: cast.captured })
  const server = await startServer(cast, options.profile)
  stopping.push(() => server.stop())
  const target = payment(server.url, shop)
  const proxied: Target = {
    ...target,
    origin: cast.proxyOrigin,
    path: "/payments",
    expect: '"resultCode":"Authorised"',
  }
  await load.ask("closed", { target, customers, ms: WARM_UP_MS })
  await load.ask("closed", { target: proxied, customers, ms: WARM_UP_MS / 2 })
  await bound.ask("run", { customers, ms: WARM_UP_MS / 2 })
  const rssBefore = rssBytes(server.pid)

  const found = { orchestra: [] as number[], bound: [] as number[], proxy: [] as number[] }
  const spent = { server: 0, database: 0, rest: 0, bound: 0, paid: 0, alone: 0 }
  const used = (): readonly [server: number, database: number, provider: number, load: number, bound: number] => [
    cpuMs(server.pid),
    familyCpuMs(embedded.pid()),
    cpuMs(provider.pid),
    cpuMs(load.pid),
    cpuMs(bound.pid),
  ]
  for (let r = 1; r <= rounds; r++) {
    await provider.ask("forget")
    const before = used()
    const paid = await load.ask("closed", { target, customers, ms })
    const between = used()
    const alone = await bound.ask("run", { customers, ms })
    const after = used()
    const forwarded = await load.ask("closed", { target: proxied, customers, ms })
    found.orchestra.push(perSecond(paid))
    found.bound.push(perSecond(alone))
    found.proxy.push(perSecond(forwarded))
    const [ofServer, ofDatabase, ofProvider, ofLoad] = between.map((value, i) => value - before[i]!) as [
      number,
      number,
      number,
      number,
    ]
    spent.server += ofServer
    spent.database += ofDatabase
    spent.rest += ofProvider + ofLoad
    spent.paid += paid.count
    spent.bound += after[1] - between[1] + (after[4] - between[4])
    spent.alone += alone.count
    const share = (cpu: number): string => `${Math.round((100 * cpu) / paid.ms)} %`
    console.log(
      `${size} stored, round ${r}: Orchestra ${perSecond(paid)}/s, its SQL alone ${perSecond(alone)}/s (${percent(paid, alone)}), bare proxy ${perSecond(forwarded)}/s · cores during A: server ${share(ofServer)}, PostgreSQL ${share(ofDatabase)}, provider ${share(ofProvider)}, load ${share(ofLoad)}`,
    )
  }

  const half = median(found.orchestra) / 2
  await provider.ask("forget")
  const open = { perSecond: half, connections: customers * 4, ms: 2 * ms }
  const halfLoaded = await load.ask("open", { target, ...open })
  const own = overheadOf(halfLoaded, await provider.ask("times"))
  const proxyHalf = await load.ask("open", { target: proxied, ...open })
  const proxyOwn = overheadOf(proxyHalf, await provider.ask("times"))
  if (first)
    for (const persona of ["checkout", "stripe"] as const) {
      await load.ask("closed", { target: payment(server.url, shop, persona), customers, ms: WARM_UP_MS })
      const other = await load.ask("closed", { target: payment(server.url, shop, persona), customers, ms })
      console.log(`${size} stored: Orchestra before ${persona}: ${perSecond(other)}/s`)
    }
  const rssAfter = rssBytes(server.pid)
  const soaked = soakMinutes > 0 ? await soak(cast, server, target, half, soakMinutes) : []
  await server.stop()
  await bound.ask("stop")
  const stored = await withSession(embedded, DATABASE, storedPayments)
  return {
    size,
    stored,
    ...found,
    overhead: quantiles(own),
    total: quantiles(halfLoaded.times.map((timed) => timed.ms)),
    proxyOverhead: quantiles(proxyOwn),
    cpu: {
      server: spent.server / spent.paid,
      database: spent.database / spent.paid,
      rest: spent.rest / spent.paid,
      bound: spent.bound / spent.alone,
    },
    rss: [rssBefore, rssAfter],
    soaked,
  }
}

/** What is left of each payment's time without the provider's own. */
function overheadOf(loaded: Loaded, provider: ReadonlyMap<string, number>): readonly number[] {
  return loaded.times.map(({ ms, keys }) => {
    const took = keys.map((key) => provider.get(key)).filter((found) => found !== undefined)
    if (took.length === 0) throw new Error(`the provider knows none of ${keys.join(", ")}`)
    return ms - took.reduce((sum, one) => sum + one, 0)
  })
}

/** Load at half rate for minutes, and the server's memory after each. */
async function soak(
  cast: Cast,
  server: Running,
  target: Target,
  half: number,
  minutes: number,
): Promise<readonly number[]> {
  const rss = [rssBytes(server.pid)]
  for (let minute = 0; minute < minutes; minute++) {
    await cast.provider.ask("forget")
    const ms = Math.min(1, minutes - minute) * SOAK_STEP_MS
    await cast.load.ask("open", { target, perSecond: half, connections: 192, ms })
    rss.push(rssBytes(server.pid))
  }
  console.log(`Server's memory over ${minutes} minutes at ${Math.round(half)}/s: ${rss.map(MiB).join(", ")}`)
  return rss
}

/** The stored payments of a level, and B's copy of them. */
async function fill({ embedded, shop, captured }: Cast, size: number): Promise<void> {
  const from = Date.now()
  const { id } = JSON.parse(captured.answer) as { readonly id: PaymentId }
  const merchant: MerchantId = shop.merchant
  const bytes = await withSession(embedded, DATABASE, async (session) => {
    await prefill(session, merchant, id, size)
    return bytesPerPayment(session)
  })
  await administer(embedded, `drop database if exists ${BOUND_DATABASE}`)
  await administer(embedded, `create database ${BOUND_DATABASE} template ${DATABASE} strategy file_copy`)
  await administer(embedded, "checkpoint")
  for (const database of [DATABASE, BOUND_DATABASE]) await withSession(embedded, database, warmIndexes)
  console.log(
    `\n${size} stored payments, ${round(bytes / 1_024, 1)} KiB each with indexes (made in ${Math.round((Date.now() - from) / 1_000)} s)`,
  )
}

type Running = { readonly url: string; readonly pid: number; stop(): Promise<void> }

async function startServer({ embedded, masterKeys, dir }: Cast, profile: string | undefined): Promise<Running> {
  if (profile !== undefined) mkdirSync(profile, { recursive: true })
  const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]
  const main = new URL("../packages/server/src/main.ts", import.meta.url).pathname
  const words = ["--role", "all", "--no-simulator", "--no-traffic", "--json", "--port", "0"]
  const child: ChildProcess = spawn(process.execPath, [...profiling, main, ...words, "--data", join(dir, "server")], {
    env: {
      ...process.env,
      DATABASE_URL: `postgres://${embedded.user}@localhost/${DATABASE}?host=${encodeURIComponent(embedded.host)}`,
      ORCHESTRA_MASTER_KEYS: masterKeys,
    },
    stdio: ["ignore", "pipe", "inherit"],
    // Ctrl-C is ours to hand on.
    detached: true,
  })
  const exited = once(child, "exit")
  const line = await Promise.race([
    once(createInterface({ input: child.stdout! }), "line") as Promise<[string]>,
    exited.then(() => undefined),
  ])
  if (line === undefined) throw new Error("the server did not start")
  const { url } = JSON.parse(line[0]) as { readonly url: string }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGTERM")
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS)
    await exited
    clearTimeout(limit)
  }
  return { url, pid: child.pid ?? 0, stop }
}

/** A normal card payment. Pinned to an account only where the policy would choose another. */
export function payment(origin: string, { apiKey, accounts }: Shop, persona?: Persona): Target {
  const body = {
    amount: 1999,
    currency: "EUR",
    capture_method: "automatic",
    payment_method: {
      type: "card",
      card: { number: "4111111111111111", expiry_month: 3, expiry_year: 2030, cvc: "737", holder_name: "Ada Lovelace" },
    },
    customer_details: { email: "ada@example.com", ip: "203.0.113.7" },
    billing: {
      name: "Ada Lovelace",
      address: { line1: "Hauptstrasse 12", city: "Berlin", postal_code: "10827", country: "DE" },
    },
    merchant_reference: "{key}",
    description: "Two tickets",
    metadata: { basket: "{key}", channel: "web" },
    ...(persona === undefined ? {} : { account: accounts[persona] }),
  }
  return {
    origin,
    path: "/v1/payments",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    expect: '"status":"captured"',
  }
}

async function capture(embedded: Embedded, masterKeys: string, shop: Shop, persona: Persona): Promise<Captured> {
  const worker = startWorker<CaptureCommands>("./capture.ts")
  try {
    const target = payment("", shop, persona === "adyen" ? undefined : persona)
    return await worker.ask("capture", { database: at(embedded, DATABASE), masterKeys, target })
  } finally {
    await worker.stop()
  }
}

function printStatements({ statements, requests }: Captured, full: boolean): void {
  console.log(`One payment asks the database ${statements.length} times and its provider ${requests.length} times:`)
  for (const { name, text, values } of statements) {
    const parts = [...text.matchAll(/(?:^with |,\n)(\w+) as/g)].map(([, part]) => part)
    const bytes = values.reduce<number>((sum, value) => sum + Buffer.byteLength(String(value)), 0)
    console.log(`  ${name}: ${parts.join(", ")} (${values.length} parameters, ${bytes} bytes)`)
    if (full) console.log(`\n${text.replaceAll(/\n\s+/g, "\n    ")}\n\n    ${JSON.stringify(values, shown)}\n`)
  }
}

const shown = (_name: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

function report(measured: readonly Measured[], tookMs: number): void {
  const rows = measured.map((m) => {
    const [orchestra, bound, proxy] = [m.orchestra, m.bound, m.proxy].map(median) as [number, number, number]
    return [
      `${m.size}`,
      m.stored,
      orchestra,
      bound,
      `${Math.round((100 * orchestra) / bound)} %`,
      proxy,
      `${m.overhead.p50} / ${m.overhead.p95} / ${m.overhead.p99}`,
      `${m.total.p50} / ${m.total.p95} / ${m.total.p99}`,
      `${m.proxyOverhead.p50} / ${m.proxyOverhead.p95} / ${m.proxyOverhead.p99}`,
      `${round(m.cpu.server)} + ${round(m.cpu.database)} + ${round(m.cpu.rest)}`,
      round(m.cpu.bound),
      `${Math.round((cpus().length * 1_000) / (m.cpu.server + m.cpu.database + m.cpu.rest))} / ${Math.round((cpus().length * 1_000) / m.cpu.bound)}`,
      `${MiB(m.rss[0])} → ${MiB(m.rss[1])}`,
    ]
  })
  const head = [
    "stored",
    "at the end",
    "Orchestra/s",
    "SQL alone/s",
    "of it",
    "proxy/s",
    "overhead ms p50/95/99",
    "in all ms",
    "proxy's overhead ms",
    "CPU ms of A: server + db + provider, load",
    "of B",
    "all cores/CPU ms: A / B",
    "server's memory",
  ]
  console.log(`\nMedians of the rounds; milliseconds at half of Orchestra's rate.\n\n${table(head, rows)}\n`)
  const levels = measured.map((m) => ({
    stored: m.size,
    orchestra_per_s: median(m.orchestra),
    sql_bound_per_s: median(m.bound),
    of_bound: round(median(m.orchestra) / median(m.bound)),
    proxy_per_s: median(m.proxy),
    overhead_ms: m.overhead,
    cpu_ms: { server: round(m.cpu.server), database: round(m.cpu.database), bound: round(m.cpu.bound) },
  }))
  const soaked = measured.at(-1)?.soaked ?? []
  console.log(
    JSON.stringify({
      ...levels.at(-1),
      levels,
      memory_mib: soaked.map((bytes) => Math.round(bytes / 2 ** 20)),
      minutes: round(tookMs / 60_000, 1),
    }),
  )
}

const perSecond = ({ count, ms }: { readonly count: number; readonly ms: number }): number =>
  Math.round((1_000 * count) / ms)
const percent = (a: { count: number; ms: number }, b: { count: number; ms: number }): string =>
  `${Math.round((100 * perSecond(a)) / perSecond(b))} %`

const at = ({ host, user }: Embedded, database: string) => ({ host, user, database })

async function administer(embedded: Embedded, statement: string): Promise<void> {
  await withSession(embedded, "postgres", (session) => session.run(statement))
}

type Session = Parameters<typeof prefill>[0]
async function withSession<T>(embedded: Embedded, name: string, work: (session: Session) => Promise<T>): Promise<T> {
  const database = openDatabase({ ...at(embedded, name), log, connections: 1 })
  const session = await database.session()
  try {
    return await work(session)
  } finally {
    await session.close()
    await database.close()
  }
}

function readOptions(args: readonly string[]): Options | undefined {
  const value = { type: "string" } as const
  const flag = { type: "boolean" } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: flag,
      sizes: value,
      customers: value,
      rounds: value,
      seconds: value,
      soak: value,
      statements: flag,
      profile: value,
      help: flag,
    },
  })
  if (values.help === true) return undefined
  const number = (text: string | undefined, otherwise: number): number => {
    const given = text === undefined ? otherwise : Number(text)
    if (!Number.isFinite(given) || given < 0) throw new Error(`not a number: ${text}`)
    return given
  }
  const full = values.full === true
  const sizes = values.sizes ?? (full ? "1000,100000,1000000" : "1000,100000")
  return {
    sizes: sizes.split(",").map((size) => number(size, 0)),
    customers: number(values.customers, 48),
    rounds: Math.max(1, number(values.rounds, 3)),
    ms: 1_000 * number(values.seconds, 8),
    soakMinutes: number(values.soak, full ? 10 : 0),
    statements: values.statements === true,
    profile: values.profile,
  }
}
