import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { secret } from "../core/secret.ts"
import { decodeDocument, encodeDocument, frozenCopy } from "./document.ts"

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("$", "$$bigint", "$bigint", "__proto__", "constructor", "\0", "\ud800", "é", "🙂", ""),
)
const leaf = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, Number.NaN, Number.MAX_VALUE, Number.MIN_VALUE, 2n ** 63n - 1n, -(2n ** 80n)),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("value")), fc.dictionary(text, tie("value"))),
}))

test("every plain value comes back as it was stored", () => {
  fc.assert(
    fc.property(value, (stored) => {
      const plain = frozenCopy(stored) // dictionaries may come without a prototype
      assert.deepEqual(decodeDocument(JSON.parse(encodeDocument(stored))), plain)
    }),
  )
})

test("what is written never holds a NUL or half a character, which PostgreSQL would refuse", () => {
  fc.assert(
    fc.property(value, (stored) => {
      const json = encodeDocument(stored)
      assert.ok(json.isWellFormed())
      assert.doesNotMatch(json, /(?<!\\)(\\\\)*\\u(0000|d[89a-f])/i)
    }),
  )
})

test("an object that looks like a tag stays an object", () => {
  const metadata = { $bigint: "5", $undefined: "x", $$: "y" }
  assert.deepEqual(decodeDocument(JSON.parse(encodeDocument(metadata))), metadata)
  assert.deepEqual(decodeDocument(JSON.parse(encodeDocument({ $bigint: "5" }))), { $bigint: "5" })
})

test("an absent field and an undefined one are told apart", () => {
  const stored = [{ a: undefined }, {}]
  assert.deepEqual(decodeDocument(JSON.parse(encodeDocument(stored))), stored)
})

test("a key named __proto__ is a key", () => {
  const stored: unknown = JSON.parse('{"__proto__": {"polluted": "1"}, "a": 2}')
  for (const back of [decodeDocument(JSON.parse(encodeDocument(stored))), frozenCopy(stored)]) {
    assert.deepEqual(Object.keys(back as object), ["__proto__", "a"])
    assert.equal((back as { polluted?: string }).polluted, undefined)
  }
})

for (const [name, bug] of [
  ["a secret", { deep: [{ cvc: secret("123") }] }],
  ["a date", { at: new Date(0) }],
  ["a map", { map: new Map([["a", 1]]) }],
  ["bytes", { bytes: new Uint8Array(2) }],
  ["a function", { f: () => 1 }],
  ["a symbol", [Symbol("s")]],
] as const)
  test(`${name} anywhere in a document is refused by both stores`, () => {
    assert.throws(() => encodeDocument(bug), { code: "ERR_ASSERTION" })
    assert.throws(() => frozenCopy(bug), { code: "ERR_ASSERTION" })
  })

test("a value that contains itself is refused instead of followed for ever", () => {
  const loop: { self?: unknown } = {}
  loop.self = loop
  assert.throws(() => encodeDocument(loop), { code: "ERR_ASSERTION" })
  assert.throws(() => frozenCopy(loop), { code: "ERR_ASSERTION" })
})

test("a copy shares nothing with its original and cannot be changed", () => {
  const original = { list: [{ amount: 1n }] }
  const copied = frozenCopy(original)
  const [item] = original.list
  assert.ok(item)
  item.amount = 2n
  assert.deepEqual(copied, { list: [{ amount: 1n }] })
  assert.throws(() => (copied.list as unknown[]).push(1), TypeError)
})
