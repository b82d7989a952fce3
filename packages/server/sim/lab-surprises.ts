// What providers do against their own word: a request that was lost for hours is done after all, a refusal is none, money
// that was given back comes back, an authorization runs out before its time. They tell it, and surely, because nobody
// could know it otherwise; their books mark it, so that nobody is judged by what could not be known.

import type { Charge, Deed, LabPsp, LabRequest } from "./lab-psp.ts"
import type { World } from "./world.ts"

/** Lost on its way, and done long after it can have been: longer than the provider's own documentation allows. */
export function arrivesAfterAll(world: World, psp: LabPsp, request: LabRequest): void {
  if (request.do !== "authorize" || !world.chance(psp.profile.surprises * SELDOM)) return
  const ms = psp.profile.inFlightMs + world.int(60_000, world.pick([600_000, 14_400_000]))
  world.expect(ms, () => psp.handleLate(request, () => world.note("request arrived against the provider's word")))
}

/** Refunds that are refused are seldom, so that more of them are made all the same than of what is often. */
const SELDOM = 8

/** A refund that was refused, and made all the same. */
export function refundedAfterAll(world: World, psp: LabPsp, request: LabRequest): void {
  const charge = psp.charges.find((c) => c.reference === request.reference)
  if (request.do !== "refund" || charge === undefined || !world.chance(psp.profile.surprises * SELDOM)) return
  const amount = BigInt(request.amount)
  world.expect(world.int(1_000, 7_200_000), () => {
    const busy = charge.does.some((d) => d.state === "accepted" || d.operation === request.operation)
    if (busy || charge.state !== "authorized" || charge.refunded + amount > charge.captured) return
    world.note("refund made after it was refused")
    charge.refunded += amount
    psp.tellDeed(charge, { ...deedOf(world, charge, request), state: "done", surprising: true })
  })
}

const deedOf = (world: World, charge: Charge, request: LabRequest): Omit<Deed, "state"> => ({
  id: `${charge.reference}_${charge.does.length}`,
  kind: request.do,
  operation: request.operation ?? "",
  amount: BigInt(request.amount),
  at: world.now,
})

/**
 * Given back, and then not: the money bounced. Only of what was captured; a void is final. Of an earlier round that bounces
 * after a later one was confirmed nobody can say whether it ever did anything (docs/known-issues.md).
 */
export function comesBack(world: World, psp: LabPsp, charge: Charge, given: bigint, tell: () => void): void {
  const { reversal } = charge
  if (given <= 0n || !world.chance(psp.profile.reversalFails)) return
  world.expect(world.int(1_000, 3_600_000), () => {
    if (charge.state !== "authorized" || charge.refunded < given || charge.reversal !== reversal) return
    world.note("reversal failed after its success")
    charge.changedItsMind = true
    charge.bounced = true
    charge.refunded -= given
    tell()
    psp.onChange()
  })
}

/** The provider lets an authorization go long before the time it promised. */
export function expiresEarly(world: World, psp: LabPsp, charge: Charge): void {
  if (charge.amount === 0n || !world.chance(psp.profile.expiresEarly)) return
  const within = world.pick([120_000, psp.profile.authorizationMs])
  world.expect(within * (0.1 + 0.8 * world.random()), () => {
    if (charge.state !== "authorized" || charge.captured > 0n || charge.does.some((d) => d.state === "accepted")) return
    world.note("authorization expired before its time")
    charge.state = "voided"
    charge.expiredAt = world.now
    psp.tellExpired(charge)
  })
}
