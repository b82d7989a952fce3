import assert from "node:assert/strict"
import { test } from "node:test"
import { logGamma } from "./log-gamma.ts"
import { normalQuantile, studentQuantile } from "./quantile.ts"

const near = (actual: number, wanted: number, off: number): void =>
  assert.ok(Math.abs(actual - wanted) < off, `${actual}, not ${wanted}`)

test("quantiles of the normal are those of the tables, on both sides", () => {
  for (const [p, z] of [
    [0.5, 0],
    [0.9, 1.281551566],
    [0.975, 1.959963985],
    [0.995, 2.575829304],
    [0.9999, 3.719016485],
  ] as const) {
    near(normalQuantile(p), z, 1e-8)
    near(normalQuantile(1 - p), -z, 1e-8)
  }
  for (const p of [0, 1, -1, Number.NaN]) assert.throws(() => normalQuantile(p), RangeError)
})

test("quantiles of Student's t are those of the tables, from few degrees of freedom on", () => {
  for (const [degrees, t] of [
    [5, 2.570582],
    [10, 2.228139],
    [30, 2.042272],
    [100, 1.983972],
  ] as const)
    near(studentQuantile(0.975, degrees), t, degrees < 30 ? 5e-3 : 1e-4)
})

test("ln Γ is that of the factorials and of the half", () => {
  let factorial = 1
  for (let n = 1; n < 20; n++) {
    near(logGamma(n), Math.log(factorial), 1e-10)
    factorial *= n
  }
  near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-10)
  assert.throws(() => logGamma(0), RangeError)
})
