// What an account costs per month whatever its payments: a fixed fee, and what is missing to the month's minimum. No payment
// is charged with it in `estimate`: routing a payment here or there does not change a fixed fee, and changes a minimum only in
// the month in which it decides.

import { money, type Money } from "../../core/money.ts"
import type { FeeModel } from "./fee-model.ts"
import { apportioned } from "./fine-amount.ts"

export type MonthlyCost = {
  readonly fixed: Money
  /** Up to the minimum, beyond the fees of the month's payments. */
  readonly toMinimum: Money
  readonly amount: Money
}

/** `charged`: all fees of the month's payments, refunds and chargebacks. Throws a TypeError for another currency. */
export function monthlyCost({ currency, monthly }: FeeModel, charged: Money): MonthlyCost {
  if (charged.currency !== currency) throw new TypeError(`the model is in ${currency}, not in ${charged.currency}`)
  // The minimum is one of whole minor units: a bill is.
  const minimum = apportioned([monthly?.minimum ?? 0n]).total
  const missing = minimum > charged.minor ? minimum - charged.minor : 0n
  const fixed = apportioned([monthly?.fixed ?? 0n]).total
  return {
    fixed: money(fixed, currency),
    toMinimum: money(missing, currency),
    amount: money(fixed + missing, currency),
  }
}
