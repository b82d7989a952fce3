// What a change of a payment tells routing: attempts that ended, or whose end turned out to be another one. Pure, from the
// payment before and after a commit. Every change of a payment is committed once, by one node, so an end is told once,
// whoever learned of it. A commit whose fate is unknown tells nothing: twice would be worse than not at all.
//
//   what is known of an attempt goes from   to       | told
//   nothing                                 silence  | health: technical
//   nothing                                 an end   | everything
//   silence                                 an end   | approval, where somebody decided; health has heard of the silence
//   an end                                  another  | a correction, where paid and not paid changed places
//
// A challenge or a pending answer is nothing yet: it waits. An abandoned challenge and a risk block are payments not paid.

import { declineReasons, type DeclineCategory } from "../core/decline.ts"
import { exponentOf } from "../core/currency.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import type { Money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import { CARD_GONE } from "../core/settlement.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Ending, ObservedAttempt, Previous, Situation } from "../routing/signals/observation.ts"

export type Observation = ObservedAttempt & {
  readonly id: AttemptId
  readonly account: AccountId
  /** In whole units of the currency. */
  readonly amount: number
  readonly currency: string
  readonly at: number
  /** Nothing came back for it. Said of what this node itself has sent, and not shared. */
  readonly unanswered?: true
}

/** Attempts of one payment that one commit may end; there are never more (MAX_ATTEMPTS). */
export function observationsOf(before: Payment | undefined, after: Payment, at: number): readonly Observation[] {
  return after.attempts.flatMap((attempt) => {
    const was = before?.attempts.find((a) => a.id === attempt.id)
    if (was === attempt) return []
    const told = newsOf(
      was === undefined || before === undefined ? undefined : knownOf(before, was),
      knownOf(after, attempt),
    )
    if (told === undefined) return []
    const latencyMs = told.news === undefined ? latencyOf(before, after, attempt) : undefined
    return [
      {
        ...situationOf(after, attempt.ordinal, asksForThreeDs(attempt)),
        id: attempt.id,
        account: attempt.account,
        ending: told.ending,
        ...(told.news === undefined ? {} : { news: told.news }),
        ...(latencyMs === undefined ? {} : { latencyMs }),
        ...wholeAmount(after.intent.amount),
        at,
        ...(told.ending === "not_paid" && isMistyped(attempt) ? { blameless: true as const } : {}),
        ...(told.ending === "technical" && isUnanswered(attempt) ? { unanswered: true as const } : {}),
      },
    ]
  })
}

/** Whoever tests stolen cards makes thousands of them, at whichever account comes first. */
const isMistyped = ({ outcome }: Attempt): boolean =>
  (outcome?.kind === "declined" || outcome?.kind === "rejected") &&
  mistyped.has(declineReasons[outcome.reason].category)
const mistyped: ReadonlySet<DeclineCategory> = new Set(["card_data", "duplicate"])

/** A refusal is an answer, also of what was only prepared. */
const isUnanswered = ({ outcome }: Attempt): boolean => outcome?.kind !== "rejected" && outcome?.kind !== "declined"

/** How routing sees an attempt of a payment; the same for the decision and for what became of it. */
export function situationOf(payment: Payment, ordinal: number, asked: boolean): Situation {
  const { method, amount, threeDs, billing } = payment.intent
  const country = (method?.type === "provider_token" ? undefined : method?.country) ?? billing?.address?.country
  const before = payment.attempts.find((a) => a.ordinal === ordinal - 1)
  const previous = before?.outcome === undefined ? undefined : previousOf(before.outcome)
  return {
    network: method?.network ?? UNKNOWN,
    country: country ?? UNKNOWN,
    ...(method === undefined || method.type === "provider_token" ? {} : { issuer: method.issuer ?? method.bin }),
    method: method?.type ?? UNKNOWN,
    operation: amount.minor === 0n ? "verify" : threeDs.mode === "required" || asked ? "authorize_3ds" : "authorize",
    attempt: ordinal,
    ...(ordinal === 1 || previous === undefined ? {} : { previous }),
  }
}

/** The rule wants 3-D Secure where the payment left it open; what its retry plan says of the very attempt stands above that. */
export const asksForThreeDs = ({ decision, shape }: Attempt): boolean =>
  (shape?.threeDs ?? (decision as Partial<DecisionRecord> | undefined)?.threeDs) === "required"

const UNKNOWN = "unknown"

export function wholeAmount({ minor, currency }: Money): { readonly amount: number; readonly currency: string } {
  return { amount: Number(minor) / 10 ** exponentOf(currency), currency }
}

/** What a retry begins with. Silence that is being reversed leaves the card as unjudged as any technical failure. */
export function previousOf(outcome: Outcome): Previous {
  if (outcome.kind !== "declined" && outcome.kind !== "rejected") return "technical"
  const { countsAgainstHealth, category, retryElsewhere } = declineReasons[outcome.reason]
  if (countsAgainstHealth || category === "issuer_technical") return "technical"
  return retryElsewhere === "yes" ? "soft_decline" : "decline"
}

type Known = "silence" | Ending | undefined

/** Never sent, for reasons of our own: it says nothing about anybody. */
const neverMade: ReadonlySet<string> = new Set([
  "encode_failed",
  "input_failed",
  "cryptogram_gone",
  CARD_GONE,
  "TOO_LATE",
  "owner_gone",
])
export const isNeverMade = ({ raw }: Outcome): boolean => neverMade.has(raw.code)

function knownOf(payment: Payment, attempt: Attempt): Known {
  const { state, outcome, authorized } = attempt
  if (state === "lapsed" && authorized === 0n)
    // What its merchant called off was not abandoned by its customer.
    return payment.ending?.as === "canceled" ? undefined : "not_paid"
  if (outcome === undefined || isNeverMade(outcome)) return undefined
  switch (outcome.kind) {
    case "approved":
      return outcome.effect === "prepared" ? undefined : "paid"
    case "declined":
      return endingOf(outcome.reason)
    case "rejected":
      return state === "open" ? silenceOf(payment, attempt) : endingOf(outcome.reason)
    case "unknown":
      return silenceOf(payment, attempt)
    case "not_sent":
      return "technical"
    // Proven never to have taken effect: the silence before it was the news.
    case "absent":
      return "silence"
    case "pending":
    case "action":
      return undefined
    default:
      return outcome satisfies never
  }
}

/** Of the authorization itself: a return of the customer that is not answered is no second silence of the attempt. */
const silenceOf = ({ operations }: Payment, { id }: Attempt): Known =>
  operations.some(
    ({ attempt, kind, outcome }) =>
      attempt === id && kind === "authorize" && (outcome?.kind === "unknown" || outcome?.kind === "rejected"),
  )
    ? "silence"
    : undefined

function endingOf(reason: keyof typeof declineReasons): Ending {
  const { countsAgainstHealth, category } = declineReasons[reason]
  return countsAgainstHealth ? "technical" : category === "issuer_technical" ? "issuer_technical" : "not_paid"
}

type News = { readonly ending: Ending; readonly news?: NonNullable<ObservedAttempt["news"]> }

function newsOf(was: Known, is: Known): News | undefined {
  if (is === was || is === undefined) return undefined
  if (is === "silence") return was === undefined ? { ending: "technical", news: "health" } : undefined
  if (was === undefined) return { ending: is }
  if (is !== "paid" && is !== "not_paid") return undefined
  return { ending: is, news: was === "paid" || was === "not_paid" ? "correction" : "approval" }
}

/** From the request to the first answer, where this change brought it. */
function latencyOf(before: Payment | undefined, after: Payment, attempt: Attempt): number | undefined {
  const operation = after.operations.find((o) => o.attempt === attempt.id && o.kind === "authorize")
  const was = before?.operations.find((o) => o.id === operation?.id)
  if (operation?.sentAt === undefined || operation.settledAt === undefined || was?.state !== "sent") return undefined
  return operation.outcome?.kind === "not_sent" ? undefined : Math.max(0, operation.settledAt - operation.sentAt)
}
