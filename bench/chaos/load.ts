// All orders of a run, so many customers at a time.

import type { Client } from "./client.ts"
import { serve } from "./customer.ts"
import { dice } from "./dice.ts"

export type Load = {
  readonly seed: string
  readonly payments: number
  readonly concurrency: number
  readonly accounts: readonly [string, ...string[]]
}

/** Resolves when every customer has left. `begun` hears how many orders have begun. */
export async function runLoad(client: Client, load: Load, begun: (orders: number) => void): Promise<void> {
  const { seed, payments, concurrency, accounts } = load
  let next = 0
  const customer = async (): Promise<void> => {
    while (next < payments) {
      const number = next
      next += 1
      begun(next)
      await serve(client, { number, accounts, dice: dice(seed, `order ${number}`) })
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, payments) }, customer))
}
