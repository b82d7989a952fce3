import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isoSeconds } from "./instant.ts"

test("seconds become the same text that Date would write", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      assert.equal(isoSeconds(BigInt(seconds)), new Date(seconds * 1_000).toISOString().replace(".000Z", "Z"))
    }),
  )
  for (const seconds of [0, 951_782_400, 951_868_799, 4_107_542_400, 253_402_300_799])
    assert.equal(isoSeconds(BigInt(seconds)), new Date(seconds * 1_000).toISOString().replace(".000Z", "Z"))
})

test("what is before 1970 or after 9999 is no time", () => {
  assert.equal(isoSeconds(-1n), undefined)
  assert.equal(isoSeconds(253_402_300_800n), undefined)
})
