// What authors and editors of policies need beside storing them: checking a draft, turning conditions from text to tree and
// back, the table of fields, and what has changed between two versions.

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import { type FieldSpec, fields, printCondition, readCondition } from "../routing/condition-language.ts"
import { diffRules, type RuleChange } from "../routing/policy-diff.ts"
import type { PolicyDocument, Rule } from "../routing/policy.ts"
import { findPolicyVersion, type PolicyRow } from "../storage/resources/policies.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { loadPolicy, noVersion } from "./policies.ts"
import { findingsAbout } from "./policy-check.ts"
import { documentResource } from "./policy-document.ts"
import { ConditionPart, Finding, PolicyCheck, type WireRule } from "./policy-schema.ts"
import { faultOf } from "./problem.ts"
import type { Routes } from "./routes.ts"
import { closed, Id, words } from "./schema.ts"

const tags = ["Policies"]

const ConditionInput = closed(
  { condition: ConditionPart },
  {
    $id: "ConditionInput",
    examples: [
      { condition: 'currency == "EUR" && card.bin.startsWith("411111")' },
      { condition: { field: "currency", op: "in", value: ["EUR", "CHF"] } },
    ],
  },
)
const ConditionForms = Type.Object(
  {
    tree: Type.Optional(ConditionPart),
    text: Type.Optional(Type.String()),
    problems: Type.Array(
      Type.Object({
        pointer: Type.String({ description: "JSON pointer into the tree; of a text the whole, `#`." }),
        position: Type.Optional(Type.Object({ offset: Type.Integer(), line: Type.Integer(), column: Type.Integer() })),
        detail: Type.String(),
      }),
      { description: "Empty where the condition can be read; then `tree` and `text` are there." },
    ),
  },
  { $id: "ConditionForms" },
)
const PolicyField = Type.Object(
  {
    name: Type.String({ description: "As it is written; what stands in angle brackets is the author's to name." }),
    type: words(["string", "enum", "integer", "amount", "number"]),
    operators: Type.Array(Type.String()),
    optional: Type.Boolean({ description: "Not every payment has it; comparisons are unknown then." }),
    words: Type.Optional(Type.Array(Type.String())),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    parameter: Type.Optional(Type.String({ description: "What is named in angle brackets." })),
    description: Type.String(),
  },
  { $id: "PolicyField" },
)
const Change = Type.Object({
  kind: words(["added", "removed", "moved", "changed"]),
  name: Type.String(),
  from: Type.Optional(Type.Integer({ description: "Place in the older document, from 0." })),
  to: Type.Optional(Type.Integer({ description: "Place in the newer document, from 0." })),
  parts: Type.Optional(
    Type.Array(
      Type.Object({
        part: words(["when", "strategy", "require_three_ds", "retry", "on_unknown"]),
        before: Type.Optional(Type.Unknown()),
        after: Type.Optional(Type.Unknown()),
      }),
      { description: "Of a changed rule. Conditions are shown as text." },
    ),
  ),
})
const PartDiff = Type.Union([Type.Null(), Type.Object({ before: Type.Unknown(), after: Type.Unknown() })], {
  description: "Null where nothing has changed.",
})
const PolicyDiff = Type.Object(
  {
    policy: Type.String(),
    from: Type.Integer(),
    to: Type.Integer(),
    rules: Type.Array(Change),
    never: PartDiff,
    commitments: PartDiff,
  },
  { $id: "PolicyDiff" },
)
export const named = { ConditionInput, ConditionForms, PolicyField, PolicyDiff }

export const policyLanguage: Routes = (app, api, guard) => {
  app.post(
    "/policies/check",
    {
      schema: {
        operationId: "checkPolicy",
        tags,
        summary: "Check a draft without storing it",
        description:
          "Errors and warnings with their places, as things stand now. What cannot be read is a finding too (`malformed`), and what can be is checked beside it.",
        body: PolicyCheck,
        response: { 200: Type.Object({ findings: Type.Array(Finding) }) },
      },
      ...guard("config:read"),
      attachValidation: true,
    },
    async (request) => {
      const { validationError, body } = request
      const errors = validationError === undefined ? [] : faultOf(validationError).errors
      // No object at all is no draft.
      if (errors.some(({ pointer }) => pointer === "#")) throw faultOf(validationError!)
      return { findings: [...(await findingsAbout(api, callerOf(request), body, errors))] }
    },
  )

  app.post(
    "/policies/conditions",
    {
      schema: {
        operationId: "convertCondition",
        tags,
        summary: "Turn a condition into its tree and its text",
        description: "For editors: what cannot be read is answered with its place, not as an error.",
        body: ConditionInput,
        response: { 200: ConditionForms },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const read = readCondition(request.body.condition)
      return read.kind === "condition"
        ? { tree: read.condition, text: printCondition(read.condition), problems: [] }
        : {
            problems: read.problems.map(({ at, detail, position }) => given({ pointer: `#${at}`, position, detail })),
          }
    },
  )

  app.get(
    "/policies/fields",
    {
      schema: {
        operationId: "listPolicyFields",
        tags,
        summary: "List the fields that conditions can compare",
        response: { 200: Type.Object({ data: Type.Array(PolicyField) }) },
      },
      ...guard("config:read"),
    },
    async () => ({ data: fields.map(fieldResource) }),
  )

  app.get(
    "/policies/:id/diff",
    {
      schema: {
        operationId: "diffPolicyVersions",
        tags,
        summary: "Compare two versions of a policy",
        description: "Rules are known by their names.",
        params: Type.Object({ id: Id("pol") }),
        querystring: closed({
          from: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
          to: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
        }),
        response: { 200: PolicyDiff },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const { from, to } = request.query
      const [before, after] = await Promise.all([
        documentAt(api, caller, policy, from),
        documentAt(api, caller, policy, to),
      ])
      const [was, is] = [documentResource(before, "text"), documentResource(after, "text")]
      return {
        policy: policy.id,
        from,
        to,
        rules: diffRules(before, after, partsOf).map(changeResource),
        never: partDiff(was.never ?? [], is.never ?? []),
        commitments: partDiff(was.commitments ?? [], is.commitments ?? []),
      }
    },
  )
}

const partsOf = (rule: Rule): WireRule => documentResource({ rules: [rule] }, "text").rules[0]!

const changeResource = (change: RuleChange): Static<typeof Change> =>
  change.kind === "changed" ? { ...change, parts: change.parts.map((one) => ({ ...one })) } : { ...change }

async function documentAt(api: Api, { merchant }: Key, { id }: PolicyRow, version: number): Promise<PolicyDocument> {
  const row = await findPolicyVersion(api.database, merchant, id, version)
  if (row === undefined) throw noVersion(version)
  return row.document as PolicyDocument
}

const partDiff = (before: unknown, after: unknown): { before: unknown; after: unknown } | null =>
  JSON.stringify(before) === JSON.stringify(after) ? null : { before, after }

const fieldResource = ({ name, type, operators, optional, words: known, min, max, parameter, doc }: FieldSpec) => ({
  name,
  type,
  operators: [...operators],
  optional,
  ...(known === undefined ? {} : { words: [...known] }),
  ...given({ min, max, parameter }),
  description: doc,
})
