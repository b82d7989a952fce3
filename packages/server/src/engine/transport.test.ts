// The verdict "not sent" carries every promise about money, so it is tested on real sockets that misbehave.

import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createHttpServer, type RequestListener } from "node:http"
import { createServer, type Server, type Socket } from "node:net"
import { after, describe, test } from "node:test"
import { systemPorts } from "../ports.ts"
import { createTransport, MAX_ANSWER_BYTES, type Limits, type Sent } from "./transport.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const { clock } = systemPorts(() => 0, silent)
const transport = createTransport(clock)
const servers: Server[] = []
const sockets = new Set<Socket>()
after(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  await transport.close()
})

async function listen(server: Server): Promise<string> {
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("error", () => {}).on("close", () => sockets.delete(socket))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  servers.push(server)
  const address = server.address()
  assert.ok(typeof address === "object" && address !== null)
  return `http://127.0.0.1:${address.port}`
}
const http = (handler: RequestListener): Promise<string> => listen(createHttpServer(handler))
const tcp = (onConnection: (socket: Socket) => void): Promise<string> => listen(createServer(onConnection))

const limits = (more: Partial<Limits> = {}): Limits => ({
  connectMs: 1_000,
  totalMs: 2_000,
  notAfter: clock.now() + 60_000,
  keepAliveMs: 4_000,
  connections: 4,
  ...more,
})
const post = (origin: string, more: Partial<Limits> = {}): Promise<Sent> =>
  transport.send(
    origin,
    { method: "POST", path: "/charge", headers: { "content-type": "text/plain" }, body: "1999" },
    limits(more),
  )

describe("the transport", () => {
  test("gives a whole answer as it came", async () => {
    const origin = await http((request, response) => {
      let body = ""
      request
        .on("data", (chunk: Buffer) => (body += chunk.toString()))
        .on("end", () => response.writeHead(402, { "X-Trace": "t1" }).end(`got ${body} at ${request.url}`))
    })
    const sent = await post(`${origin}/v1/`)
    assert.equal(sent.kind, "answered")
    if (sent.kind !== "answered") return
    assert.equal(sent.response.status, 402)
    assert.equal(sent.response.headers["x-trace"], "t1")
    assert.equal(sent.response.body, "got 1999 at /v1/charge")
  })

  test("says not_sent when the connection is refused", async () => {
    const origin = await tcp(() => {})
    servers.at(-1)?.close()
    const sent = await post(origin)
    assert.deepEqual(sent, { kind: "not_sent", code: "ECONNREFUSED" })
  })

  test("connects to an origin of a merchant's choice only at an address that the guard lets through", async () => {
    const port = new URL(await http((_request, response) => response.end("reached"))).port
    const names: Record<string, readonly string[]> = {
      "simulator.test": ["127.0.0.1"],
      "metadata.test": ["169.254.169.254"],
      localhost: ["192.0.2.1"],
    }
    const guarded = createTransport(clock, (host) => Promise.resolve(names[host] ?? []))
    const get = (host: string) =>
      guarded.send(
        `http://${host}:${port}`,
        { method: "GET", path: "/v1/account", headers: {} },
        limits({ guarded: true }),
      )
    const reached = await get("simulator.test")
    assert.equal(reached.kind === "answered" && reached.response.body, "reached")
    for (const host of ["metadata.test", "localhost"])
      assert.deepEqual(await get(host), { kind: "not_sent", code: "ADDRESS_REFUSED" })
    await guarded.close()
  })

  test("connects to no origin of a merchant's choice without a way to judge its address", async () => {
    const port = new URL(await http((_request, response) => response.end("reached"))).port
    const sent = await post(`http://localhost:${port}`, { guarded: true })
    assert.deepEqual(sent, { kind: "not_sent", code: "ADDRESS_REFUSED" })
  })

  test("says not_sent for a host that does not exist", async () => {
    assert.equal((await post("http://nobody.invalid")).kind, "not_sent")
  })

  test("says not_sent when no TLS comes about", async () => {
    const origin = await tcp((socket) => void socket.on("data", () => socket.destroy()))
    const sent = await post(origin.replace("http:", "https:"))
    assert.equal(sent.kind, "not_sent")
  })

  test("says sent when the connection is reset after the request", async () => {
    const origin = await tcp((socket) => void socket.once("data", () => socket.resetAndDestroy()))
    assert.equal((await post(origin)).kind, "sent")
  })

  test("says sent when the answer breaks off, is nonsense, or never comes", async () => {
    const cut = await tcp(
      (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")),
    )
    const nonsense = await tcp((socket) => void socket.once("data", () => socket.end("no http at all\r\n\r\n")))
    const silence = await tcp((socket) => void socket.resume())
    const verdicts = await Promise.all([post(cut), post(nonsense), post(silence, { totalMs: 300 })])
    assert.deepEqual(
      verdicts.map((v) => v.kind),
      ["sent", "sent", "sent"],
    )
  })

  test("says sent for an answer that is too large", async () => {
    const origin = await http((_request, response) => response.end(Buffer.alloc(MAX_ANSWER_BYTES + 1)))
    assert.deepEqual(await post(origin, { totalMs: 10_000 }), { kind: "sent", code: "BODY_TOO_LARGE" })
  })

  test("starts nothing after its time", async () => {
    let arrived = 0
    const origin = await http((_request, response) => {
      arrived += 1
      response.end()
    })
    const sent = await post(origin, { notAfter: clock.now() - 1 })
    assert.equal(sent.kind, "not_sent")
    assert.equal(arrived, 0)
  })

  test("says not_sent when no connection is free in time, and does not send it later", async () => {
    let arrived = 0
    const origin = await http((_request, response) => {
      arrived += 1
      setTimeout(() => response.end(), 600)
    })
    const one = { connections: 1, connectMs: 200 }
    const [first, second] = await Promise.all([post(origin, one), post(origin, one)])
    assert.equal(first.kind, "answered")
    assert.equal(second.kind, "not_sent")
    assert.equal(arrived, 1)
  })

  test("does not cut a long request because the first one to its provider was to be a short one", async () => {
    const origin = await http((request, response) => {
      if (request.headers["x-slow"] === undefined) response.end("quick")
      else setTimeout(() => response.end("slow"), 6_500)
    })
    assert.equal((await post(origin, { totalMs: 300 })).kind, "answered")
    const slow = await transport.send(
      origin,
      { method: "POST", path: "/", headers: { "x-slow": "1" }, body: "" },
      limits({ totalMs: 20_000 }),
    )
    assert.equal(slow.kind, "answered")
  })

  test("never calls a request not_sent that the server saw, on connections that close while idle", async () => {
    const seen = new Map<string, number>()
    const origin = await http((request, response) => {
      let id = ""
      request
        .on("data", (chunk: Buffer) => (id += chunk.toString()))
        .on("end", () => {
          seen.set(id, (seen.get(id) ?? 0) + 1)
          response.end("ok", () => {
            // Some connections die right after an answer, while the next request may be on its way.
            if (Number(id) % 3 === 0) setTimeout(() => request.socket.resetAndDestroy(), Number(id) % 4)
          })
        })
    })
    const verdicts = new Map<string, Sent["kind"]>()
    const worker = async (from: number): Promise<void> => {
      for (let i = from; i < 600; i += 4) {
        const sent = await transport.send(origin, { method: "POST", path: "/", headers: {}, body: String(i) }, limits())
        verdicts.set(String(i), sent.kind)
      }
    }
    await Promise.all([0, 1, 2, 3].map(worker))
    for (const [id, verdict] of verdicts) {
      if (verdict === "not_sent") assert.equal(seen.get(id), undefined, `request ${id} was called not_sent and arrived`)
      if (verdict === "answered") assert.equal(seen.get(id), 1)
      assert.ok((seen.get(id) ?? 0) <= 1, `request ${id} arrived twice`)
    }
  })
})
