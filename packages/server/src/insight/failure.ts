// What an attempt that came to nothing failed by, and whose failure it is.

import { declineReasons, type DeclineCategory, type DeclineFault } from "../core/decline.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Attempt } from "../core/payment.ts"

export type Ending = {
  readonly reason: string | undefined
  readonly category: DeclineCategory | undefined
  readonly fault: DeclineFault | "engine" | undefined
  readonly technical: boolean
  readonly atIssuer: boolean
}

export function endingOf(attempt: Attempt, outcome: Outcome | undefined, approved: boolean, settled: boolean): Ending {
  const none = { reason: undefined, category: undefined, technical: false, atIssuer: false }
  if (approved || !settled) return { ...none, fault: undefined }
  switch (outcome?.kind) {
    case "declined":
    case "rejected": {
      const { category, fault, countsAgainstHealth } = declineReasons[outcome.reason]
      const theirs = outcome.kind === "rejected" && outcome.fault === "theirs"
      return {
        reason: outcome.reason,
        category,
        fault,
        technical: countsAgainstHealth || theirs,
        atIssuer: outcome.kind === "declined" && reachesIssuer[category],
      }
    }
    case "not_sent":
    case "unknown":
    case "absent":
      return { ...none, fault: "provider", technical: true }
    case "action":
    case "pending":
      // The customer never came back, or the provider never told.
      return { ...none, fault: attempt.state === "lapsed" && outcome.kind === "action" ? "customer" : "provider" }
    case "approved":
    case undefined:
      return { ...none, fault: "engine" }
    default:
      return outcome satisfies never
  }
}

/**
 * Whether a decline of this category says that an issuer, or a network in its place, was asked: only these count in the
 * issuer authorization rate. Where it cannot be told from the code, `false`, so that issuers are not blamed.
 */
export const reachesIssuer: Readonly<Record<DeclineCategory, boolean>> = {
  insufficient_funds: true,
  limit: true,
  card_data: true,
  card_state: true,
  account_closed: true,
  authentication: true,
  fraud: true,
  issuer_policy: true,
  not_permitted: true,
  revoked: true,
  lifecycle: true,
  token: true,
  compliance: true,
  issuer_technical: true,
  duplicate: false,
  customer_action: false,
  provider_risk: false,
  merchant_configuration: false,
  request: false,
  state: false,
  network_technical: false,
  provider_technical: false,
  unmapped: false,
}
