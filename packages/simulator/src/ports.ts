// The world outside: the only file of the simulator with a real clock, real timers and outgoing sockets.
import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"

export type AccountPorts = {
  readonly now: () => number
  /** Runs later; the returned function cancels it. Waiting keeps no process alive. */
  readonly after: (ms: number, run: () => void) => () => void
  /** Posts and answers the status, or undefined when no answer came within the time. */
  readonly post: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    timeoutMs: number,
  ) => Promise<number | undefined>
}

export type HostPorts = AccountPorts & {
  /** Tells the operator of a bug. */
  readonly complain: (error: unknown) => void
}

/** Node's timers hold at most 2^31 - 1 ms (24.8 days); authorizations last longer. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const realPorts: HostPorts = {
  now: () => Date.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      timer = setTimeout(
        () => (leftMs > MAX_TIMER_MS ? wait(leftMs - MAX_TIMER_MS) : run()),
        Math.min(leftMs, MAX_TIMER_MS),
      )
      timer.unref()
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
  complain: (error) => void process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`),
  post: (url, headers, body, timeoutMs) =>
    new Promise((resolve) => {
      const open = url.startsWith("https:") ? httpsRequest : httpRequest
      let status: number | undefined
      // A deadline for all of it: an answer that trickles, or a socket that nobody closes, must not hold a webhook for ever.
      const deadline = setTimeout(() => request.destroy(), timeoutMs)
      const end = (): void => {
        clearTimeout(deadline)
        resolve(status)
      }
      const request = open(
        url,
        { method: "POST", headers: { ...headers, "content-length": Buffer.byteLength(body) } },
        (response) => {
          response.resume()
          // Only a whole answer is one.
          response.once("end", () => (status = response.statusCode))
          response.once("close", end)
        },
      )
      request.once("error", end)
      request.once("close", end)
      request.end(body)
    }),
}
