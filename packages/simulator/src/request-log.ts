// The last requests that the simulated providers saw, scrubbed of card data: what a developer looks at when a
// provider "did not answer", since it also tells what the weather did.
import { scrub } from "./scrub.ts"
import type { Plan } from "./weather.ts"

export type LoggedRequest = {
  readonly at: number
  readonly account: string
  readonly method: string
  readonly path: string
  readonly operation: string
  readonly body: string
  /** Whether the provider acted on it, and what the merchant got: the two things that weather drives apart. */
  readonly handled: "at_once" | "never" | "late"
  readonly answer: Plan["answer"]["type"]
  readonly status: number | undefined
  readonly response: string
}

export type RequestLog = {
  readonly add: (entry: LoggedRequest) => void
  readonly last: (limit: number, account?: string) => readonly LoggedRequest[]
  readonly clear: () => void
}

export const MAX_LOGGED_REQUESTS = 1_000
const MAX_LOGGED_BODY = 4_096

export function createRequestLog(): RequestLog {
  let entries: LoggedRequest[] = []
  return {
    add(entry) {
      const body = scrub(entry.body).slice(0, MAX_LOGGED_BODY)
      const response = scrub(entry.response).slice(0, MAX_LOGGED_BODY)
      entries.push({ ...entry, path: scrub(entry.path), body, response })
      // Trimmed in batches, so that adding stays cheap.
      if (entries.length > 2 * MAX_LOGGED_REQUESTS) entries = entries.slice(-MAX_LOGGED_REQUESTS)
    },
    last(limit, account) {
      const kept = entries.slice(-MAX_LOGGED_REQUESTS)
      const fitting = account === undefined ? kept : kept.filter((entry) => entry.account === account)
      return fitting.slice(-limit)
    },
    clear() {
      entries = []
    },
  }
}
