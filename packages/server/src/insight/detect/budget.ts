// One false-alarm budget for the whole merchant, given out over the slices: with a threshold of A minutes of evidence a slice
// alarms without cause less than once in A minutes, and the sum over all slices is the budget. Coarse slices get more of it,
// because what goes wrong mostly goes wrong widely, and because they are few. Nothing is assumed about how slices depend.

import assert from "node:assert/strict"

export const MINUTES_PER_WEEK = 10_080
/** False incidents a week, all slices together. */
export const DEFAULT_BUDGET = 1

/** Shares by how many dimensions a slice fixes: none, one, two, three or more. */
const layerShares = [0.3, 0.4, 0.2, 0.1] as const
export const LAYERS = layerShares.length
export const layerOf = (fixed: number): number => Math.min(fixed, LAYERS - 1)

/** Evidence at which a slice of a layer alarms, given how many slices each layer has. Layers without slices give theirs away. */
export function thresholdOf(layer: number, slicesByLayer: readonly number[], perWeek = DEFAULT_BUDGET): number {
  const slices = slicesByLayer[layer] ?? 0
  assert(slices > 0 && perWeek > 0, `layer ${layer} has no slices or there is no budget`)
  const used = layerShares.reduce((sum, share, at) => ((slicesByLayer[at] ?? 0) > 0 ? sum + share : sum), 0)
  return (MINUTES_PER_WEEK * slices * used) / (perWeek * layerShares[layer]!)
}
