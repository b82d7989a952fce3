// The parts of the server that belong to no resource: health, the document, the pages.

import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import { Ajv2020 } from "ajv/dist/2020.js"
import { faults } from "../core/fault.ts"
import { ok, startApi, type Json } from "../../testing/api.ts"
import { openapiDocument } from "./openapi.ts"

const api = await startApi({ role: "api" })

test("a process that lives says so, and one that can serve says that it is ready", async () => {
  assert.deepEqual(ok(await api.call("GET", "/health", { key: null })), { status: "ok" })
  assert.deepEqual(ok(await api.call("GET", "/ready", { key: null })), { status: "ready" })
})

test("a process without a database lives but is not ready, and requests are told to come again", async () => {
  const lonely = await startApi({ role: "api" })
  await lonely.server.database.close()
  assert.equal((await lonely.call("GET", "/health", { key: null })).status, 200)
  const ready = await lonely.call("GET", "/ready", { key: null })
  assert.equal(ready.status, 503)
  assert.equal(ready.body.code, "server.unavailable")
})

test("a server that stops tells who still comes to come again, in the words of all its faults", async () => {
  const stopping = await startApi({ role: "api" })
  const { hostname, port } = new URL(stopping.server.url)
  const socket = connect({ host: hostname, port: Number(port) })
  // A request that is under way keeps its connection open, and a second one comes over it.
  const head = "HTTP/1.1\r\nHost: localhost\r\n"
  socket.write(`POST /webhooks/stripe/acc_unknown ${head}Content-Length: 4\r\nContent-Type: text/plain\r\n\r\nbo`)
  await once(stopping.server.app.server, "request")
  const stopped = stopping.server.app.close()
  socket.write(`dyGET /v1/payments ${head}\r\n`)
  const [first, second] = (await text(socket)).split(/(?=HTTP\/1\.1 )/)
  await stopped
  assert.match(first ?? "", /^HTTP\/1\.1 404 /)
  assert.match(second ?? "", /^HTTP\/1\.1 503 /)
  assert.match(second ?? "", /content-type: application\/problem\+json/i)
  assert.match(second ?? "", /"code":"server\.unavailable"/)
})

test("every answer carries its request's id and is not to be cached or sniffed", async () => {
  const { headers } = await api.call("GET", "/v1/payments")
  assert.match(String(headers["x-request-id"]), /^req_/)
  assert.equal(headers["cache-control"], "no-store")
  assert.equal(headers["x-content-type-options"], "nosniff")
})

test("the document is always the same, names every operation once and refers only to what is there", async () => {
  const text = await openapiDocument()
  assert.equal(await openapiDocument(), text)
  const document = JSON.parse(text) as Json
  const paths = Object.values(document.paths as Record<string, Json>)
  const operations = paths.flatMap((path): Json[] => Object.values(path as Record<string, Json>))
  const ids = operations.map(({ operationId }) => operationId)
  assert.ok(ids.every((id) => typeof id === "string"))
  assert.equal(new Set(ids).size, ids.length)
  const tags = new Set(document.tags.map(({ name }: Json) => name))
  for (const operation of operations) {
    assert.ok(operation.summary.length > 0 && tags.has(operation.tags[0]), operation.operationId)
    assert.ok(operation.responses.default.content["application/problem+json"])
  }
  const names = Object.keys(document.components.schemas)
  for (const [, name] of text.matchAll(/"\$ref": "#\/components\/schemas\/([^"]+)"/g))
    assert.ok(names.includes(name ?? ""), name ?? "no name")
})

test("the examples of the document are taken by the server's own schemas", async () => {
  const document = JSON.parse(await openapiDocument()) as Json
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: "document", ...document })
  let count = 0
  for (const [name, { examples = [] }] of Object.entries(document.components.schemas as Record<string, Json>))
    for (const example of examples) {
      count += 1
      const valid = ajv.validate({ $ref: `document#/components/schemas/${name}` }, example)
      assert.ok(valid, `${name}: ${ajv.errorsText()}`)
    }
  assert.ok(count >= 12)
})

test("the reference page and its document are served by this server alone", async () => {
  const page = await api.server.app.inject({ method: "GET", url: "/docs/" })
  assert.equal(page.statusCode, 200)
  assert.match(String(page.headers["content-security-policy"]), /^default-src 'self'/)
  assert.ok(!/https?:\/\/(?!www\.w3\.org)[^"']*\.(?:js|css)/.test(page.body.slice(0, 5_000)))
})

test("the page of faults has an entry for every code that a problem may point to", async () => {
  const { body } = await api.server.app.inject({ method: "GET", url: "/faults" })
  for (const code of Object.keys(faults)) assert.ok(body.includes(`id="${code}"`), code)
})
