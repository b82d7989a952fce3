import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Fault } from "../core/fault.ts"
import { MAX_JSON_DEPTH, parseJson } from "./json-body.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8")
const pointers = (text: string): readonly string[] => {
  try {
    parseJson(bytes(text))
  } catch (error) {
    assert.ok(error instanceof Fault)
    return error.errors.map(({ pointer }) => pointer)
  }
  return []
}

test("whatever JSON.stringify writes of texts, safe integers and fractions is read as it was", () => {
  const text = fc.string({ unit: "grapheme" }).filter((one) => one !== "__proto__" && !one.includes("\0"))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      text,
      fc.maxSafeInteger().map((n) => (n === 0 ? 0 : n)),
      fc.constantFrom(true, false, null, 0.5, -19.99),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(text, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(tree, fc.constantFrom(undefined, 2), (value, indent) => {
      const written = JSON.stringify(value, undefined, indent)
      assert.deepEqual(parseJson(bytes(written)), JSON.parse(written))
    }),
  )
})

test("a field that is there twice is found wherever it is, with its place", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b/c", "d~e"), { maxLength: 5 }), fc.boolean(), (path, listed) => {
      const twice = `{"x":1,"y":{"x":2},"x":3}`
      const inner = listed ? `["}{",${twice}]` : twice
      const text = path.reduceRight((body, name) => `{${JSON.stringify(name)}:${body}}`, inner)
      const place = [...path.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1")), ...(listed ? ["1"] : [])]
      assert.deepEqual(pointers(text), [["#", ...place, "x"].join("/")])
    }),
  )
})

test("the same name in two objects is no repetition", () => {
  assert.deepEqual(pointers(`[{"a":1},{"a":{"a":[{"a":1},{"a":2}]}}]`), [])
})

test("brackets, commas and digits inside texts are texts", () => {
  assert.deepEqual(pointers(`{"a":"}],{\\"a\\":1e3","b":"\\\\","c":["1e3",","]}`), [])
})

test(`at most ${MAX_JSON_DEPTH} levels are read`, () => {
  const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)
  assert.deepEqual(pointers(nested(MAX_JSON_DEPTH)), [])
  assert.equal(pointers(nested(MAX_JSON_DEPTH + 1)).length, 1)
})

test("what is no JSON is placed, and never quoted", () => {
  for (const [text, place] of [
    [`{"number":"4242424242424242",}`, "line 1, column 30"],
    [`{\n  "a": 1\n  "b": 2\n}`, "line 3, column 3"],
    ["[", "to its end"],
  ] as const)
    assert.throws(
      () => parseJson(bytes(text)),
      (error) => error instanceof Fault && error.detail!.includes(place) && !error.detail!.includes("4242"),
      text,
    )
})

test("bytes that are not UTF-8 are refused", () => {
  assert.throws(() => parseJson(new Uint8Array([0x22, 0xff, 0x22])), /not UTF-8/)
})
