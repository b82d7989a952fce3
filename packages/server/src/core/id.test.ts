import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type IdPrefix, idPrefixes, isId, makeId, maxIdMs, timeOf, uuidOf } from "./id.ts"

const anyMs = fc.integer({ min: 0, max: maxIdMs })
const anyBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
const anyPrefix = fc.constantFrom<IdPrefix[]>(...Object.values(idPrefixes))

test("every kind of id has a prefix of its own, and none begins another", () => {
  const prefixes = Object.values(idPrefixes)
  assert.equal(new Set(prefixes).size, prefixes.length)
  for (const prefix of prefixes) assert.match(prefix, /^[a-z]{2,4}$/)
})

test("an id is recognised as its own kind and as no other", () => {
  fc.assert(
    fc.property(anyPrefix, anyPrefix, anyMs, anyBytes, (prefix, other, ms, bytes) => {
      assert.equal(isId(other, makeId(prefix, ms, bytes)), other === prefix)
    }),
  )
})

test("an id gives back the millisecond it was made in", () => {
  fc.assert(fc.property(anyMs, anyBytes, (ms, bytes) => assert.equal(timeOf(makeId("pay", ms, bytes)), ms)))
})

test("ids sort bytewise by the millisecond they were made in", () => {
  fc.assert(
    fc.property(anyMs, anyMs, anyBytes, anyBytes, (a, b, x, y) => {
      const earlier = makeId("evt", Math.min(a, b), x)
      const later = makeId("evt", Math.max(a, b), y)
      if (a !== b) assert.ok(earlier < later)
    }),
  )
})

test("ids of one millisecond differ as soon as one of their 74 random bits does", () => {
  fc.assert(
    fc.property(anyMs, anyBytes, fc.integer({ min: 0, max: 127 }), (ms, bytes, bit) => {
      const other = bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte))
      const overwritten = bit < 52 || bit === 64 || bit === 65
      assert.equal(makeId("att", ms, bytes) === makeId("att", ms, other), overwritten)
    }),
  )
})

test("the UUID inside is version 7 of RFC 9562 with the same time", () => {
  fc.assert(
    fc.property(anyMs, anyBytes, (ms, bytes) => {
      const uuid = uuidOf(makeId("op", ms, bytes))
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(Number.parseInt(uuid.replace("-", "").slice(0, 12), 16), ms)
    }),
  )
})

test("the example of RFC 9562 comes out as the RFC writes it", () => {
  const bytes = Uint8Array.from(Buffer.from("0000000000007cc398c4dc0c0c07398f", "hex"))
  assert.equal(uuidOf(makeId("pay", 0x017f22e279b0, bytes)), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
})

test("text that was not made here is not an id", () => {
  const id = makeId("pay", 1_790_000_000_000, new Uint8Array(16))
  const body = id.slice(4)
  const wrong = [
    "",
    "pay",
    "pay_",
    body,
    `pay-${body}`,
    `${id}0`,
    id.slice(0, -1),
    id.toUpperCase(),
    ` ${id}`,
    `${id}\n`,
  ]
  const other = [`pay_${"0".repeat(26)}`, `pay_8${body.slice(1)}`, `pay_${body.slice(0, -1)}u`]
  for (const text of [...wrong, ...other]) assert.equal(isId("pay", text), false, JSON.stringify(text))
})

test("a time or a handful of randomness that does not fit is refused", () => {
  for (const ms of [-1, 1.5, Number.NaN, maxIdMs + 1])
    assert.throws(() => makeId("pay", ms, new Uint8Array(16)), RangeError)
  assert.throws(() => makeId("pay", 0, new Uint8Array(15)), RangeError)
})
