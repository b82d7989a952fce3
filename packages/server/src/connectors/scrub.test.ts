import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isCardNumber, maskPans, scrubber } from "./scrub.ts"

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

test("card numbers are 13 to 19 digits with a right check digit", () => {
  for (const digits of ["4242424242424242", "378282246310005", "6759649826438453", "4222222222222", "9792030394440796"])
    assert.ok(isCardNumber(digits), digits)
  for (const digits of [
    "4242424242424243",
    "424242424242",
    "42424242424242424242",
    "1234567812345670",
    "4242 4242 4242 4242",
  ])
    assert.ok(!isCardNumber(digits), digits)
})

test("a card number in a message keeps six digits and four, with whatever stands around it", () => {
  const cases: readonly (readonly [string, string])[] = [
    [`Card ${number} declined`, "Card 424242******4242 declined"],
    ["Card 4242 4242 4242 4242 12/28 declined", "Card 424242******4242 12/28 declined"],
    ["1 card: 3782-822463-10005", "1 card: 378282*****0005"],
    [`pan${number}x, again ${number}=2812`, "pan424242******4242x, again 424242******4242=2812"],
    ["4242\u00a04242\u20114242 - 4242", "424242******4242"],
    [`${number} ${number}`, "424242******4242 424242******4242"],
  ]
  for (const [text, masked] of cases) assert.equal(maskPans(text), masked)
})

test("ids, times and other digits are no card numbers", () => {
  for (const text of [
    "att_01k9zq3v5e7f8g9h0jkmnpqrst of pi_3Q9cQ2LkdIwHu7ix0hV7mBXz",
    "at 1760000000000 or 2026-11-22T22:30:00.000Z",
    "call +49 30 1234567 or 1-800-555-0199",
    "4242424242424241 has a wrong check digit",
    "42424242424242424242 has twenty digits",
    "arn 74537604221222132710572",
  ])
    assert.equal(maskPans(text), text)
})

test("no card number is left in any text, and masking twice is masking once", () => {
  const digit = fc.constantFrom(..."0123456789")
  const pan = fc
    .tuple(fc.constantFrom("4", "5", "37", "6", "81", "9792"), fc.array(digit, { minLength: 11, maxLength: 14 }))
    .map(([first, rest]) => first + rest.join(""))
    .map((open) => [..."0123456789"].map((last) => open + last).find(isCardNumber)!)
  const grouped = fc
    .tuple(pan, fc.constantFrom("", " ", "-", " - "), fc.constantFrom(4, 5, 6))
    .map(([digits, gap, size]) => digits.match(new RegExp(`.{1,${size}}`, "g"))!.join(gap))
  const around = fc.oneof(fc.string(), fc.constantFrom(" ", " 12/28", "exp 03 30 ", ":", "x", '"'))
  fc.assert(
    fc.property(around, grouped, around, (before, card, behind) => {
      const masked = maskPans(`${before}/${card}/${behind}`)
      assert.ok(!masked.includes(card), masked)
      assert.equal(maskPans(masked), masked)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void maskPans(text)))
  for (const part of ["4 ", "4- -4", "4242 ", "42424242424242424242"]) maskPans(part.repeat(50_000))
})
