// What the schemes let be tried: recomputed from the payments' own history, in the judge's words and never by the engine's
// tables. Every card's stored budget is what its payments came to, row by row; and no attempt follows another one that the
// schemes forbid by what was stored when it was decided.

import type { BudgetKey, CardAttempt } from "../src/core/card-attempt.ts"
import { authorizes, type Attempt, type Payment } from "../src/core/payment.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import { claim } from "./claim.ts"
import type { Situation } from "./coverage.ts"
import { SKEW_MS } from "./judge-commit.ts"
import { categoryOne, NEVER_AGAIN } from "./lab-issuer.ts"

const DAY = 86_400_000
const HOUR = 3_600_000

type Row = Pick<CardAttempt, "id" | "at" | "initiator" | "networkCode" | "adviceCode"> & {
  readonly minor: bigint
  result: "declined" | "unknown" | "none"
  /** When it was seen in the store, as what it is. */
  since: number
}

export type BudgetSight = {
  readonly now: () => number
  /** Neither stalls nor lost connections in this world. */
  readonly calm: boolean
  /** Longer than it takes from reading a budget to the commit that it was read for (ms). */
  readonly longAgoMs: number
  readonly note: (situation: Situation) => void
}

export class BudgetJudge {
  readonly #ledger: MemoryLedger
  readonly #sight: BudgetSight
  readonly #cards = new Map<string, Map<string, Row>>()

  constructor(
    ledger: MemoryLedger,
    sight: BudgetSight,
    history: readonly { readonly key: BudgetKey; readonly rows: readonly CardAttempt[] }[],
  ) {
    this.#ledger = ledger
    this.#sight = sight
    for (const { key, rows } of history)
      for (const row of rows)
        this.#rows(key).set(row.id, { ...row, minor: row.amount.minor, since: Number.NEGATIVE_INFINITY })
  }

  check(payment: Payment, before: Payment | undefined): void {
    const key = keyOf(payment)
    if (key !== undefined) for (const attempt of payment.attempts) this.#book(payment, attempt, key)
    for (const attempt of payment.attempts)
      if (attempt.ordinal > 1 && before?.attempts.every((a) => a.id !== attempt.id) === true)
        this.#mayFollow(payment, before, attempt, key)
    if (key === undefined) return
    const stored = this.#ledger.contents.cardAttempts(key).map(tell).toSorted()
    const own = [...this.#rows(key).values()].map(tell).toSorted()
    claim(
      stored.join() === own.join(),
      () => `${payment.id}: its card's budget is [${stored.join("; ")}], and its payments say [${own.join("; ")}]`,
    )
  }

  /** Whether the schemes might let no attempt follow now: then nobody has to make one. */
  mayBeUsedUp(payment: Payment): boolean {
    const key = keyOf(payment)
    const last = payment.attempts.at(-1)
    if (key === undefined || last === undefined) return false
    // Nobody guesses what the database would not tell.
    if (!this.#sight.calm && payment.plan.stopped?.why.includes("could not be read") === true) return true
    const now = this.#sight.now()
    return this.#forbidden(payment, key, last, [now - SKEW_MS, now, now + SKEW_MS], now) !== undefined
  }

  #mayFollow(payment: Payment, before: Payment, attempt: Attempt, key: BudgetKey | undefined): void {
    const { note, now, longAgoMs } = this.#sight
    const last = payment.attempts.find(({ ordinal }) => ordinal === attempt.ordinal - 1)!
    if (attempt.shape !== undefined) note("retry in another shape")
    if (before.plan.state === "waiting") note("retry on another day")
    else if (attempt.startedAt - (last.settledAt ?? attempt.startedAt) > 900) note("retry after a wait for it")
    if (attempt.account === last.account) note("retry at the same account")
    if (key === undefined) return
    const times = [attempt.startedAt - SKEW_MS, attempt.startedAt + SKEW_MS]
    const why = times.map((at) => this.#forbidden(payment, key, last, [at], now() - longAgoMs))
    claim(
      why.includes(undefined),
      () => `${payment.id}: attempt ${attempt.ordinal} was made although the schemes forbid it: ${why[0]}`,
    )
  }

  /** By what was stored until `known`, and the payment's own attempts. */
  #forbidden(
    { intent, attempts }: Payment,
    key: BudgetKey,
    last: Attempt,
    times: readonly number[],
    known: number,
  ): string | undefined {
    const { outcome } = last
    if (outcome?.kind === "declined") {
      const { adviceCode, networkCode } = outcome.raw
      if (adviceCode === NEVER_AGAIN) return "the issuer said never"
      if (key.network === "visa" && categoryOne.has(networkCode ?? "")) return "category 1"
    }
    const { minor } = intent.amount
    const rows = [...this.#rows(key).values()].filter(
      (row) => row.result !== "none" && (row.since <= known || attempts.some(({ id }) => id === row.id)),
    )
    for (const at of times) {
      const within = (ms: number): readonly Row[] => rows.filter((row) => at - row.at < ms)
      if (key.network === "visa") {
        if (within(30 * DAY).some((row) => categoryOne.has(row.networkCode ?? ""))) return "category 1 of the card"
        if (rows.some((row) => row.minor === minor && categoryOne.has(row.networkCode ?? "")))
          return "category 1 of the amount"
        const alike = within(30 * DAY).filter((row) => row.minor === minor && row.initiator === intent.initiator.by)
        if (alike.length >= 20) return `${alike.length} in 30 days`
      } else {
        const day = within(24 * HOUR)
        if (day.length >= 10) return `${day.length} in a day`
        if (within(30 * DAY).some((row) => row.minor === minor && row.adviceCode === NEVER_AGAIN))
          return "never for the amount"
      }
    }
    return undefined
  }

  #book(payment: Payment, attempt: Attempt, key: BudgetKey): void {
    const { outcome } = attempt
    if (outcome === undefined || !payment.operations.some((o) => o.attempt === attempt.id && authorizes(o))) return
    const rows = this.#rows(key)
    const row = rows.get(attempt.id)
    const executed = outcome.kind === "rejected" && outcome.executed === "unknown"
    const put = (result: Row["result"]): void => {
      const codes = outcome.kind === "declined" ? outcome.raw : {}
      rows.set(attempt.id, {
        id: attempt.id,
        at: attempt.startedAt,
        initiator: payment.intent.initiator.by,
        minor: payment.intent.amount.minor,
        result,
        since: this.#sight.now(),
        ...("networkCode" in codes ? { networkCode: codes.networkCode } : {}),
        ...("adviceCode" in codes ? { adviceCode: codes.adviceCode } : {}),
      } as Row)
    }
    if (row?.result === "declined") return
    if (outcome.kind === "declined") return put("declined")
    if (outcome.kind === "unknown" || executed) {
      if (row === undefined) put("unknown")
    } else if (outcome.kind !== "pending" && outcome.kind !== "action" && row?.result === "unknown") put("none")
  }

  #rows({ network, fingerprint }: BudgetKey): Map<string, Row> {
    const card = `${network} ${fingerprint}`
    const rows = this.#cards.get(card) ?? new Map<string, Row>()
    this.#cards.set(card, rows)
    return rows
  }
}

const tell = ({
  id,
  at,
  result,
  networkCode = "",
  adviceCode = "",
}: Omit<Row, "minor" | "since" | "initiator">): string => `${id} ${at} ${result} ${networkCode} ${adviceCode}`

function keyOf({ merchant, mode, intent: { method } }: Payment): BudgetKey | undefined {
  if (method === undefined || method.type === "provider_token") return undefined
  return { merchant, mode, network: method.network, fingerprint: method.fingerprint }
}
