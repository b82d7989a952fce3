// Begins a connector: a folder that compiles, whose failing tests say what is still to be read in the provider's
// documentation. The registry and the documents are written again, so that the new provider is known everywhere.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { connectorId, connectorsFolder, exportName } from "./generate/connector-folders.ts"

const root = join(import.meta.dirname, "..")
const templates = join(import.meta.dirname, "connector-new/template")

const usage = `npm run connector:new -- <id> [--name <name>]

Makes ${connectorsFolder}/<id>: manifest, tables, wire types, codecs, webhook,
samples, notes, and a test that fails at every place that is still to be filled in.

  <id>      lower-case letters, digits and _, beginning with a letter: acme, acme_pay
  --name    the provider's name as people write it (default: from the id, "Acme Pay")
  --help    this text`

/** Words that TypeScript keeps to itself, and names that the registry uses. */
const reserved: ReadonlySet<string> = new Set(
  `break case catch class const continue debugger default delete do else enum export extends false finally for function
  if import in instanceof new null return super switch this throw true try typeof var void while with let static yield
  await async implements interface package private protected public connectors lookup`.split(/\s+/),
)

function main(): number {
  let asked: { readonly values: { help?: boolean; name?: string }; readonly positionals: readonly string[] }
  try {
    const options = { help: { type: "boolean" }, name: { type: "string" } } as const
    asked = parseArgs({ options, allowPositionals: true })
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error))
  }
  const [id, ...more] = asked.positionals
  if (asked.values.help === true) {
    console.log(usage)
    return 0
  }
  if (id === undefined || more.length > 0) return complain("One id is needed.")
  if (!connectorId.test(id) || /__|_$/.test(id))
    return complain(`"${id}" is no id: lower-case letters, digits and single _, beginning with a letter.`)
  if (reserved.has(exportName(id)))
    return complain(`"${id}" cannot be exported under that name: it means something else.`)
  const folder = `${connectorsFolder}/${id}`
  if (existsSync(join(root, folder))) return complain(`${folder} is there already; nothing was changed.`)
  const name = (asked.values.name ?? id.split("_").map(capitalized).join(" ")).trim()
  if (!/^[\p{L}\p{N}][\p{L}\p{N} .&'-]{0,59}$/u.test(name)) return complain(`"${name}" is no name of a provider.`)
  write(folder, id, name)
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, "generate.ts")], { stdio: "inherit" })
  console.log(`
${folder} is begun, and fails its tests on purpose:

  npm test -- ${folder}

Each failing test says what is still to be read in ${name}'s documentation. The contract: ${connectorsFolder}/connector.ts`)
  return status ?? 1
}

function complain(what: string): number {
  console.error(`${what}\n\n${usage}`)
  return 1
}

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

function write(folder: string, id: string, name: string): void {
  const values: Readonly<Record<string, string>> = { id, name, export: exportName(id), host: id.replaceAll("_", "-") }
  for (const file of readdirSync(templates, { recursive: true, encoding: "utf8" })) {
    if (!/\.(?:txt|json)$/.test(file)) continue
    const target = join(root, folder, file === "test.ts.txt" ? `${id}.test.ts` : file.replace(/\.txt$/, ""))
    const text = readFileSync(join(templates, file), "utf8")
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(
      target,
      text.replaceAll(/\{\{(\w+)\}\}/g, (all, key: string) => values[key] ?? all),
    )
  }
  // Names of other lengths break lines elsewhere.
  spawnSync(join(root, "node_modules/.bin/oxfmt"), [folder], { cwd: root })
}

// Last: the constants above it are filled in from top to bottom.
process.exitCode = main()
