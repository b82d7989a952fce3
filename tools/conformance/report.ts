// The report as people read it, and as machines do. The last line is always the tally as JSON.

import { type Case, type Part, type Rule, ruleCounts, tally, type Tally } from "./case.ts"

export type Report = {
  readonly cases: readonly Case[]
  readonly rules: readonly Rule[]
}

const parts: readonly Part[] = ["requests", "recorded", "signatures", "codes"]
/** Disagreements of one provider that are shown without --verbose. */
const shownDisagreements = 20

export function inWords({ cases, rules }: Report, verbose: boolean): string {
  return [...Map.groupBy(cases, ({ provider }) => provider)]
    .map(([provider, own]) => providerText(provider, own, rules, verbose))
    .join("\n\n")
}

function providerText(provider: string, cases: readonly Case[], rules: readonly Rule[], verbose: boolean): string {
  const rows = parts
    .map((part) => [part, tally(cases.filter((one) => one.part === part))] as const)
    .filter(([, counts]) => counts.cases > 0)
  const lines = [...rows, ["total", tally(cases)] as const].map(([name, counts]) => row(name, counts))
  const counted = ruleCounts(cases)
  const explained = rules
    .filter(({ key }) => counted.has(key))
    .map(({ key, reason, source }) => `  ${counted.get(key)} × ${key}: ${reason}${verbose ? `\n      ${source}` : ""}`)
  const open = cases.filter(({ verdict }) => verdict.kind === "unexplained")
  const disagreements = open
    .slice(0, verbose ? open.length : shownDisagreements)
    .map(
      ({ part, name, verdict }) => `  ${part} ${name}\n      ${verdict.kind === "unexplained" ? verdict.detail : ""}`,
    )
  return [
    `${provider}\n${head()}`,
    ...lines,
    ...(explained.length === 0 ? [] : ["explained:", ...explained]),
    ...(open.length === 0 ? [] : ["unexplained:", ...disagreements]),
    ...(disagreements.length < open.length ? [`  … and ${open.length - disagreements.length} more (--verbose)`] : []),
  ].join("\n")
}

const cells = (first: string, rest: readonly (string | number)[]): string =>
  `  ${first.padEnd(12)}${rest.map((cell) => String(cell).padStart(13)).join("")}`

const head = (): string => cells("", ["cases", "agree", "explained", "unexplained"])

const row = (name: string, { cases, agree, explained, unexplained }: Tally): string =>
  cells(name, [cases, agree, explained, unexplained])

/** Everything in one line: what was compared, by which rules the rest is explained, and what is not. */
export function inJson({ cases, rules }: Report): string {
  const counted = ruleCounts(cases)
  const providers = [...Map.groupBy(cases, ({ provider }) => provider)].map(([provider, own]) => ({
    provider,
    parts: Object.fromEntries(parts.map((part) => [part, tally(own.filter((one) => one.part === part))])),
  }))
  return JSON.stringify({
    providers,
    explained: rules.flatMap((rule) =>
      counted.has(rule.key) ? [{ ...plain(rule), cases: counted.get(rule.key) }] : [],
    ),
    unexplained: cases.filter(({ verdict }) => verdict.kind === "unexplained"),
  })
}

const plain = ({ key, reason, source }: Rule): Rule => ({ key, reason, source })
