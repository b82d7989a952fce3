// Recorded exchanges against the connectors' decoders. Each line of the recordings becomes one or more exchanges: which
// codec reads the answer, and what an independent reader made of it (another payment library, the vendor's own SDK tests,
// the HTTP status). Every aspect that differs is explained by a rule, or it is a disagreement.

import type { HttpResponse } from "../../packages/server/src/connectors/connector.ts"
import { codecOf } from "../../packages/server/src/connectors/contract-encode.ts"
import { inputOf } from "../../packages/server/src/connectors/contract-input.ts"
import type { SampleOperation } from "../../packages/server/src/connectors/contract-sample.ts"
import { avsLetters, type Checks, codeLetters } from "../../packages/server/src/core/check.ts"
import type { DeclineReason } from "../../packages/server/src/core/decline.ts"
import type { Outcome } from "../../packages/server/src/core/outcome.ts"
import type { Case, Rule, Verdict } from "./case.ts"
import type { Provider } from "./providers.ts"

/** What the independent reader says. Absent aspects are not compared. */
export type Expected = {
  /** Whether the operation was done or accepted (true), or refused (false). */
  readonly success?: boolean
  readonly kinds?: readonly Outcome["kind"][]
  /** The provider's own codes: each stands in our raw code, network code or message. */
  readonly raw?: readonly string[]
  readonly reasons?: readonly DeclineReason[]
  /** Letters of the networks, into which the reader translated the provider's checks. */
  readonly avs?: string
  readonly cvv?: string
  /** The provider's id, somewhere in the reader's reference. */
  readonly reference?: string
}

export type Aspect = keyof Expected

export type Exchange = {
  /** `stripe.jsonl:12 POST /v1/payment_intents`. */
  readonly name: string
  readonly response: HttpResponse
  readonly expected: Expected
} & (
  | {
      readonly operation: SampleOperation
      /** What differs from the suite's standard input. */
      readonly input: Readonly<Record<string, unknown>>
    }
  /** Nothing of ours reads it: the rule says why. */
  | { readonly foreign: string }
  /** Webhooks of the recordings are told by what their first notice says. */
  | { readonly webhook: true }
)

export type RecordedRule = Rule & {
  /** Which disagreements it explains; absent for rules that exchanges name themselves. */
  readonly explains?: (exchange: Exchange, aspect: Aspect, outcome: Outcome) => boolean
}

export function compare(
  provider: Provider,
  exchanges: readonly Exchange[],
  rules: readonly RecordedRule[],
): readonly Case[] {
  return exchanges.map((exchange) => ({
    provider: provider.id,
    part: "recorded",
    name: exchange.name,
    verdict: verdictOf(provider, exchange, rules),
  }))
}

function verdictOf(provider: Provider, exchange: Exchange, rules: readonly RecordedRule[]): Verdict {
  if ("foreign" in exchange) return { kind: "explained", rules: [exchange.foreign] }
  const outcome = read(provider, exchange)
  if (outcome === undefined) return { kind: "unexplained", detail: "the webhook says nothing" }
  const differing = aspectsThatDiffer(exchange.expected, outcome)
  if (differing.length === 0) return { kind: "agree" }
  // Nothing can explain an approval of ours where the other says no.
  const isFalseApproval =
    outcome.kind === "approved" && differing.some((aspect) => aspect === "success" || aspect === "kinds")
  const found = differing.map((aspect) =>
    isFalseApproval ? undefined : rules.find(({ explains }) => explains?.(exchange, aspect, outcome) === true),
  )
  const open = differing.filter((_, index) => found[index] === undefined)
  if (open.length === 0) return { kind: "explained", rules: [...new Set(found.map((rule) => rule!.key))] }
  return { kind: "unexplained", detail: open.map((aspect) => inWords(aspect, exchange.expected, outcome)).join("; ") }
}

function read({ connector }: Provider, exchange: Exclude<Exchange, { foreign: string }>): Outcome | undefined {
  const { response } = exchange
  if ("webhook" in exchange) return connector.webhook.decode({ headers: {}, body: response.body })[0]?.outcome
  const { operation, input } = exchange
  return codecOf(connector, operation).decode(response, inputOf(connector, { operation, input }))
}

function aspectsThatDiffer(expected: Expected, outcome: Outcome): readonly Aspect[] {
  const aspects = Object.keys(expected) as Aspect[]
  return aspects.filter((aspect) => expected[aspect] !== undefined && !agrees(aspect, expected, outcome))
}

function agrees(aspect: Aspect, expected: Expected, outcome: Outcome): boolean {
  switch (aspect) {
    case "success":
      return successOf(outcome) === expected.success
    case "kinds":
      return expected.kinds!.includes(outcome.kind)
    case "raw": {
      const { code, message = "", networkCode = "" } = outcome.raw
      return expected.raw!.every((part) => [code, message, networkCode].some((text) => text.includes(part)))
    }
    case "reasons":
      return "reason" in outcome && expected.reasons!.includes(outcome.reason)
    case "avs":
      return isSameAvs(expected.avs!, outcome.evidence.checks)
    case "cvv":
      return isSameCode(expected.cvv!, outcome.evidence.checks)
    case "reference":
      return outcome.evidence.reference !== undefined && expected.reference!.includes(outcome.evidence.reference)
    default:
      return aspect satisfies never
  }
}

/** Done or on its way, or refused; undefined where we say that nobody knows. */
function successOf(outcome: Outcome): boolean | undefined {
  if (outcome.kind === "approved" || outcome.kind === "pending" || outcome.kind === "action") return true
  return outcome.kind === "declined" || outcome.kind === "rejected" ? false : undefined
}

// A letter agrees as it is, or by what it stands for.
function isSameAvs(letter: string, checks: Checks | undefined): boolean {
  if (checks?.rawAvs === letter) return true
  const meaning = Object.hasOwn(avsLetters, letter) ? avsLetters[letter] : undefined
  return meaning !== undefined && checks?.line === meaning.line && checks.postcode === meaning.postcode
}

function isSameCode(letter: string, checks: Checks | undefined): boolean {
  if (checks?.rawCode === letter) return true
  return Object.hasOwn(codeLetters, letter) && checks?.code === codeLetters[letter]
}

function inWords(aspect: Aspect, expected: Expected, outcome: Outcome): string {
  const wanted = JSON.stringify(expected[aspect])
  const { checks } = outcome.evidence
  const said = aspect === "avs" || aspect === "cvv" ? JSON.stringify(checks ?? null) : outcome.kind
  const why = "reason" in outcome ? ` (${outcome.reason})` : ""
  return `${aspect}: expected ${wanted}, read ${said}${why}, raw ${JSON.stringify(outcome.raw)}`
}
