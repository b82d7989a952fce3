// The router of the server in the gym: the same `decide` and `observe` as in production, fed with what production would
// know of a payment, never with what is true about it.

import type { Commitment } from "../src/routing/commitment.ts"
import { createRouter, type RouteContext } from "../src/routing/router.ts"
import type { Strategy } from "../src/routing/strategy.ts"
import type { Previous } from "../src/routing/signals/observation.ts"
import { chanceOf } from "./random.ts"
import type { GymPolicy } from "./run.ts"
import { COUNTRIES, NETWORKS, type World } from "./world.ts"

const READ_EVERY_MS = 10_000
const READ_DICE = 50

export type OursOptions = Partial<Extract<Strategy, { kind: "optimize" }>> & {
  /** By provider; of the world's whole time. */
  readonly commitments?: readonly (Commitment | undefined)[]
}

export function ours(world: World, { commitments, ...strategy }: OursOptions = {}): GymPolicy {
  const ids = Array.from({ length: world.providers }, (_, k) => `acc_${k}`)
  const issuers = Array.from({ length: 65_536 }, (_, i) => `issuer ${i}`)
  const router = createRouter({
    accounts: ids.map((id, k) => {
      const commitment = commitments?.[k]
      return { id, readable: true, ...(commitment === undefined ? {} : { commitment }) }
    }),
    periodMs: world.endMs,
    policy: [
      {
        matches: () => true,
        strategy: { kind: "optimize", accounts: ids, objective: { kind: "approval" }, ...strategy },
      },
    ],
    seed: world.input.seed,
    // A merchant knows about how much it sells.
    paymentsPerWeek: world.input.volume,
  })
  const situationOf = (payment: number, number: number, before: Previous | undefined) => ({
    network: NETWORKS[world.network[payment]!]!,
    country: COUNTRIES[world.country[payment]!]!,
    issuer: issuers[world.issuer[payment]!]!,
    method: "card",
    operation: world.challenged[payment] === 1 ? "authorize_3ds" : "authorize",
    attempt: number,
    ...(before === undefined ? {} : { previous: before }),
  })
  const contextOf = (payment: number, number: number, before: Previous | undefined): RouteContext => ({
    ...situationOf(payment, number, before),
    payment: `pay_${payment}`,
    amount: world.amount[payment]!,
    initiator: world.merchantInitiated[payment] === 1 ? "merchant" : "customer",
    reroutable: true,
  })
  return {
    choose(payment, nowMs) {
      const decision = router.decide(contextOf(payment, 1, undefined), nowMs)
      const provider = ids.indexOf(decision.order[0]!)
      const accounts = decision.input!.accounts
      let usual = 0
      for (let k = 1; k < accounts.length; k++) if (accounts[k]!.paid > accounts[usual]!.paid) usual = k
      return {
        provider,
        propensities: decision.propensities,
        diverted: usual !== provider && accounts[usual]!.state !== "healthy",
        ...(decision.reason === "explore" || decision.reason === "probe" ? { why: decision.reason } : {}),
      }
    },
    retry(payment, tried, before, nowMs) {
      const decision = router.decide({ ...contextOf(payment, 2, before), tried: [ids[tried]!] }, nowMs)
      return ids.indexOf(decision.order[0]!)
    },
    learn({ payment, provider, number, before, ending, latencyMs }, nowMs) {
      router.observe({ ...situationOf(payment, number, before), account: ids[provider]!, ending, latencyMs }, nowMs)
    },
    tick(nowMs) {
      // A harmless read fails where everything fails; a gray or silent outage answers it.
      for (const id of router.wantsRead(nowMs)) {
        const provider = ids.indexOf(id)
        const isHard = world.events.outages.some(
          (o) =>
            o.kind === "hard" &&
            o.provider === provider &&
            nowMs >= o.fromMs &&
            nowMs < o.untilMs &&
            (o.flapMs === 0 || Math.floor((nowMs - o.fromMs) / o.flapMs) % 2 === 0),
        )
        const fails =
          isHard && chanceOf(world.input.seed, Math.floor(nowMs / READ_EVERY_MS), provider, READ_DICE) < 0.92
        router.observeRead(id, !fails, nowMs)
      }
    },
    takeChanges: router.takeChanges,
  }
}
