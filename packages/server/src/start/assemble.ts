// Joins the parts into one running server. Nothing else constructs anything; tests, chaos and benchmarks start servers
// through here too, so that what they prove is what runs.

import { createHmac } from "node:crypto"
import { lookup, Resolver } from "node:dns/promises"
import { isIP } from "node:net"
import type { FastifyInstance } from "fastify"
import { type BinTable, noBins } from "../core/bin-table.ts"
import { secret } from "../core/secret.ts"
import { serveMetrics } from "../api/metrics.ts"
import { createServer } from "../api/server.ts"
import { createCounts } from "../api/counts.ts"
import { noFacts, type FactReader } from "../api/facts.ts"
import { keySource, runKeyUses } from "../api/key-source.ts"
import { methodSource } from "../api/method-source.ts"
import { returnUrl } from "../api/returns.ts"
import type { Hmac } from "../connectors/connector.ts"
import { connectors } from "../connectors/registry.ts"
import { createPoster } from "../engine/webhook-post.ts"
import { LIVE_RULES, TEST_RULES } from "../engine/address-guard.ts"
import { runBacktests } from "../engine/backtests.ts"
import { runDeliverer, webhookSink } from "../engine/deliver.ts"
import { createDirectory } from "../engine/directory.ts"
import { decisionCheckSink, newCheckCounts } from "../engine/decision-check.ts"
import { createErrorRates } from "../engine/error-rates.ts"
import type { Engine } from "../engine/engine.ts"
import { createReadings } from "../engine/harmless-read.ts"
import { createSignalSharing, SHARE_MS, type SignalSharing } from "../engine/signal-sharing.ts"
import { createShadows, shadowStore, type AddTally, type Shadows } from "../engine/shadows.ts"
import { createRoutingSignals } from "../engine/signals.ts"
import { listen } from "../storage/listen.ts"
import { createPostgresSignals, SIGNALS_CHANNEL } from "../storage/resources/signal-store-postgres.ts"
import { runLoop, type Loop } from "../engine/loop.ts"
import { runInbound } from "../engine/receive.ts"
import { runRecovery } from "../engine/recover.ts"
import { RELAY_LEASE_MS, runRelay } from "../engine/relay.ts"
import { STORE_METHOD_IDLE_MS, storeMethodSink } from "../engine/store-method.ts"
import { createTransport } from "../engine/transport.ts"
import { runTrials, trialSink } from "../engine/trials.ts"
import { systemPorts, type Clock, type Log, type Ports } from "../ports.ts"
import { calibratedClock } from "../storage/clock.ts"
import { openDatabase, type Database, type DatabaseOptions } from "../storage/database.ts"
import { migrate } from "../storage/ledger/migrate.ts"
import { applyRetention, type Retention } from "../storage/ledger/retention.ts"
import { sealedTables } from "../storage/resources/sealed-rows.ts"
import { proveKeys } from "../vault/key-proof.ts"
import { rewrapAll } from "../vault/rewrap.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { findCard } from "../storage/resources/cards.ts"
import { deliveryRows } from "../storage/resources/deliveries.ts"
import { createCardReader } from "../vault/card-reader.ts"
import { parseKeyRing } from "../vault/key-ring.ts"
import { createVault, type Vault } from "../vault/vault.ts"
import { maskedLog } from "./masked-log.ts"
import { createMetrics } from "./metrics.ts"
import type { Role } from "./options.ts"

export type Assembly = {
  readonly database: Omit<DatabaseOptions, "log">
  readonly masterKeys: string
  readonly port: number
  readonly host: string
  readonly publicUrl: string | undefined
  readonly role: Role
  /** An address of its own for /metrics, without a key. */
  readonly metrics?: { readonly port: number; readonly host: string } | undefined
  readonly node: string
  /** What the first digits of cards tell; undefined: nothing. */
  readonly bins?: BinTable
  /** Where numbers come from; undefined: there are none. */
  readonly facts?: FactReader
  /** Undefined: as long as by default. */
  readonly retention?: Retention
  readonly log: Log
}

export type Server = {
  readonly url: string
  readonly engine: Engine
  readonly app: FastifyInstance
  readonly database: Database
  readonly vault: Vault
  /** Resolves when this node knows at least so many accounts: changes take a moment to be heard. */
  knows(accounts: number): Promise<void>
  /** Takes nothing new, finishes what is under way, at most DRAIN_MS, and closes everything. */
  stop(): Promise<void>
}

/** What is under way when we are asked to stop gets this long; what is not done then is for `recover` elsewhere (ms). */
export const DRAIN_MS = 20_000

export async function assemble(parts: Assembly): Promise<Server> {
  const log = maskedLog(parts.log)
  const database = openDatabase({ ...parts.database, log })
  const closing: (() => Promise<unknown>)[] = [() => database.close()]
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed())
      await step().catch((error: unknown) => log.warn({ error: String(error) }, "something did not close"))
  }
  try {
    await migrate(database, log)
    const time = await calibratedClock(database, Date.now)
    const ports = systemPorts(() => time.offsetMs(), log)
    const { clock } = ports
    const vault = createVault(parseKeyRing(parts.masterKeys), ports)
    // Cards are many, and some may be damaged or of a merchant long gone; accounts tell as much.
    await proveKeys(
      vault,
      sealedTables(database).filter(({ table }) => table !== "cards"),
    )
    const counts = createCounts()
    const watch = createMetrics({ database, counts, ...ports })
    const ledger = watch.ledger(createPostgresLedger(database))
    const transport = createTransport(clock, systemAddressesOf)
    const keys = keySource(database, vault, clock)
    const directory = await createDirectory({
      ...ports,
      database,
      connectors: Object.values(connectors),
      open: (merchant, id, sealed) => vault.open("accounts", merchant, id, sealed),
      heard: keys.heard,
    })
    closing.push(
      () => transport.close(),
      () => directory.stop(),
    )
    const signals = createRoutingSignals({ clock, log, directory })
    const signalStore = createPostgresSignals(database)
    const sharing = createSignalSharing({ ...ports, node: parts.node, store: signalStore, directory, signals })
    const shadows = createShadows({ clock, log, directory, signals })
    const checks = newCheckCounts()
    watch.routing({ counts: sharing.counts, shelves: signals.shelves, checks })
    await sharing.start()
    const background = new Set<Promise<void>>()
    let baseUrl = ""
    const engine: Engine = {
      ...ports,
      node: parts.node,
      ledger,
      transport,
      directory,
      signals,
      shadows,
      cards: createCardReader(vault, { card: (merchant, token) => findCard(database, merchant, token) }),
      errorRates: createErrorRates(clock),
      background: (work) => {
        const guarded = work.catch((error: unknown) =>
          log.error({ error: String(error) }, "work in the background failed; recovery takes over"),
        )
        background.add(guarded)
        void guarded.finally(() => background.delete(guarded))
      },
      returnUrl: (payment) => returnUrl(vault, baseUrl, payment),
    }
    const stopCalibrating = time.keep(ports)
    const loops: Loop[] = [runKeyUses(ports, keys)]
    closing.push(async () => stopCalibrating())
    // What was seen last is shared once nothing more is seen.
    closing.push(() => sharing.write())
    closing.push(() => shadows.write(shadowStore(database)))
    closing.push(() => Promise.all(loops.map((loop) => loop.stop())))
    const learning = runLearning(ports, sharing)
    loops.push(...learning, ...runShadows(ports, shadows, shadowStore(database)))
    const listening = listen(database, ports, SIGNALS_CHANNEL, () => learning[1]?.wake())
    closing.push(() => listening.stop())
    const app = await createServer({
      engine,
      vault,
      database,
      methods: methodSource(database),
      bins: parts.bins ?? noBins,
      hmac,
      key: keys.find,
      refresh: directory.refresh,
      counts,
      metrics: watch,
      facts: parts.facts ?? noFacts,
      routing: { store: signalStore, isSick: sharing.isSick },
      publicUrl: () => baseUrl,
    })
    const readWanted = createReadings({ ...engine, sharing })
    // Workers route retries for another day: what is out for them has to come back, too.
    loops.push(
      runLoop(ports, "harmless reads", { idleMs: READ_WANTED_MS, backoffMs: READ_WANTED_BACKOFF_MS }, async () => {
        await readWanted()
        return false
      }),
    )
    if (parts.role !== "worker") {
      await app.listen({ port: parts.port, host: parts.host })
      const address = app.server.address()
      const port = typeof address === "object" && address !== null ? address.port : parts.port
      baseUrl =
        parts.publicUrl ??
        `http://${parts.host.includes(":") ? `[${parts.host}]` : parts.host === "0.0.0.0" ? "127.0.0.1" : parts.host}:${port}`
    } else baseUrl = parts.publicUrl ?? ""
    closing.push(() => app.close())
    if (parts.metrics !== undefined) {
      const exposition = await serveMetrics(watch, parts.metrics)
      closing.push(() => exposition.close())
    }
    if (parts.role !== "api") {
      const deliveries = watch.deliveries(deliveryRows(database))
      const poster = createPoster({
        clock,
        resolve: addressesOf,
        rules: { live: LIVE_RULES, test: TEST_RULES },
      })
      closing.splice(1, 0, () => poster.close())
      const deliverer = runDeliverer({
        ...ports,
        deliveries,
        poster,
        openSecret: (merchant, endpoint, sealed) =>
          secret(Buffer.from(vault.open("webhook_endpoints", merchant, endpoint, sealed).reveal()).toString("utf8")),
      })
      loops.push(
        deliverer,
        // A relay of its own: what cannot be stored must not hold up what can be told.
        runRelay(
          engine,
          [storeMethodSink(engine, database), decisionCheckSink(engine, database, checks), trialSink(database)],
          { name: "stored methods", owner: parts.node, leaseMs: RELAY_LEASE_MS },
          STORE_METHOD_IDLE_MS,
        ),
        runRelay(engine, [webhookSink(deliveries, () => deliverer.wake())], {
          name: "outbox",
          owner: parts.node,
          leaseMs: RELAY_LEASE_MS,
        }),
        runTrials({ ...engine, database }),
        runRecovery(engine),
        runInbound(engine),
        runBacktests({ ...ports, database, directory }),
        runLoop(ports, "retention", { idleMs: RETENTION_EVERY_MS, backoffMs: RETENTION_EVERY_MS }, () =>
          keepHouse(database, vault, ports, parts.retention),
        ),
      )
    }
    return {
      url: baseUrl,
      engine,
      app,
      database,
      vault,
      knows: async (accounts) => {
        for (let tries = 0; tries < KNOWN_TRIES && directory.count() < accounts; tries++)
          await clock.sleep(KNOWN_PAUSE_MS)
      },
      stop: async () => {
        await app.close()
        await drained(background, clock)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A wake-up cuts the rest short; what was decided is stored this often (ms). */
const SHADOW_IDLE_MS = 1_000
const SHADOW_WRITE_MS = 2_000
const SHADOW_BACKOFF_MS = 10_000
/** So long a payment's own work goes first (ms). */
const SHADOW_PAUSE_MS = 5

function runShadows(ports: Ports, shadows: Shadows, add: AddTally): readonly Loop[] {
  const deciding = runLoop(ports, "shadows", { idleMs: SHADOW_IDLE_MS, backoffMs: SHADOW_BACKOFF_MS }, async () => {
    await ports.clock.sleep(SHADOW_PAUSE_MS)
    return shadows.decideSome()
  })
  shadows.connect(() => deciding.wake())
  const writing = runLoop(
    ports,
    "shadows: write",
    { idleMs: SHADOW_WRITE_MS, backoffMs: SHADOW_BACKOFF_MS },
    async () => {
      await shadows.write(add)
      return false
    },
  )
  return [deciding, writing]
}

/** How often routing is asked which accounts it wants to hear from (ms). */
const READ_WANTED_MS = 1_000
const READ_WANTED_BACKOFF_MS = 10_000
/** What was written since by others, also where its notification was lost (ms); a merchant's past is wanted seldom. */
const CATCH_UP_MS = 500
const RENEW_MS = 500
const VOLUMES_MS = 30_000
const SIGNALS_BACKOFF_MS = 5_000

/** The second loop may be woken: there is something to take in. */
function runLearning(ports: Ports, { write, catchUp, renew, refreshVolumes }: SignalSharing): readonly Loop[] {
  const times = (idleMs: number) => ({ idleMs, backoffMs: SIGNALS_BACKOFF_MS })
  return [
    runLoop(ports, "signals: write", times(SHARE_MS), async () => {
      await write()
      return false
    }),
    runLoop(ports, "signals: read", times(CATCH_UP_MS), catchUp),
    runLoop(ports, "signals: renew", times(RENEW_MS), renew),
    runLoop(ports, "signals: volumes", times(VOLUMES_MS), async () => {
      await refreshVolumes()
      return false
    }),
  ]
}

/** Longest look-up of a webhook's host (ms), and its tries. */
const RESOLVE_MS = 3_000
const RESOLVE_TRIES = 2
// Not dns.lookup: that waits in the same few threads as the providers' look-ups, and an endpoint's slow DNS would delay payments.
const resolver = new Resolver({ timeout: RESOLVE_MS, tries: RESOLVE_TRIES })

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  // The one name that is not in the DNS.
  if (host === "localhost") return ["127.0.0.1", "::1"]
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const addresses = found.flatMap((family) => (family.status === "fulfilled" ? family.value : []))
  if (addresses.length === 0) throw (found[0] as PromiseRejectedResult).reason
  return addresses
}

/** As the machine itself resolves names, with its hosts file: for simulators, as providers' names are resolved too. */
async function systemAddressesOf(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => address)
}

/** How often what is too old is deleted and what is under an old key is sealed anew (ms). */
const RETENTION_EVERY_MS = 6 * 3_600_000

async function keepHouse(
  database: Database,
  vault: Vault,
  ports: Ports,
  retention: Retention | undefined,
): Promise<boolean> {
  const report = await applyRetention(database, ports, retention)
  ports.log.info(report, "retention applied")
  await rewrapAll(vault, sealedTables(database), ports)
  return false
}

const KNOWN_TRIES = 100
const KNOWN_PAUSE_MS = 50

/** Everything under way is done, or has had its time. The timer must not outlive us. */
async function drained(background: ReadonlySet<Promise<void>>, clock: Clock): Promise<void> {
  let cancel = (): void => {}
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(DRAIN_MS, resolve)
  })
  await Promise.race([settled(background), late]).finally(() => cancel())
}

async function settled(background: ReadonlySet<Promise<void>>): Promise<void> {
  while (background.size > 0) await Promise.all(background)
}

const hmac: Hmac = (algorithm, key, data) => createHmac(algorithm, key).update(data).digest()
