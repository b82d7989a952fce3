// Off-policy estimates against the truth that a world knows: how often the intervals hold it, how far the estimates are off, and
// how often they say that they cannot tell. Three logs: a split by shares, which is near full overlap for every split like it; one
// provider with a little even chance of the others; and the learning router, which explores least where it expects least.

import type { DecisionEvidence, Propensities } from "../src/routing/evidence/decision-evidence.ts"
import { createOffPolicy, type OffPolicyReport } from "../src/routing/evidence/off-policy.ts"
import { ours } from "./ours.ts"
import { attempt } from "./outcome.ts"
import { createRandom } from "./random.ts"
import { run, type GymPolicy } from "./run.ts"
import { chance, COUNTRIES, type World } from "./world.ts"

/** One estimate beside the truth. */
export type Estimated = {
  readonly draft: Draft
  readonly report: OffPolicyReport
  /** Approval of the draft and of the log, by the world's own chances. */
  readonly truth: number
  readonly logged: number
}
export type Draft = "near" | "country" | "network" | "segments" | "explored"

/** What a draft gives each account for a payment, where the log gave it `logged`. */
type Target = { readonly draft: Draft; readonly of: (payment: number, logged: Propensities) => Propensities }

/** By provider. `greedy`: one provider, and the others by as much chance as the router explores with, but evenly. */
export const logs = { split: [0.4, 0.3, 0.2, 0.1], greedy: [0.985, 0.005, 0.005, 0.005] } as const
const NEAR = [0.45, 0.3, 0.15, 0.1] as const
const name = (provider: number): string => `acc_${provider}`
const byName = (shares: readonly number[]): Propensities =>
  Object.fromEntries(shares.map((share, provider) => [name(provider), share]))

/** The log is drawn anew for every run in the same world, and so are outcomes, by the world's chances. */
export function drawnEvidence(world: World, log: keyof typeof logs, draw: number): readonly Estimated[] {
  const random = createRandom(world.input.seed * 104_729 + draw)
  const shares = logs[log]
  const propensities = byName(shares)
  const near = byName(log === "split" ? NEAR : [0.975, 0.015, 0.005, 0.005])
  const country = movedCountry(world, draw % COUNTRIES.length, draw % world.providers)
  const segments: Target = {
    draft: "segments",
    of: (payment) => certain((world.country[payment]! + world.network[payment]! + draw) % world.providers),
  }
  const judges = judgesOf(world, [{ draft: "near", of: () => near }, country, segments])
  for (let payment = 0; payment < world.count; payment++) {
    let left = random.next()
    let provider = 0
    while ((left -= shares[provider]!) >= 0 && provider < shares.length - 1) provider += 1
    const approval = random.next() < chance(world, payment, provider) ? 1 : 0
    judges.add(payment, { propensities, account: name(provider), values: { approval } })
  }
  return judges.read()
}

/** The router of the server decides, explores by its own dice, and learns; its drafts move one country, one network, or what it explores. */
export function routerEvidence(world: World): readonly Estimated[] {
  const targets: Target[] = []
  for (let provider = 0; provider < world.providers; provider++) {
    for (let country = 0; country < COUNTRIES.length; country++) targets.push(movedCountry(world, country, provider))
    targets.push({
      draft: "explored",
      of: (_, logged) => ((logged[name(provider)] ?? 0) > 0 ? certain(provider) : logged),
    })
    targets.push({
      draft: "network",
      of: (payment, logged) => (world.network[payment] === 1 ? certain(provider) : logged),
    })
  }
  const judges = judgesOf(world, targets)
  const router = ours(world)
  const logging: GymPolicy = {
    ...router,
    choose(payment, nowMs) {
      const chosen = router.choose(payment, nowMs)
      const approval = attempt(world, payment, chosen.provider).ending === "paid" ? 1 : 0
      judges.add(payment, {
        propensities: chosen.propensities ?? {},
        account: name(chosen.provider),
        values: { approval },
      })
      return chosen
    },
  }
  run(world, logging)
  return judges.read()
}

const certains = Array.from({ length: 16 }, (_, provider): Propensities => ({ [name(provider)]: 1 }))
const certain = (provider: number): Propensities => certains[provider]!

function movedCountry(world: World, country: number, provider: number): Target {
  return {
    draft: "country",
    of: (payment, logged) => (world.country[payment] === country ? certain(provider) : logged),
  }
}

function judgesOf(world: World, targets: readonly Target[]) {
  const judges = targets.map((target) => ({ target, offPolicy: createOffPolicy(), truth: 0, logged: 0 }))
  const worth = (payment: number, propensities: Propensities): number => {
    let sum = 0
    for (let provider = 0; provider < world.providers; provider++) {
      const share = propensities[name(provider)]
      if (share !== undefined) sum += share * chance(world, payment, provider)
    }
    return sum
  }
  return {
    add(payment: number, record: DecisionEvidence): void {
      const logged = worth(payment, record.propensities)
      for (const judge of judges) {
        const wanted = judge.target.of(payment, record.propensities)
        judge.offPolicy.add(record, wanted)
        judge.logged += logged
        judge.truth += wanted === record.propensities ? logged : worth(payment, wanted)
      }
    },
    read: (): readonly Estimated[] =>
      judges.map(({ target: { draft }, offPolicy, truth, logged }) => ({
        draft,
        report: offPolicy.report(),
        truth: truth / world.count,
        logged: logged / world.count,
      })),
  }
}
