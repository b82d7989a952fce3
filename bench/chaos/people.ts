// People at the providers' dashboards: they refund, capture and void payments of ours by hand, beside everything that our
// servers do with them. We hear of it by webhook only, and our books have to follow all the same.

import { setTimeout as sleep } from "node:timers/promises"
import type { ByHand, Simulator, TrueCharge } from "@orchestra/simulator"
import { dice, type Dice } from "./dice.ts"

/** Between two deeds (ms), shortest and longest. */
const DEED_EVERY_MS = [400, 2_000] as const
/**
 * They go home after this long (ms): what they did may overtake what it is about, and then waits for it for some minutes,
 * which are over when the customers of a long run have left.
 */
const WORKDAY_MS = 240_000
/** They look at the last so many payments of an account. */
const MAX_LOOKED_AT = 200

export type Deed = { readonly at: number; readonly account: string; readonly reference: string } & ByHand

/**
 * Whether people work at this account by hand. At the others webhooks may vanish for ever, which no provider does and
 * which only what can be asked about survives: nobody can ask for what he does not know of.
 */
export const isWorkedByHand = (account: string): boolean => account.endsWith("_1")

/** Resolves when the signal ends it. `done` hears of every deed that the provider took. */
export async function workByHand(
  seed: string,
  simulator: Simulator,
  signal: AbortSignal,
  done: (deed: Deed) => void,
): Promise<void> {
  const own = dice(seed, "people")
  const accounts = simulator.accounts().filter(({ id }) => isWorkedByHand(id))
  const [first, ...others] = accounts
  if (first === undefined) return
  const closing = Date.now() + WORKDAY_MS
  while (!signal.aborted && Date.now() < closing) {
    await sleep(own.int(...DEED_EVERY_MS), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const { id } = own.pick([first, ...others])
    const charges = simulator.truth(id).slice(-MAX_LOOKED_AT).filter(isWorkable)
    const [newest, ...rest] = charges.toReversed()
    if (newest === undefined) continue
    const { reference, ...charge } = own.pick([newest, ...rest])
    const deed = drawDeed(own, charge)
    if (simulator.account(id)?.persona.befall(reference, deed) === true)
      done({ at: Date.now(), account: id, reference, ...deed })
  }
}

const isWorkable = ({ state, captured, refunded }: TrueCharge): boolean =>
  state === "authorized" || (state === "captured" && refunded < captured)

function drawDeed(own: Dice, { state, authorized, captured, refunded }: Omit<TrueCharge, "reference">): ByHand {
  const part = (whole: bigint): bigint => whole / own.pick([2n, 3n, 10n]) || 1n
  if (captured > refunded)
    return own.weighted<ByHand>([
      [3, { type: "refund", amount: part(captured - refunded) }],
      [1, { type: "refund" }],
      [state === "authorized" ? 2 : 0, { type: "capture" }],
      [state === "authorized" ? 2 : 0, { type: "void" }],
      [1, { type: "cancel_or_refund" }],
    ])
  return own.weighted<ByHand>([
    [2, { type: "capture", amount: part(authorized) }],
    [2, { type: "capture" }],
    [1, { type: "capture", amount: part(authorized), final: false }],
    [2, { type: "void" }],
    [1, { type: "cancel_or_refund" }],
  ])
}
