// Every request that a connector encodes, for many inputs of every kind that its manifest allows, against the provider's
// official description.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import type { Codec, HttpRequest } from "../../packages/server/src/connectors/connector.ts"
import { arbitraryInput } from "../../packages/server/src/connectors/contract-arbitrary.ts"
import { codecOf, operationsOf } from "../../packages/server/src/connectors/contract-encode.ts"
import type { AnyInput } from "../../packages/server/src/connectors/contract-input.ts"
import type { Case, Verdict } from "./case.ts"
import type { DataFolder } from "./data-folder.ts"
import { type Difference, differenceOf, differences } from "./differences.ts"
import type { Provider } from "./providers.ts"
import { type Finding, openSpecification } from "./specification.ts"

export type Sampling = { readonly seed: number; readonly inputs: number }

/** With fewer inputs of an operation, a difference may go without a request that needs it. */
export const defaultInputs = 400

const installed = join(import.meta.dirname, "../../node_modules")

export function checkRequests(provider: Provider, data: DataFolder, { seed, inputs }: Sampling): readonly Case[] {
  const { connector, accounts, basePath, dress } = provider
  const specification = openSpecification(data.json(provider.specification))
  const known = differences[provider.id].filter(isDeclared)
  const cases: Case[] = []
  const add = (name: string, verdict: Verdict): void =>
    void cases.push({ provider: provider.id, part: "requests", name, verdict })
  const used = new Set<string>()

  for (const operation of operationsOf(connector)) {
    const codec: Codec<AnyInput> = codecOf(connector, operation)
    const samples = fc.sample(arbitraryInput(connector, operation), { seed, numRuns: inputs })
    for (const [index, input] of samples.entries()) {
      const request: HttpRequest = codec.encode(dress(input), accounts[index % accounts.length]!)
      const findings = specification.check(request, basePath)
      const rules = findings.map((finding) => differenceOf(finding, known)?.key)
      for (const key of rules) if (key !== undefined) used.add(key)
      add(`${operation} ${index + 1} of seed ${seed}`, verdictOf(findings, rules))
    }
  }
  for (const difference of differences[provider.id]) {
    if (!known.includes(difference))
      add(difference.key, { kind: "unexplained", detail: `${difference.declared!.file} does not declare it any more` })
    else if (!used.has(difference.key) && inputs >= defaultInputs)
      add(difference.key, { kind: "unexplained", detail: "this difference explains nothing: take it out of the list" })
  }
  return cases
}

function verdictOf(findings: readonly Finding[], rules: readonly (string | undefined)[]): Verdict {
  const open = findings.filter((_, index) => rules[index] === undefined)
  if (open.length > 0) return { kind: "unexplained", detail: open.map(inWords).join("; ") }
  if (findings.length === 0) return { kind: "agree" }
  return { kind: "explained", rules: [...new Set(rules.filter((key) => key !== undefined))] }
}

const inWords = ({ operation, place, rule, detail }: Finding): string => `${operation} ${place} (${rule}): ${detail}`

function isDeclared({ declared }: Difference): boolean {
  if (declared === undefined) return true
  const file = join(installed, declared.file)
  return existsSync(file) && readFileSync(file, "utf8").includes(declared.text)
}
