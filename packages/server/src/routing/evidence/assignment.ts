// Which arm of an experiment a unit is in: by a hash of its id and the experiment's own salt. The same unit is always in the
// same arm, on every node and in every replay; two experiments split independently of each other, and of the router's dice.

import { createHash } from "node:crypto"

export type Shares = readonly { readonly name: string; readonly share: number }[]

const BITS = 48

/** A number in [0, 1), the first 48 bits of SHA-256. */
export function unitDie(salt: string, unit: string): number {
  return (
    createHash("sha256")
      .update(`${salt.length}:${salt}${unit}`)
      .digest()
      .readUIntBE(0, BITS / 8) /
    2 ** BITS
  )
}

/** The index of the arm. Shares sum up to one; what rounding leaves is the last one's. */
export function armOf(arms: Shares, salt: string, unit: string): number {
  let left = unitDie(salt, unit)
  for (let arm = 0; arm < arms.length; arm++) {
    left -= arms[arm]!.share
    if (left < 0) return arm
  }
  return arms.length - 1
}
