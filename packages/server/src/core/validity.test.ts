import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type Network, networks } from "./card.ts"
import { authorizedUntil, unknownValidityDays, validityMs } from "./validity.ts"

const dayMs = 24 * 60 * 60 * 1000
const days = (terms: Parameters<typeof validityMs>[0]): number => validityMs(terms) / dayMs

test("Visa gives a merchant-initiated authorization half the time of a customer's", () => {
  assert.equal(days({ network: "visa", initiator: "merchant" }), 5)
  assert.equal(days({ network: "visa", initiator: "customer" }), 10)
})

test("only a network that knows preauthorizations lengthens one", () => {
  assert.equal(days({ network: "mastercard", initiator: "customer" }), 7)
  assert.equal(days({ network: "mastercard", initiator: "customer", preauthorized: true }), 30)
  assert.equal(days({ network: "amex", initiator: "customer", preauthorized: true }), 7)
})

test("a network whose rule is not public has the shortest common time", () => {
  assert.equal(days({ network: "troy", initiator: "customer" }), unknownValidityDays)
})

test("a provider's limit shortens the time and never lengthens it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(networks) as Network[])),
      fc.constantFrom("customer" as const, "merchant" as const),
      fc.integer({ min: 1, max: 60 * dayMs }),
      (network, initiator, providerLimitMs) => {
        const scheme = validityMs({ network, initiator })
        assert.equal(validityMs({ network, initiator, providerLimitMs }), Math.min(scheme, providerLimitMs))
      },
    ),
  )
})

test("the last moment to capture counts from the authorization", () => {
  assert.equal(authorizedUntil(1_000, { network: "amex", initiator: "customer" }), 1_000 + 7 * dayMs)
})
