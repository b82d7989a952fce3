import assert from "node:assert/strict"
import { test } from "node:test"
import type { Payment, PaymentEvent } from "../core/payment.ts"
import type { Ledger } from "../storage/ledger/ledger.ts"
import { accountAt, MERCHANT, scripted, type Scripted } from "../../testing/scripted.ts"
import { change, type Request } from "./change.ts"
import { follow } from "./follow-up.ts"

const authorised = { body: { pspReference: "PSP", resultCode: "Authorised" } }
const received = { body: { pspReference: "MOD", status: "received" } }

const request = (path: string): Request => ({
  row: { merchant: MERCHANT, mode: "test", method: "POST", path, key: "k", fingerprint: "f" },
  leaseMs: 60_000,
  render: (payment) => ({ status: 200, body: `{"version":${payment.version}}` }),
})

/** The connection goes away after the first commit took effect, so that nobody knows whether it did. */
function forgetful({ engine }: Scripted, happens: boolean): Scripted["engine"] {
  let lost = false
  const ledger: Ledger = {
    ...engine.ledger,
    commit: async (commit) => {
      if (lost) return engine.ledger.commit(commit)
      lost = true
      if (happens) await engine.ledger.commit(commit)
      throw new Error("the connection went away")
    },
  }
  return { ...engine, ledger }
}

async function paid(): Promise<{ world: Scripted; id: ReturnType<Scripted["pay"]>["id"] }> {
  const world = scripted([accountAt("shop")], ({ path }) => (path.endsWith("/payments") ? authorised : received))
  const { id } = world.pay({ capture: "automatic" })
  await world.pass(2_000)
  return { world, id }
}

for (const happens of [true, false]) {
  test(`a commit of unknown fate that ${happens ? "did" : "did not"} happen is one change and one answer`, async () => {
    const { world, id } = await paid()
    const before = world.stored(id)
    const asked = request(`/v1/payments/${id}/cancel`)
    const engine = forgetful(world, happens)
    const changed = change(engine, MERCHANT, id, before, (known) =>
      known?.ending === undefined
        ? { events: [{ type: "ending_requested", as: "canceled", at: 0 }], take: asked, answer: asked }
        : { events: [], answer: asked },
    )
    await world.pass(5_000)
    const done = await changed
    assert.equal(done.kind, "changed")
    assert.equal(done.kind === "changed" && done.uncertain, true)
    assert.equal(world.stored(id).version, before.version + 1)
  })
}

test("after a commit of unknown fate, a key that another request took meanwhile is that request's", async () => {
  const { world, id } = await paid()
  const asked = request(`/v1/payments/${id}/refunds`)
  const first = follow(world.engine, MERCHANT, id, { type: "refund", amount: 100n }, asked)
  await world.pass(2_000)
  assert.equal((await first).kind, "payment")
  const second = follow(forgetful(world, false), MERCHANT, id, { type: "refund", amount: 100n }, asked)
  await world.pass(10_000)
  assert.equal((await second).kind, "taken")
  assert.equal(world.stored(id).operations.filter((o) => o.kind === "refund").length, 1)
})

test("what a request was answered late is what its replay will say, though its payment went on meanwhile", async () => {
  const world = scripted([accountAt("shop")], () => ({ ...authorised, afterMs: 8_000 }))
  const asked = request("/v1/payments")
  const { id, answer } = world.pay({ answerWithinMs: 5_000 }, {}, asked)
  await world.pass(20_000)
  const answered = await answer
  const row = world.ledger.idempotency(asked.row)
  await world.pass(1_000)
  assert.ok(answered.kind === "payment" && answered.response !== undefined)
  assert.deepEqual((await row)?.response, answered.response)
  assert.notEqual(answered.response.body, asked.render(world.stored(id)).body)
})

test("while nothing can be stored, a new payment hears it within its answer's time, and a stored one's change holds on", async () => {
  const { world, id } = await paid()
  const before = world.stored(id)
  const refuses = (): Promise<never> => Promise.reject(new Error("No space left on device"))
  const engine = { ...world.engine, ledger: { ...world.engine.ledger, commit: refuses, load: refuses } }
  const { answerWithinMs } = before.intent
  const startedAt = world.world.now
  const tookUntilRefused = async (from: Payment | undefined): Promise<number> => {
    const event: PaymentEvent =
      from === undefined
        ? { type: "created", payment: { ...before, version: 0 }, at: 0 }
        : { type: "ending_requested", as: "canceled", at: 0 }
    await assert.rejects(
      change(engine, MERCHANT, id, from, () => ({ events: [event] })),
      /No space left/,
    )
    return world.world.now - startedAt
  }
  const took = Promise.all([tookUntilRefused(undefined), tookUntilRefused(before)])
  await world.pass(120_000)
  const [fresh, stored] = await took
  assert.ok(fresh < answerWithinMs, `the new payment heard it after ${fresh} ms`)
  assert.ok(stored > answerWithinMs, `the stored payment's change was given up after ${stored} ms`)
})
