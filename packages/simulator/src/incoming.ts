// What comes in on a socket: the body as text, up to a limit, and the address as something that can be read.
import type { IncomingMessage } from "node:http"

/** Undefined when the body is larger; the rest is then left unread. */
export function readBody(message: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    message.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) {
        message.pause()
        resolve(undefined)
      } else chunks.push(chunk)
    })
    message.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
    // A request that breaks off while it is sent is never complete: the promise stays open and is collected with it.
  })
}

/** The path with its query. Some clients send whole URLs, or too many slashes, which would read as a host's name. */
export function addressOf(message: IncomingMessage): string {
  const address = message.url ?? "/"
  const path = /^https?:/.test(address) && URL.canParse(address) ? address.replace(/^https?:\/\/[^/]*/, "") : address
  return `/${path.replace(/^\/+/, "")}`
}
