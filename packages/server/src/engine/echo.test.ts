import assert from "node:assert/strict"
import { test } from "node:test"
import { maskPans } from "../core/pan-mask.ts"
import { secret } from "../core/secret.ts"
import type { Notice } from "../connectors/connector.ts"
import { bodyWithoutNumbers, evidenceWithoutNumbers, hasNumber, noticeWithoutNumbers, numberIn } from "./echo.ts"

const VISA = "4242424242424242"
const AMEX = "378282246310005"

test("ids as providers make them stay what they are", () => {
  const evidence = {
    reference: "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    authorizationCode: "196364",
    networkTransactionId: "014711147397428",
    providerToken: { token: "8415995487234100" },
    threeDs: { eci: "05" },
  }
  assert.deepEqual(evidenceWithoutNumbers(evidence, VISA), evidence)
  // Adyen's older ids are 16 digits, and every tenth has a right check digit.
  for (const reference of [
    "8515131751004933",
    "8816178952380553",
    "pay_mbabizu24mvu3mela5njyhpit4",
    "J37FNCNZ83BDXD65",
  ])
    assert.equal(evidenceWithoutNumbers({ reference }, VISA).reference, reference)
})

test("an id that is a card number is none", () => {
  assert.deepEqual(
    evidenceWithoutNumbers(
      { reference: VISA, authorizationCode: VISA, networkTransactionId: VISA, providerToken: { token: VISA } },
      undefined,
    ),
    {},
  )
  const notice = { reference: VISA, operationReference: AMEX, attempt: "att_1" } as unknown as Notice
  assert.deepEqual(noticeWithoutNumbers(notice), { attempt: "att_1" })
})

test("a transaction id of fifteen digits stays, unless it is the very number that was sent", () => {
  assert.equal(evidenceWithoutNumbers({ networkTransactionId: AMEX }, VISA).networkTransactionId, AMEX)
  assert.equal(evidenceWithoutNumbers({ networkTransactionId: AMEX }, AMEX).networkTransactionId, undefined)
  const input = { method: { type: "card", number: secret(AMEX) } }
  assert.equal(numberIn(input), AMEX)
  assert.equal(numberIn({ method: { type: "provider_token", token: "t" } }), undefined)
  assert.equal(numberIn({ reference: "psp" }), undefined)
})

test("a body is kept to the byte, unless a card number is in it; then only that goes", () => {
  const plain = '{ "live":"false", "amount": 4242, "reference": "8515131751004933" }'
  assert.equal(bodyWithoutNumbers(plain), plain)
  const body = { reason: `card 4242 4242-4242 4242 refused`, [VISA]: [Number(VISA)], amount: { value: 1000 }, ok: true }
  const kept = bodyWithoutNumbers(JSON.stringify(body))
  assert.ok(!kept.includes(VISA) && !kept.includes("4242 4242"))
  const read = JSON.parse(kept) as typeof body
  assert.deepEqual([read.amount, read.ok], [body.amount, true])
  assert.equal(bodyWithoutNumbers(kept), kept)
  assert.ok(!bodyWithoutNumbers(`number=${VISA}&x={`).includes(VISA), "also where it is no JSON")
})

test("ids of nothing but digits stay in a body, also where they pass for numbers, and events keep their names", () => {
  // A right check digit, and no network's.
  const reference = "8816178952380559"
  assert.notEqual(maskPans(reference), reference)
  assert.equal(bodyWithoutNumbers(`{"pspReference":"${reference}"}`), `{"pspReference":"${reference}"}`)
  assert.equal(hasNumber(`${reference}:CAPTURE:true`), false)
  assert.equal(hasNumber(`${VISA}:CAPTURE:true`), true)
})
