// One disagreement between the truth and what we stored, answered or told.

/**
 * double_charge  money is held or taken that should not be: twice for one payment, by a charge that does not stand, or
 *                more than our books say
 * lost           an acknowledged payment, an answer's truth, money of our books, or a webhook is missing
 * unsettled      still open when the time was over
 */
export type FindingKind = "double_charge" | "lost" | "unsettled"

export type Finding = {
  readonly kind: FindingKind
  readonly what: string
  readonly payment?: string
}

export const finding = (kind: FindingKind, payment: string | undefined, what: string): Finding => ({
  kind,
  what,
  ...(payment === undefined ? {} : { payment }),
})
