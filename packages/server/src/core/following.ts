// Why an attempt followed another one, or why none did, as it is stored with the payment and shown in its history. Made in
// engine/following.ts from the verdict of routing/retry-following.ts; bounded, whatever policies and tables say.

import type { AccountId, AttemptId } from "./id.ts"
import type { Money } from "./money.ts"

/** A possibility that was preferred and may not be. */
export type PassedOver = {
  /** Of the retry plan. */
  readonly step: string
  readonly account?: AccountId
  readonly why: string
  /** The scheme's rule that stands against it, and what the scheme would bill (docs/scheme-rules.md). */
  readonly rule?: string
  readonly predictedFee?: Money
}

/** How far a scheme's limit was used up. */
export type UsedLimit = {
  readonly rule: string
  readonly used: number
  readonly limit: number
  readonly nextFreeAt?: number
}

type Judged = {
  /** The attempt after which it was asked, and when. */
  readonly after: AttemptId
  readonly at: number
  /** The schemes' limits for the card, the attempt before counted. */
  readonly limits: readonly UsedLimit[]
  readonly passedOver: readonly PassedOver[]
  /** Passed over beyond what is kept. */
  readonly omitted?: number
}
export type Follows = Judged & {
  readonly step: string
  /** A rule of the scheme that had something to say and does not stand against it. */
  readonly rule?: string
  readonly predictedFee?: Money
}
export type Stopped = Judged & { readonly why: string }

export const MAX_PASSED_OVER = 20
export const MAX_WHY = 500
