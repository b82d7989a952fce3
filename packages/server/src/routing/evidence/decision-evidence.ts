// What is kept of a decision that evidence is made of: with which chance each account could have been taken (after all
// gates), which one was, and what became of it. Cost and latency are what the payment cost and took, approval is 0 or 1; what is
// not known yet is absent.

/** In the place of an account: the rule declined early, and no attempt was made. */
export const NO_ATTEMPT = "none"

export const metrics = ["approval", "cost", "latency"] as const
export type Metric = (typeof metrics)[number]

/** By account; they sum up to 1. */
export type Propensities = Readonly<Record<string, number>>

export type DecisionEvidence = {
  readonly propensities: Propensities
  readonly account: string
  readonly values: Readonly<Partial<Record<Metric, number>>>
}
