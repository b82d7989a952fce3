// Policies of the simulated merchant. Some worlds have none; others one rule for everything, of every strategy, sometimes with
// caps that are reached after a few payments; others several rules over what payments have, an account that is never tried
// for some, payments that are declined before any attempt. Rules may carry a retry plan, and a second version may be
// published to a share of the payments. The dice are their own, so that worlds without a policy are what they were.

import type { AccountId, PaymentId, PolicyId } from "../src/core/id.ts"
import { readCondition } from "../src/routing/condition-language.ts"
import { versionFor, type PolicyVersions } from "../src/routing/policy-share.ts"
import type { Policy, PolicyDocument, Rule } from "../src/routing/policy.ts"
import type { Strategy } from "../src/routing/strategy.ts"
import type { Situation } from "./coverage.ts"
import { retryPlans } from "./retry-policy.ts"
import { World } from "./world.ts"

export type DrawnPolicy = {
  /** The version that decides for a payment, the same for every process and at every time. */
  readonly of: (payment: PaymentId) => Policy | undefined
  readonly active: Policy | undefined
  /** What the world has by it. */
  readonly situations: readonly Situation[]
}

export function drawPolicy(seed: number, accounts: readonly AccountId[]): DrawnPolicy {
  const dice = new World(seed ^ 0x5f3759df)
  const situations: Situation[] = []
  const note = (situation: Situation): void => void situations.push(situation)
  if (dice.chance(0.35)) return { of: () => undefined, active: undefined, situations }
  const draw = (version: number): Policy => ({
    id: "pol_0" as PolicyId,
    version,
    ...(dice.chance(0.5) ? oneRule(dice, accounts, note) : severalRules(dice, accounts, note)),
  })
  const active = draw(1)
  const versions: PolicyVersions = dice.chance(0.7) ? { active } : { active, candidate: draw(2), candidateBps: 4_000 }
  return { of: (payment) => versionFor(versions, payment), active, situations }
}

type Note = (situation: Situation) => void

function oneRule(dice: World, accounts: readonly AccountId[], note: Note): PolicyDocument {
  const order = shuffled(dice, accounts)
  const capped = dice.chance(0.2) ? dice.pick(order) : undefined
  return {
    rules: [{ name: "everything", when: { all: [] }, strategy: strategyOf(dice, order, note), ...retryOf(dice, note) }],
    ...(capped === undefined ? {} : { commitments: [{ account: capped, maxVolume: dice.int(1, 4) }] }),
  }
}

const conditions: readonly string[] = [
  "amount >= 20000",
  'currency == "EUR" && amount < 500',
  'card.network == "mastercard"',
  'initiator.by == "merchant" || method.type == "network_token"',
  'card.bin.startsWith("411111") && !has(card.country)',
  'now.getHours("Europe/Berlin") < 12',
]

function severalRules(dice: World, accounts: readonly AccountId[], note: Note): PolicyDocument {
  const strategy = (): Strategy => strategyOf(dice, shuffled(dice, accounts), note)
  const rules: Rule[] = [
    { name: "too much", when: read("amount >= 48000"), strategy: { kind: "decline", reason: "above the limit" } },
    { name: "some", when: read(dice.pick(conditions)), strategy: strategy(), ...retryOf(dice, note) },
    { name: "others", when: read("true"), strategy: strategy(), ...retryOf(dice, note) },
  ]
  if (accounts.length === 1) return { rules }
  const when = read(`(${dice.pick(conditions)}) && amount < 30000`)
  return { rules, never: [{ account: dice.pick(accounts), when }] }
}

function strategyOf(dice: World, accounts: readonly AccountId[], note: Note): Strategy {
  const kind = dice.pick(["ordered", "split", "optimize", "optimize"] as const)
  note(`policy: ${kind}`)
  if (kind === "ordered") return { kind, accounts }
  if (kind === "split") return { kind, shares: accounts.map((account) => ({ account, share: dice.int(1, 60) })) }
  return {
    kind,
    accounts,
    // Far more than anybody would allow: these worlds are small.
    exploration: dice.pick([0, 0.5, 1]),
    objective: dice.chance(0.5) ? { kind: "approval" } : { kind: "expected_value", margin: 0.2, perSecond: 0.000_1 },
  }
}

function retryOf(dice: World, note: Note): Pick<Rule, "retry"> {
  if (dice.chance(0.25)) return {}
  note("retry plan of a policy")
  return { retry: dice.pick(retryPlans) }
}

function shuffled<T>(dice: World, items: readonly T[]): readonly T[] {
  const left = [...items]
  return items.map(() => left.splice(dice.int(0, left.length - 1), 1)[0]!)
}

function read(text: string): Rule["when"] {
  const reading = readCondition(text)
  if (reading.kind === "broken") throw new Error(`${text}: ${reading.problems[0]?.detail}`)
  return reading.condition
}
