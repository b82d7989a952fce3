// What a policy says of accounts: whether they are there, can serve what they are named for, and can keep what is promised.

import type { AccountId } from "../core/id.ts"
import { type Budget, canHold } from "./conditions/search.ts"
import type { Candidate } from "./decide.ts"
import { checkCondition } from "./policy-check-condition.ts"
import { finding, type Finding } from "./policy-finding.ts"
import { accountsOf, type AccountCommitment, type PolicyDocument, type Rule } from "./policy.ts"
import { servable } from "./servable.ts"

const UNKNOWN = "no account of this mode has this id"

export function checkAccounts(
  { when, strategy }: Rule,
  at: string,
  accounts: readonly Candidate[],
  budget: Budget,
): readonly Finding[] {
  const named = accountsOf(strategy)
  const states = named.flatMap((id) => accounts.find((one) => one.id === id)?.state ?? [])
  const idle =
    states.length > 0 && states.length === named.length && !states.includes("enabled")
      ? [finding("no_enabled_account", at, "none of its accounts is enabled: what matches fails without an attempt")]
      : []
  const each = named.flatMap((id, index): readonly Finding[] => {
    const place = strategy.kind === "split" ? `${at}/shares/${index}/account` : `${at}/accounts/${index}`
    const account = accounts.find((one) => one.id === id)
    if (account === undefined) return [finding("unknown_account", place, UNKNOWN)]
    if (named.indexOf(id) < index) return [finding("repeated_account", place, "is named before in this rule")]
    const disabled =
      account.state === "enabled"
        ? []
        : [finding("account_not_enabled", place, `is ${account.state}: it takes no new payments`)]
    const serves = canHold({ every: [{ isTrue: when }, { isTrue: servable(account) }] }, budget)
    return serves === false && canHold({ isTrue: when }, budget) === true
      ? [...disabled, finding("never_eligible", place, `${account.connector} can serve no payment that matches`)]
      : disabled
  })
  return [...idle, ...each]
}

export function checkNever(policy: PolicyDocument, accounts: readonly Candidate[], budget: Budget): readonly Finding[] {
  const named = accountsNamed(policy)
  return (policy.never ?? []).flatMap(({ account, when }, index) => {
    const at = `/never/${index}`
    return [
      ...(accounts.some(({ id }) => id === account) ? [] : [finding("unknown_account", `${at}/account`, UNKNOWN)]),
      ...(named.has(account)
        ? []
        : [
            finding(
              "never_without_rule",
              `${at}/account`,
              "no rule names this account: only pinned payments get there",
            ),
          ]),
      ...checkCondition(when, `${at}/when`, policy, accounts, budget),
    ]
  })
}

export function checkCommitments(policy: PolicyDocument, accounts: readonly Candidate[]): readonly Finding[] {
  const { commitments = [] } = policy
  const named = accountsNamed(policy)
  const weighed = accountsNamed(policy, "optimize")
  const each = commitments.flatMap((one, index) => {
    const at = `/commitments/${index}`
    const before = commitments.findIndex(({ account }) => account === one.account)
    return [
      ...(accounts.some(({ id }) => id === one.account) ? [] : [finding("unknown_account", `${at}/account`, UNKNOWN)]),
      ...(before < index ? [finding("repeated_account", `${at}/account`, "has a commitment before")] : []),
      ...(named.has(one.account)
        ? []
        : [finding("commitment_without_rule", `${at}/account`, "no rule names this account: nothing gets there")]),
      ...(named.has(one.account) && !weighed.has(one.account) ? unfollowed(one, at) : []),
      ...(one.unit !== undefined && one.minVolume === undefined && one.maxVolume === undefined
        ? [finding("commitment_without_effect", `${at}/unit`, "counts nothing: no volume is named")]
        : []),
      ...crossed(one, at),
    ]
  })
  const owed = commitments.reduce((sum, { minShare = 0 }) => sum + minShare, 0)
  const allowed = [...named].reduce(
    (sum, account) => sum + (commitments.find((one) => one.account === account)?.maxShare ?? 1),
    0,
  )
  return [
    ...each,
    ...(owed <= 1 + ROUNDING
      ? []
      : [
          finding(
            "commitment_conflict",
            "/commitments",
            `the smallest shares add up to ${written(owed)}: there is no more than 1`,
          ),
        ]),
    ...(named.size === 0 || allowed >= 1 - ROUNDING
      ? []
      : [
          finding(
            "shares_leave_a_rest",
            "/commitments",
            `the largest shares of all accounts that rules name add up to ${written(allowed)}: the rest goes over them`,
          ),
        ]),
  ]
}

const written = (share: number): string => String(Number(share.toFixed(6)))

/** Shares and floors are kept by weighing accounts; a cap excludes whatever the strategy is. */
const unfollowed = (commitment: AccountCommitment, at: string): readonly Finding[] =>
  (
    [
      ["minShare", "min_share"],
      ["maxShare", "max_share"],
      ["minVolume", "min_volume"],
    ] as const
  ).flatMap(([field, name]) =>
    commitment[field] === undefined
      ? []
      : [
          finding(
            "commitment_without_effect",
            `${at}/${name}`,
            "no `optimize` rule names this account: `ordered` and `split` follow no commitment but `max_volume`",
          ),
        ],
  )

/** Sums of decimal fractions miss by less. */
const ROUNDING = 1e-9

function crossed({ minShare, maxShare, minVolume, maxVolume }: AccountCommitment, at: string): readonly Finding[] {
  const over = (min: number | undefined, max: number | undefined): boolean =>
    min !== undefined && max !== undefined && min > max
  return [
    ...(over(minShare, maxShare) ? [finding("commitment_conflict", `${at}/max_share`, "is below `min_share`")] : []),
    ...(over(minVolume, maxVolume)
      ? [finding("commitment_conflict", `${at}/max_volume`, "is below `min_volume`")]
      : []),
  ]
}

const accountsNamed = ({ rules }: PolicyDocument, by?: Rule["strategy"]["kind"]): ReadonlySet<AccountId> =>
  new Set(rules.flatMap(({ strategy }) => (by === undefined || strategy.kind === by ? accountsOf(strategy) : [])))
