// An answer as a table for spreadsheets (RFC 4180). A text that a spreadsheet would run as a formula is kept from it by an
// apostrophe: codes and labels are other people's words.

import { rfc3339 } from "../core/instant.ts"
import type { AnswerRow, Reading } from "../insight/question.ts"

export function metricsTable(
  groupBy: readonly string[],
  metrics: readonly string[],
  rows: readonly AnswerRow[],
): string {
  const compared = rows.some((row) => row.compared !== undefined)
  const numbers = (name: string): readonly string[] => [name, `${name}_count`, `${name}_low`, `${name}_high`]
  const header = [
    "from",
    "to",
    ...groupBy,
    "immature",
    ...metrics.flatMap(numbers),
    ...(compared ? metrics.map((name) => `compared_${name}`).flatMap(numbers) : []),
  ]
  const lines = rows.map((row) => [
    rfc3339(row.from * 60_000),
    rfc3339(row.to * 60_000),
    ...row.key.map((value) => (typeof value === "string" ? harmless(value) : (value ?? ""))),
    String(row.immature),
    ...metrics.flatMap((id) => cells(row.values[id])),
    ...(compared ? metrics.flatMap((id) => cells(row.compared?.[id])) : []),
  ])
  return [header, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("")
}

const cells = (reading: Reading | undefined): readonly (string | number)[] => [
  reading?.value ?? "",
  reading?.count ?? "",
  reading?.interval?.low ?? "",
  reading?.interval?.high ?? "",
]

const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

function cell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
