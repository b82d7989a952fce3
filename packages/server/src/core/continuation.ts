// Whether the plan may go on to the next account after an attempt has ended. Only what certainly holds nothing leads on,
// and a decline only where its reason, the issuer's advice and the schemes allow another try elsewhere.

import { declineReasons } from "./decline.ts"
import { readAdviceCode } from "./network-code.ts"
import type { Outcome } from "./outcome.ts"

export type Continuation = { readonly kind: "next" } | { readonly kind: "stop"; readonly why: string }

export function continuationAfter(outcome: Outcome): Continuation {
  switch (outcome.kind) {
    case "not_sent":
      return { kind: "next" }
    case "absent":
      return { kind: "next" }
    case "rejected":
      // `executed` is from the provider's documentation, never inferred from a status class.
      return outcome.executed === "no" ? { kind: "next" } : { kind: "stop", why: "the outcome is unknown" }
    case "declined": {
      const advice = outcome.raw.adviceCode === undefined ? undefined : readAdviceCode(outcome.raw.adviceCode)
      if (advice?.retry === "never")
        return { kind: "stop", why: `the issuer advises never to try again (${outcome.raw.adviceCode})` }
      return declineReasons[outcome.reason].retryElsewhere === "yes"
        ? { kind: "next" }
        : { kind: "stop", why: `${outcome.reason} is not retried elsewhere` }
    }
    case "unknown":
      return { kind: "stop", why: "the outcome is unknown" }
    case "approved":
    case "pending":
    case "action":
      return { kind: "stop", why: outcome.kind }
    default:
      return outcome satisfies never
  }
}
