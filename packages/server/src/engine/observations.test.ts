import assert from "node:assert/strict"
import { test } from "node:test"
import { accountAt, scripted, type Reply } from "../../testing/scripted.ts"
import { connectors } from "../connectors/registry.ts"
import type { Payment } from "../core/payment.ts"
import { observationsOf, previousOf, situationOf } from "./observations.ts"
import { readSignalDocument, signalDocument } from "./signal-document.ts"

const approved: Reply = {
  body: { resultCode: "Authorised", pspReference: "P1", amount: { currency: "EUR", value: 1000 } },
}
const refused: Reply = {
  body: { resultCode: "Refused", pspReference: "P1", refusalReason: "Refused", refusalReasonCode: "2" },
}

/** All that one payment tells, commit by commit. */
async function told(replies: readonly Reply[], accounts = 1, passMs = 200_000) {
  const world = scripted(
    Array.from({ length: accounts }, (_, i) => accountAt(`acc_${i}`, connectors.adyen)),
    (_call, calls) => replies[calls.length] ?? "silence",
  )
  const heard: string[] = []
  const { committed } = world.engine.signals
  const engine = {
    ...world.engine,
    signals: {
      ...world.engine.signals,
      committed: (before: Payment | undefined, after: Payment) => {
        committed(before, after)
        for (const o of observationsOf(before, after, world.engine.clock.now()))
          heard.push(
            `${o.account} ${o.attempt} ${o.ending}${o.news === undefined ? "" : ` ${o.news}`}${o.previous === undefined ? "" : ` after ${o.previous}`}`,
          )
      },
    },
  }
  Object.assign(world.engine, engine)
  const { id } = world.pay()
  await world.pass(passMs)
  return { heard, payment: world.stored(id) }
}

test("a payment that is paid, or declined, is told once when it is known", async () => {
  assert.deepEqual((await told([approved])).heard, ["acc_0 1 paid"])
  assert.deepEqual((await told([refused])).heard, ["acc_0 1 not_paid"])
})

test("what was mistyped is told as such, also to other nodes", async () => {
  const body = {
    resultCode: "Refused",
    pspReference: "P1",
    refusalReason: "Invalid Card Number",
    refusalReasonCode: "8",
  }
  const { payment } = await told([{ body }])
  const [observation] = observationsOf(undefined, payment, 0)
  assert.deepEqual([observation?.ending, observation?.blameless], ["not_paid", true])
  const shared = readSignalDocument(signalDocument({ observations: [observation!], choices: [] }))
  assert.deepEqual(shared?.observations, [observation])
  const [declined] = observationsOf(undefined, (await told([refused])).payment, 0)
  assert.equal(declined?.blameless, undefined)
})

test("a request that never left speaks against the provider, and the next attempt begins with that", async () => {
  const { heard } = await told(
    ["refused", approved].map((reply) => reply as Reply),
    1,
  )
  assert.deepEqual(heard.slice(0, 1), ["acc_0 1 technical"])
  const world = scripted([accountAt("acc_0"), accountAt("acc_1")], ({ account }) =>
    account === "acc_0" ? "refused" : approved,
  )
  const { id } = world.pay()
  await world.pass(40_000)
  const payment = world.stored(id)
  const before = { ...payment, attempts: payment.attempts.slice(0, 1), operations: payment.operations.slice(0, 1) }
  const [second] = observationsOf(before, payment, 0)
  assert.deepEqual(
    [second?.account, second?.attempt, second?.previous, second?.ending],
    ["acc_1", 2, "technical", "paid"],
  )
})

test("silence counts at once for health, and how it ended for approval alone", async () => {
  const { heard, payment } = await told(["silence"])
  assert.deepEqual(heard, ["acc_0 1 technical health"])
  const [attempt] = payment.attempts
  const settled: Payment = {
    ...payment,
    attempts: [
      {
        ...attempt!,
        state: "held",
        authorized: 1_000n,
        outcome: { kind: "approved", effect: "authorized", amount: 1_000n, raw: { code: "x" }, evidence: {} },
      },
    ],
  }
  const [late] = observationsOf(payment, settled, 0)
  assert.deepEqual([late?.ending, late?.news, late?.latencyMs], ["paid", "approval", undefined])
  const [corrected] = observationsOf(
    {
      ...settled,
      attempts: [
        {
          ...settled.attempts[0]!,
          state: "declined",
          authorized: 0n,
          outcome: { kind: "declined", reason: "generic_decline" as never, raw: { code: "x" }, evidence: {} },
        },
      ],
    } as Payment,
    settled,
    0,
  )
  assert.deepEqual([corrected?.ending, corrected?.news], ["paid", "correction"])
})

test("what a process of ours that died has sent says nothing about the provider", async () => {
  const { payment } = await told(["silence"], 1, 1_000)
  const [attempt] = payment.attempts
  const gone: Payment = {
    ...payment,
    attempts: [{ ...attempt!, outcome: { kind: "unknown", raw: { code: "owner_gone" }, evidence: {} } }],
  }
  assert.deepEqual(observationsOf(payment, gone, 0), [])
})

test("a retry begins with how the attempt before ended", () => {
  const raw = { code: "x" }
  assert.equal(previousOf({ kind: "not_sent", raw, evidence: {} }), "technical")
  assert.equal(previousOf({ kind: "unknown", raw, evidence: {} }), "technical")
  assert.equal(previousOf({ kind: "declined", reason: "do_not_honor", raw, evidence: {} }), "soft_decline")
  assert.equal(previousOf({ kind: "declined", reason: "insufficient_funds", raw, evidence: {} }), "decline")
})

test("an attempt is one of the card's issuer where that is known, else of its first digits", async () => {
  const { payment } = await told([approved])
  const { method } = payment.intent
  assert.ok(method?.type === "card")
  assert.equal(situationOf(payment, 1, false).issuer, method.bin)
  const known = { ...payment, intent: { ...payment.intent, method: { ...method, issuer: "Meridian", country: "AT" } } }
  const { issuer, country } = situationOf(known, 1, false)
  assert.deepEqual([issuer, country], ["Meridian", "AT"])
})
