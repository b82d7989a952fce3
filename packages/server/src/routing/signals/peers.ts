// The issuer-outage guard: how far approval on an issuer, and in its country, is below expectation just now, as the other
// accounts see it. An account is judged against what is left to explain: if all of them fall together, none is blamed.

import { clamp } from "./pooling.ts"

/** An issuer's trouble is minutes to hours long. */
const HALF_LIFE_MS = 20 * 60_000
/** Prior precision of a sudden shift in logits: shifts of one logit and more are what outages look like. */
const STRENGTH = 1
const MAX_SHIFT = 4
/** Countries and issuers that are watched. Beyond it all are forgotten and watched anew: they are minutes of memory. */
const MAX_WATCHED = 20_000

type Cell = { atMs: number; readonly surprise: Float64Array; readonly information: Float64Array; labelled: number }

export type Peers = ReturnType<typeof createPeers>

export function createPeers(size: number) {
  const cells = new Map<string, Cell>()

  function cellOf(key: string, nowMs: number): Cell {
    let cell = cells.get(key)
    if (cell === undefined) {
      if (cells.size >= MAX_WATCHED) cells.clear()
      cell = { atMs: nowMs, surprise: new Float64Array(size), information: new Float64Array(size), labelled: 0 }
      cells.set(key, cell)
    }
    const passed = nowMs - cell.atMs
    // In steps, so that quiet moments cost nothing.
    if (passed > HALF_LIFE_MS / 64) {
      const factor = 2 ** (-passed / HALF_LIFE_MS)
      for (let j = 0; j < size; j++) {
        cell.surprise[j]! *= factor
        cell.information[j]! *= factor
      }
      cell.labelled *= factor
      cell.atMs = nowMs
    }
    return cell
  }

  /** Takes in an outcome with the chance that was expected. `labelled`: the answer itself names the issuer's trouble. */
  function observe(
    keys: readonly string[],
    account: number,
    paid: boolean,
    labelled: boolean,
    expected: number,
    nowMs: number,
  ): void {
    for (const key of keys) {
      const cell = cellOf(key, nowMs)
      if (labelled) cell.labelled += expected
      else cell.surprise[account]! += (paid ? 1 : 0) - expected
      cell.information[account]! += expected * (1 - expected)
    }
  }

  /**
   * The shift in logits (≤ 0) that the others, and the answers' own words, explain for an account; `keys` from coarse to
   * fine, each pooled towards the one before.
   */
  function shiftFor(keys: readonly string[], account: number, nowMs: number): number {
    let shift = 0
    for (const key of keys) {
      const { surprise, information, labelled } = cellOf(key, nowMs)
      let sum = -labelled
      let precision = STRENGTH
      for (let j = 0; j < size; j++)
        if (j !== account) {
          sum += surprise[j]! - shift * information[j]!
          precision += information[j]!
        }
      shift = clamp(shift + sum / precision, -MAX_SHIFT, 0)
    }
    return shift
  }

  return { observe, shiftFor }
}
