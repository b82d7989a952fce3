// docs/scheme-rules.md, written from the rows themselves, so that what is documented is what runs. Pure: the caller
// (tools/generate.ts) writes the text, and the repository's check compares it with the file.

import { cardRegions } from "./card-region.ts"
import { money, toMajorString } from "./money.ts"
import { parseCurrency } from "./currency.ts"
import { certainties, type FeeRule, type Scheme, type SchemeRule, schemes } from "./scheme-rule.ts"
import { type SchemeSource, schemeSources } from "./scheme-rules-source.ts"
import { schemeAdvice, schemeFees, schemeLimits, schemeRules, schemeStops } from "./scheme-rules-table.ts"
import { visaCategoryRules } from "./scheme-rules-visa.ts"

/** The whole document in Markdown, with one newline at its end. */
export function schemeRulesDocument(): string {
  const parts = [intro, limits(), stops(), categories(), advice(), fees(), conflicts(), sources()]
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`
}

const intro = `
# Scheme rules

<!-- Generated from packages/server/src/core by tools/generate.ts. Do not edit. -->

What the card schemes say about trying a declined payment again, as \`core/scheme-rules.ts\` applies it. The schemes' manuals are
not public as a whole: these are restatements by acquirers and processors, and they contradict each other in places. Then the
stricter reading is taken, and [the conflict is told](#conflicts); why stands in
[decision 7](decisions/0007-scheme-rules.md). Days begin at midnight UTC; *until* is the first day on which a rule holds no longer. A
question as of an earlier day is answered by that day's rules.

Never followed by another attempt is one whose outcome is unknown, whatever a rule says.

How sure we are:

${Object.entries(certainties)
  .map(([certainty, meaning]) => `- *${certainty}*: ${meaning}.`)
  .join("\n")}
`

function limits(): string {
  const rows = schemeLimits.map((rule) => [
    code(rule.id),
    who(rule),
    String(rule.declines),
    rule.windowHours % 24 === 0 && rule.windowHours > 24
      ? `${rule.windowHours / 24} days`
      : `${rule.windowHours} hours`,
    ["card", ...rule.per].join(", "),
    ...dated(rule),
  ])
  return `## Limits

So many declined attempts are allowed in any window of that length, the first one counted; the next one has to wait until one of them leaves the
window. Counted through all providers together.

${table(["rule", "holds for", "declines", "in", "same", "from", "until", "sure", "sources"], rows)}`
}

const scopes = {
  payment: () => "the payment itself, for ever",
  amount: (days: number) => `the card with that amount, for ${days} days`,
  card: (days: number) => `the card, for ${days} days`,
} as const

function stops(): string {
  const rows = schemeStops.map((rule) => {
    const after =
      "category" in rule.after
        ? `category ${rule.after.category}`
        : "adviceCodes" in rule.after
          ? `advice ${rule.after.adviceCodes.map(code).join(", ")}`
          : "a reason that gives the card up"
    const only = rule.codes === undefined ? "" : ` by ${rule.codes.map(code).join(" ")}`
    const initiator = rule.initiator === undefined ? "" : ` (${rule.initiator}-initiated only)`
    return [code(rule.id), who(rule), after + only, scopes[rule.scope](rule.days ?? 0) + initiator, ...dated(rule)]
  })
  return `## Stops

${table(["rule", "holds for", "after", "stops", "from", "until", "sure", "sources"], rows)}`
}

function categories(): string {
  const rows = visaCategoryRules.map((rule) => [String(rule.category), rule.codes.map(code).join(" "), ...dated(rule)])
  return `## Visa categories

Every code that stands here on no row of its day is of category 4, generic.

${table(["category", "codes", "from", "until", "sure", "sources"], rows)}`
}

function advice(): string {
  const rows = schemeAdvice.map((rule) => [
    code(rule.adviceCode),
    rule.says,
    (rule.changes ?? []).join(", "),
    ...dated(rule),
  ])
  return `## Mastercard advice codes

Codes that end it stand under [stops](#stops).

${table(["code", "asks", "changes", "from", "until", "sure", "sources"], rows)}`
}

const charges: Readonly<Record<FeeRule["charge"], string>> = {
  stop: "an attempt after a stop",
  excess: "an attempt beyond a limit",
  stop_order: "a decline by a cardholder's stop order",
}

function fees(): string {
  const rows = schemeFees.map((rule) => [
    code(rule.id),
    who(rule),
    charges[rule.charge],
    rule.crossing?.join(", ") ?? "any",
    feeText(rule),
    ...dated(rule),
  ])
  return `## Fees

What the scheme bills the acquirer for an attempt that a rule forbids, and acquirers pass on. Predicted with every *no* and *later*.

${table(["fee", "holds for", "for", "crossing", "amount", "from", "until", "sure", "sources"], rows)}`
}

function feeText({ currency, minor }: FeeRule): string {
  const known = parseCurrency(currency)
  return known === undefined ? `${minor} ${currency}` : `${toMajorString(money(minor, known))} ${currency}`
}

function conflicts(): string {
  // Rows of one series share a conflict: it is told once.
  const groups = Map.groupBy(
    schemeRules.filter(({ conflict }) => conflict !== undefined),
    ({ conflict }) => conflict,
  )
  const rows = [...groups].map(([conflict = "", rules]) => [rules.map(({ id }) => code(id)).join(" "), conflict])
  return `## Conflicts

${table(["rules", "what sources say, and how it is read"], rows)}`
}

function sources(): string {
  const rows = Object.entries(schemeSources).map(([id, source]) => [
    code(id),
    source.publisher,
    source.title,
    "published" in source ? source.published : "undated",
    source.address,
  ])
  return `## Sources

Read between August and December 2026.

${table(["source", "publisher", "title", "published", "where"], rows)}`
}

function who({ schemes: of, regions }: SchemeRule): string {
  const names =
    of.length === Object.keys(schemes).length ? "all" : of.map((scheme: Scheme) => schemes[scheme]).join(", ")
  return regions === undefined ? names : `${names}: ${regions.map((region) => cardRegions[region]).join(", ")}`
}

const dated = ({ from, until, certainty, sources: of }: SchemeRule): readonly string[] => [
  from,
  until ?? "",
  certainty,
  of.map((source: SchemeSource) => code(source)).join(" "),
]

const code = (text: string): string => `\`${text}\``

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}
