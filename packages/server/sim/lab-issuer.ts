// What the card's issuers say in the simulation, and what the schemes make of it. The judge asks here, never in the
// engine's own tables of declines and rules.

import type { World } from "./world.ts"

/** Another acquirer may get another answer at once. */
export const softReasons = ["do_not_honor", "issuer_unavailable"] as const
/** The same answer is certain everywhere, or a further try is forbidden. */
export const hardReasons = ["stolen_card", "expired_card", "insufficient_funds"] as const

/** The money may be there on another day. */
const LATER = "insufficient_funds"

/** Mastercard's merchant advice code "do not try again", whatever the reason. */
export const NEVER_AGAIN = "03"

export const retriedElsewhere = (reason: string, adviceCode: string | undefined): boolean =>
  adviceCode !== NEVER_AGAIN && (softReasons as readonly string[]).includes(reason)

export const retriedLater = (reason: string, adviceCode: string | undefined): boolean =>
  adviceCode !== NEVER_AGAIN && (reason === LATER || (softReasons as readonly string[]).includes(reason))

/** What Visa never wants to see tried again: of these the lab's issuers say two. */
export const categoryOne: ReadonlySet<string> = new Set(["43", "46"])

/** The network's code of a decline; now and then an issuer says softly what the scheme takes as never. */
export function drawCode(world: World, reason: string): string | undefined {
  switch (reason) {
    case "stolen_card":
      return "43"
    case "expired_card":
      return "54"
    case LATER:
      return "51"
    case "issuer_unavailable":
      return "91"
    case "do_not_honor":
      return world.chance(0.1) ? "46" : "05"
    default:
      return undefined
  }
}

/** The issuers' memory of their cards, whichever provider asks: what is certain at one is certain at all of them. */
export class Issuers {
  readonly #states = new Map<string, { readonly reason: string; readonly until: number }>()
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  says(card: string): string | undefined {
    const state = this.#states.get(card)
    if (state === undefined || this.#world.now >= state.until) return undefined
    this.#world.note("decline that repeats elsewhere")
    return state.reason
  }

  declined(card: string, reason: string): void {
    if (!(hardReasons as readonly string[]).includes(reason)) return
    const until = reason === LATER ? this.#world.now + this.#world.int(60_000, 3 * 86_400_000) : Infinity
    this.#states.set(card, { reason, until })
  }
}
