// The command itself: what it takes, which comparisons it makes for which provider, and how it ends.

import { parseArgs } from "node:util"
import { type Case, ruleCounts, tally } from "./case.ts"
import { checkCodes } from "./codes.ts"
import { type DataFolder, DataFolderError, openDataFolder } from "./data-folder.ts"
import { differences } from "./differences.ts"
import { type Provider, providers } from "./providers.ts"
import { compare, type Exchange, type RecordedRule } from "./recorded.ts"
import { adyenExchanges, adyenMocks, adyenRules } from "./recorded-adyen.ts"
import { checkoutExchanges, checkoutReplies, checkoutRules } from "./recorded-checkout.ts"
import { stripeExchanges, stripeRules } from "./recorded-stripe.ts"
import { inJson, inWords, type Report } from "./report.ts"
import { checkRequests, defaultInputs, type Sampling } from "./requests.ts"
import { checkSignatures, signatureRules } from "./signatures.ts"

const maxInputs = 100_000
const defaultSeed = 20_261_029

const usage = `npm run conformance -- --data <folder> [--psp <id>] [--inputs <n>] [--seed <n>] [--json] [--verbose]

Compares what the connectors encode with the providers' official API descriptions, what they decode with exchanges that
others recorded, what they verify with official signature vectors, and their tables with the published lists of codes.

  --data      the folder with specs/, recorded/, webhooks/ and codes/
  --psp       one provider only: ${providers.map(({ id }) => id).join(", ")}
  --inputs    inputs of every operation that are encoded (default ${defaultInputs})
  --seed      another choice of inputs (default ${defaultSeed})
  --json      the whole report as one line of JSON instead of tables
  --verbose   every disagreement, and the source of every explanation
  --help      this text

A disagreement is explained by a rule with its reason and source, or unexplained. The last line is the tally as JSON.
Ends with 1 if anything is unexplained, with 2 if it could not run.`

const recordedRules: Readonly<Record<Provider["id"], readonly RecordedRule[]>> = {
  stripe: stripeRules,
  adyen: adyenRules,
  checkout: checkoutRules,
}

function exchangesOf({ id }: Provider, data: DataFolder): readonly Exchange[] {
  switch (id) {
    case "stripe":
      return stripeExchanges(data.lines("recorded/stripe.jsonl"))
    case "adyen":
      return [
        ...adyenExchanges(data.lines("recorded/adyen.jsonl")),
        ...adyenMocks(data.lines("recorded/adyen_sdk.jsonl")),
      ]
    case "checkout":
      return [
        ...checkoutExchanges(data.lines("recorded/checkout.jsonl")),
        ...checkoutReplies(data.lines("recorded/checkout_sdk.jsonl")),
      ]
    default:
      return id satisfies never
  }
}

function check(provider: Provider, data: DataFolder, sampling: Sampling, output: Output): Report {
  const rules = [...differences[provider.id], ...recordedRules[provider.id], ...signatureRules]
  const step = (what: string, cases: () => readonly Case[]): readonly Case[] => {
    output.progress(`${provider.id}: ${what} ...`)
    return cases()
  }
  const recorded = step("recorded exchanges", () => {
    const cases = compare(provider, exchangesOf(provider, data), recordedRules[provider.id])
    return [...cases, ...unused(provider, cases)]
  })
  const cases = [
    ...step("encoded requests", () => checkRequests(provider, data, sampling)),
    ...recorded,
    ...step("signatures", () => checkSignatures(provider, data)),
    ...step("codes", () => checkCodes(provider, data)),
  ]
  return { cases, rules }
}

/** A rule that explains nothing any more would one day hide something. */
function unused({ id }: Provider, cases: readonly Case[]): readonly Case[] {
  const counted = ruleCounts(cases)
  return recordedRules[id]
    .filter(({ key }) => !counted.has(key))
    .map(({ key }) => ({
      provider: id,
      part: "recorded",
      name: key,
      verdict: { kind: "unexplained", detail: "this rule explains nothing: take it out" },
    }))
}

function numberOf(name: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > max)
    throw new DataFolderError(`--${name} must be a whole number from 1 to ${max}.`)
  return number
}

/** Where the report and its progress go. */
export type Output = { readonly report: (text: string) => void; readonly progress: (text: string) => void }

/** The command's exit code. */
export function conformance(args: readonly string[], output: Output): number {
  try {
    const options = {
      data: { type: "string" },
      psp: { type: "string" },
      inputs: { type: "string" },
      seed: { type: "string" },
      json: { type: "boolean" },
      verbose: { type: "boolean" },
      help: { type: "boolean" },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help === true) {
      output.report(usage)
      return 0
    }
    const chosen = providers.filter(({ id }) => values.psp === undefined || values.psp === id)
    if (chosen.length === 0)
      throw new DataFolderError(`--psp ${values.psp} is none of ${providers.map(({ id }) => id).join(", ")}.`)
    const data = openDataFolder(values.data)
    const sampling = {
      seed: numberOf("seed", values.seed, defaultSeed, 2 ** 31 - 1),
      inputs: numberOf("inputs", values.inputs, defaultInputs, maxInputs),
    }
    const reports = chosen.map((provider) => check(provider, data, sampling, output))
    const rules = [...new Map(reports.flatMap((report) => report.rules).map((rule) => [rule.key, rule])).values()]
    const report: Report = { cases: reports.flatMap(({ cases }) => cases), rules }
    output.report(values.json === true ? inJson(report) : `${inWords(report, values.verbose === true)}\n`)
    const counts = tally(report.cases)
    output.report(JSON.stringify(counts))
    return counts.unexplained > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof DataFolderError) && !isUsageError(error)) throw error
    output.progress(`${error.message}\n\n${usage}`)
    return 2
  }
}

const isUsageError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")
