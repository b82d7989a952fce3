// Chance from the seed. Every use has a stream of its own, named by what it decides, so that one customer's dice never
// shift another's, however the two meet.

import { seededRandom } from "@orchestra/simulator"

export type Dice = {
  /** In [0, 1). */
  random(): number
  chance(probability: number): boolean
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T
}

export function dice(seed: string, what: string): Dice {
  const random = seededRandom(`${seed}:${what}`)
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  return {
    random,
    int,
    chance: (probability) => random() < probability,
    pick: (items) => items[int(0, items.length - 1)] ?? items[0],
    weighted: (items) => {
      let left = random() * items.reduce((sum, [weight]) => sum + weight, 0)
      const drawn = items.find(([weight]) => (left -= weight) < 0) ?? items[0]
      if (drawn === undefined) throw new RangeError("nothing to draw from")
      return drawn[1]
    },
  }
}
