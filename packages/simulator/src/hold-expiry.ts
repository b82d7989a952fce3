// Notices when authorizations run out. The ledger is right about an expired hold whenever it is asked; this is for
// the provider's webhook, which comes unasked. One timer for all holds, however many wait.
import type { PersonaPorts } from "./persona.ts"

export type HoldExpiry = {
  /** Watches a hold, or moves its end. */
  watch(reference: string, expiresAt: number): void
  forget(reference: string): void
}

/** `expire` is called once per hold when its time has come; whether it is still open is for the caller to see. */
export function createHoldExpiry(ports: PersonaPorts, expire: (reference: string) => void): HoldExpiry {
  const holds = new Map<string, number>()
  let armedFor = Infinity

  return {
    watch(reference, expiresAt) {
      holds.set(reference, expiresAt)
      if (expiresAt < armedFor) arm(expiresAt)
    },
    forget(reference) {
      holds.delete(reference)
    },
  }

  function arm(at: number): void {
    armedFor = at
    ports.after(Math.max(0, at - ports.now()), wake)
  }

  function wake(): void {
    // A timer that an earlier one overtook has nothing to do: the earlier one armed what is left.
    if (ports.now() < armedFor) return
    armedFor = Infinity
    let next = Infinity
    for (const [reference, expiresAt] of holds) {
      if (expiresAt > ports.now()) {
        next = Math.min(next, expiresAt)
        continue
      }
      holds.delete(reference)
      expire(reference)
    }
    if (next !== Infinity && next < armedFor) arm(next)
  }
}
