// The port of one account. It can be closed (so that refused connections are real), reset what it accepts, and reset
// connections that idle, as the weather says; everything else about a request is `carry`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Account } from "./account.ts"
import { carry, guarded } from "./carry.ts"
import { factsOf } from "./operation.ts"
import type { WireRequest, WireResponse } from "./persona.ts"
import type { HostPorts } from "./ports.ts"
import { addressOf, readBody } from "./incoming.ts"
import type { RequestLog } from "./request-log.ts"

export type Listener = {
  readonly origin: string
  /** Puts an account behind the port (a fresh one after a reset) and applies its weather. */
  readonly serve: (account: Account) => Promise<void>
  /** Applies weather that was just set; done once the port is as the weather wants it. */
  readonly refresh: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Below this path of the account's origin stand the cardholder's pages. */
export const PAGES = "/pages"
export const MAX_REQUEST_BYTES = 256 * 1024
const MAX_CONNECTIONS = 2_000
/** Longer than any client's that is wise: who reuses a connection must be ready to find it closed. */
const KEEP_ALIVE_MS = 60_000
const REOPEN_MS = 100

export async function openListener(
  at: { readonly host: string; readonly port: number },
  ports: HostPorts,
  log: RequestLog,
): Promise<Listener> {
  let account: Account | undefined
  let cancelChange = (): void => {}
  let closed = false
  let reopening: Promise<void> | undefined
  const idle = new WeakMap<Socket, () => void>()
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: 32 * 1024 }, onRequest)
  server.maxConnections = MAX_CONNECTIONS
  server.on("connection", onConnection)
  await listen(server, at.host, at.port)
  const { port } = server.address() as AddressInfo

  return {
    origin: `http://${at.host}:${port}`,
    serve(next) {
      account = next
      return applyWeather()
    },
    refresh: applyWeather,
    close() {
      closed = true
      cancelChange()
      return new Promise((resolve) => {
        if (!server.listening) return resolve()
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }

  async function applyWeather(): Promise<void> {
    // Opening takes a moment, in which the weather may change again: one change after the other.
    while (reopening) await reopening
    cancelChange()
    if (closed || !account) return
    const { open, changesInMs } = account.listener()
    if (changesInMs !== undefined) cancelChange = ports.after(changesInMs, () => void applyWeather())
    if (!open && server.listening) server.close()
    if (open && !server.listening) {
      reopening = listen(server, at.host, port).catch(() => {
        // Somebody else took the port while it was closed: try until it is free again.
        cancelChange = ports.after(REOPEN_MS, () => void applyWeather())
      })
      await reopening
      reopening = undefined
      if (closed) server.close()
    }
  }

  function onConnection(socket: Socket): void {
    if (!account) return
    if (account.draw() < account.listener().resetAtAccept) {
      socket.resetAndDestroy()
      return
    }
    watchIdle(socket)
    socket.once("close", () => idle.get(socket)?.())
  }

  /** Not the server's own keep-alive limit: that one is announced to the client, and ends politely. */
  function watchIdle(socket: Socket): void {
    const idleMs = account?.listener().resetIdleMs
    if (idleMs === undefined || socket.destroyed) return
    idle.set(
      socket,
      ports.after(idleMs, () => socket.resetAndDestroy()),
    )
  }

  function onRequest(message: IncomingMessage, reply: ServerResponse): void {
    idle.get(message.socket)?.()
    reply.once("finish", () => {
      // The port was closed while this was answered: `close` ends only connections that idle.
      if (account?.listener().open === false) message.socket.end()
      else watchIdle(message.socket)
    })
    void readBody(message, MAX_REQUEST_BYTES).then((body) => {
      if (body === undefined) return plain(reply, 413, `a request body has at most ${MAX_REQUEST_BYTES} bytes`)
      const serving = account
      if (!serving) return plain(reply, 503, "no account is served here yet")
      const request = wireRequest(message, body)
      if (request.path.startsWith(`${PAGES}/`)) return page(serving, request, reply, ports)
      const plan = serving.plan(request)
      const { operation } = factsOf(serving.settings.persona, request)
      let logged = false
      const done = (response: WireResponse | undefined): void => {
        if (logged) return
        logged = true
        log.add({
          at: ports.now(),
          account: serving.settings.id,
          method: request.method,
          path: request.path,
          operation,
          body: request.body,
          handled: plan.handle.when,
          answer: plan.answer.type,
          status: response?.status,
          response: response?.body ?? "",
        })
      }
      carry(serving, plan, request, { message, reply, ports, done })
    })
  }
}

/** Pages are for people: no weather, and the address as the persona knows it. */
function page(account: Account, request: WireRequest, reply: ServerResponse, ports: HostPorts): void {
  const asked = { ...request, path: request.path.slice(PAGES.length) }
  const response = guarded(ports, () => account.persona.page(asked))
  reply.writeHead(response.status, { ...response.headers, "content-length": Buffer.byteLength(response.body) })
  reply.end(response.body)
}

function wireRequest(message: IncomingMessage, body: string): WireRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value
  return { method: message.method ?? "GET", path: addressOf(message), headers, body }
}

function plain(reply: ServerResponse, status: number, text: string): void {
  reply.writeHead(status, { "content-type": "text/plain", connection: "close" })
  reply.end(text)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      server.off("error", reject)
      resolve()
    })
  })
}
