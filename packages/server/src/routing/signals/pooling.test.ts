import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { invert, multiply } from "./matrix.ts"
import { createPooling } from "./pooling.ts"
import { diceAt } from "./dice.ts"

const HOUR_MS = 3_600_000
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
/** Seeded dice, so that a failure is the same for everybody. */
const dice = (seed: number): (() => number) => {
  let at = 0
  return () => diceAt(seed, at++)
}

test("an inverse times its matrix is one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer(), (size, seed) => {
      const die = dice(seed)
      const half = Float64Array.from({ length: size * size }, () => die() - 0.5)
      const matrix = new Float64Array(size * size)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) {
          let sum = i === j ? 0.5 : 0
          for (let k = 0; k < size; k++) sum += half[i * size + k]! * half[j * size + k]!
          matrix[i * size + j] = sum
        }
      const inverse = new Float64Array(size * size)
      const product = new Float64Array(size * size)
      invert(matrix, size, inverse, new Float64Array(size * size))
      multiply(matrix, inverse, size, product)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) assert.ok(Math.abs(product[i * size + j]! - (i === j ? 1 : 0)) < 1e-6)
    }),
  )
})

describe("partial pooling", () => {
  test("does not take a better mix of cards for a better account", () => {
    const pooling = createPooling(2, 1e12)
    const die = dice(1)
    const segment = pooling.addInner(pooling.addInner(pooling.root, 1), 2)
    const leaves = Array.from({ length: 20 }, () => pooling.addLeaf(segment, 0))
    // Both accounts are the same; account 0 gets nine of ten payments of good issuers, and one of ten of bad ones.
    for (let i = 0; i < 40_000; i++) {
      const at = i % 20
      const isGood = at < 10
      const account = die() < (isGood ? 0.9 : 0.1) ? 0 : 1
      pooling.observe(leaves[at]!, account, die() < (isGood ? 0.95 : 0.7), i)
    }
    const { logit } = pooling.read(undefined, segment)
    assert.ok(Math.abs(logit[0]! - logit[1]!) < 0.12, `${logit[0]} against ${logit[1]}`)
  })

  test("lets a segment with little traffic speak with its parent's voice, and one with much with its own", () => {
    const pooling = createPooling(2, 1e12)
    const die = dice(2)
    const network = pooling.addInner(pooling.root, 1)
    const large = pooling.addInner(network, 2)
    const small = pooling.addInner(network, 2)
    const leaf = pooling.addLeaf(large, 0)
    const other = pooling.addLeaf(small, 0)
    for (let i = 0; i < 60_000; i++) pooling.observe(leaf, i % 2, die() < (i % 2 === 0 ? 0.92 : 0.84), i)
    for (let i = 0; i < 6; i++) pooling.observe(other, i % 2, i % 2 === 1, 60_000)
    const gapOf = (leafOf: number, parent: number): number => {
      const { logit } = pooling.read(leafOf, parent)
      return logit[0]! - logit[1]!
    }
    const truth = Math.log(0.92 / 0.08) - Math.log(0.84 / 0.16)
    assert.ok(Math.abs(gapOf(leaf, large) - truth) < 0.15)
    assert.ok(gapOf(other, small) > 0.05, "six outcomes to the contrary do not turn what the network knows")
  })

  test("finds by itself how much segments differ", () => {
    const spreadFor = (sd: number): number => {
      const pooling = createPooling(3, 1e12)
      const die = dice(3)
      const normal = (): number => Math.sqrt(-2 * Math.log(1 - die())) * Math.cos(2 * Math.PI * die())
      const network = pooling.addInner(pooling.root, 1)
      const segments = Array.from({ length: 20 }, () => {
        const node = pooling.addInner(network, 2)
        return { leaf: pooling.addLeaf(node, 0), effects: [sd * normal(), sd * normal(), sd * normal()] }
      })
      for (let i = 0; i < 120_000; i++) {
        const { leaf, effects } = segments[i % 20]!
        const account = Math.floor(die() * 3)
        pooling.observe(leaf, account, die() < sigmoid(1.5 + effects[account]!), i)
      }
      // Issuer and segment are one here, so their variances are only known together.
      const [, , segment, issuer] = pooling.spread()
      return Math.hypot(segment!, issuer!)
    }
    const alike = spreadFor(0)
    const apart = spreadFor(0.3)
    assert.ok(alike < 0.13, `alike: ${alike}`)
    assert.ok(apart > 0.2 && apart < 0.45, `apart: ${apart}`)
  })

  test("forgets: after a change the newer outcomes win", () => {
    const pooling = createPooling(2, 24 * HOUR_MS)
    const die = dice(4)
    const segment = pooling.addInner(pooling.addInner(pooling.root, 1), 2)
    const leaf = pooling.addLeaf(segment, 0)
    const feed = (from: number, rates: readonly [number, number]): void => {
      for (let i = 0; i < 20_000; i++) pooling.observe(leaf, i % 2, die() < rates[i % 2]!, from + i * 15_000)
    }
    feed(0, [0.9, 0.85])
    assert.ok(pooling.read(leaf, segment).logit[0]! > pooling.read(leaf, segment).logit[1]!)
    feed(20_000 * 15_000, [0.85, 0.9])
    assert.ok(pooling.read(leaf, segment).logit[0]! < pooling.read(leaf, segment).logit[1]!)
  })

  test("gives a new account the average and the wide interval of what is not known", () => {
    const pooling = createPooling(3, 1e12)
    const die = dice(5)
    const segment = pooling.addInner(pooling.addInner(pooling.root, 1), 2)
    const leaf = pooling.addLeaf(segment, 0)
    for (let i = 0; i < 30_000; i++) pooling.observe(leaf, i % 2, die() < 0.88, i)
    const { logit, own, local, n } = pooling.read(leaf, segment)
    assert.ok(Math.abs(sigmoid(logit[2]!) - 0.88) < 0.03)
    assert.equal(n[2], 0)
    assert.ok(own[2]! < own[0]! && local[2]! > local[0]!)
  })
})
