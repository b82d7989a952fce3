// Whether this process itself is sick: nothing that it sends to several providers is answered, and it is not believable that
// all of them went down together. Such a node blames nobody: it shares nothing, takes no traffic (/ready), and says so once.
// It is well again with the first answer of any provider, be it to a harmless read.

import type { AccountId } from "../core/id.ts"

/** So many failures in a row, none of them older than this, at so many providers at least: one may well be down. */
const FAILURES = 6
const WITHIN_MS = 60_000
const FEWEST_PROVIDERS = 2

/** What came of something that was sent. An answer is an answer, whatever it says. */
export type Heard = {
  readonly account: AccountId
  readonly provider: string
  readonly answered: boolean
  readonly at: number
}

export type NodeHealth = ReturnType<typeof createNodeHealth>

export function createNodeHealth(tell: (sick: boolean, accounts: readonly string[]) => void) {
  let failures: readonly Heard[] = []
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
    observe(heard: Heard): void {
      if (heard.answered) {
        failures = []
        set(false)
        return
      }
      failures = [...failures, heard].slice(-FAILURES)
      const recent = failures.filter((failure) => heard.at - failure.at <= WITHIN_MS)
      const providers = new Set(recent.map(({ provider }) => provider))
      if (recent.length >= FAILURES && providers.size >= FEWEST_PROVIDERS) set(true)
    },
  }
}
