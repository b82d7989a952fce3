// The merchant's policy, in some worlds: rules over what payments have, an account that is never tried for some, payments that
// are declined before any attempt, and a second version for a share of the payments. Its dice are its own, so that worlds
// without a policy are what they were.

import type { AccountId, PaymentId, PolicyId } from "../src/core/id.ts"
import { readCondition } from "../src/routing/condition-language.ts"
import { versionFor, type PolicyVersions } from "../src/routing/policy-share.ts"
import type { Policy, Rule } from "../src/routing/policy.ts"
import { diceAt } from "../src/routing/signals/dice.ts"

/** The version that decides for a payment, the same for every process and at every time. */
export function drawPolicy(seed: number, accounts: readonly AccountId[]): (payment: PaymentId) => Policy | undefined {
  let rolled = 0
  const random = (): number => diceAt(seed ^ 0x5f3759df, rolled++)
  if (random() < 0.6) return () => undefined
  const active = draw(1, accounts, random)
  const versions: PolicyVersions =
    random() < 0.5 ? { active } : { active, candidate: draw(2, accounts, random), candidateBps: 4_000 }
  return (payment) => versionFor(versions, payment)
}

const conditions: readonly string[] = [
  "amount >= 20000",
  'currency == "EUR" && amount < 500',
  'card.network == "mastercard"',
  'initiator.by == "merchant" || method.type == "network_token"',
  'card.bin.startsWith("411111") && !has(card.country)',
  'now.getHours("Europe/Berlin") < 12',
]

function draw(version: number, accounts: readonly AccountId[], random: () => number): Policy {
  const order = (): readonly AccountId[] =>
    accounts
      .map((account) => ({ account, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ account }) => account)
  const pick = (): string => conditions[Math.floor(random() * conditions.length)]!
  const rules: Rule[] = [
    { name: "too much", when: read("amount >= 48000"), strategy: { kind: "decline", reason: "above the limit" } },
    { name: "some", when: read(pick()), strategy: { kind: "ordered", accounts: order() } },
    { name: "others", when: read("true"), strategy: { kind: "ordered", accounts: order() } },
  ]
  const never = accounts.length > 1 ? [{ account: order()[0]!, when: read(`(${pick()}) && amount < 30000`) }] : []
  return { id: "pol_0" as PolicyId, version, rules, never }
}

function read(text: string): Rule["when"] {
  const reading = readCondition(text)
  if (reading.kind === "broken") throw new Error(`${text}: ${reading.problems[0]?.detail}`)
  return reading.condition
}
