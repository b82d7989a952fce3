import assert from "node:assert/strict"
import { test } from "node:test"
import type { Network } from "./card.ts"
import { isNetworkTransactionId } from "./network-transaction-id.ts"

const right: readonly (readonly [Network, string])[] = [
  ["visa", "488341541494658"],
  ["mastercard", "MCC1234560112"],
  ["mastercard", "MDSAB12CD"],
  ["mastercard", "MPL123456780112"],
  ["maestro", "MSI1234560112"],
  ["amex", "016153570198200"],
  ["discover", "012345678901234"],
  ["diners", "0123456789"],
  ["jcb", "17050805430015352"],
  ["cartes_bancaires", "488341541494658"],
  ["cartes_bancaires", "MCC1234560112"],
]

test("an id in its network's form is taken", () => {
  for (const [network, id] of right) assert.ok(isNetworkTransactionId(network, id), `${network} ${id}`)
})

test("what a network certainly never gave out is refused", () => {
  const wrong: readonly (readonly [Network, string])[] = [
    ["visa", "48834154149465"],
    ["visa", "4883415414946581"],
    ["visa", "MCC1234560112"],
    ["mastercard", "488341541494658"],
    ["mastercard", "MCC12345"],
    ["mastercard", "MCC12345678901123"],
    ["amex", "MCC1234560112"],
    ["discover", "0123456789012345"],
    ["jcb", "pay_fun26akvvjjerahhctaq2uzhu4"],
    ["unionpay", ""],
    ["elo", "x".repeat(65)],
  ]
  for (const [network, id] of wrong) assert.ok(!isNetworkTransactionId(network, id), `${network} ${id}`)
})

test("without a network nothing but the characters and the length is judged", () => {
  for (const [, id] of right) assert.ok(isNetworkTransactionId(undefined, id))
  assert.ok(!isNetworkTransactionId(undefined, "pay_1"))
})
