// What is known beyond Visa and Mastercard: Elo's limit in Brazil. American Express, Discover and JCB publish response codes
// but no number of attempts that we could find; for them, and for every other scheme, a ceiling of our own stands in, taken
// from the strictest of the published ones, and says of itself that it is ours.

import type { FeeRule, LimitRule, Scheme, StopRule } from "./scheme-rule.ts"

const unknownSchemes: readonly Scheme[] = ["amex", "discover", "jcb", "other"]
const everyScheme: readonly Scheme[] = ["visa", "mastercard", "elo", ...unknownSchemes]

export const otherStopRules: readonly StopRule[] = [
  {
    id: "house/hard-decline",
    kind: "stop",
    schemes: everyScheme,
    from: "2019-01-01",
    after: { hardReason: true },
    scope: "payment",
    says: "After a decline whose reason allows no other attempt with this card (lost, stolen, closed, revoked), there is none.",
    sources: ["cybersource", "braspag"],
    certainty: "assumed",
    conflict:
      "CyberSource goes further: no retry at all where a decline bears no advice code. That would forbid every retry through providers who pass none on; not followed.",
  },
]

export const otherLimitRules: readonly LimitRule[] = [
  {
    id: "elo/month-15",
    kind: "limit",
    schemes: ["elo"],
    from: "2021-04-01",
    declines: 15,
    windowHours: 30 * 24,
    per: ["amount"],
    says: "15 declined attempts with the same card and amount in 30 days.",
    sources: ["braspag", "payzu"],
    certainty: "disputed",
    conflict:
      "Billed from the 16th of the month; expiry date and card acceptor count too. Whether the first is one of the 15 is not said: read as counted. Undated: read from the day of Visa's rule on the same page.",
  },
  {
    id: "house/day-10",
    kind: "limit",
    schemes: ["elo", ...unknownSchemes],
    from: "2019-01-01",
    declines: 10,
    windowHours: 24,
    per: [],
    says: "10 declined attempts with the same card in 24 hours: our own ceiling.",
    sources: [],
    certainty: "assumed",
    conflict: "No number is published. As strict as Mastercard's.",
  },
  {
    id: "house/month-15",
    kind: "limit",
    schemes: unknownSchemes,
    from: "2019-01-01",
    declines: 15,
    windowHours: 30 * 24,
    per: ["amount"],
    says: "15 declined attempts with the same card and amount in 30 days: our own ceiling.",
    sources: [],
    certainty: "assumed",
    conflict: "No number is published. As strict as Visa's was and Elo's is.",
  },
]

export const otherFeeRules: readonly FeeRule[] = [
  {
    id: "elo/fee/excess",
    kind: "fee",
    charge: "excess",
    schemes: ["elo"],
    from: "2021-04-01",
    currency: "BRL",
    minor: 80n,
    says: "0.80 BRL for each such attempt.",
    sources: ["braspag"],
    certainty: "single",
  },
]
