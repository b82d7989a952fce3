import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  acknowledge,
  covers,
  isLive,
  MAX_LIVE,
  noIncidents,
  passMinute,
  RECOVERY_MINUTES,
  snooze,
  type Happening,
  type Incidents,
  type Seen,
  type Where,
} from "./incident.ts"

const cause = (where: Where | readonly Where[], lostApprovals = 10): Seen => ({
  where: Array.isArray(where) ? where : [where as Where],
  fault: "provider",
  lostApprovals,
  lostAmount: 100n,
  onset: 0,
})

/** Minute after minute, each with what is seen in it. */
function play(minutes: readonly (readonly Seen[])[], from: Incidents = noIncidents, start = 0) {
  let incidents = from
  const happened: Happening[] = []
  for (const [at, seen] of minutes.entries()) {
    const passed = passMinute(incidents, start + at, seen)
    incidents = passed.incidents
    happened.push(...passed.happened)
  }
  return { incidents, happened, types: happened.map(({ type }) => type) }
}
const often = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

const adyen = { provider: "adyen" }

describe("an incident", () => {
  test("opens once, tells once, and is resolved after ten minutes without its cause", () => {
    const { types, incidents, happened } = play([...often(5, [cause(adyen)]), ...often(RECOVERY_MINUTES, [])])
    assert.deepEqual(types, ["opened", "resolved"])
    assert.equal(happened[0]?.minute, 1)
    assert.equal(incidents.known[0]?.state, "resolved")
    assert.equal(incidents.known[0]?.lostApprovals, 50)
  })

  test("is one, though its cause shows in hundreds of slices", () => {
    const slices = Array.from({ length: 400 }, (_, at) => cause({ ...adyen, bin: String(at) }, 1))
    const { incidents, types } = play(often(3, [...slices, cause(adyen)]))
    assert.deepEqual(types, ["opened"])
    assert.equal(incidents.known.filter(isLive).length, 1)
  })

  test("widens where a wider cause turns out to cover it, and takes in others that it covers", () => {
    const parts = [cause({ ...adyen, network: "visa" }), cause({ ...adyen, network: "amex" })]
    const { incidents, happened } = play([parts, parts, [cause(adyen)]])
    assert.deepEqual(
      happened.map(({ type, notify }) => [type, notify]),
      [
        ["opened", true],
        ["opened", true],
        ["merged", false],
        ["widened", false],
      ],
    )
    assert.deepEqual(incidents.known.find(isLive)?.where, [adyen])
  })

  test("stays apart from what has another cause", () => {
    const { incidents } = play(often(3, [cause(adyen), cause({ issuer: "bank" })]))
    assert.equal(incidents.known.filter(isLive).length, 2)
  })

  test("is not joined to another by a slice that is part of both", () => {
    const both = [cause(adyen), cause({ network: "visa" }), cause({ ...adyen, network: "visa" })]
    const { incidents, types } = play(often(5, both))
    assert.deepEqual(types, ["opened", "opened"])
    assert.equal(incidents.known.filter(isLive).length, 2)
  })

  test("does not open for a single minute, nor for trivia", () => {
    assert.deepEqual(play([[cause(adyen)], ...often(20, [])]).types, [])
    assert.deepEqual(play([...often(4, [cause(adyen, 1)]), ...often(20, [])]).types, [])
    assert.deepEqual(play([[cause(adyen)], ...often(20, [])]).incidents.known, [])
  })

  test("that flaps is told once, and one that comes back within half an hour is reopened", () => {
    const flapping = Array.from({ length: 30 }, (_, at) => (at % 3 === 2 ? [] : [cause(adyen)]))
    assert.deepEqual(play(flapping).types, ["opened"])
    const { types, incidents } = play([...often(3, [cause(adyen)]), ...often(20, []), [cause(adyen)]])
    assert.deepEqual(types, ["opened", "resolved", "reopened"])
    assert.deepEqual([incidents.known.length, incidents.known[0]?.reopened], [1, 1])
    const late = play([...often(3, [cause(adyen)]), ...often(60, []), ...often(3, [cause(adyen)])])
    assert.deepEqual(late.types, ["opened", "resolved", "opened"])
    assert.equal(late.happened[2]?.incident.id, 2)
  })

  test("escalates when it gets worse, once a level", () => {
    const { types } = play([...often(3, [cause(adyen, 3)]), ...often(30, [cause(adyen, 100)])])
    assert.deepEqual(types, ["opened", "escalated"])
  })

  test("is quiet while snoozed, and remembers who looks after it", () => {
    const open = play(often(3, [cause(adyen, 3)])).incidents
    const id = open.known[0]!.id
    const quiet = snooze(acknowledge(open, id, "Ada"), id, 1_000)
    const { happened } = play(often(20, [cause(adyen, 100)]), quiet, 3)
    assert.deepEqual(
      happened.map(({ type, notify }) => [type, notify]),
      [["escalated", false]],
    )
    assert.equal(happened[0]?.incident.acknowledgedBy, "Ada")
    assert.throws(() => snooze(open, 99, 1), /not known/)
  })
})

describe("incidents, whatever comes", () => {
  const where = fc.record(
    { provider: fc.constantFrom("a", "b"), network: fc.constantFrom("v", "m"), issuer: fc.constantFrom("x", "y") },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Where>
  const minute = fc.array(
    fc.record({ where, lost: fc.nat(30) }).map(({ where: one, lost }) => cause(one, lost)),
    { maxLength: 5 },
  )

  test("are one per cause, open before they are resolved, and resolved only after quiet", () => {
    fc.assert(
      fc.property(fc.array(minute, { maxLength: 80 }), (minutes) => {
        let incidents = noIncidents
        const told = new Map<number, string[]>()
        const lastSeen = new Map<number, number>()
        for (const [at, seen] of minutes.entries()) {
          const passed = passMinute(incidents, at, seen)
          incidents = passed.incidents
          for (const { type, incident } of passed.happened) {
            told.set(incident.id, [...(told.get(incident.id) ?? []), type])
            if (type === "resolved") assert.ok(at - lastSeen.get(incident.id)! >= RECOVERY_MINUTES)
          }
          const live = incidents.known.filter(isLive)
          for (const one of live) lastSeen.set(one.id, one.lastSeenAt)
          for (const [i, one] of live.entries())
            for (const other of live.slice(i + 1))
              assert.ok(!covers(one.where, other.where) || !covers(other.where, one.where), "two of one cause")
          assert.ok(live.length <= MAX_LIVE)
        }
        for (const types of told.values()) {
          assert.equal(types.filter((type) => type === "opened").length, types.includes("opened") ? 1 : 0)
          assert.equal(types[0], "opened")
          assert.ok(
            types.filter((type) => type === "resolved").length <=
              1 + types.filter((type) => type === "reopened").length,
          )
        }
      }),
      { numRuns: 200 },
    )
  })
})
