// `npm run chaos`: two real servers on one real PostgreSQL under load, while servers and database are killed and the
// simulated providers have every kind of weather. Then all must come to rest, and the truth is compared: docs/chaos.md.

import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { newKeyRingText } from "../packages/server/src/vault/key-ring.ts"
import { openClient } from "./chaos/client.ts"
import { openCluster } from "./chaos/cluster.ts"
import { dice } from "./chaos/dice.ts"
import { readEvents, readKeys, readPayments, readTranscripts, type Facts } from "./chaos/facts.ts"
import type { Finding } from "./chaos/finding.ts"
import { openGround, type Ground } from "./chaos/ground.ts"
import { openJournal } from "./chaos/journal.ts"
import { runLoad } from "./chaos/load.ts"
import { befall } from "./chaos/misfortune.ts"
import { help, readOptions, Usage, type Options } from "./chaos/options.ts"
import { openProviders } from "./chaos/providers.ts"
import { openReceiver } from "./chaos/receiver.ts"
import { describe, untilRest } from "./chaos/rest.ts"
import { openServer, type ServerProcess } from "./chaos/server-process.ts"
import { openShop } from "./chaos/shop.ts"
import { judge, summarize } from "./chaos/verdict.ts"

const TELL_MS = 10_000
/** Findings that are printed; all of them are in the kept folder's findings.json. */
const MAX_PRINTED = 100
/** The providers' last requests that are kept. */
const MAX_LOGGED = 1_000

type Ran = {
  readonly facts: Facts
  readonly findings: readonly Finding[]
  readonly kills: number
  /** For who looks into a finding. */
  readonly evidence: Readonly<Record<string, unknown>>
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === "help") return console.log(help)
  let leaving = false
  const tell = (text: string): void => void (options.json || leaving || console.error(text))
  const ground = openGround(tell)
  const leave = (signal: NodeJS.Signals): void => {
    tell(`\n${signal}: stopping everything; once more ends at once ...`)
    leaving = true
    void ground.clear(options.keep).finally(() => process.exit(130))
  }
  process.once("SIGINT", leave)
  process.once("SIGTERM", leave)
  try {
    tell(`seed ${options.seed}, ${options.payments} payments, ${options.concurrency} customers at a time`)
    const { facts, findings, kills, evidence } = await run(options, ground, tell)
    if (options.keep) keep(ground, { findings, ...facts, received: [...facts.received.values()], ...evidence }, tell)
    if (!options.json) report(findings, facts, options)
    const summary = summarize(findings)
    console.log(JSON.stringify({ payments: facts.payments.length, kills, ...summary }))
    process.exitCode = summary.double_charges + summary.lost + summary.unsettled === 0 ? 0 : 1
  } catch (error) {
    // What was under way when we were told to leave fails, as it should.
    if (!leaving) throw error
  } finally {
    await ground.clear(options.keep)
  }
}

async function run(options: Options, ground: Ground, tell: (text: string) => void): Promise<Ran> {
  const { seed } = options
  const receiver = await openReceiver(ground, dice(seed, "receiver"))
  const simulator = await openProviders(ground, seed)
  const cluster = await openCluster(ground)
  const masterKeys = newKeyRingText("chaos", randomBytes(64))
  const server = (name: string): Promise<ServerProcess> =>
    openServer(ground, { name, databaseUrl: cluster.url, masterKeys })
  const servers = [await server("1"), await server("2")] as const
  for (const each of servers) await each.start()
  const { database } = cluster
  const shop = await openShop({ simulator, servers, receiver, database }, dice(seed, "policy"))
  const journal = openJournal()
  const client = openClient(journal, () => servers, shop.apiKey, dice(seed, "client"))
  ground.stopLater("the clients", () => client.close())

  const began = Date.now()
  const since = (): string => `${Math.round((Date.now() - began) / 1_000)} s`
  const misfortunes = befall(seed, { simulator, cluster, servers }, tell)
  ground.stopLater("misfortune", () => misfortunes.stop())
  const { kills } = misfortunes
  let orders = 0
  const progress = setInterval(() => {
    const down = servers.filter((each) => !each.ready()).length
    tell(
      `${since()}: ${orders} orders begun, ${kills.servers} + ${kills.database} kills, ${misfortunes.freezes()} freezes, ${misfortunes.deeds.length} deeds by hand, ${down} down`,
    )
  }, TELL_MS)
  await runLoad(client, { ...options, accounts: shop.accounts }, (begun) => {
    orders = begun
  }).finally(() => clearInterval(progress))
  tell(`${since()}: every customer has left; now calm weather`)
  await misfortunes.calm()
  receiver.recover()
  // What providers still have to tell, and what they have given up telling.
  const untold = (): string => {
    const all = simulator.accounts().flatMap(({ id }) => simulator.account(id)?.deliveries() ?? [])
    const sum = (of: "waiting" | "givenUp"): number => all.reduce((total, counts) => total + counts[of], 0)
    return `${sum("waiting")} webhooks at providers, ${sum("givenUp")} given up`
  }
  const unrest = await untilRest(database, shop.merchant, options.restMs, (text) => tell(`${text}; ${untold()}`))
  tell(unrest === undefined ? `${since()}: at rest` : `${since()}: no rest: ${describe(unrest)}`)
  const facts: Facts = {
    payments: await readPayments(database, shop.merchant),
    events: await readEvents(database, shop.merchant),
    keys: await readKeys(database, shop.merchant),
    charges: simulator.truth(),
    journal,
    received: receiver.received,
    incidents: [...receiver.wrong, ...servers.flatMap(({ died }) => died)],
  }
  const findings = judge(facts)
  const about = [...new Set(findings.flatMap(({ payment }) => payment ?? []))]
  const evidence = {
    transcripts: await readTranscripts(database, shop.merchant, about),
    requests: simulator.log.last(MAX_LOGGED),
    deeds: misfortunes.deeds,
  }
  return { facts, findings, kills: kills.servers + kills.database, evidence }
}

function report(findings: readonly Finding[], { journal, received, events, charges }: Facts, options: Options): void {
  const statuses = Map.groupBy(journal.wishes, ({ what, outcome }) => `${what} ${outcome}`)
  const wishes = [...statuses].map(([name, own]) => `${name} ${own.length}`).toSorted()
  console.log(`\n${charges.length} charges at providers, ${events.length} events, ${received.size} webhooks received`)
  console.log(`${journal.acknowledged.length} answers acknowledged; wishes: ${wishes.join(", ")}`)
  const faults = [...journal.faults].map(([code, count]) => `${code} ${count}`)
  if (faults.length > 0) console.log(`tried again after: ${faults.join(", ")}`)
  for (const { kind, payment, what } of findings.slice(0, MAX_PRINTED))
    console.log(`${kind}: ${payment === undefined ? "" : `${payment} `}${what}`)
  if (findings.length > MAX_PRINTED) console.log(`… and ${findings.length - MAX_PRINTED} more`)
  if (findings.length > 0)
    console.log(
      `Again: npm run chaos -- --seed ${options.seed} --payments ${options.payments} --concurrency ${options.concurrency} --keep`,
    )
}

function keep(ground: Ground, parts: Readonly<Record<string, unknown>>, tell: (text: string) => void): void {
  for (const [name, value] of Object.entries(parts))
    writeFileSync(join(ground.dir, `${name}.json`), `${JSON.stringify(value, plain, 1)}\n`)
  tell(`kept: ${ground.dir}`)
}

const plain = (_name: string, value: unknown): unknown => {
  if (typeof value === "bigint") return String(value)
  return value instanceof Map || value instanceof Set ? [...value] : value
}

main().catch((error: unknown) => {
  console.error(error instanceof Usage ? error.message : error)
  process.exitCode = error instanceof Usage ? 2 : 1
})
