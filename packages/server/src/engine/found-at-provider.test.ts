import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { connectors } from "../connectors/registry.ts"
import type { Notice } from "../connectors/connector.ts"
import type { Effect, Outcome } from "../core/outcome.ts"
import { amountsOf, statusOf, type Payment } from "../core/payment.ts"
import type { PaymentId } from "../core/id.ts"
import { accountAt, scripted, type Scripted } from "../../testing/scripted.ts"
import { apply } from "./receive.ts"

const account = accountAt("shop")
const other = accountAt("other")
const approved = (effect: Effect, amount: bigint): Outcome => ({
  kind: "approved",
  effect,
  amount,
  raw: { code: effect },
  evidence: {},
})
let told = 0
const notice = (about: Notice["about"], outcome: Outcome, more: Partial<Notice> = {}): Notice => ({
  about,
  outcome,
  eventId: `event ${++told}`,
  type: about,
  trust: "signed",
  reference: "PSP",
  ...more,
})
const authorised = { body: { pspReference: "PSP", resultCode: "Authorised" } }

async function paid(capture: "manual" | "automatic"): Promise<{ world: Scripted; id: PaymentId }> {
  const world = scripted([account, other], ({ path }) =>
    path.endsWith("/payments") ? authorised : { body: { pspReference: "MOD", status: "received" } },
  )
  const { id } = world.pay({ capture })
  await world.pass(1_000)
  return { world, id }
}
async function tell(world: Scripted, notice_: Notice, tries = 0): Promise<"applied" | "unmatched"> {
  const applied = apply(world.engine, account, notice_, tries)
  await world.pass(1_000)
  return applied
}
const brief = (payment: Payment): string => {
  const { authorized, captured, refunded } = amountsOf(payment)
  return `${statusOf(payment)} ${authorized}/${captured}/${refunded}`
}

describe("made by hand at the provider,", () => {
  test("a capture is booked, once however often it is told", async () => {
    const { world, id } = await paid("manual")
    const captured = notice("capture", approved("captured", 400n), { operationReference: "CAP" })
    await tell(world, captured)
    await tell(world, captured)
    assert.equal(brief(world.stored(id)), "partially_captured 1000/400/0")
  })

  test("a sum of captures says only what exceeds those that are known", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("capture", approved("captured", 400n), { sum: true }))
    await tell(world, notice("capture", approved("captured", 400n), { sum: true }))
    await tell(world, notice("capture", approved("captured", 700n), { sum: true, final: true }))
    assert.equal(brief(world.stored(id)), "captured 1000/700/0")
  })

  test("a cancel-or-refund of a captured payment gives its money back and leaves it captured", async () => {
    const { world, id } = await paid("automatic")
    await tell(world, notice("refund", approved("refunded", 300n), { operationReference: "R1" }))
    await tell(world, notice("reverse", approved("voided", 0n), { operationReference: "R2" }))
    assert.equal(brief(world.stored(id)), "captured 1000/1000/1000")
  })

  test("a void of an authorization cancels the payment", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("void", approved("voided", 0n)))
    assert.equal(brief(world.stored(id)), "canceled 0/0/0")
  })

  test("a void after a part was captured releases the rest, and the part stands", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("capture", approved("captured", 400n), { operationReference: "CAP" }))
    await tell(world, notice("void", approved("voided", 0n), { operationReference: "V" }))
    assert.equal(brief(world.stored(id)), "captured 1000/400/0")
  })

  test("a refund of more than we know as captured waits, and is believed in the end", async () => {
    const { world, id } = await paid("manual")
    const refund = notice("refund", approved("refunded", 400n), { operationReference: "R" })
    assert.equal(await tell(world, refund), "unmatched")
    assert.equal(brief(world.stored(id)), "authorized 1000/0/0")
    assert.equal(await tell(world, refund, 4), "applied")
    assert.equal(world.stored(id).attempts[0]?.refunded, 400n)
    assert.ok(world.errors.includes("an invariant of a payment is broken"))
  })

  test("an increment raises what is authorized", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("increment", approved("incremented", 1_500n), { operationReference: "I" }))
    assert.equal(brief(world.stored(id)), "authorized 1500/0/0")
  })

  test("what carries the id of an operation of another kind is not its answer", async () => {
    const { world, id } = await paid("automatic")
    const followed = world.follow(id, { type: "refund", amount: 100n })
    await world.pass(1_000)
    await followed
    const operation = world.stored(id).operations.find((o) => o.kind === "refund")!
    await tell(world, notice("void", approved("voided", 0n), { operation: operation.id }))
    assert.equal(world.stored(id).operations.find((o) => o.id === operation.id)?.state, "pending")
  })
})

describe("an authorization that the provider lets expire", () => {
  test("ends its payment", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("expire", approved("voided", 0n)))
    assert.equal(brief(world.stored(id)), "expired 0/0/0")
  })

  test("does not end a payment that another attempt stands for", async () => {
    const first = accountAt("shop", connectors.adyen, { onUnknown: "reverse_then_reroute" })
    const world = scripted([first, other], ({ account: at, path }) =>
      !path.endsWith("/payments")
        ? { body: { pspReference: "REV", status: "received" } }
        : at === "shop"
          ? { ...authorised, afterMs: 15_000 }
          : { body: { pspReference: "PSP2", resultCode: "Authorised" } },
    )
    const { id } = world.pay()
    await world.pass(20_000)
    assert.equal(world.stored(id).attempts.length, 2)
    void apply(world.engine, first, notice("expire", approved("voided", 0n)))
    await world.pass(60_000)
    const payment = world.stored(id)
    assert.equal(statusOf(payment), "authorized")
    assert.equal(payment.attempts[1]?.state, "held")
    assert.ok(payment.operations.every((o) => o.kind !== "reverse" || o.state === "absent" || o.state === "succeeded"))
  })
})
