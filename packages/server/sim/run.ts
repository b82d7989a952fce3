// One seed: a world with its own providers, weather, processes, merchant and misfortunes, run until it has come to rest.

import type { AccountId } from "../src/core/id.ts"
import type { Attempt, Payment } from "../src/core/payment.ts"
import { candidateOf, routingContext } from "../src/engine/attempt.ts"
import type { Directory } from "../src/engine/engine.ts"
import { conclude, examine, type DecisionRecord } from "../src/routing/decide.ts"
import { readSignalDocument } from "../src/engine/signal-document.ts"
import { createSignalSharing, REPLAY_DAYS } from "../src/engine/signal-sharing.ts"
import { createRoutingSignals, newSignals } from "../src/engine/signals.ts"
import type { Clock } from "../src/ports.ts"
import type { Signals } from "../src/routing/signals/signals.ts"
import { createMemorySignals, type MemorySignals } from "../src/storage/resources/signal-store-memory.ts"
import { RELAY_LEASE_MS, type Sink } from "../src/engine/relay.ts"
import type { Transport } from "../src/engine/transport.ts"
import type { EventHead } from "../src/storage/ledger/ledger.ts"
import { createMemoryLedger } from "../src/storage/ledger/memory.ts"
import { drawAccounts, type Accounts } from "./accounts.ts"
import { Client } from "./client.ts"
import type { Coverage } from "./coverage.ts"
import { claim } from "./claim.ts"
import { Judge } from "./judge.ts"
import { judgeSignals } from "./judge-routing.ts"
import { SKEW_MS } from "./judge-commit.ts"
import { drawProfile, drawTheme, type Profile } from "./lab-profile.ts"
import { Issuers } from "./lab-issuer.ts"
import { LabPsp } from "./lab-psp.ts"
import { MERCHANT, shop, type Town } from "./merchant.ts"
import { labTransport, type Sender } from "./network.ts"
import { Node, RELAY } from "./node.ts"
import { Person } from "./person.ts"
import { drawHistory } from "./retry-policy.ts"
import { post } from "./webhooks.ts"
import { World } from "./world.ts"

export type Result = {
  readonly seed: number
  readonly payments: number
  readonly steps: number
  readonly failure?: string
  readonly trace: readonly string[]
  readonly coverage: Coverage
}

/** Misfortunes strike during this time (ms); afterwards only what they left behind goes on. */
const STORM_MS = 20 * 60_000
/** Without news from a provider for so long (ms), its webhooks are looked for only so often. */
const QUIET_AFTER_MS = 1_800_000
const QUIET_IDLE_MS = 1_200_000
/** By then everything has come to rest (ms). */
const REST_MS = 12 * 86_400_000

export async function simulate(seed: number, tracing = false): Promise<Result> {
  const world = new World(seed)
  world.tracing = tracing
  const start = world.now
  const weather = drawStorms(world, start)
  for (const { from } of weather.slice(1)) world.after(from - start, () => world.note("weather after the first storm"))
  const storm = (): boolean => {
    return weather.some(({ from, to }) => world.now >= from && world.now < to)
  }
  const theme = drawTheme(world)
  const profiles = Array.from({ length: world.pick([1, 2, 2, 3]) }, (_, i) => drawProfile(world, i, theme))
  const issuers = new Issuers(world)
  const psps = profiles.map((profile) => new LabPsp(world, profile, issuers))
  const dbLoss = world.chance(0.4) ? world.random() * 0.03 : 0
  // Some databases are slow, and what was thought lost arrives beside its repetition.
  const uncertain = dbLoss > 0 && world.chance(0.3) ? 0.1 : 0
  const history = drawHistory(seed, world.now)
  const ledger = createMemoryLedger(
    { now: () => world.now, random: world.random, sleep: (ms) => world.sleep(ms) },
    {
      cardAttempts: history,
      latencyMs: 3,
      slow: { probability: uncertain > 0 ? 0.5 : 0.15, latencyMs: 1_200 },
      losses: () =>
        storm() ? { before: dbLoss, during: dbLoss + uncertain, after: dbLoss } : { before: 0, during: 0, after: 0 },
    },
  )
  const signalStore = createMemorySignals(
    { now: () => world.now, random: world.random, sleep: (ms) => world.sleep(ms) },
    () => (storm() ? { before: dbLoss, during: 0, after: dbLoss } : { before: 0, during: 0, after: 0 }),
  )
  const nodes: Node[] = []
  const directory = drawAccounts(world, psps, MERCHANT)
  const profileOf = (account: string): Profile =>
    profiles.find((p) => p.id === directory.account(account as AccountId)?.connector.manifest.id)!
  const still = world.chance(0.35)
  const judge = new Judge(ledger, psps, {
    calm: !still && dbLoss === 0,
    policy: (payment) => directory.policy(MERCHANT, payment.mode, payment.id),
    history,
    profile: profileOf,
    usable: (id) =>
      [world.now, world.now - SKEW_MS].some((at) => directory.at(at).account(id as AccountId)?.state !== "disabled"),
    now: () => world.now,
    isOwned: (key) => nodes.some((n) => n.alive && n.engaged.has(key)),
    decide: (payment, attempt, at) => decidedAt(payment, attempt, directory.at(at)),
    findable: (id) => profileOf(id).reverseByAttempt || profileOf(id).prepare || profileOf(id).byAttempt !== "none",
    heard: (id) =>
      profileOf(id).reliableWebhooks || profileOf(id).byReference !== "none" || profileOf(id).byAttempt !== "none",
    askable: (id) => profileOf(id).byReference !== "none" || profileOf(id).byAttempt !== "none",
    note: (situation) => world.note(situation),
    accepted: (id, from, to) => [from, to].some((at) => directory.at(at).account(id as AccountId)?.state === "enabled"),
    answerMs: (id) => {
      const account = directory.account(id as AccountId)
      return account?.state === "enabled" ? account.limits.answerMs : undefined
    },
  })
  let failure: string | undefined
  const fail = (error: unknown): void => {
    failure ??=
      error instanceof Error
        ? error.name === "Error" || error.constructor.name === "Broken"
          ? error.message
          : (error.stack ?? error.message)
        : String(error)
  }
  // Some merchants are busy, and meanwhile one of their providers is down for minutes.
  const busy = world.chance(0.15)
  const outage = busy ? drawOutage(world, psps, start) : undefined
  const transport = (sender: Sender): Transport =>
    withOutage(
      world,
      outage,
      labTransport(
        world,
        sender,
        new Map(psps.map((psp) => [`https://${psp.profile.id}.invalid`, psp])),
        () => !storm(),
        (psp, request) => {
          try {
            judge.beforeSend(psp, request)
          } catch (error) {
            fail(error)
          }
        },
      ),
    )
  const mortality = world.chance(0.5) ? world.random() * 0.01 : 0
  const sinkFails = world.chance(0.4) ? world.random() * 0.5 : 0
  const delivered = new Map<string, EventHead>()
  /** One node at a time hands events on: whoever took the lease last, unless it stood still meanwhile. */
  const sink = (node: () => Node): Sink => ({
    name: "listener",
    accept: async (events) => {
      const { name, stoodUntil } = node()
      const owner = ledger.contents.relayOwner(RELAY)
      claim(
        owner === name || world.now < stoodUntil + RELAY_LEASE_MS,
        () => `${name} handed events on, and ${owner} holds the lease`,
      )
      await world.sleep(world.int(0, 200))
      const fails = storm() && world.chance(sinkFails)
      for (const event of fails ? events.slice(0, world.int(0, events.length - 1)) : events)
        delivered.set(event.id, event)
      if (fails) {
        world.note("sink failed")
        throw new Error("the sink is full")
      }
    },
  })
  const nextDue = (): number | undefined =>
    ledger.contents
      .wakes()
      .reduce<number | undefined>((least, w) => (least === undefined || w.wakeAt < least ? w.wakeAt : least), undefined)
  // Stored webhooks are looked for often while there is anything to tell, and seldom in quiet days.
  let stirred = start
  const idleMs = (): number => (storm() || world.now < stirred + QUIET_AFTER_MS ? 30_000 : QUIET_IDLE_MS)
  const boot = (index: number, life: number): void => {
    const node: Node = new Node(
      world,
      `n${index}.${life}`,
      { ledger, signals: signalStore, transport, directory, skewMs: drawSkew(world), judge: judge.liveness },
      () => ({ perCall: storm() ? mortality : 0 }),
      () => void world.after(world.int(50, 30_000), () => boot(index, life + 1)),
    )
    nodes[index] = node
    void node.serve(idleMs, nextDue).catch(fail)
    void node.learn(() => signalStore.contents.count()).catch(fail)
    void node
      .relay(
        sink(() => node),
        () => ledger.contents.eventCount() > delivered.size,
      )
      .catch(fail)
  }
  if (still) void stalls(world, nodes, weather)
  const count = world.int(1, 3)
  for (let i = 0; i < count; i++) boot(i, 0)
  for (const psp of psps) {
    psp.onNotice = (notice) => {
      stirred = world.now
      post(world, psp, notice, nodes, directory, storm)
    }
    psp.onChange = () => judge.moneyMoved()
  }
  const client = new Client(world, MERCHANT, () => nodes)
  const town: Town = {
    world,
    ledger,
    psps,
    accounts: directory,
    client,
    // Some customers pay at the page and close it: nobody but the provider can tell.
    closing: world.chance(0.35) ? 0.9 : 0.1,
    aside: (work) => void work.catch(fail),
  }
  const person = new Person(town)
  const customers = busy ? world.int(15, 40) : world.int(2, 6)
  let done = 0
  for (let i = 0; i < customers; i++) {
    // Most come at once; some on another day, when the weather may be bad again.
    const { from, to } = world.pick(weather)
    const comes = world.chance(0.8) ? world.int(0, busy ? 600_000 : 60_000) : world.int(from - start, to - start)
    world.after(comes, () => {
      shop(town, i)
        .catch(fail)
        .finally(() => {
          done += 1
        })
    })
  }
  world.afterStep = (): void => {
    try {
      judge.check()
    } catch (error) {
      fail(error)
    }
    if (failure !== undefined) throw new Error(failure)
  }
  try {
    // By the day, so that a world at rest is left early.
    for (let until = start + STORM_MS; until <= start + REST_MS; until += 6 * 3_600_000) {
      await world.run(until)
      if (
        done === customers &&
        nextDue() === undefined &&
        world.expected === 0 &&
        psps.every((p) => p.quiet()) &&
        !person.visit()
      )
        break
    }
    await world.run(world.now + 3_600_000)
    if (dbLoss === 0) judge.checkAnswers(client.told)
    judge.atRest([...delivered.values()])
    await restartsAlike(world, signalStore, directory, fail)
    judgeSignals(signalStore.contents.batches(), ledger.contents.payments())
  } catch (error) {
    fail(error)
  }
  for (const node of nodes) node.alive = false
  if (tracing) for (const payment of ledger.contents.payments()) world.trace.push(judge.describe(payment))
  return {
    seed,
    payments: ledger.contents.payments().length,
    steps: world.steps,
    trace: world.trace,
    coverage: world.coverage,
    ...(failure === undefined ? {} : { failure }),
  }
}

/** What the engine would decide with those accounts, and what it had read when it decided. */
function decidedAt(payment: Payment, { decision }: Attempt, directory: Directory): readonly string[] {
  const { capped, readings, context } = (decision as DecisionRecord).inputs
  const source = payment.intent.metadata["source"] as AccountId | undefined
  const policy = directory.policy(payment.merchant, payment.mode, payment.id)
  const examined = examine(
    policy,
    directory.accounts(payment.merchant).map(candidateOf),
    routingContext(payment, source, policy, context.now ?? 0),
    capped,
  )
  return conclude(examined, readings).record.chosen
}

type Outage = { readonly origin: string; readonly from: number; readonly to: number }

function drawOutage(world: World, psps: readonly LabPsp[], start: number): Outage {
  const from = start + world.int(0, 240_000)
  const origin = `https://${world.pick(psps).profile.id}.invalid`
  return { origin, from, to: from + world.int(60_000, 360_000) }
}

function withOutage(world: World, outage: Outage | undefined, transport: Transport): Transport {
  return {
    ...transport,
    send: async (origin, request, limits) => {
      if (origin !== outage?.origin || world.now < outage.from || world.now >= outage.to)
        return transport.send(origin, request, limits)
      world.note("provider down for minutes")
      await world.sleep(world.int(1, 20))
      return { kind: "not_sent", code: "ECONNREFUSED" }
    },
  }
}

/** What a process that starts now learns from the store is what a plain replay of all that is stored there says. */
async function restartsAlike(
  world: World,
  store: MemorySignals,
  directory: Accounts,
  fail: (error: unknown) => void,
): Promise<void> {
  const clock: Clock = {
    now: () => world.now,
    sleep: (ms) => world.sleep(ms),
    after: (ms, then) => world.after(ms, then),
  }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const chance = { random: world.random, bytes: (count: number) => world.bytes(count) }
  const signals = createRoutingSignals({ clock, log, directory })
  const sharing = createSignalSharing({ clock, log, chance, node: "late", store, directory, signals })
  const start = (): Promise<void> =>
    sharing.start().catch(async () => {
      await world.sleep(60_000)
      return start()
    })
  void start().catch(fail)
  await world.run(world.now + 7_200_000)
  const owner = { merchant: MERCHANT, mode: "test" } as const
  const since = world.now - REPLAY_DAYS * 86_400_000
  const observations = store.contents
    .batches()
    .filter(({ at }) => at >= since - 600_000)
    .flatMap(({ document }) => readSignalDocument(document)?.observations ?? [])
    .toSorted(
      (a, b) =>
        a.at - b.at || (`${a.id} ${a.news ?? "end"} ${a.ending}` < `${b.id} ${b.news ?? "end"} ${b.ending}` ? -1 : 1),
    )
  const plain = newSignals("test", directory.accounts(MERCHANT), observations[0]?.at ?? world.now)
  for (const observation of observations) plain.recall(observation, observation.at)
  // Prices come of choices, not of ends; and the gaps are to the best score, in which prices are.
  const said = (of: Signals): string =>
    JSON.stringify(
      ["visa", "mastercard"].map(
        (network) =>
          of.read(
            {
              situation: {
                network,
                country: "unknown",
                issuer: "411111",
                method: "card",
                operation: "authorize",
                attempt: 1,
              },
              payment: "pay_0",
              seed: 1,
              amount: 10,
              currency: "EUR",
              accounts: directory.accounts(MERCHANT).map(({ id }) => id),
              challenged: false,
              reroutable: true,
              optimize: { objective: { kind: "approval" }, budget: "late", exploration: 0 },
              rounded: true,
            },
            world.now,
          ).accounts,
      ),
      (key, value: unknown) => (key === "price" || key === "gap" ? undefined : value),
    )
  claim(
    observations.some(({ at }) => at < since + 600_000) || said(plain) === said(signals.shelfOf(owner).signals),
    () =>
      `a process that starts has learned ${said(signals.shelfOf(owner).signals)}, and what is stored says ${said(plain)}`,
  )
}

/** A second each way at most, and often all of it. */
const drawSkew = (world: World): number => (world.chance(0.3) ? world.pick([-1_000, 1_000]) : world.int(-1_000, 1_000))

type Storm = { readonly from: number; readonly to: number }

/** The first twenty minutes, and now and then an hour of the following days. */
function drawStorms(world: World, start: number): readonly Storm[] {
  const later = Array.from({ length: world.int(0, 3) }, (): Storm => {
    const from = start + world.int(STORM_MS, 3 * 86_400_000)
    return { from, to: from + world.int(300_000, 3_600_000) }
  })
  return [{ from: start, to: start + STORM_MS }, ...later]
}

/** Processes that stand still for a second, or for longer than their leases. */
async function stalls(world: World, nodes: readonly Node[], storms: readonly Storm[]): Promise<void> {
  const often = world.pick([20_000, 60_000, 240_000])
  for (const { from, to } of storms) {
    await world.sleep(from - world.now)
    while (world.now < to) {
      await world.sleep(world.int(1, often))
      const node = world.pick(nodes)
      if (node.alive) node.stall(world.chance(0.5) ? world.int(1_000, 20_000) : world.int(20_000, 400_000))
    }
  }
}
