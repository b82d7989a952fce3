// Carries one planned request over a real socket: waits, lets the persona handle it, answers, or fails to. The
// provider's work goes on when the client hangs up, as it does in the world.
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Account } from "./account.ts"
import type { WireRequest, WireResponse } from "./persona.ts"
import type { HostPorts } from "./ports.ts"
import type { Plan } from "./weather.ts"

/** What the merchant was sent, for the log; undefined when nothing was. */
export type Carried = (response: WireResponse | undefined) => void

export function carry(
  account: Account,
  plan: Plan,
  request: WireRequest,
  { message, reply, ports, done }: { message: IncomingMessage; reply: ServerResponse; ports: HostPorts; done: Carried },
): void {
  // A late request has not reached the provider yet; one that is lost never does.
  const conflict = plan.handle.when === "at_once" ? account.persona.arrives?.(request) : undefined
  if (conflict) {
    wait(plan.afterMs, () => send(conflict))
    return
  }
  wait(plan.beforeMs, () => {
    const { handle } = plan
    const handled = (): WireResponse => guarded(ports, () => account.persona.handle(request))
    const own = handle.when === "at_once" ? handled() : undefined
    if (handle.when === "late") {
      const handleLate = (): void => void ports.after(handle.delayMs, handled)
      if (message.socket.destroyed) handleLate()
      else message.socket.once("close", handleLate)
    }
    wait(plan.afterMs, () => answer(own))
  })

  function wait(ms: number, run: () => void): void {
    if (ms === 0) run()
    else ports.after(ms, run)
  }

  function answer(own: WireResponse | undefined): void {
    const { answer: how } = plan
    switch (how.type) {
      case "own":
        return send(own)
      case "trouble":
        return send(account.trouble(how.status, request, how.stored))
      case "foreign":
        return send({ status: how.status, headers: { "content-type": "text/html" }, body: proxyPage(how.status) })
      case "truncated":
        return truncate(own, how.keep)
      case "reset":
        return reset()
      case "silence":
        ports.after(how.holdMs, reset)
        return done(undefined)
      default:
        return how satisfies never
    }
  }

  function send(response: WireResponse | undefined): void {
    done(response)
    if (!response || reply.destroyed) return
    reply.writeHead(response.status, { ...response.headers, "content-length": Buffer.byteLength(response.body) })
    reply.end(response.body)
  }

  /** Promises the whole length and hangs up early. */
  function truncate(response: WireResponse | undefined, keep: number): void {
    done(response)
    if (!response || reply.destroyed) return
    const body = Buffer.from(response.body)
    reply.writeHead(response.status, { ...response.headers, "content-length": body.length })
    reply.write(body.subarray(0, Math.floor(body.length * keep)), () => message.socket.destroy())
  }

  function reset(): void {
    done(undefined)
    message.socket.resetAndDestroy()
  }
}

/** A bug in a persona must be seen, but not end the process that other accounts (or a server) live in. */
export function guarded(ports: HostPorts, run: () => WireResponse): WireResponse {
  try {
    return run()
  } catch (error) {
    ports.complain(error)
    const text = `bug in the simulated provider: ${String(error)}\n`
    return { status: 500, headers: { "content-type": "text/plain" }, body: text }
  }
}

function proxyPage(status: number): string {
  const text = status === 502 ? "502 Bad Gateway" : status === 504 ? "504 Gateway Time-out" : `${status} Error`
  return `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`
}
