import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { connectors } from "../connectors/registry.ts"
import type { Notice } from "../connectors/connector.ts"
import type { Effect, Outcome } from "../core/outcome.ts"
import { amountsOf, isOpen, statusOf, type Payment, type PaymentEvent } from "../core/payment.ts"
import { oweReversal } from "../core/settlement.ts"
import type { OperationId, PaymentId } from "../core/id.ts"
import { accountAt, scripted, type Scripted } from "../../testing/scripted.ts"
import { change as commit } from "./change.ts"
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
const newId = () => ({ id: `op_test${++told}` as OperationId, key: `key ${told}` })
async function change(world: Scripted, id: PaymentId, events: readonly PaymentEvent[]): Promise<void> {
  const { merchant } = world.stored(id)
  const committed = commit(world.engine, merchant, id, world.stored(id), () => ({ events }))
  await world.pass(100)
  await committed
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

  test("a fact without an id of its own is known by its event", async () => {
    const { world, id } = await paid("automatic")
    const refund = notice("refund", approved("refunded", 300n))
    await tell(world, refund)
    await tell(world, refund)
    assert.equal(brief(world.stored(id)), "captured 1000/1000/300")
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

  describe("a cancel-or-refund while a refund of ours is on its way", () => {
    /** `wanted` is on its way when somebody gives back whatever there is. */
    async function beside(wanted: bigint): Promise<{ world: Scripted; id: PaymentId; ends: (o: Outcome) => unknown }> {
      const { world, id } = await paid("automatic")
      const followed = world.follow(id, { type: "refund", amount: wanted })
      await world.pass(1_000)
      await followed
      const ours = world.stored(id).operations.find((o) => o.kind === "refund")!
      assert.equal(ours.state, "pending")
      const all = notice("reverse", approved("voided", 0n), { operationReference: "BY HAND" })
      await tell(world, all)
      await tell(world, all)
      const ends = (outcome: Outcome): unknown =>
        tell(world, notice("refund", outcome, { operation: ours.id, operationReference: "MOD" }))
      return { world, id, ends }
    }
    const failed: Outcome = { kind: "declined", reason: "unmapped", raw: { code: "REFUND_FAILED" }, evidence: {} }

    test("counts as the rest where ours succeeds", async () => {
      const { world, id, ends } = await beside(300n)
      assert.equal(brief(world.stored(id)), "captured 1000/1000/700")
      await ends(approved("refunded", 300n))
      assert.equal(brief(world.stored(id)), "captured 1000/1000/1000")
      assert.deepEqual(world.errors, [])
    })

    for (const wanted of [300n, 1_000n])
      test(`counts as all of it where ours, of ${wanted}, fails: it had given that back too`, async () => {
        const { world, id, ends } = await beside(wanted)
        await ends(failed)
        await ends(failed)
        const payment = world.stored(id)
        assert.equal(brief(payment), "captured 1000/1000/1000")
        const byHand = payment.operations.find((o) => o.origin === "provider")
        assert.deepEqual([byHand?.amount, byHand?.state], [1_000n, "succeeded"])
        assert.deepEqual(world.errors, [])
      })

    test("is nothing of itself where ours gives back everything", async () => {
      const { world, id, ends } = await beside(1_000n)
      await ends(approved("refunded", 1_000n))
      assert.equal(brief(world.stored(id)), "captured 1000/1000/1000")
      assert.deepEqual(world.errors, [])
    })

    test("takes back all that it came to, should it fail itself in the end", async () => {
      const { world, id, ends } = await beside(300n)
      await ends(failed)
      await tell(world, notice("refund", failed, { operationReference: "BY HAND" }))
      assert.equal(brief(world.stored(id)), "captured 1000/1000/0")
    })

    test("does not give back what fails after it had succeeded", async () => {
      const { world, id, ends } = await beside(300n)
      await ends(approved("refunded", 300n))
      await ends(failed)
      assert.equal(brief(world.stored(id)), "captured 1000/1000/700")
    })
  })

  test("a void of an authorization cancels the payment", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("void", approved("voided", 0n)), 2)
    assert.equal(brief(world.stored(id)), "canceled 0/0/0")
  })

  test("a void after a part was captured releases the rest, and the part stands", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("capture", approved("captured", 400n), { operationReference: "CAP" }))
    await tell(world, notice("void", approved("voided", 0n), { operationReference: "V" }), 2)
    assert.equal(brief(world.stored(id)), "captured 1000/400/0")
  })

  test("a void waits for as long as a capture of ours is on its way, which says what became of the rest", async () => {
    const { world, id } = await paid("manual")
    void world.follow(id, { type: "capture", amount: 400n })
    await world.pass(1_000)
    assert.equal(await tell(world, notice("void", approved("voided", 0n), { operationReference: "V" }), 9), "unmatched")
    assert.equal(world.stored(id).operations.find((o) => o.kind === "capture")?.state, "pending")
  })

  test("a capture that failed after all is booked, though a part was refunded meanwhile", async () => {
    const { world, id } = await paid("automatic")
    await tell(world, notice("refund", approved("refunded", 300n), { operationReference: "R" }))
    const failed: Outcome = { kind: "declined", reason: "unmapped", raw: { code: "CAPTURE_FAILED" }, evidence: {} }
    await tell(world, notice("capture", failed, { operationReference: "C" }))
    assert.equal(world.stored(id).attempts[0]?.captured, 0n)
    assert.ok(world.errors.includes("an invariant of a payment is broken"))
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

describe("told in the wrong order,", () => {
  test("a capture by hand of what was said to have ended goes on with its payment", async () => {
    const { world, id } = await paid("manual")
    await tell(world, notice("void", approved("voided", 0n), { operationReference: "V" }), 2)
    await tell(world, notice("capture", approved("captured", 400n), { operationReference: "CAP", final: true }))
    assert.equal(brief(world.stored(id)), "captured 1000/400/0")
    assert.ok(world.stored(id).operations.every((o) => o.kind !== "reverse"))
  })

  test("a refund by hand waits for its authorization, however long that is unknown", async () => {
    const world = scripted([account], () => "silence")
    const { id } = world.pay({ capture: "automatic" })
    await world.pass(1_000)
    const attempt = world.stored(id).attempts[0]!.id
    const refund = notice("refund", approved("refunded", 300n), { attempt, operationReference: "R" })
    assert.equal(await tell(world, refund, 6), "unmatched")
    await tell(
      world,
      notice("authorize", { ...approved("captured", 1_000n), evidence: { reference: "PSP" } }, { attempt }),
    )
    assert.equal(await tell(world, refund, 7), "applied")
    assert.equal(brief(world.stored(id)), "captured 1000/1000/300")
  })

  test("a reversal of captured money that fails days later is owed anew", async () => {
    const { world, id } = await paid("automatic")
    const { attempts, intent } = world.stored(id)
    // Somebody found the payment to be wrong: its reversal is stored, made, and then fails at the customer's bank.
    await change(world, id, oweReversal(world.stored(id), attempts[0]!.id, "test", world.world.now, newId))
    await world.pass(5_000)
    const [reversal] = world.stored(id).operations.filter((o) => o.kind === "reverse")
    const about = { operation: reversal!.id, operationReference: "MOD" }
    await tell(world, notice("reverse", approved("refunded", intent.amount.minor), about))
    assert.equal(world.stored(id).attempts[0]?.state, "reversed")
    const failed: Outcome = { kind: "declined", reason: "unmapped", raw: { code: "REFUND_FAILED" }, evidence: {} }
    await tell(world, notice("reverse", failed, about))
    assert.equal(world.stored(id).attempts[0]?.state, "held")
    assert.equal(world.stored(id).operations.filter((o) => o.kind === "reverse" && isOpen(o)).length, 1)
  })
})

describe("an authorization that the provider lets expire", () => {
  test("ends its payment", async () => {
    const { world, id } = await paid("manual")
    assert.equal(await tell(world, notice("expire", approved("voided", 0n))), "unmatched")
    await tell(world, notice("expire", approved("voided", 0n)), 2)
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
    void apply(world.engine, first, notice("expire", approved("voided", 0n)), 2)
    await world.pass(60_000)
    const payment = world.stored(id)
    assert.equal(statusOf(payment), "authorized")
    assert.equal(payment.attempts[1]?.state, "held")
    assert.ok(payment.operations.every((o) => o.kind !== "reverse" || o.state === "absent" || o.state === "succeeded"))
  })
})
