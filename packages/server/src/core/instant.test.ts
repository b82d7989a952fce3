import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { parseRfc3339, rfc3339 } from "./instant.ts"

test("an instant reads back as it was written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      assert.equal(parseRfc3339(rfc3339(ms)), ms)
    }),
  )
  assert.equal(rfc3339(1_795_374_480_000), "2026-11-22T19:08:00.000Z")
})

test("offsets, fractions and lower case are understood", () => {
  assert.equal(parseRfc3339("2026-11-22T20:08:00+01:00"), 1_795_374_480_000)
  assert.equal(parseRfc3339("2026-11-22t19:08:00.5z"), 1_795_374_480_500)
  assert.equal(parseRfc3339("2028-02-29T00:00:00Z"), 1_835_395_200_000)
})

for (const text of [
  "2026-11-22",
  "2026-11-22T19:08:00",
  "2026-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-01T25:00:00Z",
  "2026-01-01 00:00:00Z",
  "1795374480000",
  "",
])
  test(`"${text}" is no instant`, () => assert.equal(parseRfc3339(text), undefined))
