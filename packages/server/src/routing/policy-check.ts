// What can be said about a policy before it routes anything: errors, with which it must not come into force, and
// warnings, which its author should know of. Pure: the accounts come in as they are now.

import { parseCountry } from "../core/country.ts"
import type { Candidate } from "./decide.ts"
import type { Condition, Rule } from "./policy.ts"

export type Finding = {
  readonly severity: "error" | "warning"
  readonly code:
    | "unknown_account"
    | "repeated_account"
    | "unknown_country"
    | "repeated_name"
    | "empty_range"
    | "unreachable"
    | "no_default"
    | "amount_without_currency"
    | "account_not_enabled"
    | "never_eligible"
  /** JSON pointer below the document, e.g. `/rules/0/accounts/1`. */
  readonly at: string
  readonly detail: string
}

/** `accounts`: the merchant's, of the policy's mode. */
export function checkPolicy(rules: readonly Rule[], accounts: readonly Candidate[]): readonly Finding[] {
  const findings = rules.flatMap((rule, index) => [
    ...conditionFindings(rule.when, `/rules/${index}/when`),
    ...accountFindings(rule, `/rules/${index}`, accounts),
    ...reachFindings(rules, index),
  ])
  return rules.some(({ when }) => isEverything(when))
    ? findings
    : [
        ...findings,
        {
          severity: "warning",
          code: "no_default",
          at: "/rules",
          detail: "no rule matches everything: a payment that none matches fails without an attempt",
        },
      ]
}

function conditionFindings({ country, currency, amount }: Condition, at: string): readonly Finding[] {
  const findings: Finding[] = (country ?? []).flatMap((code, index): Finding[] =>
    parseCountry(code) === undefined
      ? [error("unknown_country", `${at}/country/${index}`, "is not a country of ISO 3166-1")]
      : [],
  )
  if (amount?.min !== undefined && amount.max !== undefined && amount.min > amount.max)
    findings.push(error("empty_range", `${at}/amount/max`, "is below `min`: no amount is in between"))
  if (amount !== undefined && currency?.length !== 1)
    findings.push(
      warning(
        "amount_without_currency",
        `${at}/amount`,
        "minor units of several currencies: name one currency beside it",
      ),
    )
  return findings
}

function accountFindings(rule: Rule, at: string, accounts: readonly Candidate[]): readonly Finding[] {
  return rule.accounts.flatMap((id, index): Finding[] => {
    const place = `${at}/accounts/${index}`
    const account = accounts.find((one) => one.id === id)
    if (account === undefined) return [error("unknown_account", place, "no account of this mode has this id")]
    if (rule.accounts.indexOf(id) < index) return [error("repeated_account", place, "is named before in this rule")]
    const findings: Finding[] = []
    if (account.state !== "enabled")
      findings.push(warning("account_not_enabled", place, `is ${account.state}: it takes no new payments`))
    const why = neverServes(rule.when, account)
    if (why !== undefined) findings.push(warning("never_eligible", place, why))
    return findings
  })
}

function neverServes({ currency, network }: Condition, account: Candidate): string | undefined {
  const { currencies, networks, connector } = account
  if (currency !== undefined && currencies !== "all" && !currency.some((one) => currencies.includes(one)))
    return `${connector} takes none of these currencies`
  if (network !== undefined && !network.some((one) => networks.includes(one)))
    return `${connector} takes none of these networks`
  return undefined
}

function reachFindings(rules: readonly Rule[], index: number): readonly Finding[] {
  const rule = rules[index]!
  const before = rules.slice(0, index)
  const same = before.findIndex(({ name }) => name === rule.name)
  const covering = before.find(({ when }) => covers(when, rule.when))
  return [
    ...(same < 0 ? [] : [error("repeated_name", `/rules/${index}/name`, `is the name of rule ${same + 1} too`)]),
    ...(covering === undefined
      ? []
      : [error("unreachable", `/rules/${index}`, `is never reached: "${covering.name}" matches all that it would`)]),
  ]
}

/** Whether every payment that `inner` matches is matched by `outer`. */
export function covers(outer: Condition, inner: Condition): boolean {
  const within = (wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean =>
    wide === undefined || (narrow !== undefined && narrow.every((one) => wide.includes(one)))
  const [from, to] = [outer.amount?.min, outer.amount?.max]
  return (
    within(outer.currency, inner.currency) &&
    within(outer.country, inner.country) &&
    within(outer.network, inner.network) &&
    (from === undefined || (inner.amount?.min !== undefined && inner.amount.min >= from)) &&
    (to === undefined || (inner.amount?.max !== undefined && inner.amount.max <= to))
  )
}

const isEverything = (when: Condition): boolean => covers(when, {})

const error = (code: Finding["code"], at: string, detail: string): Finding => ({ severity: "error", code, at, detail })
const warning = (code: Finding["code"], at: string, detail: string): Finding => ({
  severity: "warning",
  code,
  at,
  detail,
})
