// What the card's issuers say in the simulation, and what the schemes make of it. The judge asks here, never in the
// engine's own table of declines.

/** Another acquirer may get another answer at once. */
export const softReasons = ["do_not_honor", "issuer_unavailable"] as const
/** The same answer is certain everywhere, or a further try is forbidden. */
export const hardReasons = ["stolen_card", "expired_card", "insufficient_funds"] as const

/** Mastercard's merchant advice code "do not try again", whatever the reason. */
export const NEVER_AGAIN = "03"

export const retriedElsewhere = (reason: string, adviceCode: string | undefined): boolean =>
  adviceCode !== NEVER_AGAIN && (softReasons as readonly string[]).includes(reason)
