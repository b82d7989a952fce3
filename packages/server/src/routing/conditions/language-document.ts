// docs/policy-language.md, written from the table of fields and from examples that are read as they stand there. Pure: the
// caller (tools/generate.ts) writes the text, and the repository's check compares it with the file.

import { MAX_DEPTH, MAX_NODES, MAX_TEXT_CHARS, MAX_VALUE_CHARS, MAX_VALUES, operators } from "./condition.ts"
import { fields, type FieldSpec } from "./fields.ts"
import { findings } from "../policy-finding.ts"
import { MAX_ACCOUNTS_PER_RULE, MAX_COMMITMENTS, MAX_NEVER_ROUTES, MAX_RULES } from "../policy.ts"
import { parseCondition, printCondition } from "./text.ts"

/** The whole document in Markdown, with one newline at its end. */
export function policyLanguageDocument(): string {
  const parts = [intro, documents, semantics, grammar, operatorTable(), fieldTable(), trees(), checks(), life, limits]
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`
}

const intro = `
# The language of policies

<!-- Generated from packages/server/src/routing/conditions by tools/generate.ts. Do not edit. -->

A policy is a list of rules. The first rule whose condition is true of a payment says which accounts are tried, or that none is. What is
said here of conditions holds wherever they stand: in rules and in never-routes.
`

const documents = `
## A document

\`\`\`json
{
  "rules": [
    {
      "name": "Gift cards at night",
      "when": "metadata.kind == \\"gift_card\\" && now.getHours(\\"Europe/Berlin\\") < 6",
      "strategy": { "kind": "decline", "reason": "gift cards are sold by day" }
    },
    {
      "name": "Large payments in euro",
      "when": "currency == \\"EUR\\" && amount >= 50000",
      "strategy": { "kind": "ordered", "accounts": ["acc_…", "acc_…"] },
      "require_three_ds": true
    },
    { "name": "Everything else", "when": "true", "strategy": { "kind": "ordered", "accounts": ["acc_…"] } }
  ],
  "never": [{ "account": "acc_…", "when": "billing.country == \\"US\\"" }]
}
\`\`\`

- \`when\` is a text as above or the tree that it says; both are the same and turn into each other without loss. Answers show trees, or
  texts with \`?conditions=text\`. \`POST /v1/policies/conditions\` turns one into the other, for editors.
- \`strategy\`: \`ordered\` tries the accounts in their order; \`split\` takes the first by the payment's hash, in proportion to the
  \`shares\`; \`optimize\` chooses by an \`objective\`; \`decline\` makes no attempt: the payment is \`failed\` with the reason
  \`declined_by_policy\`, and the rule is named in \`failure.raw\`.
- \`require_three_ds\` asks for 3-D Secure at every account where the payment says \`automatic\` and the customer is there. A payment's own
  word stands above the rule's, as it does with \`on_unknown\`: \`none\` and a result from elsewhere are left as they are, and so is a
  payment of the merchant alone, whose cardholder nobody can ask. The record of the decision says \`threeDs: "required"\` or \`"left"\`.
- \`retry\` says what follows a failed attempt ([retries.md](retries.md) has an example, each field and its limits), \`on_unknown\` what happens when a provider does not answer.
- \`never\` excludes an account from payments, whatever rule names it and even if the payment is pinned to it. A payment that is pinned
  to an account (\`account\`) asks no rule otherwise: it is neither declined nor asked for 3-D Secure by one.
- \`commitments\` are shares and volumes of accounts per calendar month (UTC), across all rules. A
  \`max_volume\` that is reached excludes the account, whatever strategy the rule has. Shares and \`min_volume\` are kept by \`optimize\`
  alone, which moves those payments that lose least by it; \`ordered\` and \`split\` do what they say and follow neither.
`

const semantics = `
## What is true

Not every payment has every fact: a card's country may be unknown, a payment may have no shipping address. A comparison with a fact that
is not there is **unknown**. \`&&\`, \`||\` and \`!\` take three values, as the errors of CEL do: \`false && unknown\` is false,
\`true || unknown\` is true, \`!unknown\` is unknown. **A rule matches only where its condition is true.** Therefore neither
\`card.country == "DE"\` nor \`card.country != "DE"\` nor \`!(card.country == "DE")\` matches a card whose country nobody knows; whoever
means "not known to be German" writes \`!has(card.country) || card.country != "DE"\`. \`has(x)\` is never unknown.

A never-route excludes only where its condition is true, too.
`

const grammar = `
## Text

A subset of [CEL](https://cel.dev): every text that is read here means the same to any CEL interpreter, given the same facts.

\`\`\`text
condition = all { "||" all }
all       = one { "&&" one }
one       = "!" one | "(" condition ")" | "true" | "has" "(" field ")" | string "in" "metadata"
          | field ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
          | field "in" "[" value { "," value } "]"
          | field "." "startsWith" "(" string ")"
\`\`\`

- The field stands on the left. What is negated stands in parentheses, unless it is \`has(…)\`, \`….startsWith(…)\` or \`true\`.
- Texts stand in single or double quotes with the escapes \`\\" \\' \\\\ \\b \\f \\n \\r \\t \\uXXXX\`. Amounts are whole minor units; shares and
  latencies may have a point.
- Keys of metadata that are no plain words: \`metadata["cart type"] == "gift"\`, and \`"cart type" in metadata\` where others have \`has(…)\`.
- Arithmetic, functions, regular expressions, \`? :\`, maps, comments and whatever else CEL has is refused with line and column. Nothing is
  left out silently.

**Normal form.** Parentheses group, and groups stay as they were written: \`(a && b) && c\` is another tree than \`a && b && c\`. Parentheses
around a single thing mean nothing and are not kept, and a tree's group of one is that one; a tree's empty \`all\` is \`true\`, its empty
\`any\` is \`!true\`. What is stored is in this form, and printing and reading it again gives the very same tree.
`

const operatorTable = (): string =>
  `## Operators\n\n${table(
    ["in trees", "in text"],
    Object.entries(operators).map(([name, text]) => [code(name), code(text)]),
  )}\n\nBoth ends of a range are two comparisons: \`amount >= 100 && amount <= 500\`.`

function fieldTable(): string {
  const rows = fields.map((spec) => [code(spec.name), typeOf(spec), spec.operators.map(code).join(", "), spec.doc])
  return `## Fields

\`GET /v1/policies/fields\` lists them with all their values. Those that take \`exists\` are not known of every payment. An account is
named by its id (\`accounts.acc_01k7m0c9qv3w8x5y2z4r6t8b1d.state\`).

${table(["field", "values", "operators", "meaning"], rows)}`
}

function typeOf({ type, words, min, max, form }: FieldSpec): string {
  switch (type) {
    case "enum":
      return words!.length <= 6 ? words!.map(code).join(", ") : `one of ${words!.length} words`
    case "string":
      return form === undefined ? "text" : `text that ${form.says}`
    case "integer":
      return `${min} to ${max}`
    case "amount":
      return "whole minor units"
    case "number":
      return max === 1 ? "0 to 1" : "number"
    default:
      return type satisfies never
  }
}

const examples: readonly string[] = [
  'currency == "EUR" && card.network in ["visa", "mastercard"]',
  '(card.bin.startsWith("411111") || card.bin >= "520000" && card.bin < "530000") && !has(metadata.test)',
  "accounts.acc_01k7m0c9qv3w8x5y2z4r6t8b1d.technical_failure_rate > 0.05",
  'initiator.by == "merchant" && initiator.purpose == "recurring"',
  'now.getDayOfWeek("Europe/Berlin") in [0, 6]',
]

const trees = (): string =>
  `## Trees\n\nGroups hold \`all\` or \`any\` of their members, \`not\` negates, and everything else compares a field. This is what editors with groups and rules hold, too.\n\n${examples.map(example).join("\n\n")}`

function example(text: string): string {
  const read = parseCondition(text)
  if (read.kind === "refused") throw new Error(`an example cannot be read: ${text}: ${read.problem.detail}`)
  return `\`\`\`text\n${printCondition(read.condition)}\n\`\`\`\n\n\`\`\`json\n${JSON.stringify(read.condition)}\n\`\`\``
}

const checks = (): string => `## Checks

\`POST /v1/policies/check\` answers with everything there is to say about a draft, each finding with its rule, its place (a JSON pointer,
and line and column where the condition came as text) and its reason. A document with errors is not stored; warnings stand beside
every version. Rules that are never reached are found also where several others cover them together: conditions can tell only
finitely many kinds of payments apart, and these are searched. Facts count as independent of each other there, so that what is called
impossible is, while an overlap may be one that no real payment has. The search has a limit; where it is reached, \`not_checked\` says so.

${table(
  ["finding", "severity"],
  Object.entries(findings).map(([name, severity]) => [code(name), severity]),
)}

\`malformed\` is an error of the document itself: a field that is not there, a text that cannot be read. What can be read is checked beside
it; what is said of the whole document waits until all of it can be.`

const life = `
## From draft to force

\`POST /v1/policies/{id}/versions\` stores a version with its author and a note; versions never change.
\`GET /v1/policies/{id}/diff?from=1&to=2\` compares two, rule by rule. \`POST /v1/policies/{id}/publish\` puts one in force with the ETag
that was read, for all payments or, with \`share_bps\`, for so many of 10,000 beside the version in force: by the payment's hash, so that a
greater share keeps the payments of a smaller one. The record of every decision says which version decided and by which share. Publishing
without a share promotes it, \`/withdraw\` takes it back, and \`/activate\` with an older version rolls back. All nodes follow within a second.

\`POST /v1/policies/{id}/shadow\` has a version decide on live payments without acting, and \`GET\` says how far it diverges ([evidence.md](evidence.md)).

A version that is published to a share is watched by guardrails (\`guardrails\`; without them the usual ones, which the answer shows): when its
payments go worse than those of the version in force by more than a margin, with certainty, it is withdrawn by itself on all nodes, and
\`policy.publication_stopped\` tells your endpoints. \`publication\` of \`GET /v1/policies/{id}\` shows counts, estimates and intervals while it runs and after
it has ended ([evidence.md](evidence.md)). That it goes to all payments is a person's act. \`GET /v1/policies/{id}/history\` lists who did what and why
(\`note\`), and what guardrails did.
`

const limits = `
## Limits

${MAX_RULES} rules of ${MAX_ACCOUNTS_PER_RULE} accounts; ${MAX_NEVER_ROUTES} never-routes; ${MAX_COMMITMENTS} commitments. A condition has at most ${MAX_NODES} groups and comparisons, is nested at most ${MAX_DEPTH} deep, and is at most
${MAX_TEXT_CHARS} characters long as text; a list has at most ${MAX_VALUES} values of at most ${MAX_VALUE_CHARS} characters. A request has at most 256 KiB.
`

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")
