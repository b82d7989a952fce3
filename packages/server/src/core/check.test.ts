import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { avsLetters, codeLetters, noChecks, readChecks } from "./check.ts"

const short = (letters: Parameters<typeof readChecks>[0]): string => {
  const { line, postcode, name, code } = readChecks(letters)
  return [line, postcode, name, code].join(" ")
}

test("a full match, a half match and no match are told apart", () => {
  assert.equal(short({ avs: "Y", code: "M" }), "pass pass unchecked pass")
  assert.equal(short({ avs: "Z" }), "fail pass unchecked unchecked")
  assert.equal(short({ avs: "A" }), "pass fail unchecked unchecked")
  assert.equal(short({ avs: "N", code: "N" }), "fail fail unchecked fail")
})

test("what the issuer could not check is unavailable, not failed", () => {
  assert.equal(short({ avs: "U", code: "P" }), "unavailable unavailable unchecked unavailable")
  assert.equal(short({ avs: "B" }), "pass unavailable unchecked unchecked")
})

test("a code that was not sent is unchecked even though the issuer misses it", () => {
  assert.equal(readChecks({ code: "S" }).code, "unchecked")
})

test("a letter is read by the network that sent it", () => {
  assert.equal(short({ avs: "F", network: "visa" }), "pass pass unchecked unchecked")
  assert.equal(short({ avs: "F", network: "amex" }), "pass fail fail unchecked")
  assert.equal(short({ avs: "Y", network: "discover" }), "pass fail unchecked unchecked")
  assert.equal(short({ avs: "A", network: "discover" }), "pass pass unchecked unchecked")
  assert.equal(short({ avs: "N", network: "amex" }), "fail fail unchecked unchecked")
})

test("nothing told is nothing checked", () => {
  assert.deepEqual(readChecks({}), noChecks)
})

test("a letter that no table knows is kept raw and never passes", () => {
  const known = new Set([...Object.keys(avsLetters), ...Object.keys(codeLetters)])
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom("constructor", "toString", "y", "m")), (letter) => {
      if (known.has(letter)) return
      assert.deepEqual(readChecks({ avs: letter, code: letter }), { ...noChecks, rawAvs: letter, rawCode: letter })
    }),
  )
})
