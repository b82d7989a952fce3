// Over a bare socket: what no client library would send.

import assert from "node:assert/strict"
import { connect } from "node:net"
import { test } from "node:test"
import { startApi, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const port = Number(new URL(api.server.url).port)

/** Everything that comes back until the server hangs up. */
const say = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let got = ""
    const socket = connect(port, "127.0.0.1", () => socket.end(text))
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => (got += String(chunk)))
    socket.on("error", reject)
    socket.on("close", () => resolve(got))
  })

for (const [what, text, status, code] of [
  ["nonsense", "NONSENSE\r\n\r\n", 400, "request.malformed"],
  ["a method that HTTP does not know", "FOO /v1/payments HTTP/1.1\r\nhost: x\r\n\r\n", 400, "request.malformed"],
  ["a line that is no header", "GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400, "request.malformed"],
  ["no Host", "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n", 400, "request.malformed"],
  [
    "two lengths of one body",
    "POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "request.malformed",
  ],
  [
    "headers beyond 16 KiB",
    `GET /health HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "request.headers_too_large",
  ],
  [
    "an address beyond 16 KiB",
    `GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    414,
    "request.address_too_long",
  ],
] as const)
  test(`${what} is answered with a problem`, async () => {
    const answer = await say(text)
    const [head = "", body = ""] = answer.split("\r\n\r\n")
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(head, /\r\ncontent-type: application\/problem\+json/i)
    const problem: Json = JSON.parse(body)
    assert.deepEqual([problem.status, problem.code], [status, code])
    assert.match(problem.request_id, /^req_/)
    assert.match(problem.detail, /\.$/)
  })

test("an expectation that nobody knows does not stop a request", async () => {
  const answer = await say("GET /health HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\nconnection: close\r\n\r\n")
  assert.match(answer, /^HTTP\/1.1 200 /)
})

test("HEAD is GET without the body, and OPTIONS names the methods", async () => {
  const head = await say(`HEAD /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  assert.match(head, /^HTTP\/1.1 200 /)
  assert.equal(head.split("\r\n\r\n")[1], "")
  const options = await say(`OPTIONS /v1/payments HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  assert.match(options, /^HTTP\/1.1 204 [\s\S]*\r\nallow: GET, HEAD, POST\r\n/i)
})
