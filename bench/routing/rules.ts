// Random policies and payments of a benchmark, the same for every engine: conjunctions of two to five comparisons on facts that
// every payment has (engines differ on absent ones), as merchants write them, and a last rule that matches everything.

import { parseCurrency } from "../../packages/server/src/core/currency.ts"
import type { Network } from "../../packages/server/src/core/card.ts"
import type { Comparison, Condition } from "../../packages/server/src/routing/conditions/condition.ts"
import type { RoutingContext } from "../../packages/server/src/routing/routing-context.ts"
import { diceAt } from "../../packages/server/src/routing/signals/dice.ts"

export type Dice = { below(count: number): number; of<T>(list: readonly T[]): T }

export function dice(seed: number): Dice {
  let counter = 0
  const below = (count: number): number => Math.floor(diceAt(seed, counter++) * count)
  return { below, of: (list) => list[below(list.length)]! }
}

const currencies = ["EUR", "USD", "GBP", "PLN", "SEK", "CHF", "JPY", "BRL"]
const networks: readonly Network[] = ["visa", "mastercard", "amex", "discover", "jcb", "maestro"]
const countries = ["DE", "FR", "US", "GB", "PL", "SE", "CH", "JP", "BR", "ES", "IT", "NL"]
const bins = Array.from({ length: 200 }, (_, i) => String(400_000 + i * 997))
const tiers = ["gold", "silver", "bronze", "new"]

/** All comparisons that a rule makes; they hold together. */
export type BenchRule = readonly Comparison[]

export function benchRules(count: number, roll: Dice, accounts: readonly string[] = []): readonly BenchRule[] {
  const rules = Array.from({ length: count - 1 }, (): BenchRule => {
    const low = roll.below(50) * 1_000
    const some: BenchRule[] = [
      [{ field: "currency", op: "equals", value: roll.of(currencies) }],
      [{ field: "card.network", op: "in", value: [...new Set([roll.of(networks), roll.of(networks)])] }],
      [
        {
          field: "payer.country",
          op: "in",
          value: [...new Set([roll.of(countries), roll.of(countries), roll.of(countries)])],
        },
      ],
      [
        { field: "amount", op: "ge", value: low },
        { field: "amount", op: "lt", value: low + 20_000 },
      ],
      [{ field: "card.bin", op: "prefix", value: roll.of(bins) }],
      [{ field: "metadata.tier", op: "equals", value: roll.of(tiers) }],
      [{ field: "initiator.by", op: "equals", value: roll.of(["customer", "merchant"]) }],
      ...(accounts.length === 0
        ? []
        : [
            [{ field: `accounts.${roll.of(accounts)}.success_rate`, op: "lt", value: 0.85 } as const],
            [{ field: `accounts.${roll.of(accounts)}.state`, op: "equals", value: "ejected" } as const],
          ]),
    ]
    const wanted = 2 + roll.below(4)
    const picked = new Set<BenchRule>([some[0]!])
    while (picked.size < wanted) picked.add(roll.of(some))
    return [...picked].flat()
  })
  return [...rules, []]
}

export const conditionOf = (rule: BenchRule): Condition => (rule.length === 1 ? rule[0]! : { all: rule })

export function benchPayments(count: number, roll: Dice, accounts: readonly string[] = []): readonly RoutingContext[] {
  return Array.from({ length: count }, (): RoutingContext => ({
    mode: "test",
    amount: { minor: BigInt(roll.below(60_000)), currency: parseCurrency(roll.of(currencies))! },
    method: "card",
    network: roll.of(networks),
    country: roll.of(countries),
    bin: roll.of(bins),
    initiator: roll.of(["customer", "customer", "customer", "merchant"]),
    stored: "used",
    networkTransactionId: "488341541494658",
    threeDs: "automatic",
    metadata: { tier: roll.of(tiers) },
    now: 1_790_000_000_000 + roll.below(1_000_000),
    live: Object.fromEntries(
      accounts.map((account) => [
        account,
        {
          state: roll.below(20) === 0 ? ("ejected" as const) : ("healthy" as const),
          successRate: 0.8 + roll.below(20) / 100,
        },
      ]),
    ),
  }))
}
