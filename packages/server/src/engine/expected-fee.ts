// What a payment would cost at an account, as a share of its amount, by the fees of the account's contract. No model, or no rate
// of exchange to its currency: no cost, and the decision's record shows none.

import { given } from "../core/given.ts"
import { expectedFee } from "../routing/cost.ts"
import { fundings } from "../routing/cost/fee-model.ts"
import type { RoutingContext } from "../routing/decide.ts"
import type { Fee } from "../routing/signals/signals.ts"
import type { Account } from "./engine.ts"

export function feeAt(account: Account | undefined, context: RoutingContext, now: number): Fee | undefined {
  if (account?.fees === undefined) return undefined
  const { amount, method, network, country, initiator, threeDs } = context
  const funding = fundings.find((known) => known === context.funding)
  const payment = { amount, method, initiator, threeDs, ...given({ network, country, funding }) }
  const fee = expectedFee(account.fees, payment, { at: now })
  return fee.kind === "unknown" ? undefined : { paid: fee.share, declined: fee.declinedShare }
}
