// Cards that were declined a moment ago: one customer who tries again and again with an empty card is one decline, and no
// series of them, by which health would blame whichever account comes first. What this node has seen, in memory.

/** A card that was declined says nothing new of an account for so long. */
export const SAME_CARD_MS = 3_600_000
/** Cards that one merchant's signals remember; those that were declined longest ago are forgotten. */
export const MAX_DECLINED_CARDS = 2_000

export type DeclinedCards = ReturnType<typeof createDeclinedCards>

export function createDeclinedCards() {
  const declinedAt = new Map<string, number>()
  return {
    /** Notes a decline, and tells whether the card had one within the hour before. */
    declinedAgain(fingerprint: string, at: number): boolean {
      const before = declinedAt.get(fingerprint)
      if (before !== undefined && at - before < SAME_CARD_MS) return true
      declinedAt.delete(fingerprint)
      declinedAt.set(fingerprint, at)
      const oldest = declinedAt.keys().next().value
      if (declinedAt.size > MAX_DECLINED_CARDS && oldest !== undefined) declinedAt.delete(oldest)
      return false
    },
  }
}
