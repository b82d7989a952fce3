// Writes the files that are made from others: the registry of connectors and the documents of docs/. They are checked in,
// so that they can be read without running anything, and `--check` (part of `npm test`) fails when one of them is stale.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { faultsDocument } from "../packages/server/src/core/faults-document.ts"
import { outcomesDocument } from "../packages/server/src/core/outcomes-document.ts"
import { schemeRulesDocument } from "../packages/server/src/core/scheme-rules-document.ts"
import { metricsDocument } from "../packages/server/src/insight/metrics/metrics-document.ts"
import { costEstimatesDocument } from "../packages/server/src/routing/cost/cost-estimates-document.ts"
import { policyLanguageDocument } from "../packages/server/src/routing/conditions/language-document.ts"
import { connectorIds, connectorsFolder, loadManifests } from "./generate/connector-folders.ts"
import { connectorsDocument } from "./generate/connectors-document.ts"
import { registryText } from "./generate/registry.ts"

const root = join(import.meta.dirname, "..")

const usage = `npm run generate [-- --check]

Writes the registry of connectors and the documents in docs/ from the code they describe.

  --check   writes nothing; names the files that are stale and ends with 1 if there are any
  --help    this text`

/** In this order: the registry is what others import. */
type Generated = { readonly path: string; readonly text: () => string | Promise<string> }

const files: readonly Generated[] = [
  { path: `${connectorsFolder}/registry.ts`, text: () => registryText(connectorIds(root)) },
  { path: "docs/connectors.md", text: async () => connectorsDocument(await loadManifests(root)) },
  { path: "docs/outcomes.md", text: outcomesDocument },
  { path: "docs/scheme-rules.md", text: schemeRulesDocument },
  { path: "docs/cost-estimates.md", text: costEstimatesDocument },
  { path: "docs/policy-language.md", text: policyLanguageDocument },
  { path: "docs/metrics.md", text: metricsDocument },
  { path: "docs/faults.md", text: faultsDocument },
  { path: "docs/openapi.json", text: openapi },
]

/** Loaded only now: the API stands on the registry, which had to be written before anything can import it. */
async function openapi(): Promise<string> {
  const { openapiDocument } = await import("../packages/server/src/api/openapi.ts")
  return openapiDocument()
}

const { values } = parseArgs({ options: { check: { type: "boolean" }, help: { type: "boolean" } } })
if (values.help === true) console.log(usage)
else process.exitCode = await generate(values.check === true)

async function generate(checkOnly: boolean): Promise<number> {
  const troubles: string[] = []
  for (const { path, text } of files) {
    try {
      const wanted = formatted(path, await text())
      const file = join(root, path)
      if (existsSync(file) && readFileSync(file, "utf8") === wanted) continue
      if (checkOnly) troubles.push(`${path} is stale`)
      else {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, wanted)
        console.log(`wrote ${path}`)
      }
    } catch (error) {
      troubles.push(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const trouble of troubles) console.error(trouble)
  if (troubles.length > 0) console.error(checkOnly ? "\nRun npm run generate, and commit what it writes." : "")
  else console.log(`${files.length} generated files are up to date`)
  return troubles.length > 0 ? 1 : 0
}

/** As the formatter would leave it, so that formatting never makes a generated file stale. */
function formatted(path: string, text: string): string {
  const formatter = join(root, "node_modules/.bin/oxfmt")
  const run = spawnSync(formatter, ["--stdin-filepath", path], { cwd: root, input: text, encoding: "utf8" })
  if (run.status !== 0) throw new Error(`the formatter refused it: ${run.stderr || String(run.error)}`)
  return run.stdout
}
