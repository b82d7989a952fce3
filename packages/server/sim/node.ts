// One server process of the simulation: the real engine on simulated ports. It may die at every call that leaves it; then
// nothing that it waited for ever continues, and a new process starts later with nothing but what is stored.

import { createErrorRates } from "../src/engine/error-rates.ts"
import type { Directory, Engine } from "../src/engine/engine.ts"
import { processInbound } from "../src/engine/receive.ts"
import { recoverOnce } from "../src/engine/recover.ts"
import { RELAY_LEASE_MS, relayOnce, type Sink } from "../src/engine/relay.ts"
import type { Sent, Transport } from "../src/engine/transport.ts"
import type { HttpRequest } from "../src/connectors/connector.ts"
import { createSignalSharing, SHARE_MS, type SignalSharing } from "../src/engine/signal-sharing.ts"
import { createShadows } from "../src/engine/shadows.ts"
import { createRoutingSignals } from "../src/engine/signals.ts"
import type { Clock, Log } from "../src/ports.ts"
import type { SignalStore } from "../src/storage/resources/signal-store.ts"
import type { LivenessJudge } from "./judge-liveness.ts"
import type { LabRequest } from "./lab-psp.ts"
import { numberOf } from "./merchant.ts"
import type { Sender } from "./network.ts"
import type { Commit, Ledger } from "../src/storage/ledger/ledger.ts"
import type { World } from "./world.ts"

/** Probability of dying at one call. */
export type Mortality = { readonly perCall: number }

const bodyOf = (request: HttpRequest): LabRequest => JSON.parse(request.body ?? "{}") as LabRequest

/** The relay's lease and cursor. */
export const RELAY = "webhooks"

const never = new Promise<never>(() => {})

export class Node {
  readonly name: string
  readonly engine: Engine
  readonly sharing: SignalSharing
  alive = true
  /** Keys of the requests whose answers this process waits for. */
  readonly engaged = new Set<string>()
  /** Payments whose answer the database would neither store nor tell: what is said then may be said otherwise later. */
  readonly unsure = new Set<string>()
  readonly #world: World
  readonly #mortality: () => Mortality
  readonly #onDeath: () => void
  #stillUntil = 0
  #diedAt = Number.POSITIVE_INFINITY
  readonly #judge: LivenessJudge

  constructor(
    world: World,
    name: string,
    parts: {
      readonly ledger: Ledger
      readonly signals: SignalStore
      readonly transport: (sender: Sender) => Transport
      readonly directory: Directory
      readonly skewMs: number
      readonly judge: LivenessJudge
    },
    mortality: () => Mortality,
    onDeath: () => void,
  ) {
    this.#world = world
    this.name = name
    this.#judge = parts.judge
    this.#mortality = mortality
    this.#onDeath = onDeath
    // The calibration against the database's clock is never exact.
    const now = (): number => Math.round(world.now + parts.skewMs)
    const transport = parts.transport({
      now,
      stillFor: () => this.stillFor(),
      started: (key) => void this.engaged.add(key),
    })
    const clock: Clock = {
      now,
      sleep: (ms) => this.#guard(() => world.sleep(ms)),
      after: (ms, then) => {
        let canceled = false
        world.after(ms, () => void this.#goesOn().then(() => this.alive && !canceled && then()))
        return () => {
          canceled = true
        }
      },
    }
    const log: Log = {
      info: () => {},
      warn: (fields, message) => {
        if (message === "the answer could not be stored")
          this.unsure.add(String((fields as { readonly payment?: string }).payment))
        world.say(`${name} warn ${message} ${JSON.stringify(fields)}`)
      },
      error: (fields, message) => world.say(`${name} error ${message} ${JSON.stringify(fields)}`),
    }
    const ports = { clock, log, chance: { random: world.random, bytes: (n: number) => world.bytes(n) } }
    const { directory } = parts
    const signals = createRoutingSignals({ clock, log, directory })
    this.sharing = createSignalSharing({
      ...ports,
      node: name,
      store: this.#calling(parts.signals),
      directory,
      signals,
    })
    this.engine = {
      node: name,
      ...ports,
      signals,
      shadows: createShadows({ clock, log, directory, signals }),
      ledger: this.#guarded(parts.ledger),
      transport: {
        send: (origin, request, limits) =>
          this.#guard<Sent>(async () => {
            const body = bodyOf(request)
            this.#judge.tried(body)
            return transport
              .send(origin, request, limits)
              .finally(() => this.engaged.delete(body.do === "inquire" ? "" : body.key))
          }).then((sent) => {
            if (sent.kind === "answered") this.#judge.answered(bodyOf(request), () => this.#diedAt)
            return sent
          }),
        close: () => Promise.resolve(),
      },
      directory,
      cards: {
        read: (_merchant, { fingerprint }) => this.#guard(() => Promise.resolve(numberOf(fingerprint))),
      },
      errorRates: createErrorRates({ now }),
      background: (work) =>
        void work.catch((error: unknown) =>
          world.say(`${name} background ${error instanceof Error ? (error.stack ?? "") : String(error)}`),
        ),
      returnUrl: (payment) => `https://orchestra.invalid/${payment.id}`,
    }
  }

  /** Recovery and stored webhooks, whenever something is due. The wait between rounds is the world's: `idleMs` when nothing is. */
  async serve(idleMs: () => number, nextDue: () => number | undefined): Promise<void> {
    while (this.alive) {
      await processInbound(this.engine).catch(() => 0)
      await recoverOnce(this.engine).catch(() => 0)
      const due = nextDue()
      const idle = idleMs()
      await this.engine.clock.sleep(due === undefined ? idle : Math.min(idle, Math.max(200, due - this.#world.now)))
    }
  }

  /** Reads what was learned before it began, then shares what it learns whenever there is something new. */
  async learn(waiting: () => number): Promise<void> {
    await this.#again(() => this.sharing.start())
    let known = -1
    let rest = SHARE_MS
    while (this.alive) {
      const wrote = await this.sharing.write().catch(() => true)
      const renewed = await this.sharing.renew().catch(() => true)
      if (waiting() !== known) {
        const before = waiting()
        if (!(await this.sharing.catchUp().catch(() => true))) known = before
      }
      rest = wrote || renewed ? SHARE_MS : Math.min(rest * 2, 600_000)
      await this.engine.clock.sleep(rest)
    }
  }

  /** Until it succeeds: a process that cannot read is not ready. */
  async #again(work: () => Promise<void>): Promise<void> {
    while (this.alive) {
      try {
        await work()
        return
      } catch {
        await this.engine.clock.sleep(1_000)
      }
    }
  }

  /** Hands events on whenever there are some that nobody has handed on yet. */
  async relay(sink: Sink, waiting: () => boolean): Promise<void> {
    let rest = 20
    while (this.alive) {
      const relayed = waiting()
        ? await relayOnce(this.engine, [sink], { name: RELAY, owner: this.name, leaseMs: RELAY_LEASE_MS }).catch(
            () => 0,
          )
        : 0
      rest = relayed > 0 ? this.#world.int(5, 300) : Math.min(rest * 2, 600_000)
      await this.engine.clock.sleep(rest)
    }
  }

  /** The machine is paused: time goes on, and nothing of this process does. */
  stall(ms: number): void {
    if (!this.alive) return
    this.#stillUntil = Math.max(this.#stillUntil, this.#world.now + ms)
    this.#world.note("process stood still")
    if ([...this.engaged].some((key) => key !== ""))
      this.#world.note("process stood still while it waited for an answer")
    this.#world.say(`${this.name} stands still for ${ms} ms`)
  }
  /** When it stood still last, or will have. */
  get stoodUntil(): number {
    return this.#stillUntil
  }
  stillFor(): number {
    return Math.max(0, this.#stillUntil - this.#world.now)
  }
  async #goesOn(): Promise<void> {
    while (this.stillFor() > 0) await this.#world.sleep(this.stillFor())
  }

  kill(): void {
    if (!this.alive) return
    this.alive = false
    this.#diedAt = this.#world.now
    this.#world.note("process died")
    this.#world.say(`${this.name} dies`)
    this.#onDeath()
  }

  #guarded(ledger: Ledger): Ledger {
    return new Proxy(ledger, {
      get: (target, name) => {
        const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
        return (...args: unknown[]) => {
          if (name === "commit") {
            const commit = args[0] as Commit
            this.#say(commit)
            this.#judge.committing(this.name, commit.payment.id, commit.payment.version)
          }
          return this.#guard(() => call.apply(target, args)).catch((error: unknown) => {
            this.#world.note("database lost a connection")
            throw error
          })
        }
      },
    })
  }

  /** Another database session: what is called there may be lost, and the process may die over it. */
  #calling(store: SignalStore): SignalStore {
    return new Proxy(store, {
      get: (target, name) => {
        const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
        return (...args: unknown[]) => this.#guard(() => call.apply(target, args))
      },
    })
  }

  #say({ payment, events, operations }: Commit): void {
    if (this.#world.tracing)
      this.#world.say(
        `${this.name} commits ${payment.id} v${payment.version} ${events.map((e) => e.type).join(" ")} [${operations.map((o) => `${o.kind} ${o.state} ${o.outcome?.kind ?? ""} sent=${o.sentAt ?? "-"} check=${o.checkAt ?? "-"}`).join("; ")}]`,
      )
  }

  /** Before it and after it, the process may die: then the call may have happened, and nobody here will know. */
  async #guard<T>(call: () => Promise<T>): Promise<T> {
    await this.#goesOn()
    if (!this.alive) return never
    if (this.#world.chance(this.#mortality().perCall)) {
      this.kill()
      return never
    }
    try {
      const result = await call()
      await this.#goesOn()
      if (this.alive && this.#world.chance(this.#mortality().perCall)) this.kill()
      return this.alive ? result : never
    } catch (error) {
      await this.#goesOn()
      if (!this.alive) return never
      throw error
    }
  }
}
