// What the merchants' clients saw: every key that was used and every answer that was acknowledged. Nothing here is known
// to the servers; afterwards all of it must be true.

/** A payment as the API shows it, as far as it is judged. */
export type Shown = {
  readonly id: string
  readonly version: number
  readonly status: string
  readonly amount: number
  readonly currency: string
  readonly amounts: Readonly<
    Record<"requested" | "authorized" | "captured" | "refunded" | "capturing" | "refunding", number>
  >
  readonly action: { readonly url: string; readonly method: string } | null
  readonly attempts: readonly { readonly id: string; readonly account: string; readonly provider: string }[]
}

/** A whole answer of 2xx that a client received. */
export type Acknowledged = {
  readonly order: number
  readonly what: What
  readonly key: string | undefined
  readonly server: string
  readonly payment: string
  readonly version: number
  readonly status: string
  readonly amounts: Shown["amounts"]
}

export type What = "create" | "confirm" | "capture" | "refund" | "cancel" | "complete" | "read"

/** One wish of a merchant: one key, however often it was sent. */
export type Wish = {
  readonly order: number
  readonly what: What
  readonly key: string
  readonly path: string
  /** Minor units, where the wish names an amount. */
  readonly amount: number | undefined
  /** `open`: no answer was seen; it may have been done or not. */
  outcome: "open" | "acknowledged" | "refused"
  payment: string | undefined
  /** Payments that the answers to this one key named: must be one. */
  readonly payments: Set<string>
}

export type Journal = {
  readonly wishes: Wish[]
  readonly acknowledged: Acknowledged[]
  /** What a client should never be answered, and how often. */
  readonly unexpected: Map<string, number>
  /** Faults that may come while things break, by code: for the report. */
  readonly faults: Map<string, number>
}

/** Different texts of unexpected answers that are kept. */
const MAX_UNEXPECTED = 200

export const openJournal = (): Journal => ({
  wishes: [],
  acknowledged: [],
  unexpected: new Map(),
  faults: new Map(),
})

export function noteUnexpected({ unexpected }: Journal, text: string): void {
  if (unexpected.size < MAX_UNEXPECTED || unexpected.has(text)) unexpected.set(text, (unexpected.get(text) ?? 0) + 1)
}

export function noteFault({ faults }: Journal, code: string): void {
  faults.set(code, (faults.get(code) ?? 0) + 1)
}
