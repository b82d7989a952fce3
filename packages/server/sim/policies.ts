// The merchant's policy, in some worlds: rules over what payments have, of every strategy, an account that is never tried for some,
// payments that are declined before any attempt, caps that are reached after a few payments, and a second version for a share of
// the payments. Its dice are its own, so that worlds without a policy are what they were.

import type { AccountId, PaymentId, PolicyId } from "../src/core/id.ts"
import { readCondition } from "../src/routing/condition-language.ts"
import { versionFor, type PolicyVersions } from "../src/routing/policy-share.ts"
import type { Policy, Rule } from "../src/routing/policy.ts"
import type { Strategy } from "../src/routing/strategy.ts"
import { diceAt } from "../src/routing/signals/dice.ts"
import type { Situation } from "./coverage.ts"

export type Policies = {
  readonly active: Policy | undefined
  /** The version that decides for a payment, the same for every process and at every time. */
  readonly of: (payment: PaymentId) => Policy | undefined
}

export function drawPolicy(
  seed: number,
  accounts: readonly AccountId[],
  note: (situation: Situation) => void,
): Policies {
  let rolled = 0
  const random = (): number => diceAt(seed ^ 0x5f3759df, rolled++)
  if (random() < 0.4) return { active: undefined, of: () => undefined }
  const active = draw(1, accounts, random, note)
  const versions: PolicyVersions =
    random() < 0.5 ? { active } : { active, candidate: draw(2, accounts, random, note), candidateBps: 4_000 }
  return { active, of: (payment) => versionFor(versions, payment) }
}

const conditions: readonly string[] = [
  "amount >= 20000",
  'currency == "EUR" && amount < 500',
  'card.network == "mastercard"',
  'initiator.by == "merchant" || method.type == "network_token"',
  'card.bin.startsWith("411111") && !has(card.country)',
  'now.getHours("Europe/Berlin") < 12',
]

function draw(
  version: number,
  accounts: readonly AccountId[],
  random: () => number,
  note: (situation: Situation) => void,
): Policy {
  const order = (): readonly AccountId[] =>
    accounts
      .map((account) => ({ account, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ account }) => account)
  const pick = (): string => conditions[Math.floor(random() * conditions.length)]!
  const strategy = (): Strategy => {
    const kind = (["ordered", "split", "optimize", "optimize"] as const)[Math.floor(random() * 4)]!
    note(`policy: ${kind}`)
    return strategyOf(kind, order(), random)
  }
  const rules: Rule[] = [
    { name: "too much", when: read("amount >= 48000"), strategy: { kind: "decline", reason: "above the limit" } },
    { name: "some", when: read(pick()), strategy: strategy() },
    { name: "others", when: read("true"), strategy: strategy() },
  ]
  const never = accounts.length > 1 ? [{ account: order()[0]!, when: read(`(${pick()}) && amount < 30000`) }] : []
  const capped = { account: order()[0]!, maxVolume: 1 + Math.floor(random() * 4) }
  return {
    id: "pol_0" as PolicyId,
    version,
    rules,
    never,
    ...(random() < 0.2 ? { commitments: [capped] } : {}),
  }
}

function strategyOf(kind: Strategy["kind"], accounts: readonly AccountId[], random: () => number): Strategy {
  if (kind === "ordered") return { kind, accounts }
  if (kind === "split")
    return { kind, shares: accounts.map((account) => ({ account, share: 1 + Math.floor(random() * 60) })) }
  return {
    kind,
    accounts,
    // Far more than anybody would allow: these worlds are small.
    exploration: [0, 0.5, 1][Math.floor(random() * 3)]!,
    objective: random() < 0.5 ? { kind: "approval" } : { kind: "expected_value", margin: 0.2, perSecond: 0.000_1 },
  }
}

function read(text: string): Rule["when"] {
  const reading = readCondition(text)
  if (reading.kind === "broken") throw new Error(`${text}: ${reading.problems[0]?.detail}`)
  return reading.condition
}
