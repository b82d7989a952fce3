// One seed: a world with its own providers, weather, processes, merchant and misfortunes, run until it has come to rest.

import type { AccountId } from "../src/core/id.ts"
import type { Account, Directory } from "../src/engine/engine.ts"
import { route } from "../src/engine/attempt.ts"
import { receive } from "../src/engine/receive.ts"
import type { Sink } from "../src/engine/relay.ts"
import type { EventHead } from "../src/storage/ledger/ledger.ts"
import { createMemoryLedger } from "../src/storage/ledger/memory.ts"
import { Judge } from "./judge.ts"
import { labConnector } from "./lab-connector.ts"
import { drawProfile, type Profile } from "./lab-profile.ts"
import { LabPsp, type LabNotice } from "./lab-psp.ts"
import { MERCHANT, shop } from "./merchant.ts"
import { labTransport } from "./network.ts"
import { Node } from "./node.ts"
import { World } from "./world.ts"

export type Result = {
  readonly seed: number
  readonly payments: number
  readonly steps: number
  readonly failure?: string
  readonly trace: readonly string[]
}

/** Misfortunes strike during this time (ms); afterwards only what they left behind goes on. */
const STORM_MS = 20 * 60_000
/** By then everything has come to rest (ms). */
const REST_MS = 12 * 86_400_000

export async function simulate(seed: number, tracing = false): Promise<Result> {
  const world = new World(seed)
  world.tracing = tracing
  const start = world.now
  const storm = (): boolean => world.now < start + STORM_MS
  const profiles = Array.from({ length: world.int(1, 3) }, (_, i) => drawProfile(world, i))
  const psps = profiles.map((profile) => new LabPsp(world, profile))
  const dbLoss = world.chance(0.4) ? world.random() * 0.03 : 0
  const ledger = createMemoryLedger(
    { now: () => world.now, random: world.random, sleep: (ms) => world.sleep(ms) },
    {
      latencyMs: 3,
      slow: { probability: 0.15, latencyMs: 1_200 },
      losses: () => (storm() ? { before: dbLoss, during: dbLoss, after: dbLoss } : { before: 0, during: 0, after: 0 }),
    },
  )
  const nodes: Node[] = []
  const directory = directoryOf(profiles)
  const judge = new Judge(
    ledger,
    psps,
    (key) => nodes.some((n) => n.alive && n.engaged.has(key)),
    (payment) => route({ directory }, payment, undefined).record.chosen,
  )
  let failure: string | undefined
  const fail = (error: unknown): void => {
    failure ??=
      error instanceof Error
        ? error.name === "Error" || error.constructor.name === "Broken"
          ? error.message
          : (error.stack ?? error.message)
        : String(error)
  }
  const transport = labTransport(
    world,
    new Map(psps.map((psp) => [`https://${psp.profile.id}.invalid`, psp])),
    () => !storm(),
    (psp, request) => {
      try {
        judge.beforeSend(psp, request)
      } catch (error) {
        fail(error)
      }
    },
  )
  const mortality = world.chance(0.6) ? world.random() * 0.01 : 0
  const delivered = new Map<string, EventHead>()
  const sink: Sink = {
    name: "listener",
    accept: async (events) => {
      await world.sleep(world.int(0, 200))
      for (const event of events) delivered.set(event.id, event)
    },
  }
  const nextDue = (): number | undefined =>
    ledger.contents
      .wakes()
      .reduce<number | undefined>((least, w) => (least === undefined || w.wakeAt < least ? w.wakeAt : least), undefined)
  const boot = (index: number, life: number): void => {
    const node: Node = new Node(
      world,
      `n${index}.${life}`,
      { ledger, transport, directory, skewMs: world.int(-500, 500) },
      () => ({ perCall: storm() ? mortality : 0 }),
      () => void world.after(world.int(50, 30_000), () => boot(index, life + 1)),
    )
    nodes[index] = node
    void node.serve(60_000, nextDue).catch(fail)
    void node.relay(sink, () => ledger.contents.eventCount() > delivered.size).catch(fail)
  }
  const count = world.int(1, 3)
  for (let i = 0; i < count; i++) boot(i, 0)
  for (const psp of psps) {
    psp.onNotice = (notice) => post(world, psp, notice, nodes, directory, storm)
    psp.onChange = () => judge.moneyMoved()
  }
  const customers = world.int(2, 6)
  let done = 0
  for (let i = 0; i < customers; i++) {
    world.after(world.int(0, 60_000), () => {
      shop({ world, ledger, psps, nodes: () => nodes }, i)
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
      if (done === customers && nextDue() === undefined && psps.every((p) => p.quiet())) break
    }
    await world.run(world.now + 3_600_000)
    judge.atRest([...delivered.values()])
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
    ...(failure === undefined ? {} : { failure }),
  }
}

function directoryOf(profiles: readonly Profile[]): Directory {
  const accounts = profiles.map((profile, i): Account => {
    const connector = labConnector(profile)
    return {
      id: `acc_${i}` as AccountId,
      merchant: MERCHANT,
      state: "enabled",
      connector,
      config: { mode: "test", credentials: {}, settings: {} },
      origin: `https://${profile.id}.invalid`,
      limits: {
        ...connector.manifest.limits,
        settleWithinMs: profile.settleWithinMs,
        actionMs: profile.actionMs,
        replayWindowFactor: 1,
      },
      webhookSecrets: [`secret-${profile.id}`],
      onUnknown: "wait",
    }
  })
  return { account: (id) => accounts.find((a) => a.id === id), accounts: () => accounts, policy: () => undefined }
}

/** The provider's side of a webhook: late, twice, out of order, forged by others, and again until it is accepted. */
function post(
  world: World,
  psp: LabPsp,
  notice: LabNotice,
  nodes: readonly Node[],
  directory: Directory,
  storm: () => boolean,
): void {
  const { weather } = psp.profile
  if (!psp.profile.reliableWebhooks && world.chance(weather.webhookLost)) return
  const account = directory.accounts(MERCHANT).find((a) => a.connector.manifest.id === psp.profile.id)!
  // A hint is unsigned: whatever it says may be wrong, and nothing may be booked from it.
  const said: LabNotice = notice.hint && world.chance(0.5) ? { ...notice, answer: lieAbout(notice.answer) } : notice
  const body = JSON.stringify(said)
  const deliver = (tries: number): void => {
    const node = world.pick(nodes)
    if (!node.alive || (storm() && world.chance(0.05))) {
      again(tries)
      return
    }
    let answered = false
    const timeout = world.after(10_000, () => {
      answered = true
      again(tries)
    })
    receive(
      node.engine,
      account,
      { headers: { "x-secret": `secret-${psp.profile.id}` }, body },
      () => new Uint8Array(4),
    ).then(
      () => timeout(),
      () => {
        timeout()
        if (!answered) again(tries)
      },
    )
  }
  const again = (tries: number): void =>
    void (tries < 30 && world.after(Math.min(3_600_000, 1_000 * 2 ** tries), () => deliver(tries + 1)))
  const copies = world.chance(weather.webhookTwice) ? 2 : 1
  for (let i = 0; i < copies; i++) world.after(world.random() * weather.webhookDelayMs, () => deliver(0))
  if (world.chance(weather.forged)) {
    const lie: LabNotice = { ...notice, event: `${notice.event}-forged`, hint: false, answer: lieAbout(notice.answer) }
    const node = world.pick(nodes)
    if (node.alive)
      void receive(
        node.engine,
        account,
        { headers: { "x-secret": "guess" }, body: JSON.stringify(lie) },
        () => new Uint8Array(4),
      ).catch(() => {})
  }
}

/** The opposite of an answer, with a little money in it. */
const lieAbout = (answer: LabNotice["answer"]): LabNotice["answer"] => ({
  ...answer,
  kind: answer.kind === "approved" ? "declined" : "approved",
  effect: "authorized",
  amount: "1",
})
