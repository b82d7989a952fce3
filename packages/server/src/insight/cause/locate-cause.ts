// The two questions that a localiser answers: which slices fail more than they did, and which values left their forecast.

import { expectedFailures, type Counts } from "./expectation.ts"
import type { Leaves } from "./leaves.ts"
import { locate, ratioOptions, valueOptions, type Located, type Options } from "./locate.ts"
import { deviationMeasure, excessMeasure } from "./measure.ts"

export function locateExcess(
  leaves: Leaves,
  counts: Counts,
  { dispersion = 1, ...options }: Partial<Options> & { readonly dispersion?: number } = {},
): Located {
  const measure = excessMeasure(counts.f, expectedFailures(leaves, counts), dispersion)
  return locate(leaves, measure, { ...ratioOptions, ...options })
}

export function locateDeviation(
  leaves: Leaves,
  values: Float64Array,
  forecasts: Float64Array,
  options: Partial<Options> = {},
): Located {
  return locate(leaves, deviationMeasure(values, forecasts), { ...valueOptions, ...options })
}
