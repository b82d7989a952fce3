import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { createLanes, ROOM, SLOTS, WIDTH, type Lanes, type Place } from "./delivery-lanes.ts"

/** As many posts as there is room for. */
function fill(lanes: Lanes, endpoint: string): Place[] {
  const places: Place[] = []
  for (let place = lanes.enter(endpoint); place !== undefined; place = lanes.enter(endpoint)) places.push(place)
  return places
}
function pass(lanes: Lanes, endpoint: string, delivered: boolean): void {
  lanes.enter(endpoint)?.leave(delivered)
}

test("an endpoint's lane is one wide until it has answered, then wide, and narrow again when it fails", () => {
  const lanes = createLanes()
  const [first] = fill(lanes, "a")
  assert.equal(lanes.enter("a"), undefined)
  assert.deepEqual(lanes.full(), ["a"])
  first?.leave(true)
  const wide = fill(lanes, "a")
  assert.equal(wide.length, WIDTH.healthy)
  for (const place of wide) place.leave(false)
  assert.equal(fill(lanes, "a").length, WIDTH.failing)
})

test("hanging endpoints, new or known to fail, leave room for the healthy ones", () => {
  const lanes = createLanes()
  for (let n = 0; n < 100; n++) pass(lanes, `bad-${n}`, false)
  pass(lanes, "good", true)
  const hanging = Array.from({ length: 100 }, (_, n) => lanes.enter(`bad-${n}`)).filter((place) => place !== undefined)
  assert.equal(hanging.length, ROOM.failing)
  const strangers = Array.from({ length: 100 }, (_, n) => lanes.enter(`new-${n}`)).filter(
    (place) => place !== undefined,
  )
  assert.equal(strangers.length, ROOM.unknown)
  assert.equal(fill(lanes, "good").length, WIDTH.healthy)
})

test("when the room of the failing is taken, all of them count as full", () => {
  const lanes = createLanes()
  for (let n = 0; n < 20; n++) pass(lanes, `bad-${n}`, false)
  for (let n = 0; n < ROOM.failing; n++) assert.ok(lanes.enter(`bad-${n}`))
  assert.equal(lanes.full().length, 20)
})

test("whatever comes and goes, limits hold and every place is given back", () => {
  const steps = fc.array(fc.tuple(fc.nat(30), fc.boolean(), fc.boolean()), { maxLength: 400 })
  fc.assert(
    fc.property(steps, (moves) => {
      const lanes = createLanes()
      const inside: { readonly endpoint: string; readonly place: Place }[] = []
      for (const [n, enters, delivered] of moves) {
        const endpoint = `e${n}`
        if (enters) {
          const place = lanes.enter(endpoint)
          if (place !== undefined) {
            inside.push({ endpoint, place })
          }
        } else inside.shift()?.place.leave(delivered)
        assert.ok(inside.length <= SLOTS)
        assert.equal(lanes.free(), SLOTS - inside.length)
        for (const endpoint of new Set(inside.map((one) => one.endpoint)))
          assert.ok(inside.filter((one) => one.endpoint === endpoint).length <= WIDTH.healthy)
      }
      for (const { place } of inside) place.leave(true)
      assert.equal(lanes.free(), SLOTS)
      assert.deepEqual(lanes.full(), [])
    }),
    { numRuns: 50 },
  )
})
