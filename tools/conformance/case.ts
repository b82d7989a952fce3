// One thing that was compared, and what came out. A disagreement is either explained by a rule, which is data with its
// reason and source, or it is unexplained, and then the command fails.

export type Verdict =
  | { readonly kind: "agree" }
  | { readonly kind: "explained"; readonly rules: readonly string[] }
  | { readonly kind: "unexplained"; readonly detail: string }

export type Part = "requests" | "recorded" | "signatures" | "codes"

export type Case = {
  readonly provider: string
  readonly part: Part
  readonly name: string
  readonly verdict: Verdict
}

/** Why a disagreement is none of ours. `key` names it in the report. */
export type Rule = { readonly key: string; readonly reason: string; readonly source: string }

export type Tally = {
  readonly cases: number
  readonly agree: number
  readonly explained: number
  readonly unexplained: number
}

export function tally(cases: readonly Case[]): Tally {
  const count = (kind: Verdict["kind"]): number => cases.filter(({ verdict }) => verdict.kind === kind).length
  return {
    cases: cases.length,
    agree: count("agree"),
    explained: count("explained"),
    unexplained: count("unexplained"),
  }
}

/** How many cases each rule explains, by its key. */
export function ruleCounts(cases: readonly Case[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { verdict } of cases)
    if (verdict.kind === "explained") for (const key of verdict.rules) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
