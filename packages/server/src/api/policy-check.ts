// The checks of a policy as the API makes them: on a document that comes in, with all that is wrong with it at once, and on
// stored ones, with the merchant's accounts as they are now.

import { Fault, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { candidateOf } from "../engine/attempt.ts"
import { type ConditionProblem, placeInText } from "../routing/condition-language.ts"
import { checkInSteps, type Finding } from "../routing/policy-check.ts"
import type { PolicyDocument } from "../routing/policy.ts"
import type { Api, Key } from "./context.ts"
import { readDocument } from "./policy-document.ts"
import { nameOf, readDraft } from "./policy-draft.ts"
import type { FindingResource, WireDocument } from "./policy-schema.ts"

/** Turns of this many milliseconds are taken at most; other requests are served between them. */
const TURN_MS = 10

export async function findingsOf(
  { engine }: Api,
  { merchant, mode }: Key,
  document: PolicyDocument,
): Promise<readonly Finding[]> {
  const known = engine.directory.accounts(merchant).map(candidateOf)
  const checking = checkInSteps(
    document,
    known.filter((account) => account.mode === mode),
  )
  let began = engine.clock.now()
  for (;;) {
    const step = checking.next()
    if (step.done === true) return step.value
    if (engine.clock.now() - began < TURN_MS) continue
    await engine.clock.sleep(0)
    began = engine.clock.now()
  }
}

/** Everything there is to say about a draft, as it was sent; `errors` are what its schema says. */
export async function findingsAbout(
  api: Api,
  caller: Key,
  body: Readonly<Record<string, unknown>>,
  errors: readonly FieldError[],
): Promise<readonly FindingResource[]> {
  const draft = readDraft(body, errors)
  const { problems, wire, document } = draft
  const rules = Array.isArray(body["rules"]) ? (body["rules"] as readonly unknown[]) : []
  const semantic =
    document === undefined ? [] : (await findingsOf(api, caller, document)).filter((one) => draft.isCertain(one))
  const omitted = problems.length - MAX_MALFORMED
  const listed =
    omitted <= 0
      ? problems
      : [...problems.slice(0, MAX_MALFORMED), { at: "", detail: `holds ${omitted} more places that cannot be read` }]
  return [...listed.map((one) => problemResource(one, rules)), ...semantic.map((one) => findingResource(one, wire))]
}

/** What one answer lists of a draft that cannot be read. */
const MAX_MALFORMED = 200

export type CheckedDocument = { readonly document: PolicyDocument; readonly warnings: readonly Finding[] }

/** A document without errors; warnings are for its author to judge. */
export async function checkedDocument(api: Api, caller: Key, wire: WireDocument): Promise<CheckedDocument> {
  const read = readDocument(wire)
  if (read.kind === "broken") throw refused(read.problems.map((one) => problemResource(one, wire.rules)))
  const { document } = read
  const found = await findingsOf(api, caller, document)
  const errors = found.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw refused(errors.map((one) => findingResource(one, wire)))
  return { document, warnings: found }
}

const refused = (errors: readonly FindingResource[]): Fault =>
  new Fault("request.invalid", {
    errors: errors.map(({ pointer, position, detail }) => ({ pointer, detail: placed(detail, position) })),
  })

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
