// What a decision may never be, whatever was learned: in the judge's own words, from its record and the payment alone. And
// what is learned: every end of an attempt is told once, by whichever node.

import type { Attempt, Payment } from "../src/core/payment.ts"
import type { DecisionRecord } from "../src/routing/decide.ts"
import type { Policy } from "../src/routing/policy.ts"
import { replay } from "../src/routing/replay.ts"
import { readSignalDocument } from "../src/engine/signal-document.ts"
import type { StoredBatch } from "../src/storage/resources/signal-store.ts"
import { claim } from "./claim.ts"
import type { Situation } from "./coverage.ts"

const OUT: ReadonlySet<string> = new Set(["ejected", "probing"])

export function judgeDecision(
  payment: Payment,
  attempt: Attempt,
  policy: Policy | undefined,
  note: (situation: Situation) => void,
): void {
  const { intent } = payment
  const record = attempt.decision as DecisionRecord
  const { chosen, reason, inputs, propensities } = record
  const { readings, capped = [] } = inputs
  const tell = (what: string) => (): string => `${payment.id}: the decision of attempt ${attempt.ordinal} ${what}`

  const replayed = replay(record, policy)
  claim(
    replayed.kind === "replayed" &&
      JSON.stringify(replayed.decision.record.chosen) === JSON.stringify(chosen) &&
      replayed.decision.record.reason === reason,
    tell(`does not replay to ${reason} ${chosen.join(" ")}`),
  )
  claim(!capped.some((id) => chosen.includes(id)), tell("takes an account whose cap was reached"))
  if (capped.length > 0) note("cap reached")
  if (record.policy?.share !== undefined) note("version published to a share")
  if (record.excluded.some((one) => one.reason === "never_route")) note("account excluded by the policy")
  const stateOf = (id: string): string => readings.accounts[id]?.state ?? "healthy"
  const [first] = chosen
  if (chosen.some((id) => OUT.has(stateOf(id)))) note("decision with an ejected account")
  if (reason === "probe") note("probe")
  if (reason === "explore") note("exploration")
  if (first !== undefined && OUT.has(stateOf(first)) && reason !== "probe")
    claim(
      !chosen.some((id) => stateOf(id) === "healthy"),
      tell(`prefers ${first}, which is ${stateOf(first)}, although another one is well`),
    )
  if (reason === "probe" || reason === "explore") {
    claim(intent.initiator.by === "customer", tell(`is a ${reason} with a payment of the merchant alone`))
    claim(intent.pinnedAccount === undefined, tell(`is a ${reason} with a pinned payment`))
    claim(readings.attempt === 1, tell(`is a ${reason} with a retry`))
    claim(
      reason === "explore" || intent.method?.type !== "network_token" || intent.method.hasCryptogram !== true,
      tell("is a probe with what can be sent only once"),
    )
  }
  const sum = Object.values(propensities).reduce((total, chance) => total + chance, 0)
  claim(chosen.length === 0 || Math.abs(sum - 1) < 1e-4, tell(`has chances that sum to ${sum}`))
  claim(first === undefined || (propensities[first] ?? 0) > 0, tell(`chose ${first}, which it had no chance to`))
}

/** At rest: what nodes told each other, beside what became of the payments. */
export function judgeSignals(batches: readonly StoredBatch[], payments: readonly Payment[]): void {
  const told = new Map<string, string>()
  for (const { document } of batches)
    for (const { id, news = "all", ending, account } of readSignalDocument(document)?.observations ?? []) {
      const what = news === "correction" ? `${id} to ${ending}` : `${id} ${news}`
      claim(!told.has(what), () => `${what}: an attempt's end was told twice`)
      told.set(what, ending)
      const end = told.get(`${id} all`)
      claim(
        news !== "approval" || (end !== "paid" && end !== "not_paid"),
        () => `${id}: the end of an attempt was told again as the end of a silence`,
      )
      const attempt = payments.flatMap((p) => p.attempts).find((a) => a.id === id)
      claim(attempt?.account === account, () => `${id}: was told of ${account}, and was made at ${attempt?.account}`)
      claim(
        ending !== "paid" || attempt?.authorized !== 0n || attempt.state === "verified" || attempt.state === "reversed",
        () => `${id}: was told as paid, and holds nothing (${attempt?.state})`,
      )
    }
}
