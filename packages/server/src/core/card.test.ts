import assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import fc from "fast-check"
import {
  checkExpiry,
  isCvc,
  maxExpiryYears,
  type Network,
  networkOf,
  networks,
  parsePan,
  passesLuhn,
  truncatePan,
} from "./card.ts"

const withCheckDigit = (payload: string): string =>
  Array.from({ length: 10 }, (_, digit) => `${payload}${digit}`).find(passesLuhn) ?? assert.fail("no check digit fits")

// Test numbers that Stripe, Adyen, Checkout.com and Braintree publish.
const published: readonly (readonly [string, Network])[] = [
  ["4242424242424242", "visa"],
  ["4222222222222", "visa"],
  ["5555555555554444", "mastercard"],
  ["2223003122003222", "mastercard"],
  ["378282246310005", "amex"],
  ["6011111111111117", "discover"],
  ["6445644564456445", "discover"],
  ["3056930009020004", "diners"],
  ["36227206271667", "diners"],
  ["3566002020360505", "jcb"],
  ["6200000000000005", "unionpay"],
  ["6205500000000000004", "unionpay"],
  ["6771798021000008", "maestro"],
  ["5019555544445555", "dankort"],
  ["5066991111111118", "elo"],
  ["6062828888666688", "hipercard"],
  ["2200000000000004", "mir"],
]

test("the networks' published test numbers are recognised as theirs", () => {
  for (const [number, network] of published) {
    const pan = parsePan(number)
    assert.equal(pan.kind === "pan" ? pan.network : pan.problem, network, `number ending in ${number.slice(-4)}`)
  }
})

test("the edges of Mastercard's 2-series are Mastercard and their neighbours are not", () => {
  assert.equal(networkOf("222100"), "mastercard")
  assert.equal(networkOf("272099"), "mastercard")
  assert.equal(networkOf("222099"), undefined)
  assert.equal(networkOf("272100"), undefined)
})

test("a longer published range wins over a shorter one", () => {
  assert.equal(networkOf("501900"), "dankort")
  assert.equal(networkOf("502000"), "maestro")
  assert.equal(networkOf("652150"), "rupay")
  assert.equal(networkOf("652149"), "discover")
  assert.equal(networkOf("438935"), "elo")
})

test("no two ranges of the same prefix length overlap, so that detection does not depend on order", () => {
  const all = (Object.keys(networks) as Network[]).flatMap((network) =>
    networks[network].ranges.map((range) => {
      const [low = "", high = low] = range.split("-")
      assert.equal(low.length, high.length, range)
      return { network, low, high }
    }),
  )
  for (const a of all)
    for (const b of all)
      if (a !== b && a.low.length === b.low.length)
        assert.ok(a.high < b.low || b.high < a.low, `${a.network} ${a.low} and ${b.network} ${b.low}`)
})

test("one changed digit never passes the check digit", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\d{11,18}$/), fc.nat(), fc.integer({ min: 1, max: 9 }), (payload, at, shift) => {
      const number = withCheckDigit(payload)
      const place = at % number.length
      const changed = (Number(number[place]) + shift) % 10
      assert.equal(passesLuhn(number.slice(0, place) + changed + number.slice(place + 1)), false)
    }),
  )
})

test("spaces and hyphens between digits are read, and anything else is not", () => {
  const grouped = parsePan("4242 4242-4242 4242")
  assert.equal(grouped.kind === "pan" ? grouped.number.reveal() : undefined, "4242424242424242")
  for (const text of ["", " 4242424242424242", "4242  4242 4242 4242", "4242x", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "4".repeat(100)])
    assert.deepEqual(parsePan(text), { kind: "invalid", problem: "not_digits" })
})

test("each way for a number to be wrong has its own name", () => {
  assert.deepEqual(parsePan("9999999999999995"), { kind: "invalid", problem: "unknown_network" })
  assert.deepEqual(parsePan("42424242424242"), { kind: "invalid", problem: "length" })
  assert.deepEqual(parsePan("4242424242424241"), { kind: "invalid", problem: "check_digit" })
})

test("a UnionPay number without a check digit is accepted, because some of its issuers use none", () => {
  assert.equal(passesLuhn("6200000000000001"), false)
  assert.equal(parsePan("6200000000000001").kind, "pan")
})

test("no rendering of a parsed number shows more of it than may be stored", () => {
  for (const [number] of published) {
    const pan = parsePan(number)
    for (const text of [JSON.stringify(pan), inspect(pan, { depth: 9, showHidden: true })])
      assert.ok(!text.includes(number.slice(2, -2)), "the middle of the number is visible")
  }
})

test("sixteen digits keep eight and four, and every other length keeps six and four", () => {
  assert.deepEqual(truncatePan("4242424242424242", "visa"), { bin: "42424242", last4: "4242" })
  assert.deepEqual(truncatePan("378282246310005", "amex"), { bin: "378282", last4: "0005" })
  assert.deepEqual(truncatePan("36227206271667", "diners"), { bin: "362272", last4: "1667" })
  assert.deepEqual(truncatePan("6205500000000000004", "unionpay"), { bin: "620550", last4: "0004" })
  assert.deepEqual(truncatePan("5066991111111118", "elo"), { bin: "506699", last4: "1118" })
})

test("truncation always removes what PCI SSC FAQ 1091 wants removed", () => {
  for (const network of Object.keys(networks) as Network[])
    for (const length of networks[network].lengths) {
      const { bin, last4 } = truncatePan("1".repeat(length), network)
      const removed = length - bin.length - last4.length
      assert.ok(removed >= (length === 16 ? 4 : length === 15 ? 5 : length - 10), `${network} ${length}`)
    }
})

test("an Amex code has four digits, others have three, and signs are refused", () => {
  assert.ok(isCvc("amex", "1234") && !isCvc("amex", "123"))
  assert.ok(isCvc("visa", "123") && !isCvc("visa", "1234"))
  assert.ok(!isCvc("visa", "12a") && !isCvc("maestro", ""))
})

test("a card is good until its month has ended everywhere on earth", () => {
  const expiry = { month: 2, year: 2028 }
  assert.equal(checkExpiry(expiry, Date.UTC(2028, 1, 29, 23, 59)), "valid")
  assert.equal(checkExpiry(expiry, Date.UTC(2028, 2, 1, 11, 59, 59, 999)), "valid")
  assert.equal(checkExpiry(expiry, Date.UTC(2028, 2, 1, 12)), "expired")
})

test("the end of any month is where the calendar puts it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1970, max: 2400 }), (month, year) => {
      const end = Date.UTC(year, month, 1, 12)
      assert.equal(checkExpiry({ month, year }, end - 1), "valid")
      assert.equal(checkExpiry({ month, year }, end), "expired")
    }),
  )
})

test("a date that no card carries is invalid, not expired", () => {
  const now = Date.UTC(2026, 5, 1)
  for (const month of [0, 13, 1.5, Number.NaN]) assert.equal(checkExpiry({ month, year: 2030 }, now), "invalid")
  for (const year of [26, 2026 + maxExpiryYears + 1, Number.NaN])
    assert.equal(checkExpiry({ month: 7, year }, now), "invalid")
  assert.equal(checkExpiry({ month: 1, year: 2026 + maxExpiryYears }, now), "valid")
})
