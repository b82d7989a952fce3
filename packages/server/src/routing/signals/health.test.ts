import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { diceAt } from "./dice.ts"
import type { SignalChange } from "./health-change.ts"
import { createHealth } from "./health.ts"
import type { Ending, Situation } from "./observation.ts"

const SIZE = 3
const visa: Situation = {
  network: "visa",
  country: "DE",
  issuer: "bank",
  method: "card",
  operation: "authorize",
  attempt: 1,
}

/** Health with some quiet history, a clock of one outcome a second, and what it told. */
function scene(readable = false) {
  const changes: SignalChange[] = []
  const health = createHealth({
    size: SIZE,
    readable: Array.from({ length: SIZE }, () => readable),
    startMs: 0,
    tell: (change) => changes.push(change),
  })
  let nowMs = 0
  const see = (account: number, ending: Ending, situation = visa, expected = 0.88): void => {
    nowMs += 1_000
    health.observe(situation, account, ending, expected, nowMs)
  }
  for (let i = 0; i < 600; i++) see(i % SIZE, i % 8 === 0 ? "not_paid" : "paid", { ...visa, issuer: `bank ${i % 7}` })
  changes.length = 0
  return { health, see, changes, now: () => nowMs, wait: (ms: number) => (nowMs += ms) }
}
const wentTo = (changes: readonly SignalChange[], state: string): readonly SignalChange[] =>
  changes.filter((c) => c.kind === "health" && c.to === state)

describe("health", () => {
  test("withdraws traffic after two failures in a row and ejects with evidence after a few more", () => {
    const { health, see, changes, now } = scene()
    see(0, "technical")
    assert.equal(health.read(visa, 0, now()).state, "healthy", "one failure is nothing")
    see(0, "technical")
    assert.equal(health.read(visa, 0, now()).state, "suspect")
    assert.ok(health.read(visa, 0, now()).factor < 0.97)
    for (let i = 0; i < 3; i++) see(0, "technical")
    assert.equal(health.read(visa, 0, now()).state, "ejected")
    const [change] = wentTo(changes, "ejected")
    assert.ok(change?.kind === "health")
    assert.deepEqual([change.account, change.dimension, change.evidence.bad], [0, "all", change.evidence.n])
    assert.ok(change.evidence.statistic >= change.evidence.threshold)
    assert.equal(health.read(visa, 1, now()).state, "healthy", "the others are not touched")
  })

  test("comes back where no payment may carry a probe: after an hour without any, by a small share", () => {
    const { health, see, now, wait } = scene()
    for (let i = 0; i < 6; i++) see(0, "technical")
    wait(60_000)
    assert.deepEqual([health.read(visa, 0, now()).state, health.read(visa, 0, now()).share], ["probing", 0])
    wait(50 * 60_000)
    health.probed(visa, 0, now())
    wait(50 * 60_000)
    assert.equal(health.read(visa, 0, now()).state, "probing", "probes ride")
    wait(20 * 60_000)
    assert.deepEqual([health.read(visa, 0, now()).state, health.read(visa, 0, now()).share], ["returning", 0.25])
    for (let i = 0; i < 6; i++) see(0, "technical")
    assert.equal(health.read(visa, 0, now()).state, "ejected", "and is out again if it still fails")
  })

  test("ejects one network where one network fails", () => {
    const { health, see, now } = scene()
    const amex: Situation = { ...visa, network: "amex" }
    for (let i = 0; i < 60; i++) see(0, "paid", amex)
    for (let i = 0; i < 40; i++) {
      see(0, "paid", amex)
      see(0, diceAt(1, i) < 0.5 ? "technical" : "paid", visa)
    }
    assert.equal(health.read(visa, 0, now()).share, 0, "no ordinary payment goes there")
    assert.equal(health.read(amex, 0, now()).share, 1)
  })

  test("finds a silent outage by declines that the peers on the same issuers do not share", () => {
    const { health, see, changes, now } = scene()
    for (let i = 0; i < 300 && health.read(visa, 0, now()).state === "healthy"; i++) {
      const situation = { ...visa, issuer: `bank ${i % 7}` }
      see(0, diceAt(2, i) < 0.6 ? "paid" : "not_paid", situation)
      see(1, diceAt(3, i) < 0.88 ? "paid" : "not_paid", situation)
    }
    assert.notEqual(health.read(visa, 0, now()).state, "healthy")
    assert.equal(health.read(visa, 1, now()).state, "healthy")
    assert.ok(changes.some((c) => c.kind === "health" && c.cause === "declines" && c.account === 0))
  })

  test("blames no account for what was mistyped, however often", () => {
    const { health, see, changes, now, wait } = scene()
    for (let i = 0; i < 300; i++) {
      see(0, "paid")
      wait(1_000)
      health.observe(visa, 0, "not_paid", 0.88, now(), true)
    }
    assert.deepEqual(changes, [])
  })

  test("blames nobody where all fall together on an issuer", () => {
    const { health, see, changes, now } = scene()
    for (let i = 0; i < 900; i++) see(i % SIZE, diceAt(4, i) < 0.4 ? "paid" : "not_paid")
    assert.deepEqual(wentTo(changes, "ejected"), [])
    for (let account = 0; account < SIZE; account++) assert.equal(health.read(visa, account, now()).share, 1)
  })

  test("calls the node sick when every account fails technically together, and well with the first answer", () => {
    const { health, see, changes, now } = scene()
    for (let i = 0; i < 30; i++) see(i % SIZE, "technical")
    assert.ok(health.isNodeSick())
    assert.ok(changes.some((c) => c.kind === "node" && c.sick))
    for (let account = 0; account < SIZE; account++) assert.notEqual(health.read(visa, account, now()).share, 0)
    see(0, "paid")
    assert.equal(health.isNodeSick(), false)
  })

  test("comes back by reads, then probes, then shares", () => {
    const { health, see, changes, now, wait } = scene(true)
    for (let i = 0; i < 5; i++) see(0, "technical")
    wait(60_000)
    assert.equal(health.read(visa, 0, now()).state, "ejected", "time alone is not enough where it can be read")
    assert.deepEqual(health.wantsRead(now()), [0])
    for (let i = 0; i < 2; i++) health.observeRead(0, true, now())
    wait(60_000)
    assert.equal(health.read(visa, 0, now()).state, "probing")
    assert.ok(health.read(visa, 0, now()).probeDue)
    health.probed(visa, 0, now())
    assert.equal(health.read(visa, 0, now()).probeDue, false, "one at a time")
    for (let i = 0; i < 6; i++) see(0, "paid")
    assert.equal(health.read(visa, 0, now()).share, 0.25)
    for (let i = 0; i < 20; i++) see(0, "paid")
    assert.equal(health.read(visa, 0, now()).state, "healthy")
    const states = changes.flatMap((c) => (c.kind === "health" && c.dimension === "all" ? [c.to] : []))
    assert.deepEqual(states, ["suspect", "ejected", "probing", "returning", "healthy"])
  })

  test("goes on waiting, twice as long, when a probe fails", () => {
    const { health, see, now, wait } = scene()
    for (let i = 0; i < 5; i++) see(0, "technical")
    wait(31_000)
    assert.equal(health.read(visa, 0, now()).state, "probing")
    see(0, "technical")
    wait(31_000)
    assert.equal(health.read(visa, 0, now()).state, "ejected")
    wait(31_000)
    assert.equal(health.read(visa, 0, now()).state, "probing")
  })
})
