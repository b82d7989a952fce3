// docs/cost-estimates.md, written from the rows and examples themselves. Pure: the caller (tools/generate.ts) writes the text,
// and the repository's check compares it with the file.

import { cardRegions } from "../../core/card-region.ts"
import { feeModelExamples } from "./fee-model-example.ts"
import { type CostRowData, costCertainties, costSources, interchangeRows, schemeFeeRows } from "./interchange.ts"

/** The whole document in Markdown, with one newline at its end. */
export function costEstimatesDocument(): string {
  const parts = [intro, rows("Interchange", interchangeRows), rows("Scheme fees", schemeFeeRows), sources(), examples()]
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`
}

const intro = `
# What a payment costs

<!-- Generated from packages/server/src/routing/cost by tools/generate.ts. Do not edit. -->

An account's *fee model* says what its contract charges; where the contract passes on what the issuer and the scheme take
(\`interchange_plus\`), these two are estimated by the tables below until settlements of the account show them. The first row that
matches counts. Card-not-present payments only; days begin at midnight UTC.

Every estimate says how sure it is, by its least sure part, and what it assumed:

${Object.entries(costCertainties)
  .map(([certainty, meaning]) => `- *${certainty}*: ${meaning}.`)
  .join("\n")}

Rounding: all is counted exactly in hundred-millionths of a minor unit. The sum is rounded once, a half and more upwards; the parts are
rounded down, and those that lose most by it are rounded up, so that they sum up to the whole.

The model stands on the account: \`fee_model\` of \`POST /v1/accounts\` and \`PATCH /v1/accounts/{id}\` (\`null\` removes it). \`POST
/v1/accounts/{id}/fee_estimate\` says part by part what a payment would cost, so that a model can be held against an invoice.
Routing counts a fee as a share of the amount, for approval and decline apart. It is no cost at all, and says so, where the account has no
model, or where the payment is in another currency and no rate of exchange is known; none is known to the server yet, so \`fee_estimate\` takes
one with the request. What a contract asks for and routing does not know (funding, product, network, 3-D Secure, the month's volume
of a tiered price) is assumed, and makes the whole estimate *assumed*.
`

function rows(title: string, all: readonly CostRowData[]): string {
  const body = all.map((row) => [
    code(row.id),
    regions(row.merchantRegions),
    row.crossings?.join(", ") ?? regions(row.cardRegions),
    row.networks?.join(", ") ?? "any",
    [row.fundings?.join(", "), row.products?.join(", "), row.cappedIssuer ? "capped issuer" : undefined]
      .filter((text) => text !== undefined)
      .join("; ") || "any",
    row.fixed === undefined ? `${row.percent} %` : `${row.percent} % + ${row.fixed} ${row.currency}`,
    row.from,
    row.until ?? "",
    row.certainty,
    code(row.source),
    row.note ?? "",
  ])
  const head = ["row", "merchant", "card", "networks", "kind", "takes", "from", "until", "sure", "source", "note"]
  return `## ${title}\n\n${table(head, body)}`
}

const regions = (of: CostRowData["merchantRegions"]): string =>
  of?.map((region) => cardRegions[region]).join(", ") ?? "anywhere"

const sources = (): string =>
  `## Sources\n\n${table(
    ["source", "what it is"],
    Object.entries(costSources).map(([id, source]) => [code(id), source]),
  )}`

function examples(): string {
  const texts = Object.entries(feeModelExamples).map(
    ([name, model]) => `### ${name}\n\n\`\`\`json\n${JSON.stringify(model, undefined, 2)}\n\`\`\``,
  )
  return `## Examples of fee models

Percentages and amounts are decimal text: contracts quote fractions of minor units. Amounts are in major units of the model's
currency. The numbers are invented.

${texts.join("\n\n")}`
}

const code = (text: string): string => `\`${text}\``

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n")
}
