// Health as values: the states an account can be in for a scope, and every change with its evidence, so that it can be
// stored, shown, shared between nodes and argued with.
//
//   from        to          when
//   healthy     suspect     the odds of trouble make another account the better choice; traffic follows the score
//   suspect     healthy     the odds faded or successes took them down
//   any         ejected     the CUSUM crossed the threshold of the stated false-alarm rate
//   ejected     probing     its wait is over, and a harmless read succeeded where the account can be read
//   probing     ejected     a probe failed technically; the wait doubles
//   probing     returning   as many probes in a row succeeded as tell well from half sick (SPRT at 5 %)
//   probing     returning   for an hour no payment came that may carry a probe (MIT, cryptograms): by a share instead
//   returning   healthy     its rising shares of traffic went well
//   any         healthy     all accounts fell together: it is the issuer or this node, and no account is blamed

export type HealthState = "healthy" | "suspect" | "ejected" | "probing" | "returning"

/** `technical`: failures of provider and way. `declines`: approval falls against peers on the same issuers. */
export type HealthCause = "technical" | "declines"

export type Dimension = "all" | "operation" | "network" | "country" | "method"

export type HealthChange = {
  readonly kind: "health"
  readonly account: number
  readonly dimension: Dimension
  readonly value: string
  readonly from: HealthState
  readonly to: HealthState
  readonly cause: HealthCause
  readonly why: "odds" | "threshold" | "waited" | "probe_failed" | "probes_succeeded" | "share_held" | "all_together"
  readonly atMs: number
  readonly evidence: HealthEvidence
}

export type HealthEvidence = {
  readonly sinceMs: number
  /** Outcomes since then, and how many of them were bad. */
  readonly n: number
  readonly bad: number
  /** What share of bad ones is normal for this account. */
  readonly expected: number
  readonly statistic: number
  readonly threshold: number
  readonly probability: number
}

/** All accounts fail technically together: what they share is this node. */
export type NodeChange = { readonly kind: "node"; readonly sick: boolean; readonly atMs: number }

/** An account answers slower than it does (`slow`), or no longer so. */
export type LatencyChange = {
  readonly kind: "latency"
  readonly account: number
  readonly slow: boolean
  readonly usualMs: number
  readonly nowMs: number
  readonly statistic: number
  readonly atMs: number
}

export type SignalChange = HealthChange | NodeChange | LatencyChange
