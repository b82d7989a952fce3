// docs/outcomes.md, written from the tables themselves, so that what is documented is what runs. Pure: the caller
// (tools/generate.ts) writes the text, and the repository's check compares it with the file.

import { networks } from "./card.ts"
import { type AddressChecks, avsLetters, avsLettersByNetwork, codeLetters } from "./check.ts"
import { type Decline, declineCategories, declineReasons } from "./decline.ts"
import {
  type Advice,
  adviceCodes,
  codesByNetwork,
  commonCodes,
  visaCategories,
  visaCategoryOf,
} from "./network-code.ts"
import { schemeValidityDays, unknownValidityDays } from "./validity.ts"

/** The whole document in Markdown, with one newline at its end. */
export function outcomesDocument(): string {
  const parts = [intro, declines(), responseCodes(), advice(), visa(), checks(), validity()]
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`
}

const intro = `
# Outcomes

<!-- Generated from packages/server/src/core by tools/generate.ts. Do not edit. -->

Every answer of every provider becomes one *outcome*. When it is a decline, it carries one *reason* from the closed list
below, beside the provider's, the network's and the advice code as they came. On the reason hangs what routing, retries,
provider health and people need to know. A code that no table knows becomes \`unmapped\` and is counted: nothing is guessed.
`

function declines(): string {
  const byCategory = Map.groupBy(Object.entries(declineReasons), ([, { category }]) => category)
  const sections = Object.entries(declineCategories).map(([category, { meaning, countsAgainstHealth }]) => {
    const members = byCategory.get(category as keyof typeof declineCategories) ?? []
    const health = countsAgainstHealth ? " Counts against the provider's health." : ""
    const rows = members.map(([reason, decline]) => declineRow(reason, decline))
    return `### ${category}\n\n${meaning}${health}\n\n${table(["reason", "fault", "here", "elsewhere", "may help", "meaning", "for the customer"], rows)}`
  })
  return `## Reasons

There are ${Object.keys(declineReasons).length} reasons in ${sections.length} categories. *Here* and *elsewhere* say whether the same payment
with the same card may be sent again to the same account or through another provider: \`yes\` at once,
\`later\` after minutes, hours or days, \`with_changes\` not as it is, \`no\` never. *May help* lists the changes, best first. Scheme rules,
the advice code and the policy can forbid what the reason allows, never the other way round.

${sections.join("\n\n")}`
}

function declineRow(reason: string, decline: Decline): readonly string[] {
  const { fault, retryHere, retryElsewhere, changes, meaning, customerMessage } = decline
  return [code(reason), fault, retryHere, retryElsewhere, changes.join(", "), meaning, customerMessage]
}

function responseCodes(): string {
  const own = Object.entries(codesByNetwork).map(([network, codes]) => {
    const rows = sorted(codes).map(([response, meaning]) => [code(response), code(meaning)])
    return `### ${networks[network as keyof typeof codesByNetwork].name}\n\n${table(["code", "reads as"], rows)}`
  })
  const common = sorted(commonCodes).map(([response, meaning]) => [code(response), code(meaning)])
  return `## Response codes (ISO 8583, field 39)

Common to the networks; below it where a network departs. A Mastercard 65 reads as \`authentication_required\` when the
payment is subject to strong customer authentication and was not authenticated.

${table(["code", "reads as"], common)}

${own.join("\n\n")}`
}

function advice(): string {
  const rows = sorted(adviceCodes).map(([advised, entry]) => [code(advised), when(entry), entry.meaning])
  return `## Mastercard merchant advice codes\n\n${table(["code", "retry", "meaning"], rows)}`
}

function when({ retry, afterSeconds = 0, changes = [] }: Advice): string {
  if (retry === "after") return `after ${afterSeconds / 3600} h`
  return retry === "with_changes" ? `with ${changes.join(" or ")}` : retry
}

function visa(): string {
  const declining = [...new Set([...Object.keys(commonCodes), ...Object.keys(codesByNetwork.visa ?? {})])]
  const rows = Object.entries(visaCategories).map(([category, { retriesIn30Days, meaning }]) => {
    const members = declining.filter((response) => visaCategoryOf(response) === Number(category)).toSorted()
    return [category, meaning, String(retriesIn30Days), category === "4" ? "all others" : members.map(code).join(" ")]
  })
  return `## Visa categories

How often the same card and amount may be tried again within 30 days.

${table(["category", "meaning", "retries", "codes"], rows)}`
}

function checks(): string {
  const row = (letter: string, { line, postcode, name }: AddressChecks): readonly string[] => [
    code(letter),
    line,
    postcode,
    name,
  ]
  const own = Object.entries(avsLettersByNetwork).map(([network, letters]) => {
    const rows = sorted(letters).map(([letter, result]) => row(letter, result))
    return `### Address, ${networks[network as keyof typeof avsLettersByNetwork].name}\n\n${table(["letter", "line", "postcode", "name"], rows)}`
  })
  return `## Checks

Four checks, each \`pass\`, \`fail\`, \`unavailable\` (asked for, not checked) or \`unchecked\` (not asked for, or not told).

### Address

${table(
  ["letter", "line", "postcode", "name"],
  sorted(avsLetters).map(([letter, result]) => row(letter, result)),
)}

${own.join("\n\n")}

### Security code

${table(
  ["letter", "code"],
  sorted(codeLetters).map(([letter, result]) => [code(letter), result]),
)}`
}

function validity(): string {
  const rows = Object.entries(schemeValidityDays).map(([network, days]) => [
    networks[network as keyof typeof schemeValidityDays].name,
    String(days.customer),
    String(days.merchant),
    String(days.preauthorized ?? "–"),
    days.source,
  ])
  return `## How long an authorization lives

In days, for payments without a present card; a provider's own limit can only shorten it. Other networks: ${unknownValidityDays} days.

${table(["network", "customer-initiated", "merchant-initiated", "preauthorized", "source"], rows)}`
}

const code = (text: string): string => `\`${text}\``

function sorted<V>(entries: Readonly<Record<string, V>>): readonly (readonly [string, V])[] {
  return Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}
