// What a world's merchant may want after a decline, and what its cards have been through before: some come with their limits
// nearly used up.

import type { BudgetKey, CardAttempt } from "../src/core/card-attempt.ts"
import { parseCurrency } from "../src/core/currency.ts"
import type { AccountId, AttemptId } from "../src/core/id.ts"
import type { Network } from "../src/core/card.ts"
import { plainRetryPlan, type RetryPlan, type RetryStep } from "../src/routing/retry-plan.ts"
import { MERCHANT, SHARED_CARD, USUAL_AMOUNT } from "./merchant.ts"
import { World } from "./world.ts"

const on = plainRetryPlan.steps[0]!.on
const elsewhere: RetryStep = {
  name: "elsewhere",
  on,
  times: 3,
  provider: "any",
  delaySeconds: [],
  shape: {},
}
const rate = { atLeastBps: 5_000, windowSeconds: 600, minimumAttempts: 2 }

export const retryPlans: readonly RetryPlan[] = [
  { maxRetries: 1, steps: [elsewhere] },
  {
    maxRetries: 4,
    steps: [{ ...elsewhere, provider: "other", delaySeconds: [2, 5], shape: { descriptor: "SHOP AGAIN" } }],
  },
  {
    maxRetries: 5,
    steps: [
      { ...elsewhere, shape: { threeDs: "none", descriptor: "SHOP AGAIN" } },
      { ...elsewhere, name: "here", provider: "same", times: 2, delaySeconds: [1] },
    ],
  },
  {
    maxRetries: 6,
    steps: [
      { ...elsewhere, avoidAbove: rate },
      { ...elsewhere, name: "payday", initiator: "merchant", times: 2, delaySeconds: [4_000, 90_000] },
    ],
  },
  {
    maxRetries: 3,
    steps: [
      { ...elsewhere, name: "step up", on: { categories: ["issuer_policy"] }, shape: { threeDs: "required" } },
      { ...elsewhere, name: "payday", initiator: "merchant", provider: "same", times: 3, delaySeconds: [86_400] },
      { ...elsewhere, name: "failing", onlyAbove: rate },
    ],
  },
]

/** Declines of the shared card in the days before, up to a few below the schemes' limits, or beyond them. */
export function drawHistory(seed: number, now: number): readonly { key: BudgetKey; rows: readonly CardAttempt[] }[] {
  const dice = new World(seed ^ 0x27d4eb2f)
  if (dice.chance(0.5)) return []
  const rows = (count: number, spanMs: number): readonly CardAttempt[] =>
    Array.from({ length: count }, (_, i) => ({
      id: `att_before_${i}` as AttemptId,
      at: now - dice.int(1_000, spanMs),
      account: "acc_0" as AccountId,
      amount: { minor: USUAL_AMOUNT, currency: parseCurrency("EUR")! },
      initiator: dice.chance(0.7) ? ("customer" as const) : ("merchant" as const),
      result: "declined" as const,
      networkCode: "05",
    }))
  const key = (network: Network): BudgetKey => ({ merchant: MERCHANT, mode: "test", network, fingerprint: SHARED_CARD })
  return [
    { key: key("visa"), rows: rows(dice.int(20, 32), 29 * 86_400_000) },
    { key: key("mastercard"), rows: rows(dice.int(7, 11), 23 * 3_600_000) },
  ]
}
