import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  at,
  booleanAt,
  browserUrlAt,
  integerAt,
  isObject,
  listAt,
  referenceAt,
  maxTextLength,
  parseJson,
  textAt,
  wordAt,
  writeJson,
} from "./json.ts"

test("what is not JSON is undefined", () => {
  for (const text of ["", "{", "<html>", "undefined", "\ufeff{}"]) assert.equal(parseJson(text), undefined)
  assert.equal(parseJson("null"), null)
})

test("any path into any value ends in a value or in undefined", () => {
  const path = fc.array(fc.oneof(fc.string(), fc.nat(3)), { maxLength: 4 })
  fc.assert(
    fc.property(fc.anything(), path, (value, keys) => {
      for (const read of [at, textAt, wordAt, integerAt, booleanAt, listAt, browserUrlAt]) read(value, ...keys)
    }),
  )
})

test("only own keys are found", () => {
  for (const key of ["constructor", "__proto__", "toString", "hasOwnProperty"]) assert.equal(at({}, key), undefined)
  assert.equal(at([1], "length"), 1)
  assert.deepEqual(at(parseJson('{"__proto__":{"a":1}}'), "__proto__", "a"), 1)
  assert.equal(at(parseJson('{"__proto__":{"a":1}}'), "a"), undefined)
})

test("texts are cut, empty ones are none, and numbers are words only where that is asked for", () => {
  assert.equal(textAt({ a: "x".repeat(maxTextLength + 1) }, "a")?.length, maxTextLength)
  assert.equal(textAt({ a: "" }, "a"), undefined)
  assert.equal(textAt({ a: 5 }, "a"), undefined)
  assert.equal(wordAt({ a: 5 }, "a"), "5")
  assert.equal(wordAt({ a: "05" }, "a"), "05")
  assert.equal(wordAt({ a: true }, "a"), undefined)
})

test("amounts that JSON has rounded are no amounts", () => {
  assert.equal(integerAt({ a: 1999 }, "a"), 1999n)
  for (const value of [19.99, "1999", 2 ** 53, Number.NaN, null]) assert.equal(integerAt({ a: value }, "a"), undefined)
})

test("customers are sent to absolute https addresses, or to this machine, and these are not cut", () => {
  const long = `https://bank.example/${"x".repeat(2_000)}`
  for (const url of [long, "http://127.0.0.1:4010/pay", "http://localhost"])
    assert.equal(browserUrlAt({ a: url }, "a"), url)
  for (const url of [
    "http://bank.example",
    "javascript:alert(1)",
    "//bank.example",
    "https://",
    "https://a b",
    'https://x"y z',
  ])
    assert.equal(browserUrlAt({ a: url }, "a"), undefined)
})

test("lists and objects are told apart", () => {
  assert.ok(isObject({}) && !isObject([]) && !isObject(null))
  assert.deepEqual(listAt({ a: {} }, "a"), [])
})

test("an id is what can stand in a path, and nothing that was cut", () => {
  assert.equal(referenceAt({ id: "pi_3Q9c-x" }, "id"), "pi_3Q9c-x")
  for (const id of ["", "a/b", "..", "a b", "a?b", "\u00e9", "x".repeat(256), 7, null, ["a"]])
    assert.equal(referenceAt({ id }, "id"), undefined)
})

test("what is written holds whole characters only", () => {
  assert.equal(writeJson({ a: ["x\ud800"], b: "\ud83c\udfab" }), '{"a":["x\ufffd"],"b":"\ud83c\udfab"}')
})
