// What the router may know of a payment and of an attempt's end: the words that the signals share. Nothing here is a
// secret of the world: everything comes from the request, the card's number and the provider's answer.

/** How the attempt before ended. Cards that were declined once are another population: they are learned apart. */
export type Previous = "technical" | "soft_decline" | "decline"

export type Situation = {
  readonly network: string
  /** ISO 3166-1 alpha-2 of the issuer. */
  readonly country: string
  /** The issuer's name or number, else the BIN; absent where neither is known. */
  readonly issuer?: string
  readonly method: string
  readonly operation: string
  /** 1 for the payment's first attempt. */
  readonly attempt: number
  readonly previous?: Previous
}

/**
 * How an attempt ended, once it did. `not_paid` is a decision of anybody: issuer's decline, the provider's risk block, a
 * challenge that the customer abandoned. `technical` speaks against the provider (core/decline.ts countsAgainstHealth, and
 * silence); `issuer_technical` against the issuer. Outcomes that are pending are not reported before they mature.
 */
export type Ending = "paid" | "not_paid" | "technical" | "issuer_technical"

/** An attempt that ended, as the signals take it in. */
export type ObservedAttempt = Situation & {
  readonly account: string
  readonly ending: Ending
  readonly latencyMs?: number
  /**
   * What of it is news. `health`: silence, which counts at once; `approval`: how the silence ended, which only health has
   * heard of; `correction`: the opposite of what was told before. Absent: all of it.
   */
  readonly news?: "health" | "approval" | "correction"
  /**
   * Not paid because of what was typed in or sent twice, or with a card that was declined a moment ago: that says nothing
   * about the account, wherever it was sent.
   */
  readonly blameless?: true
}

/** Something a limit keeps small: beyond it the oldest is forgotten, or what is new joins the coarser one. */
export const MAX_ACCOUNTS = 100
