import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isCardNumber, maskPans } from "./pan-mask.ts"

const number = "4242424242424242"

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
