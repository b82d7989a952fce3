// Card data in fields that are stored in clear is refused where it is certain, and named by its field, never repeated.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Fault } from "../core/fault.ts"
import { refuseCardData } from "./card-in-text.ts"

const number = "4242424242424242"
const paying = { payment_method: { type: "card", card: { number: "4242 4242 4242 4242", cvc: "123" } } }

/** The pointers of what is refused. */
function refused(body: object, key?: string): readonly string[] {
  try {
    refuseCardData({ ...paying, ...body }, key)
    return []
  } catch (error) {
    assert.ok(error instanceof Fault)
    const { errors } = error
    assert.ok(!JSON.stringify([error.message, errors]).replaceAll(/[ -]/g, "").includes(number))
    return (errors ?? []).map(({ pointer }) => pointer)
  }
}

test("the number that the request pays with is refused in every other field, however it is written", () => {
  assert.deepEqual(
    refused({
      merchant_reference: number,
      description: "phone order 4242-4242-4242-4242",
      customer_details: { name: "4242 4242 4242 4242" },
      billing: { address: { line1: `c/o ${number}` } },
      metadata: { note: `paid by ${number}`, [number]: "x" },
    }),
    [
      "#/merchant_reference",
      "#/description",
      "#/customer_details/name",
      "#/billing/address/line1",
      "#/metadata/note",
      "#/metadata",
    ],
  )
  assert.deepEqual(refused({}, `order-${number}`), ["header/idempotency-key"])
  assert.deepEqual(refused({ payment_method: { type: "card", card: { number, holder_name: number } } }), [
    "#/payment_method/card/holder_name",
  ])
  const token = { payment_method: { type: "network_token", network_token: { number, cryptogram: "AAAA" } } }
  assert.deepEqual(refused({ ...token, description: number }), ["#/description"])
})

test("what a field itself calls a card number or a code is refused, whoever's it is", () => {
  assert.deepEqual(
    refused({
      metadata: { card_number: "5555 5555 5555 4444", CVC: "123", "Security-Code": "1234", pan: "4111111111111111" },
    }),
    ["#/metadata/card_number", "#/metadata/CVC", "#/metadata/Security-Code", "#/metadata/pan"],
  )
})

test("other digits are a merchant's own: references, phone numbers, amounts, a code's length", () => {
  assert.deepEqual(
    refused({
      merchant_reference: "5555555555554444",
      description: "123",
      metadata: { order: "4111111111111111", cvc: "matched", cid: "campaign-7", pan: "IN-ABCDE1234F", card: "gold" },
    }),
    [],
  )
})
