// Engines whose routing is broken: what is learned twice, what is chosen although it must not be, what cannot be made again.

import type { Mutant } from "./mutants.ts"

export const routingMutants: readonly Mutant[] = [
  {
    name: "an end that is told twice",
    file: "engine/change.ts",
    find: `learn(engine, before, commit.payment)
        return`,
    replace: `learn(engine, before, commit.payment)
        learn(engine, before, commit.payment)
        return`,
    quick: true,
  },
  {
    name: "silence that is told again when it ends",
    file: "engine/observations.ts",
    find: `if (was === undefined) return { ending: is }`,
    replace: `if (was !== is) return { ending: is }`,
    quick: false,
  },
  {
    name: "a capped account is chosen",
    file: "routing/decide.ts",
    find: `(capped.includes(id) ? ("cap_reached" as const) : undefined)`,
    replace: `undefined`,
    quick: true,
  },
  {
    name: "an ejected account keeps its place",
    file: "routing/select.ts",
    find: `const open = known.filter(({ reading }) => reading.share > admission)`,
    replace: `const open = known.filter(({ reading }) => reading.share >= 0)`,
    quick: true,
  },
  {
    name: "probes with payments of the merchant alone",
    file: "routing/select.ts",
    find: `attempt === 1 && initiator === "customer" && !pinned`,
    replace: `attempt === 1 && (initiator === "customer" || attempt > 0) && !pinned`,
    quick: false,
  },
  {
    name: "a probe with a cryptogram that is spent by it",
    file: "engine/signals.ts",
    find: `goesOn(rule?.rule.retry ?? plainRetryPlan) &&
        !(intent.method?.type === "network_token" && intent.method.hasCryptogram === true),`,
    replace: `true,`,
    quick: false,
  },
  {
    name: "readings that are rounded only in the record",
    file: "engine/attempt.ts",
    find: `return { read, decision: conclude(examined, read.readings) }`,
    replace: `const decision = conclude(examined, read.readings)
  return { read, decision: { ...decision, record: { ...decision.record, inputs: { ...decision.record.inputs, readings: { ...read.readings, dice: { split: 0, pick: 0, admission: 0 } } } } } }`,
    quick: true,
  },
  {
    name: "a start that forgets what was learned",
    file: "engine/signal-sharing.ts",
    find: `made.recall(observation, observation.at)`,
    replace: `if (index % 2 === 0) made.recall(observation, observation.at)`,
    quick: true,
  },
]
