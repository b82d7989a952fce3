// A merchant's client: one idempotent request, repeated over crashes and lost answers until it has its answer, and now and
// then although it has it, or twice at the same moment.

import type { MerchantId } from "../src/core/id.ts"
import { statusOf, type Payment } from "../src/core/payment.ts"
import type { Request } from "../src/engine/change.ts"
import type { Executed } from "../src/engine/execute.ts"
import type { Followed } from "../src/engine/follow-up.ts"
import { LEASE_MARGIN_MS, repeat } from "../src/engine/idempotency.ts"
import { Broken } from "./claim.ts"
import type { Node } from "./node.ts"
import type { World } from "./world.ts"

/** A client gives up on one request after this (ms), and tries again with the same key. */
const CLIENT_PATIENCE_MS = 40_000
const CLIENT_TRIES = 120

export type Run = (node: Node, asked: Request) => Promise<Executed | Followed>

/** What a client sees of a payment; all of it is stored for its key, and comes again as it was. */
export type Answer = { readonly payment: string; readonly status: string; readonly version: number }
const render = (payment: Payment): { status: number; body: string } => ({
  status: 201,
  body: JSON.stringify({
    payment: payment.id,
    status: statusOf(payment),
    version: payment.version,
  } satisfies Answer),
})

type Said = {
  readonly answer: Answer
  /** `stored`: repeated from the key. `first`: from the request itself. `current`: the first request died unanswered. */
  readonly from: "first" | "stored" | "current"
}

export class Client {
  readonly #world: World
  readonly #merchant: MerchantId
  readonly #nodes: () => readonly Node[]
  /** What clients have been told, by key: at rest it must be what is stored. */
  readonly told = new Map<string, Said>()

  constructor(world: World, merchant: MerchantId, nodes: () => readonly Node[]) {
    this.#world = world
    this.#merchant = merchant
    this.#nodes = nodes
  }

  async request(key: string, run: Run): Promise<Answer | undefined> {
    if (!this.#world.chance(0.08)) return this.#ask(key, run, true)
    this.#world.note("key used twice at the same time")
    const [one, other] = await Promise.all([
      this.#ask(key, run),
      this.#world.sleep(this.#world.int(0, 300)).then(() => this.#ask(key, run)),
    ])
    this.#agree(key, one, other)
    return one ?? other
  }

  async #ask(key: string, run: Run, alone = false): Promise<Answer | undefined> {
    const world = this.#world
    let first: Answer | undefined
    const asked: Request = {
      row: { merchant: this.#merchant, mode: "test", method: "POST", path: "/", key, fingerprint: key },
      leaseMs: 25_000 + LEASE_MARGIN_MS,
      render,
    }
    for (let tries = 0; tries < CLIENT_TRIES; tries++) {
      const alive = this.#nodes().filter((n) => n.alive)
      const node = alive.length === 0 ? undefined : world.pick(alive)
      const said = node === undefined ? "nobody" : await patient(world, serve(node, asked, run, alone && tries === 0))
      if (node === undefined || said === "nobody" || said === "in_flight" || said === "error") {
        await world.sleep(world.int(500, 8_000))
        continue
      }
      if (said === undefined) return undefined
      this.#remember(key, said)
      this.#agree(key, first, said.answer)
      // Some clients ask again although they have their answer.
      if (first === undefined && world.chance(0.3)) {
        first = said.answer
        world.note("key used again")
        await world.sleep(world.int(0, 60_000))
        continue
      }
      if (world.chance(0.1)) await probe(node, asked)
      return said.answer
    }
    if (first === undefined) throw new Broken(`the request with key ${key} was never answered`)
    return first
  }

  #agree(key: string, one: Answer | undefined, other: Answer | undefined): void {
    if (one !== undefined && other !== undefined && one.payment !== other.payment)
      throw new Broken(`key ${key} made two payments: ${one.payment} and ${other.payment}`)
  }

  /** A first answer and what is repeated for its key are the same. */
  #remember(key: string, said: Said): void {
    const before = this.told.get(key)
    if (before !== undefined && before.from !== "current" && said.from === "stored") {
      this.#world.note("first answer compared with its replay")
      const [was, is] = [JSON.stringify(before.answer), JSON.stringify(said.answer)]
      if (was !== is) throw new Broken(`key ${key} was answered ${was} and then ${is}`)
    }
    if (before === undefined || before.from === "current") this.told.set(key, said)
  }
}

/** The same key with another body is another request, and is told so. */
async function probe(node: Node, asked: Request): Promise<void> {
  const row = await node.engine.ledger.idempotency(asked.row).catch(() => undefined)
  if (row === undefined) return
  const other: Request = { ...asked, row: { ...asked.row, fingerprint: "another body" } }
  const again = await repeat(node.engine, row, other)
  if (again.kind !== "mismatch") throw new Broken(`key ${asked.row.key} was answered to another body: ${again.kind}`)
}

/** `first`: nobody has used the key before, so that whatever has it is this very request. */
async function serve(
  node: Node,
  asked: Request,
  run: Run,
  first: boolean,
): Promise<Said | "in_flight" | "error" | undefined> {
  try {
    const executed = await run(node, asked)
    if (executed.kind === "payment")
      return {
        answer: JSON.parse((executed.response ?? render(executed.payment)).body) as Answer,
        from: node.unsure.has(executed.payment.id) ? "current" : "first",
      }
    if (executed.kind !== "taken") {
      // A refused repetition of a request that did run is answered from its key.
      const row = await node.engine.ledger.idempotency(asked.row)
      if (row === undefined) return undefined
      if (first) throw new Broken(`the first request with key ${row.key} was refused, and has its key`)
      return await repeated(node, row, asked)
    }
    if (first) throw new Broken(`the first request with key ${executed.row.key} was told that another has its key`)
    return await repeated(node, executed.row, asked)
  } catch (error) {
    if (error instanceof Broken) throw error
    return "error"
  }
}

async function repeated(node: Node, row: Parameters<typeof repeat>[1], asked: Request): Promise<Said | "in_flight"> {
  const again = await repeat(node.engine, row, asked)
  if (again.kind === "mismatch") throw new Broken(`key ${row.key} was not known by its own body`)
  if (row.response !== undefined && again.kind !== "replayed")
    throw new Broken(`key ${row.key} has its answer, and got ${again.kind}`)
  if (again.kind === "in_flight") return "in_flight"
  return again.kind === "replayed"
    ? { answer: JSON.parse(again.response.body) as Answer, from: "stored" }
    : { answer: JSON.parse(render(again.payment).body) as Answer, from: "current" }
}

const patient = <T>(world: World, work: Promise<T>): Promise<T | "nobody"> =>
  Promise.race([work, world.sleep(CLIENT_PATIENCE_MS).then(() => "nobody" as const)])
