import assert from "node:assert/strict"
import { test } from "node:test"
import { scrubber } from "./scrub.ts"

const scrub = scrubber({ fields: ["cvc", "number", "authorization"], patterns: [/\bsk_\w+/g] })
const number = "4242424242424242"

test("a card number keeps its last four digits and nothing else, however it is grouped", () => {
  assert.equal(scrub(`card ${number} declined`), "card ***4242 declined")
  assert.equal(scrub("card 4242 4242 4242 4242 declined"), "card ***4242 declined")
  assert.equal(scrub("card 4242-4242-4242-4242 declined"), "card ***4242 declined")
  assert.equal(scrub("card 4242 4242 4242 4242 12/28"), "card ***4242 12/28")
  assert.equal(scrub("2 of 4242-4242-4242-4242 12"), "2 of ***4242 12")
  assert.equal(scrub("q=4242+4242+4242+4242&a=1"), "q=***4242&a=1")
  assert.equal(scrub("q=4242%204242%204242%204242&a=1"), "q=***4242&a=1")
})

test("the digits of a percent escape are not taken for digits of the number", () => {
  assert.equal(scrub(`%22${number}%22`), "%22***4242%22")
  assert.equal(scrub(`%2522${number}%2522`), "%2522***4242%2522")
  assert.equal(scrub(`note%3D%20${number}`), "note%3D%20***4242")
})

test("a number without quotes is quoted when it is masked, so that JSON stays JSON", () => {
  assert.deepEqual(JSON.parse(scrub(`{"a":${number},"b":[1,${number}]}`)), { a: "***4242", b: [1, "***4242"] })
})

test("what only looks like a card number is left alone", () => {
  for (const text of [
    "4242424242424241",
    "1760000000000",
    "424242424242",
    "pi_3Q9cQ2LkdIwHu7ix0hV7mBXz",
    "0000000000000000",
  ])
    assert.equal(scrub(text), text)
})

test("the value of a named field goes, in JSON and forms and one inside the other", () => {
  const json = JSON.stringify({ card: { cvc: "917", cvc_check: "pass" } })
  assert.deepEqual(JSON.parse(scrub(json)), { card: { cvc: "***", cvc_check: "pass" } })
  assert.deepEqual(JSON.parse(scrub('{"cvc":917,"CVC" : "917"}')), { cvc: "***", CVC: "***" })
  const nested = JSON.stringify({ log: JSON.stringify({ body: json }) })
  assert.ok(!scrub(nested).includes("917"))
  assert.equal(JSON.parse(JSON.parse(JSON.parse(scrub(nested)).log).body).card.cvc, "***")
  const form = new URLSearchParams({ "card[cvc]": "917", cvc: "917", receipt_number: "917" }).toString()
  assert.equal(scrub(form), "card%5Bcvc%5D=***&cvc=***&receipt_number=917")
  assert.ok(!/cvc.{0,12}917/.test(scrub(new URLSearchParams({ inner: form }).toString())))
  assert.ok(!scrub(new URLSearchParams({ inner: json }).toString()).includes("917"))
  assert.ok(!scrub(JSON.stringify({ request: form })).includes("=917&cvc"))
})

test("headers lose their credentials as lines and as JSON, and keys go wherever they stand", () => {
  assert.equal(scrub("Authorization: Bearer abc\r\naccept: */*"), "Authorization: ***\r\naccept: */*")
  assert.deepEqual(JSON.parse(scrub(JSON.stringify({ authorization: 'Basic "abc"', a: 1 }))).a, 1)
  assert.equal(scrub("Invalid API key: sk_test_abc"), "Invalid API key: ***")
})

test("a text that is hostile to patterns is scrubbed in time that grows with its length only", () => {
  for (const part of ["4 ", '\\"', "%25", "cvc=", '"cvc":"', "4%20", "\\\\", "%255C"]) scrub(part.repeat(100_000))
})
