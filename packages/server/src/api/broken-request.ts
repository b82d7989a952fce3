// What never becomes a request: broken HTTP, too many headers, a sender that stops in the middle. Node hands over the bare
// socket; who reads the answer gets a problem like every other.

import type { FastifyServerOptions } from "fastify"
import { Fault, faults } from "../core/fault.ts"
import { problemOf } from "./problem.ts"

/** Longest address that is read. Node itself reads headers and address together up to 16 KiB. */
export const MAX_URL_CHARS = 8_000

type Handler = NonNullable<FastifyServerOptions["clientErrorHandler"]>

export const answerBroken =
  (requestId: () => string): Handler =>
  (error, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy()
      return
    }
    const fault = faultIn(error)
    const { status } = faults[fault.code]
    const id = requestId()
    const body = JSON.stringify(problemOf(fault, id))
    socket.end(
      [
        `HTTP/1.1 ${status} ${words[status] ?? "Bad Request"}`,
        "content-type: application/problem+json",
        `content-length: ${Buffer.byteLength(body)}`,
        "cache-control: no-store",
        "connection: close",
        `x-request-id: ${id}`,
        "",
        body,
      ].join("\r\n"),
    )
  }

const NEWLINE = 10
const words: Readonly<Record<number, string>> = {
  408: "Request Timeout",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
}

function faultIn({ code, rawPacket }: Parameters<Handler>[0]): Fault {
  switch (code) {
    case "HPE_HEADER_OVERFLOW": {
      // Fastify's type is that of a Buffer written as JSON.
      const packet = rawPacket as unknown as Uint8Array
      const line = packet.indexOf(NEWLINE)
      const first = line < 0 ? packet.length : line
      return new Fault(first > MAX_URL_CHARS ? "request.address_too_long" : "request.headers_too_large")
    }
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Fault("request.timeout")
    default:
      return new Fault("request.malformed")
  }
}
