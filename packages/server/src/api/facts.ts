// Where the API has its numbers from: the process that keeps the facts, or nobody.

import { Fault } from "../core/fault.ts"
import type { Freshness } from "../engine/fact-feed.ts"
import type { FactQuery, FactSums } from "../insight/fact-query.ts"

export type FactReader = {
  /** One answer per query, none while the facts are being built. Throws `insight.unavailable`. */
  ask(queries: readonly FactQuery[]): Promise<{ readonly freshness: Freshness; readonly sums: readonly FactSums[] }>
}

/** For servers beside which no insight process runs. */
export const noFacts: FactReader = {
  ask: () =>
    Promise.reject(new Fault("insight.unavailable", { detail: "No insight process runs beside this server." })),
}
