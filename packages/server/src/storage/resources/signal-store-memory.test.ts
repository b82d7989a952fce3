import { setImmediate as soon } from "node:timers/promises"
import { createMemorySignals } from "./signal-store-memory.ts"
import { signalStoreContract } from "./signal-store-contract.ts"

signalStoreContract("in memory", () => {
  let state = 7
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const sleep = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms; i++) await soon()
  }
  return Promise.resolve({
    store: createMemorySignals({ now: () => 1_800_000_000_000, random, sleep }),
    close: () => Promise.resolve(),
  })
})
