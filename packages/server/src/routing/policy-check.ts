// What can be said about a policy before it routes anything, with the reason for each finding. Pure: the accounts come in as
// they are now. What conditions can and cannot match is searched (conditions/search.ts) within MAX_COMPARISONS for the whole
// policy; where that does not suffice, one finding says so, and nothing is claimed.

import type { AccountId } from "../core/id.ts"
import { MAX_ANSWER_WITHIN_MS } from "../core/intent.ts"
import { type Condition, everything } from "./conditions/condition.ts"
import { type Budget, canHold, type Formula } from "./conditions/search.ts"
import type { Candidate } from "./decide.ts"
import { checkAccounts, checkCommitments, checkNever } from "./policy-check-accounts.ts"
import { checkCondition } from "./policy-check-condition.ts"
import { reachFindings } from "./policy-check-reach.ts"
import { checkRetry } from "./policy-check-retry.ts"
import { finding, type Finding } from "./policy-finding.ts"
import type { PolicyDocument, Rule } from "./policy.ts"
import { servable } from "./servable.ts"
import { accountsOf } from "./policy.ts"

export type { Finding } from "./policy-finding.ts"

/** Comparisons of fields with values that one check may cost: about a quarter of a second. */
export const MAX_COMPARISONS = 3_000_000

/** `accounts`: the merchant's, of the policy's mode. */
export function checkPolicy(policy: PolicyDocument, accounts: readonly Candidate[]): readonly Finding[] {
  const checking = checkInSteps(policy, accounts)
  for (;;) {
    const step = checking.next()
    if (step.done === true) return step.value
  }
}

/** The same in steps of few milliseconds each: a node that checks a large document has payments to serve beside it. */
export function* checkInSteps(
  policy: PolicyDocument,
  accounts: readonly Candidate[],
): Generator<void, readonly Finding[]> {
  const budget: Budget = { left: MAX_COMPARISONS }
  const { rules } = policy
  const found: Finding[] = []
  for (const [index, rule] of rules.entries()) {
    const at = `/rules/${index}`
    found.push(
      ...[
        ...checkName(rules, index),
        ...checkCondition(rule.when, `${at}/when`, policy, accounts, budget),
        ...checkStrategy(rule, `${at}/strategy`),
        ...checkAccounts(rule, `${at}/strategy`, accounts, budget),
        ...checkService(policy, rule, at, accounts, budget),
        ...checkThreeDs(rule, at, budget),
        ...checkRetry(rule.retry, `${at}/retry`, MAX_ANSWER_WITHIN_MS),
      ].map((one): Finding => ({ ...one, rule: { index, name: rule.name } })),
    )
    yield
  }
  found.push(...(yield* reachFindings(rules, budget)))
  found.push(...checkDefault(rules, budget))
  yield
  found.push(...checkNever(policy, accounts, budget), ...checkCommitments(policy, accounts))
  if (budget.left < 0)
    found.push(
      finding(
        "not_checked",
        "/rules",
        "there is more to compare than a check may cost: rules that are never reached, overlap or have no account may be among those that were not looked at",
      ),
    )
  return found
}

function checkName(rules: readonly Rule[], index: number): readonly Finding[] {
  const same = rules.findIndex(({ name }) => name === rules[index]!.name)
  return same === index ? [] : [finding("repeated_name", `/rules/${index}/name`, `is the name of /rules/${same} too`)]
}

const checkStrategy = ({ strategy }: Rule, at: string): readonly Finding[] =>
  strategy.kind === "split" && strategy.shares.every(({ share }) => share === 0)
    ? [finding("zero_shares", `${at}/shares`, "all shares are 0: nothing is split")]
    : []

/** Whether anybody is left for the payments of a rule, with what accounts can serve and where the policy never goes. */
function checkService(
  { never = [] }: PolicyDocument,
  { when, strategy }: Rule,
  at: string,
  accounts: readonly Candidate[],
  budget: Budget,
): readonly Finding[] {
  const known = accountsOf(strategy).flatMap((id) => accounts.find((account) => account.id === id) ?? [])
  if (known.length === 0 || canHold({ isTrue: when }, budget) !== true) return []
  const open = (account: Candidate): Formula => ({ every: [{ isTrue: when }, { isTrue: servable(account) }] })
  if (canHold({ some: known.map(open) }, budget) === false)
    return [finding("no_account", `${at}/strategy`, "no account of this rule can serve any payment that it matches")]
  const routes = (account: AccountId): Formula => ({
    not: { some: never.filter((one) => one.account === account).map((one) => ({ isTrue: one.when })) },
  })
  const left = known.map((account): Formula => ({ every: [open(account), routes(account.id)] }))
  return never.length > 0 && canHold({ some: left }, budget) === false
    ? [
        finding(
          "no_account",
          `${at}/strategy`,
          "`never` excludes every account that could serve what this rule matches",
        ),
      ]
    : []
}

/** Where a customer is who says nothing of 3-D Secure. */
const asksOpenly: Condition = {
  all: [
    { field: "three_ds.mode", op: "equals", value: "automatic" },
    { field: "initiator.by", op: "equals", value: "customer" },
  ],
}

const checkThreeDs = ({ requireThreeDs, when }: Rule, at: string, budget: Budget): readonly Finding[] =>
  requireThreeDs === true &&
  canHold({ every: [{ isTrue: when }, { isTrue: asksOpenly }] }, budget) === false &&
  canHold({ isTrue: when }, budget) === true
    ? [
        finding(
          "three_ds_without_effect",
          `${at}/require_three_ds`,
          "only payments match that have their own word on 3-D Secure, or no customer who could be asked",
        ),
      ]
    : []

function checkDefault(rules: readonly Rule[], budget: Budget): readonly Finding[] {
  const unmatched: Formula = {
    every: [{ isTrue: everything }, ...rules.map(({ when }): Formula => ({ not: { isTrue: when } }))],
  }
  return canHold(unmatched, budget) === true
    ? [
        finding(
          "no_default",
          "/rules",
          "no rule matches everything: a payment that none matches fails without an attempt",
        ),
      ]
    : []
}
