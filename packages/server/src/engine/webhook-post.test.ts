import assert from "node:assert/strict"
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from "node:http"
import { createServer as createHttps } from "node:https"
import type { AddressInfo } from "node:net"
import { pipeline, Readable } from "node:stream"
import { after, test } from "node:test"
import { systemPorts } from "../ports.ts"
import { LIVE_RULES, TEST_RULES, type GuardRules, type Resolver } from "./address-guard.ts"
import { ANSWER_BYTES, createPoster, POST_TIMEOUT_MS, type WebhookPoster } from "./webhook-post.ts"

const { clock } = systemPorts(() => 0, { info: () => {}, warn: () => {}, error: () => {} })
/** The limit passes as soon as it is set, once it is asked to. */
const impatient = (when: Promise<void>): typeof clock => ({
  ...clock,
  after: (ms, then) => {
    if (ms !== POST_TIMEOUT_MS) return clock.after(ms, then)
    let canceled = false
    void when.then(() => canceled || then())
    return () => {
      canceled = true
    }
  },
})

const message = {
  headers: { "content-type": "application/json", "webhook-id": "evt_1" },
  body: JSON.stringify({ type: "payment.captured" }),
}
const loopback: Resolver = async () => ["127.0.0.1"]
const rules = { live: LIVE_RULES, test: TEST_RULES }

const closing: (() => unknown)[] = []
after(() => Promise.all(closing.map((close) => close())))

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const receiver = (handle: RequestListener): Promise<number> => listen(createHttp(handle))

function poster(
  options: {
    readonly resolve?: Resolver
    readonly ca?: string
    readonly rules?: typeof rules
    readonly clock?: typeof clock
  } = {},
): WebhookPoster {
  const made = createPoster({ clock, resolve: loopback, rules, ...options })
  closing.push(() => made.close())
  return made
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request) body += String(chunk)
  return body
}

test("the message arrives as it is, and the answer comes back with its status and first bytes", async () => {
  let got: { method?: string; url?: string; id?: unknown; host?: string; body?: string } = {}
  const port = await receiver((request, response) => {
    void bodyOf(request).then((body) => {
      const { method, url, headers } = request
      got = { method: method ?? "", url: url ?? "", id: headers["webhook-id"], host: headers.host ?? "", body }
      response.writeHead(202).end("thank you")
    })
  })
  const posted = await poster().post(`http://hooks.example.test:${port}/a?b=c#d`, "test", message)
  assert.equal(posted.kind === "answered" && posted.status, 202)
  assert.equal(posted.kind === "answered" && posted.answer, "thank you")
  assert.deepEqual(got, {
    method: "POST",
    url: "/a?b=c",
    id: "evt_1",
    host: `hooks.example.test:${port}`,
    body: message.body,
  })
})

test("in live mode neither plain http nor an address inside is called, by number or by name", async () => {
  let requests = 0
  const port = await receiver((_request, response) => {
    requests += 1
    response.end()
  })
  const one = poster()
  for (const [url, why] of [
    [`http://hooks.example.test:${port}/`, "scheme"],
    [`https://127.0.0.1:${port}/`, "address"],
    [`https://hooks.example.test:${port}/`, "address"],
    [`https://user:secret@hooks.example.test:${port}/`, "credentials"],
  ] as const) {
    const posted = await one.post(url, "live", message)
    assert.deepEqual([posted.kind, posted.kind === "refused" && posted.why], ["refused", why], url)
  }
  assert.equal(requests, 0)
})

test("a name that moves inside after it was called is refused, although its old connection was good", async () => {
  let requests = 0
  const port = await receiver((_request, response) => {
    requests += 1
    response.writeHead(204, { connection: "close" }).end()
  })
  // Loopback stands for the public address, the private network for the inside.
  const outside: GuardRules = { ...TEST_RULES, ranges: new Set(["loopback"]) }
  const answers = ["127.0.0.1", "10.0.0.1"]
  const asked: string[] = []
  const resolve: Resolver = async (name) => {
    asked.push(name)
    return [answers[asked.length - 1] ?? "10.0.0.1"]
  }
  const one = poster({ resolve, rules: { live: LIVE_RULES, test: outside } })
  const url = `http://hooks.example.test:${port}/`
  assert.equal((await one.post(url, "test", message)).kind, "answered")
  assert.equal((await one.post(url, "test", message)).kind, "refused")
  assert.deepEqual(asked, ["hooks.example.test", "hooks.example.test"], "one look-up a connection, none besides")
  assert.equal(requests, 1)
})

test("TLS speaks to the checked address under the endpoint's own name", async () => {
  const seen: unknown[] = []
  const server = createHttps({ key, cert }, (request, response) => {
    seen.push((request.socket as { servername?: string }).servername, request.headers.host)
    response.end()
  })
  const port = await listen(server)
  const url = `https://hooks.example.test:${port}/`
  assert.equal((await poster({ ca: cert }).post(url, "test", message)).kind, "answered")
  assert.deepEqual(seen, ["hooks.example.test", `hooks.example.test:${port}`])
  const untrusted = await poster().post(url, "test", message)
  assert.equal(untrusted.kind === "failed" && untrusted.code, "DEPTH_ZERO_SELF_SIGNED_CERT")
  const misnamed = await poster({ ca: cert }).post(`https://other.example.test:${port}/`, "test", message)
  assert.equal(misnamed.kind === "failed" && misnamed.code, "ERR_TLS_CERT_ALTNAME_INVALID")
  assert.equal(seen.length, 2)
})

test("a redirect is an answer, and is not followed", async () => {
  let inside = 0
  const target = await receiver((_request, response) => {
    inside += 1
    response.end()
  })
  const port = await receiver((_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${target}/` }).end()
  })
  const posted = await poster().post(`http://hooks.example.test:${port}/`, "test", message)
  assert.equal(posted.kind === "answered" && posted.status, 302)
  assert.equal(inside, 0)
})

function* endless(): Generator<string> {
  for (;;) yield "x".repeat(10_000)
}

test("of an answer without end only the first bytes are read", async () => {
  const port = await receiver((_request, response) => {
    response.writeHead(500)
    pipeline(Readable.from(endless()), response, () => {})
  })
  const posted = await poster().post(`http://hooks.example.test:${port}/`, "test", message)
  assert.equal(posted.kind === "answered" && posted.status, 500)
  assert.equal(posted.kind === "answered" && posted.answer, "x".repeat(ANSWER_BYTES))
})

test("silence ends at the limit, and a body that stalls after its status does not change the answer", async () => {
  let silent = (): void => {}
  const asked = new Promise<void>((resolve) => {
    silent = resolve
  })
  const silentPort = await receiver(() => silent())
  const posted = await poster({ clock: impatient(asked) }).post(`http://a.example.test:${silentPort}/`, "test", message)
  assert.equal(posted.kind === "failed" && posted.code, "TIMEOUT")

  let flushed = (): void => {}
  const begun = new Promise<void>((resolve) => {
    flushed = resolve
  })
  const stallingPort = await receiver((_request, response) => {
    response.writeHead(200, { "content-length": 100 })
    response.write("begun", () => void clock.after(50, flushed))
  })
  const stalled = await poster({ clock: impatient(begun) }).post(
    `http://a.example.test:${stallingPort}/`,
    "test",
    message,
  )
  assert.deepEqual(
    [stalled.kind, stalled.kind === "answered" && stalled.status, stalled.kind === "answered" && stalled.answer],
    ["answered", 200, "begun"],
  )
})

test("a connection that breaks, and one that nobody takes, are failures with their code", async () => {
  const port = await receiver((request) => request.socket.destroy())
  const broken = await poster().post(`http://a.example.test:${port}/`, "test", message)
  assert.equal(broken.kind === "failed" && broken.code, "UND_ERR_SOCKET")
  const free = createHttp()
  const freePort = await listen(free)
  await new Promise((resolve) => free.close(resolve))
  const nobody = await poster().post(`http://127.0.0.1:${freePort}/`, "test", message)
  assert.equal(nobody.kind === "failed" && nobody.code, "ECONNREFUSED")
  const unknown: Resolver = async () => {
    throw Object.assign(new Error("no such host"), { code: "ENOTFOUND" })
  }
  const nowhere = await poster({ resolve: unknown }).post("http://a.example.test/", "test", message)
  assert.equal(nowhere.kind === "failed" && nowhere.code, "ENOTFOUND")
})

test("early hints are not the answer, and a receiver may ask for time", async () => {
  const port = await receiver((_request, response) => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" })
    response.writeHead(429, { "retry-after": "120" }).end()
  })
  const posted = await poster().post(`http://a.example.test:${port}/`, "test", message)
  assert.equal(posted.kind === "answered" && posted.status, 429)
  assert.equal(posted.kind === "answered" && posted.retryAfterMs, 120_000)
})

// Made for this test alone: hooks.example.test, 2020 to 2120, signed by itself.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxaO64VTNTp+prjDt
3XuSR8E153jyQSDfzUq+/kurkCuhRANCAATE4kxH5J8qD4UWfu0x2SNwzWRIoMRA
sk0lvjKwgAkogTsWlT9VYR/oVfnVYGEaxpQO5NiY72q6PGnCKOcW2lpf
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBfDCCASKgAwIBAgIBATAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJob29rcy5l
eGFtcGxlLnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMB0x
GzAZBgNVBAMMEmhvb2tzLmV4YW1wbGUudGVzdDBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABMTiTEfknyoPhRZ+7THZI3DNZEigxECyTSW+MrCACSiBOxaVP1VhH+hV
+dVgYRrGlA7k2Jjvaro8acIo5xbaWl+jUTBPMA8GA1UdEwEB/wQFMAMBAf8wHQYD
VR0RBBYwFIISaG9va3MuZXhhbXBsZS50ZXN0MB0GA1UdDgQWBBTjzH4fSxez0Wpt
Yju/Q1gkEOf7qDAKBggqhkjOPQQDAgNIADBFAiApIaCEA4gMFiXdNVHDXJGhIXZi
Gyijo2O5fO58YLXatgIhAN3H9zi1uwzePKvQsz9Njq6zgJ9eUctYmWdVazGNx4TG
-----END CERTIFICATE-----`
