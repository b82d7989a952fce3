// Tables are half of a connector, and a row that no answer can reach is a lie. The connector says how a provider would
// send each code; the suite sends every one of them, and then those that must never match. Test support.

import assert from "node:assert/strict"
import { strangeCodes } from "./contract-mutation.ts"
import type { Rule } from "./contract-rule.ts"
import { inJson } from "./contract-sample.ts"

export type TableCoverage = {
  readonly name: string
  /** The table itself: the suite also checks that no table of `tables.ts` was forgotten. */
  readonly table: Readonly<Record<string, unknown>>
  /** Puts the code where the provider would, through the codec, and returns what came out in the row's terms. */
  readonly reach: (code: string) => unknown
  /** What must come out for a code that is in no table: `"unmapped"` of a decline table, `"unknown"` of a status table. */
  readonly miss: unknown
}

export function tableRules(
  tables: readonly TableCoverage[],
  module: Readonly<Record<string, unknown>>,
): readonly Rule[] {
  const rules: Rule[] = tables.flatMap(({ name, table, reach, miss }) => [
    {
      name: `${name}: every row is reached`,
      check: () => {
        for (const [code, row] of Object.entries(table)) assert.deepEqual(inJson(reach(code)), inJson(row), code)
      },
    },
    {
      name: `${name}: a code that is not in it is never guessed`,
      check: () => {
        for (const code of strangeCodes)
          if (!Object.hasOwn(table, code)) assert.deepEqual(inJson(reach(code)), inJson(miss), code)
      },
    },
  ])
  const covered = new Set(tables.map(({ table }) => table))
  return [
    ...rules,
    {
      name: "no table is left out of the coverage",
      check: () => {
        for (const [name, value] of Object.entries(module))
          if (typeof value === "object" && value !== null && !Array.isArray(value))
            assert.ok(covered.has(value as Readonly<Record<string, unknown>>), `${name} is not covered`)
      },
    },
    {
      name: "an unmapped decline is said to be unmapped",
      check: () => assert.ok(tables.some(({ miss }) => JSON.stringify(inJson(miss)).includes("unmapped"))),
    },
  ]
}
