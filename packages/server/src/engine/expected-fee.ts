// What a payment would cost at an account, as a share of its amount, by the fees of the account's contract. No model, or no rate
// of exchange to its currency: no cost, and the decision's record shows none.

import { fundings } from "../core/card-facts.ts"
import { given } from "../core/given.ts"
import { expectedFee, type FeePayment } from "../routing/cost.ts"
import type { Product } from "../routing/cost/fee-model.ts"
import type { RoutingContext } from "../routing/decide.ts"
import type { Fee } from "../routing/signals/signals.ts"
import type { Account } from "./engine.ts"

export function feeAt(account: Account | undefined, context: RoutingContext, now: number): Fee | undefined {
  if (account?.fees === undefined) return undefined
  const fee = expectedFee(account.fees, feePayment(context), { at: now })
  return fee.kind === "unknown" ? undefined : { paid: fee.share, declined: fee.declinedShare }
}

/** What a fee may depend on; a funding that no fee model knows is as good as none. */
export function feePayment({
  amount,
  method,
  network,
  country,
  initiator,
  threeDs,
  ...rest
}: RoutingContext): FeePayment {
  const funding = fundings.find((known) => known === rest.funding)
  const product = rest.product === undefined ? undefined : feeProductOf(rest.product)
  return { amount, method, initiator, threeDs, ...given({ network, country, funding, product }) }
}

/** Everybody names products differently, but a card for a business has one of these words in its name. */
const commercialWords: ReadonlySet<string> = new Set([
  "business",
  "commercial",
  "corporate",
  "company",
  "purchasing",
  "procurement",
  "fleet",
])
const consumerWords: ReadonlySet<string> = new Set(["consumer", "personal", "private"])

/** What fees tell apart: a product whose name says neither, or both, stays unknown. */
export function feeProductOf(name: string): Product | undefined {
  const words = name.toLowerCase().split(/[^a-z]+/)
  const isCommercial = words.some((word) => commercialWords.has(word))
  const isConsumer = words.some((word) => consumerWords.has(word))
  return isCommercial === isConsumer ? undefined : isCommercial ? "commercial" : "consumer"
}
