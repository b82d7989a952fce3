// A draft as it comes in to be checked, whatever is wrong with it. Each thing that cannot be read is a finding at its place; what
// can be read is checked all the same, so that one slip does not hide the others.

import type { FieldError } from "../core/fault.ts"
import type { ConditionProblem } from "../routing/condition-language.ts"
import type { Finding } from "../routing/policy-check.ts"
import type { PolicyDocument } from "../routing/policy.ts"
import { readDocument } from "./policy-document.ts"
import type { WireDocument } from "./policy-schema.ts"

export type Draft = {
  readonly problems: readonly ConditionProblem[]
  /** As it was sent, with something that matches nothing in the place of what the schema refuses. */
  readonly wire: WireDocument
  /** Absent where there are no rules that could be read. */
  readonly document?: PolicyDocument
  /** Whether something may be said of it that was found in what could be read. */
  isCertain(finding: Finding): boolean
}

/** `errors`: what the schema says against it. */
export function readDraft(body: Readonly<Record<string, unknown>>, errors: readonly FieldError[]): Draft {
  const refused = errors.map(({ pointer, detail }): ConditionProblem => ({ at: pointer.replace(/^#/, ""), detail }))
  if (refused.some(({ at }) => lists.includes(at)))
    return { problems: refused, wire: { rules: [] }, isCertain: () => false }
  const broken = new Set(refused.flatMap(({ at }) => PART.exec(at)?.[0] ?? []))
  const wire = legible(body as WireDocument, broken)
  const read = readDocument(wire)
  if (read.kind === "document" && refused.length === 0)
    return { problems: [], wire, document: read.document, isCertain: () => true }
  const problems = [...refused, ...(read.kind === "broken" ? read.problems : [])]
  const unread = problems.map(({ at }) => UNREAD.exec(at)?.[0]).filter((at) => at !== undefined)
  return {
    problems,
    wire,
    document: read.kind === "document" ? read.document : read.legible,
    isCertain: ({ at, code }) =>
      ![...broken, ...unread].some((place) => at === place || at.startsWith(`${place}/`)) &&
      !(ofTheWhole.has(code) && [...broken, ...unread].length > 0),
  }
}

const lists: readonly string[] = ["", "/rules", "/never", "/commitments"]
/** A rule, a never-route or a commitment: what the schema refuses of one is not looked into. */
const PART = /^\/(?:rules|never|commitments)\/\d+/
/** What readers refuse: a condition or a strategy of its own. */
const UNREAD = /^\/(?:rules|never)\/\d+\/(?:when|strategy)/

/** Said of all that a document has; what could not be read might have been what is missing. */
const ofTheWhole: ReadonlySet<Finding["code"]> = new Set([
  "no_default",
  "never_without_rule",
  "commitment_without_rule",
  "commitment_without_effect",
  "shares_leave_a_rest",
  "no_cap",
])

function legible({ rules, never, commitments }: WireDocument, broken: ReadonlySet<string>): WireDocument {
  const part = <T>(list: string, members: readonly T[], stand: (member: T) => T): T[] =>
    members.map((member, index) => (broken.has(`/${list}/${index}`) ? stand(member) : member))
  return {
    rules: part("rules", rules, (rule) => ({
      name: nameOf(rule) ?? "",
      when: nothing,
      strategy: { kind: "decline", reason: "unread" },
    })),
    ...(never === undefined ? {} : { never: part("never", never, () => ({ account: "", when: nothing })) }),
    ...(commitments === undefined ? {} : { commitments: part("commitments", commitments, () => ({ account: "" })) }),
  }
}

const nothing = { any: [] }

/** Of a rule as it was sent, which may be anything. */
export const nameOf = (rule: unknown): string | undefined => {
  const name: unknown = (rule as { readonly name?: unknown } | null | undefined)?.name
  return typeof name === "string" ? name : undefined
}
