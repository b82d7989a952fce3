// How a rule picks among its accounts. Data only: what it means is in decide.ts (who can serve at all) and router.ts (which of
// them, in which order).

/**
 * What is maximised. `approval`: the chance to be paid. `expected_value`: chance × margin − cost − price of waiting, all as
 * shares of the amount (so that one scale serves prices and commitments).
 */
export type Objective =
  | { readonly kind: "approval" }
  | {
      readonly kind: "expected_value"
      /** The merchant's margin as a share of the amount. */
      readonly margin: number
      /** What one second of waiting costs, as a share of the amount. */
      readonly perSecond: number
    }

export type Strategy =
  | { readonly kind: "ordered"; readonly accounts: readonly string[] }
  /** By the payment's hash: sticky, and replayable. The others follow in the order of the list. */
  | { readonly kind: "split"; readonly shares: readonly { readonly account: string; readonly share: number }[] }
  | {
      readonly kind: "optimize"
      readonly accounts: readonly string[]
      readonly objective: Objective
      /** Share of traffic that may explore; 0 switches it off. */
      readonly exploration?: number
    }
