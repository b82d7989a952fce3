// Guardrails of a staged publish on the payments of a world, with its drift and its outages: how often a candidate that does no
// harm is stopped, and how soon one that does. Somebody looks every hundred payments.

import { armOf } from "../src/routing/evidence/assignment.ts"
import { automaticStop, evolve, planned } from "../src/routing/evidence/experiment.ts"
import { stagedPublish } from "../src/routing/evidence/staged-publish.ts"
import { bestSingle } from "./metrics.ts"
import { createRandom } from "./random.ts"
import { chance, type World } from "./world.ts"

export type Staged = {
  /** Of payments, to the candidate. */
  readonly share: number
  /** Points of approval that it loses. */
  readonly harm: number
  readonly margin: number
}

const LOOK_EVERY = 100

/** Payments until it stopped; undefined: it never did. The world's payments are drawn anew by `draw`. */
export function stagedRun(world: World, { share, harm, margin }: Staged, draw: number): number | undefined {
  const random = createRandom(world.input.seed * 15_485_863 + draw)
  const { provider } = bestSingle(world)
  const experiment = stagedPublish({
    salt: `${world.input.seed} ${draw}`,
    current: 1,
    candidate: 2,
    share,
    guardrails: [{ metric: "approval", margin }],
  })
  let state = evolve(planned(experiment), { kind: "started", at: 0 })
  for (let payment = 0; payment < world.count; payment++) {
    const arm = armOf(experiment.arms, experiment.salt, `pay_${payment}`)
    const paid = Math.max(0, chance(world, payment, provider) - (arm === 1 ? harm / 100 : 0))
    const value = random.next() < paid ? 1 : 0
    state = evolve(state, { kind: "assigned", arm })
    state = evolve(state, { kind: "measured", arm, metric: "approval", value, first: true })
    if (payment % LOOK_EVERY === LOOK_EVERY - 1 && automaticStop(state) !== undefined) return payment + 1
  }
  return undefined
}
