// What a batch of signals holds, as the document that is stored: lists instead of named fields, because there are a hundred a
// second of them. What another version wrote and cannot be read here is left out, and counted.

import type { AccountId, AttemptId } from "../core/id.ts"
import type { Ending, Previous } from "../routing/signals/observation.ts"
import type { Observation } from "./observations.ts"

/** A payment's first choice, among those that could have had it: what commitments count. */
export type Choice = {
  readonly chosen: AccountId
  readonly eligible: readonly AccountId[]
  readonly amount: number
  readonly at: number
}

export type SignalDocument = { readonly observations: readonly Observation[]; readonly choices: readonly Choice[] }

/** Counts changes of the form. */
const FORM = 1

export function signalDocument({ observations, choices }: SignalDocument): unknown {
  return {
    form: FORM,
    observations: observations.map((o) => [
      o.id,
      o.account,
      o.ending,
      o.network,
      o.country,
      o.issuer ?? null,
      o.method,
      o.operation,
      o.attempt,
      o.previous ?? null,
      o.news ?? null,
      o.latencyMs ?? null,
      o.amount,
      o.currency,
      o.at,
      ...(o.blameless === true ? [1] : []),
    ]),
    choices: choices.map(({ chosen, eligible, amount, at }) => [chosen, eligible, amount, at]),
  }
}

/** Undefined for what another version wrote. */
export function readSignalDocument(document: unknown): SignalDocument | undefined {
  const { form, observations, choices } = document as Partial<Record<"form" | "observations" | "choices", unknown>>
  if (form !== FORM || !Array.isArray(observations) || !Array.isArray(choices)) return undefined
  return {
    observations: (observations as unknown[][]).map(observationFrom),
    choices: (choices as unknown[][]).map(([chosen, eligible, amount, at]) => ({
      chosen: chosen as AccountId,
      eligible: eligible as AccountId[],
      amount: amount as number,
      at: at as number,
    })),
  }
}

function observationFrom(row: unknown[]): Observation {
  const [id, account, ending, network, country, issuer, method, operation, attempt, previous, news, latencyMs] = row
  return {
    id: id as AttemptId,
    account: account as AccountId,
    ending: ending as Ending,
    network: network as string,
    country: country as string,
    ...(issuer === null ? {} : { issuer: issuer as string }),
    method: method as string,
    operation: operation as string,
    attempt: attempt as number,
    ...(previous === null ? {} : { previous: previous as Previous }),
    ...(news === null ? {} : { news: news as NonNullable<Observation["news"]> }),
    ...(latencyMs === null ? {} : { latencyMs: latencyMs as number }),
    amount: row[12] as number,
    currency: row[13] as string,
    at: row[14] as number,
    ...(row[15] === 1 ? { blameless: true as const } : {}),
  }
}
