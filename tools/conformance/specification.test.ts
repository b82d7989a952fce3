import assert from "node:assert/strict"
import { test } from "node:test"
import type { HttpRequest } from "../../packages/server/src/connectors/connector.ts"
import { openSpecification } from "./specification.ts"

const text = { type: "string" }
const card = { type: "object", properties: { type: { enum: ["card"] }, number: { type: "string", maxLength: 19 } } }
const wallet = { type: "object", properties: { type: { enum: ["wallet"] }, token: text }, required: ["token"] }
const body = (schema: object, type = "application/json"): object => ({
  requestBody: { content: { [type]: { schema } } },
})

const specification = openSpecification({
  paths: {
    "/payments": {
      post: body({ $ref: "#/components/schemas/Payment" }),
      get: {
        parameters: [
          { name: "limit", in: "query", schema: { type: "integer" } },
          { name: "id", in: "path" },
        ],
      },
    },
    "/payments/{id}/refunds": { post: body({ type: "object", properties: { amount: { type: "integer" } } }) },
    "/payments/details": { post: body({ type: "object", properties: { details: text }, required: ["details"] }) },
    "/payments/{id}": { post: body({ type: "object", properties: {} }) },
    "/forms": {
      post: body(
        {
          type: "object",
          additionalProperties: false,
          properties: {
            amount: { type: "integer" },
            off_session: { anyOf: [{ type: "boolean" }, { enum: ["one_off"] }] },
            metadata: { anyOf: [{ type: "object", additionalProperties: text }, { enum: [""] }] },
            card: { type: "object", properties: { exp_month: { type: "integer" } } },
            types: { type: "array", items: text },
          },
        },
        "application/x-www-form-urlencoded",
      ),
    },
    "/sources": {
      post: body({
        type: "object",
        properties: { source: { $ref: "#/components/schemas/Source" }, more: { "x-anyOf": [card], type: "object" } },
      }),
    },
  },
  components: {
    schemas: {
      Payment: {
        allOf: [{ type: "object", properties: { reference: { type: "string", maxLength: 5 } }, required: ["amount"] }],
        type: "object",
        properties: { amount: { type: "integer" }, method: { oneOf: [card, wallet] } },
      },
      Source: {
        type: "object",
        discriminator: { propertyName: "type", mapping: { card: "#/components/schemas/CardSource" } },
        required: ["type"],
        properties: { type: text },
      },
      CardSource: {
        allOf: [{ $ref: "#/components/schemas/Source" }, { type: "object", properties: { number: text } }],
      },
    },
  },
})

const post = (path: string, value: object): HttpRequest => ({
  method: "POST",
  path,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
})
const form = (text: string): HttpRequest => ({
  method: "POST",
  path: "/forms",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: text,
})
const found = (request: HttpRequest, basePath = ""): readonly string[] =>
  specification.check(request, basePath).map(({ place, rule }) => `${place} ${rule}`)

test("what the description allows is found to be right", () => {
  const method = { type: "card", number: "4242424242424242" }
  assert.deepEqual(found(post("/payments", { amount: 5, reference: "short", method })), [])
  assert.deepEqual(found(post("/v72/payments/details", { details: "x" }), "/v72"), [])
  assert.deepEqual(found({ method: "GET", path: "/payments?limit=5", headers: {} }), [])
})

test("a field that is not listed is seen, at every depth and in schemas put together", () => {
  assert.deepEqual(found(post("/payments", { amount: 5, amuont: 5 })), ["body/amuont field"])
  const method = { type: "card", number: "4242", token: "of a wallet" }
  assert.deepEqual(found(post("/payments", { amount: 5, method })), ["body/method/token field"])
  assert.deepEqual(found({ method: "GET", path: "/payments?limt=5", headers: {} }), ["query/limt field"])
})

test("a value is held against the one schema that it claims to be", () => {
  assert.deepEqual(found(post("/payments", { amount: 5, method: { type: "wallet" } })), ["body/method/token required"])
  assert.deepEqual(found(post("/sources", { source: { type: "card", number: "42" } })), [])
  assert.deepEqual(found(post("/sources", { source: { type: "card", nr: "42" } })), ["body/source/nr field"])
  assert.deepEqual(found(post("/sources", { more: { number: "42" } })), [])
  assert.deepEqual(found(post("/sources", { more: { numbre: "42" } })), ["body/more/numbre field"])
})

test("lengths, types and missing fields are seen", () => {
  assert.deepEqual(found(post("/payments", { amount: 5, reference: "too long" })), ["body/reference maxLength"])
  assert.deepEqual(found(post("/payments", { reference: "a" })), ["body/amount required"])
  assert.deepEqual(found(post("/payments/pay_1/refunds", { amount: 1.5 })), ["body/amount type"])
})

test("an operation that the description does not know is named as it would write it", () => {
  const [finding] = specification.check(post("/payments/pay_1abc/captures", {}), "")
  assert.equal(finding?.operation, "POST /payments/{id}/captures")
  assert.equal(finding.rule, "path")
})

test("a fixed path goes before one with a parameter", () => {
  assert.deepEqual(found(post("/payments/details", {})), ["body/details required"])
})

test("forms are read with their brackets, and texts as the numbers and booleans they are", () => {
  const right = "amount=10&off_session=true&metadata[a]=b&card[exp_month]=3&types[]=a&types[]=b"
  assert.deepEqual(found(form(right)), [])
  assert.deepEqual(found(form("metadata=")), [])
  assert.deepEqual(found(form("amount=ten")), ["body/amount type"])
  assert.deepEqual(found(form("card[exp_moth]=3")), ["body/card/exp_moth field"])
  assert.deepEqual(found(form("nothing=1")), ["body/nothing field"])
})

test("a content type that the operation does not take is seen", () => {
  const request = { ...post("/payments", {}), headers: { "content-type": "text/plain" } }
  assert.deepEqual(found(request), ["body type"])
})
