// What holds for every persona, whatever its provider.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import { seededRandom } from "./chance.ts"
import { createIssuer } from "./issuer.ts"
import type { PersonaKind, WireRequest } from "./persona.ts"
import { PERSONAS, webhookSecretOf } from "./personas.ts"
import { readWeather } from "./weather-document.ts"

const open = (kind: PersonaKind) => {
  const random = seededRandom("contract")
  const credentials = kind.credentials(seededRandom("keys"))
  const ports = { now: () => Date.UTC(2027, 0, 1), random, after: () => {} }
  return kind.create(
    { id: "a", credentials, publicUrl: "http://bank.example" },
    ports,
    createIssuer({ seed: "contract", random }),
  )
}
const request = (more: Partial<WireRequest> = {}): WireRequest => ({
  method: "POST",
  path: "/",
  headers: {},
  body: "",
  ...more,
})

for (const kind of Object.values(PERSONAS)) {
  test(`${kind.id}: the ready account's keys include the one that signs webhooks`, () => {
    assert.notEqual(webhookSecretOf(kind.id, kind.credentials(seededRandom("keys"))), "")
    assert.deepEqual(kind.credentials(seededRandom("keys")), kind.credentials(seededRandom("keys")))
  })

  test(`${kind.id}: a request without credentials is 401 and leaves no charge`, () => {
    const persona = open(kind)
    const paths = { stripe: "/v1/payment_intents", adyen: "/v72/payments", checkout: "/payments" }
    assert.equal(persona.handle(request({ path: paths[kind.id] })).status, 401)
    assert.deepEqual(persona.truth(), [])
  })

  test(`${kind.id}: trouble has the status that was asked for and says so in JSON or not at all`, () => {
    for (const status of [429, 500, 503]) {
      const response = open(kind).trouble(status, request())
      assert.equal(response.status, status)
      if (response.body !== "") assert.doesNotThrow(() => JSON.parse(response.body))
    }
  })

  test(`${kind.id}: whatever arrives is answered, never thrown at the host`, () => {
    const persona = open(kind)
    const credentials = Object.values(kind.credentials(seededRandom("keys")))
    const headers = fc.record({
      authorization: fc.constantFrom("", ...credentials.map((key) => `Bearer ${key}`)),
      "x-api-key": fc.constantFrom("", ...credentials),
      "content-type": fc.constantFrom("application/json", "application/x-www-form-urlencoded", "x"),
    })
    const path = fc.constantFrom(
      "/v1/payment_intents",
      "/v1/payment_intents/search?query=%20",
      "/v1/refunds?created[gt]=x",
      "/v72/payments",
      "/v72/payments/x/captures",
      "/payments",
      "/payments/x/voids",
      "/%",
    )
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom("a[b][c]=1&a=2", "amount[]=1&currency=eur", "{", "null", "[]"),
    )
    const method = fc.constantFrom("GET", "POST", "DELETE", "PATCH")
    fc.assert(
      fc.property(fc.record({ method, path, headers, body }), (each) => {
        const { status } = persona.handle(each)
        assert.ok(status >= 200 && status < 500, `${status} to ${JSON.stringify(each)}`)
        assert.ok(persona.page(each).status >= 200)
      }),
      { numRuns: 200 },
    )
  })

  test(`${kind.id}: nothing befalls a charge that does not exist`, () => {
    assert.equal(open(kind).befall("none", { type: "expire" }), false)
    assert.equal(open(kind).befall("none", { type: "dispute" }), false)
    for (const type of ["capture", "refund", "void", "cancel_or_refund"] as const)
      assert.equal(open(kind).befall("none", { type }), false)
  })
}

test("the README's weather is weather", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
  const documents = [...readme.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json ?? "")
  assert.ok(documents.length > 2)
  for (const json of documents) assert.deepEqual(readWeather(JSON.parse(json)).ok, true, json)
})
