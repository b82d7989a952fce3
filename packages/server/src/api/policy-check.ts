// The checks of a policy as the API makes them: on a document that comes in, with all that is wrong with it at once, and on
// stored ones, with the merchant's accounts as they are now.

import { Fault, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { candidateOf } from "../engine/attempt.ts"
import { type ConditionProblem, placeInText } from "../routing/condition-language.ts"
import { checkPolicy, type Finding } from "../routing/policy-check.ts"
import type { PolicyDocument } from "../routing/policy.ts"
import type { Api, Key } from "./context.ts"
import { readDocument } from "./policy-document.ts"
import { nameOf, readDraft } from "./policy-draft.ts"
import type { FindingResource, WireDocument } from "./policy-schema.ts"

export function findingsOf({ engine }: Api, { merchant, mode }: Key, document: PolicyDocument): readonly Finding[] {
  const known = engine.directory.accounts(merchant).map(candidateOf)
  return checkPolicy(
    document,
    known.filter((account) => account.mode === mode),
  )
}

/** Everything there is to say about a draft, as it was sent; `errors` are what its schema says. */
export function findingsAbout(
  api: Api,
  caller: Key,
  body: Readonly<Record<string, unknown>>,
  errors: readonly FieldError[],
): readonly FindingResource[] {
  const draft = readDraft(body, errors)
  const { problems, wire, document } = draft
  const rules = Array.isArray(body["rules"]) ? (body["rules"] as readonly unknown[]) : []
  const semantic = document === undefined ? [] : findingsOf(api, caller, document).filter((one) => draft.isCertain(one))
  const omitted = problems.length - MAX_MALFORMED
  const listed =
    omitted <= 0
      ? problems
      : [...problems.slice(0, MAX_MALFORMED), { at: "", detail: `holds ${omitted} more places that cannot be read` }]
  return [...listed.map((one) => problemResource(one, rules)), ...semantic.map((one) => findingResource(one, wire))]
}

/** What one answer lists of a draft that cannot be read. */
const MAX_MALFORMED = 200

/** A document without errors; warnings are for its author to judge. */
export function checkedDocument(api: Api, caller: Key, wire: WireDocument): PolicyDocument {
  const read = readDocument(wire)
  const errors =
    read.kind === "broken"
      ? read.problems.map((one) => problemResource(one, wire.rules))
      : findingsOf(api, caller, read.document)
          .filter(({ severity }) => severity === "error")
          .map((one) => findingResource(one, wire))
  if (read.kind === "broken" || errors.length > 0)
    throw new Fault("request.invalid", {
      errors: errors.map(({ pointer, position, detail }) => ({ pointer, detail: placed(detail, position) })),
    })
  return read.document
}

const placed = (detail: string, position: FindingResource["position"]): string =>
  position === undefined ? detail : `line ${position.line}, column ${position.column}: ${detail}`

function problemResource({ at, detail, position }: ConditionProblem, rules: readonly unknown[]): FindingResource {
  const index = /^\/rules\/(\d+)/.exec(at)?.[1]
  const rule = index === undefined ? undefined : given({ index: Number(index), name: nameOf(rules[Number(index)]) })
  return given({ severity: "error", code: "malformed", rule, pointer: `#${at}`, position, detail })
}

/** What is found in a condition that came as text is shown in the text. */
export function findingResource({ severity, code, rule, at, detail }: Finding, wire?: WireDocument): FindingResource {
  const place = wire === undefined ? { pointer: `#${at}` } : placeOf(wire, at)
  return given({ severity, code, rule, ...place, detail })
}

function placeOf(wire: WireDocument, at: string): Pick<FindingResource, "pointer" | "position"> {
  const [, list, index, part, ...inside] = at.split("/")
  const when =
    part !== "when" ? undefined : list === "rules" ? wire.rules[Number(index)]?.when : wire.never?.[Number(index)]?.when
  return typeof when === "string"
    ? given({
        pointer: `#/${list}/${index}/when`,
        position: placeInText(when, inside.map((step) => `/${step}`).join("")),
      })
    : { pointer: `#${at}` }
}
