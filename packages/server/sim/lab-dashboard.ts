// Somebody works at the provider's own dashboard: captures, refunds and voids there, and cardholders dispute. Orchestra
// learns of it only by a webhook, which names no operation of ours.

import type { Charge, LabPsp } from "./lab-psp.ts"
import type { World } from "./world.ts"

/** Now and then, some time after a charge was authorized. */
export function byHand(world: World, psp: LabPsp, charge: Charge): void {
  if (!world.chance(psp.profile.byHand)) return
  world.expect(world.pick([2_000, 120_000, 7_200_000, 50_000_000]) * world.random(), () => act(world, psp, charge))
}

function act(world: World, psp: LabPsp, charge: Charge): void {
  if (charge.state !== "authorized" || charge.amount === 0n) return
  // What is accepted and not done yet is not touched: a dashboard shows it.
  if (charge.does.some((d) => d.state === "accepted")) return
  const part = (whole: bigint): bigint =>
    world.chance(0.5) ? whole : 1n + ((whole - 1n) * BigInt(world.int(0, 9))) / 10n
  const capturable = charge.authorized - charge.captured
  const refundable = charge.captured - charge.refunded
  if (refundable > 0n && world.chance(0.3)) {
    world.note("disputed at the provider")
    psp.dispute(charge, part(refundable))
    return
  }
  if (refundable > 0n) {
    world.note("refunded at the provider")
    psp.doByHand(charge, "refund", part(refundable))
    return
  }
  if (capturable <= 0n || charge.auto) return
  if (charge.captured === 0n && world.chance(0.5)) {
    world.note("voided at the provider")
    psp.doByHand(charge, "void", charge.authorized)
    return
  }
  world.note("captured at the provider")
  psp.doByHand(charge, "capture", part(capturable))
}
