// Breaks the import law on purpose, line by line, and asks the linter whether it noticed: a configuration that silently
// stopped matching would look exactly like a clean house. The same file proves what the law must let through.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after, test } from "node:test"

const root = join(import.meta.dirname, "..")

/** Where the line stands, the line, and the rule that must catch it (`undefined`: none of the law's rules may). */
type Case = readonly [file: string, code: string, rule?: string]

const IMPORT = "no-restricted-imports"
const GLOBAL = "no-restricted-globals"
const PROPERTY = "no-restricted-properties"

const server = "packages/server/src"
const importing = (specifier: string): string => `import { x } from "${specifier}"\nexport const y = x`

const imports = (room: string, allowed: readonly string[], denied: readonly string[]): Case[] => [
  ...allowed.map((specifier): Case => [`${server}/${room}/file.ts`, importing(specifier)]),
  ...denied.map((specifier): Case => [`${server}/${room}/file.ts`, importing(specifier), IMPORT]),
]

const cases: readonly Case[] = [
  // Rooms directly in src.
  ...imports(
    "core",
    ["./money.ts", "node:assert/strict"],
    ["../routing/decide.ts", "../connectors/connector.ts", "../engine/execute.ts", "../ports.ts", "../main.ts"],
  ),
  ...imports("core", [], ["pg", "typebox", "node:fs", "node:timers/promises", "@orchestra/simulator", "./../api/a.ts"]),
  ...["routing", "insight", "books"].flatMap((room) =>
    imports(
      room,
      ["./file-beside.ts", "./folder/file.ts", "../core/money.ts", "#core/money.ts"],
      ["../engine/execute.ts", "../storage/ledger/ledger.ts", "../ports.ts", "../main.ts", "node:fs", "undici", "pg"],
    ),
  ),
  ...imports("routing", [], ["../connectors/registry.ts", "../insight/metrics.ts", "../books/post.ts"]),
  ...imports("insight", [], ["../routing/health.ts", "../core/../routing/health.ts", "./../routing/health.ts"]),
  ...imports("connectors", ["../core/money.ts", "./contract.ts"], ["../routing/decide.ts", "../ports.ts", "stripe"]),
  ...imports(
    "engine",
    ["../core/a.ts", "../routing/a.ts", "../connectors/a.ts", "../storage/ledger/a.ts", "../ports.ts", "undici"],
    ["../api/a.ts", "../vault/a.ts", "../main.ts", "pg", "fastify", "node:http", "node:timers/promises"],
  ),
  ...imports(
    "storage",
    ["../core/a.ts", "../ports.ts", "./ledger/a.ts", "pg", "node:fs"],
    ["../engine/a.ts", "../routing/a.ts", "../vault/a.ts", "../api/a.ts", "../main.ts", "undici", "node:child_process"],
  ),
  ...imports(
    "vault",
    ["../core/a.ts", "../ports.ts", "node:fs"],
    ["../storage/a.ts", "../engine/a.ts", "../api/a.ts", "../main.ts", "pg", "undici", "node:net"],
  ),
  ...imports(
    "api",
    ["../core/a.ts", "../engine/a.ts", "../storage/ledger/a.ts", "../vault/a.ts", "../routing/decide.ts", "fastify"],
    ["../connectors/stripe/index.ts", "../routing/inner/a.ts", "../main.ts", "pg", "undici", "@orchestra/simulator"],
  ),
  // Folders in rooms.
  ...imports(
    "connectors/stripe",
    ["./tables.ts", "../connector.ts", "../../core/money.ts", "#core/money.ts"],
    ["../adyen/index.ts", "../../engine/execute.ts", "../../ports.ts", "../../../sim/world.ts", "node:http"],
  ),
  ...imports(
    "insight/cause",
    ["./scan.ts", "../facts.ts", "../statistics/interval.ts", "../histogram/histogram.ts", "../../core/decline.ts"],
    ["../../routing/decide.ts", "../../engine/execute.ts", "../../ports.ts", "../histogram/../../routing/a.ts", "pg"],
  ),
  ...imports(
    "storage/ledger",
    ["../../core/money.ts", "../../ports.ts", "../embedded.ts", "../facts/a.ts"],
    ["../../engine/execute.ts", "../../main.ts", "../../core/../engine/execute.ts"],
  ),
  ...imports(
    "storage/facts",
    ["../../core/money.ts", "../../ports.ts", "../ledger/ledger.ts", "../../insight/facts.ts", "@duckdb/node-api"],
    ["../../insight/cause/locate.ts", "../../engine/execute.ts", "../../routing/decide.ts", "undici", "node:http"],
  ),
  ...imports("api/payments", ["../server.ts", "../../engine/a.ts"], ["../../main.ts", "../../connectors/a/index.ts"]),
  // Every form of import.
  [`${server}/core/file.ts`, `import type { X } from "../engine/a.ts"\nexport type Y = X`, IMPORT],
  [`${server}/core/file.ts`, `export { x } from "../engine/a.ts"`, IMPORT],
  [`${server}/core/file.ts`, `export * from "../engine/a.ts"`, IMPORT],
  [`${server}/core/file.ts`, `export const x = import("../engine/a.ts")`, IMPORT],
  // Chance may hide in node:crypto; a provider's SDK may only lend its types.
  [`${server}/vault/file.ts`, `import { createCipheriv } from "node:crypto"\nexport const y = createCipheriv`],
  [`${server}/vault/file.ts`, `import { randomBytes } from "node:crypto"\nexport const y = randomBytes`, IMPORT],
  [`${server}/vault/file.ts`, `import * as c from "node:crypto"\nexport const y = c.randomUUID()`, IMPORT],
  [`${server}/vault/file.ts`, `import c from "node:crypto"\nexport const y = c.randomUUID()`, IMPORT],
  [`${server}/connectors/a/index.ts`, `import { createHmac } from "node:crypto"\nexport const y = createHmac`],
  [`${server}/connectors/a/index.ts`, `import { randomUUID } from "node:crypto"\nexport const y = randomUUID`, IMPORT],
  [`${server}/connectors/a/index.ts`, `import type { Stripe } from "stripe"\nexport type Y = Stripe`],
  // ports.ts, main.ts, the one file that starts processes.
  [`${server}/ports.ts`, importing("./core/money.ts")],
  [`${server}/ports.ts`, importing("./engine/a.ts"), IMPORT],
  [`${server}/main.ts`, importing("./engine/a.ts")],
  [`${server}/start/file.ts`, importing("../engine/a.ts")],
  [`${server}/start/file.ts`, "export const y = process.env"],
  ...["core", "routing", "connectors", "engine", "storage", "vault", "api"].map((room): Case => [
    `${server}/${room}/file.ts`,
    importing("../start/assemble.ts"),
    IMPORT,
  ]),
  [`${server}/storage/embedded.ts`, importing("node:child_process")],
  [`${server}/storage/embedded.ts`, importing("../engine/a.ts"), IMPORT],
  // The other packages.
  ["packages/server/sim/world.ts", importing("../src/engine/execute.ts")],
  ["packages/simulator/src/file.ts", importing("../../server/src/core/money.ts"), IMPORT],
  ["packages/simulator/src/file.ts", importing("@orchestra/server"), IMPORT],
  ["packages/sdk/src/file.ts", importing("../../server/src/core/money.ts"), IMPORT],
  ["packages/sdk/src/file.ts", importing("@orchestra/simulator"), IMPORT],
  ["packages/cli/src/file.ts", importing("@orchestra/sdk")],
  ["packages/cli/src/file.ts", importing("../../server/src/core/money.ts"), IMPORT],
  ["packages/dashboard/src/page.tsx", importing("../../server/src/core/money.ts"), IMPORT],
  // Ambient time, chance, network, environment.
  ...["core", "routing", "connectors/a", "insight", "books", "engine", "storage/ledger", "vault", "api"].flatMap(
    (room) =>
      ["Date.now()", "new Date()", "process.env", "fetch('http://a')", "crypto.randomUUID()", "globalThis.Date"].map(
        (expression): Case => [`${server}/${room}/file.ts`, `export const y = ${expression}`, GLOBAL],
      ),
  ),
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "console.log", "performance.now"].map(
    (name): Case => [`${server}/engine/file.ts`, `export const y = (): unknown => ${name}`, GLOBAL],
  ),
  [`${server}/routing/file.ts`, "export const y = Math.random()", PROPERTY],
  [`${server}/core/file.ts`, "export const y = (at: Date): number => at.getTime()"],
  [`${server}/core/instant.ts`, "export const y = (text: string): number => Date.parse(text)"],
  [`${server}/core/instant.ts`, "export const y = Date.now()", PROPERTY],
  [`${server}/storage/embedded.ts`, "export const y = process.kill(1, 0)"],
  [`${server}/storage/embedded.ts`, "export const y = Date.now()", GLOBAL],
  [`${server}/ports.ts`, "export const y = [Date.now(), Math.random()]"],
  [`${server}/main.ts`, "export const y = process.env"],
  ["packages/simulator/src/file.ts", "export const y = Date.now()"],
  // Tests stand on the real parts, and may reach for them everywhere.
  [`${server}/core/money.test.ts`, `${importing("fast-check")}\nexport const z = Date.now()`],
  [
    `${server}/core/money.test.ts`,
    `import { mock } from "node:test"\nmock.module("./money.ts", { exports: {} })`,
    PROPERTY,
  ],
  // What the types know.
  [
    `${server}/core/file.ts`,
    `export const y = (a: "b" | "c"): void => { switch (a) { case "b": } }`,
    "switch-exhaustiveness-check",
  ],
  [`${server}/engine/file.ts`, "export const y = (a: () => Promise<void>): void => { a() }", "no-floating-promises"],
  [`${server}/engine/file.ts`, `export const y: number = "text"`, "TS2322"],
  // Style that the plan makes binding.
  [`${server}/core/file.ts`, "export default 1", "no-default-export"],
  [`${server}/core/file.ts`, "export const y = (a: any): unknown => a", "no-explicit-any"],
]

const law = new Set(["no-restricted-imports", "no-restricted-globals", "no-restricted-properties"])
const house = mkdtempSync(join(tmpdir(), "orchestra-law-"))
after(() => rmSync(house, { recursive: true, force: true }))

// All cases share one house, as the rules are bound to folders. A plain `file.ts` gets a name of its own; the few files
// that the law knows by name wait for the next run of the linter.
const runs: Map<string, number>[] = []
const places = cases.map(([file], index): { readonly run: number; readonly path: string } => {
  const path = file.replace("/file.ts", `/file-${index}.ts`)
  const free = runs.findIndex((taken) => !taken.has(path))
  const run = free === -1 ? runs.push(new Map()) - 1 : free
  runs[run]?.set(path, index)
  return { run, path }
})
const found = runs.map(lint)

for (const [index, [file, code, rule]] of cases.entries()) {
  const { run, path } = places[index] ?? assert.fail()
  const rules = found[run]?.get(path) ?? []
  const shown = `${code.split("\n")[0] ?? ""} (${file})`
  test(rule === undefined ? `lets through: ${shown}` : `catches: ${shown}`, () => {
    if (rule === undefined)
      assert.deepEqual(
        rules.filter((name) => law.has(name)),
        [],
      )
    else assert.ok(rules.includes(rule), `expected ${rule}, found ${rules.join(", ") || "nothing"}`)
  })
}

test("only main.ts and ports.ts stand directly in the server's src, where every room could reach them", () => {
  const files = readdirSync(join(root, server), { withFileTypes: true }).filter((entry) => entry.isFile())
  const strangers = files.map((entry) => entry.name).filter((name) => name !== "main.ts" && name !== "ports.ts")
  assert.deepEqual(strangers, [])
})

/** The rules that each file of one run broke, by the file's path. */
function lint(files: ReadonlyMap<string, number>): Map<string, string[]> {
  const home = join(house, String(runs.indexOf(files as Map<string, number>)))
  for (const [path, index] of files) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), `${cases[index]?.[1] ?? ""}\n`)
  }
  for (const name of [".oxlintrc.json", "tsconfig.json"]) copyFileSync(join(root, name), join(home, name))
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"))
  const args = ["--format", "json", "packages"]
  const { stdout, stderr } = spawnSync(join(root, "node_modules/.bin/oxlint"), args, { cwd: home, encoding: "utf8" })
  assert.ok(stdout.includes('"diagnostics"'), `the linter did not run: ${stdout}${stderr}`)
  const broken = new Map<string, string[]>()
  const report = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
  for (const { code, filename } of report.diagnostics) {
    const rule = /\((.+)\)/.exec(code)?.[1] ?? code
    broken.set(filename, [...(broken.get(filename) ?? []), rule])
  }
  return broken
}
