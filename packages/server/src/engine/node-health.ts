// Whether this process itself is sick: nothing that it sends to several providers is answered, and it is not believable that
// all of them went down together. Such a node blames nobody: it shares nothing, takes no traffic (/ready), and says so once.
// It is well again with the first answer of any provider, be it to a harmless read.

import type { Observation } from "./observations.ts"

/** So many failures in a row, none of them older than this, at so many accounts at least. */
const FAILURES = 6
const WITHIN_MS = 60_000
const FEWEST_ACCOUNTS = 2

export type NodeHealth = ReturnType<typeof createNodeHealth>

export function createNodeHealth(tell: (sick: boolean, accounts: readonly string[]) => void) {
  let failures: { readonly account: string; readonly at: number }[] = []
  let sick = false

  function set(to: boolean): void {
    if (sick === to) return
    sick = to
    tell(to, [...new Set(failures.map(({ account }) => account))])
  }

  return {
    isSick: (): boolean => sick,
    /** Where nothing was answered. */
    accounts: (): readonly string[] => [...new Set(failures.map(({ account }) => account))],
    /** What an own attempt, or an own read, came back as. */
    observe({ account, ending, latencyMs, at }: Pick<Observation, "account" | "ending" | "latencyMs" | "at">): void {
      // An answer is an answer, whatever it says.
      if (ending !== "technical" || latencyMs !== undefined) {
        failures = []
        set(false)
        return
      }
      failures = [...failures, { account, at }].slice(-FAILURES)
      const recent = failures.filter((failure) => at - failure.at <= WITHIN_MS)
      const accounts = new Set(recent.map((failure) => failure.account))
      if (recent.length >= FAILURES && accounts.size >= FEWEST_ACCOUNTS) set(true)
    },
  }
}
