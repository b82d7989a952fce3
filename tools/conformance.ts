// Holds the connectors against official material: the providers' own API descriptions, exchanges that others recorded,
// signature vectors, lists of codes. The material is given as a folder and is no part of this repository.

import { parseArgs } from "node:util"
import { type Case, ruleCounts, tally } from "./conformance/case.ts"
import { checkCodes } from "./conformance/codes.ts"
import { type DataFolder, DataFolderError, openDataFolder } from "./conformance/data-folder.ts"
import { differences } from "./conformance/differences.ts"
import { type Provider, providers } from "./conformance/providers.ts"
import { compare, type Exchange, type RecordedRule } from "./conformance/recorded.ts"
import { adyenExchanges, adyenMocks, adyenRules } from "./conformance/recorded-adyen.ts"
import { checkoutExchanges, checkoutReplies, checkoutRules } from "./conformance/recorded-checkout.ts"
import { stripeExchanges, stripeRules } from "./conformance/recorded-stripe.ts"
import { inJson, inWords, type Report } from "./conformance/report.ts"
import { checkRequests, defaultInputs, type Sampling } from "./conformance/requests.ts"
import { checkSignatures, signatureRules } from "./conformance/signatures.ts"

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

function check(provider: Provider, data: DataFolder, sampling: Sampling): Report {
  const rules = [...differences[provider.id], ...recordedRules[provider.id], ...signatureRules]
  const step = (what: string, cases: () => readonly Case[]): readonly Case[] => {
    process.stderr.write(`${provider.id}: ${what} ...\n`)
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

function main(): number {
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
    const { values } = parseArgs({ options })
    if (values.help === true) {
      console.log(usage)
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
    const reports = chosen.map((provider) => check(provider, data, sampling))
    const rules = [...new Map(reports.flatMap((report) => report.rules).map((rule) => [rule.key, rule])).values()]
    const report: Report = { cases: reports.flatMap(({ cases }) => cases), rules }
    console.log(values.json === true ? inJson(report) : `${inWords(report, values.verbose === true)}\n`)
    const counts = tally(report.cases)
    console.log(JSON.stringify(counts))
    return counts.unexplained > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof DataFolderError) && !isUsageError(error)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

const isUsageError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")

process.exitCode = main()
