import assert from "node:assert/strict"
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { connectorIds, connectorsFolder, exportName, loadManifests } from "./generate/connector-folders.ts"
import { connectorsDocument } from "./generate/connectors-document.ts"
import { duration, table } from "./generate/markdown.ts"
import { registryText } from "./generate/registry.ts"
import { temporaryCheckout } from "./temporary-checkout.ts"

const root = join(import.meta.dirname, "..")

test("every folder with an index is a connector, whatever else lies beside it", () => {
  const ids = connectorIds(root)
  for (const id of ["adyen", "checkout", "stripe"]) assert.ok(ids.includes(id), id)
  assert.deepEqual(ids, ids.toSorted())
})

test("an id with underscores is exported in camel case and listed under itself", () => {
  assert.equal(exportName("acme_pay_2"), "acmePay2")
  const text = registryText(["acme", "acme_pay"])
  assert.match(text, /import \{ acmePay \} from "\.\/acme_pay\/index\.ts"/)
  assert.match(text, /\{ acme, acme_pay: acmePay \}/)
})

test("durations are said in the largest exact unit", () => {
  assert.equal(duration(604_800_000), "7 days")
  assert.equal(duration(60_000), "1 minute")
  assert.equal(duration(90_000), "90 seconds")
  assert.equal(duration(1_500), "1500 milliseconds")
})

test("a cell can hold a pipe or a line end without breaking its row", () => {
  assert.equal(table(["a"], [["x|y\nz"]]), "| a |\n| --- |\n| x\\|y z |")
})

test("the catalogue shows every operation, network and currency of every connector", async () => {
  const manifests = await loadManifests(root)
  const text = connectorsDocument(manifests)
  for (const manifest of manifests) {
    const section = text.slice(text.indexOf(`<a id="${manifest.id}">`))
    for (const operation of Object.keys(manifest.operations)) assert.ok(section.includes(`\`${operation}\``), operation)
    if (manifest.currencies !== "all") for (const code of manifest.currencies) assert.ok(section.includes(code), code)
    assert.ok(section.includes(manifest.api.version))
  }
})

test("generating makes everything fresh, --check names what went stale, and a folder alone makes a connector", () => {
  const { path, run } = temporaryCheckout()
  assert.equal(run("node", "tools/generate.ts").status, 0)
  assert.equal(run("node", "tools/generate.ts", "--check").status, 0)
  const written = ["docs/connectors.md", "docs/outcomes.md", `${connectorsFolder}/registry.ts`]
  assert.equal(run("oxfmt", "--check", ...written).status, 0, "formatted as the rest")

  appendFileSync(join(path, "docs/outcomes.md"), "\nedited by hand\n")
  const stale = run("node", "tools/generate.ts", "--check")
  assert.equal(stale.status, 1)
  assert.match(stale.output, /docs\/outcomes\.md is stale/)
  assert.doesNotMatch(stale.output, /connectors\.md/)
  assert.match(readFileSync(join(path, "docs/outcomes.md"), "utf8"), /edited by hand/, "--check writes nothing")

  const folder = join(path, connectorsFolder, "unfinished")
  mkdirSync(folder)
  writeFileSync(join(folder, "index.ts"), "export const unfinished = (\n")
  const broken = run("node", "tools/generate.ts")
  assert.equal(broken.status, 1, "the catalogue needs its manifest")
  assert.match(readFileSync(join(path, connectorsFolder, "registry.ts"), "utf8"), /"\.\/unfinished\/index\.ts"/)
  rmSync(folder, { recursive: true })
  assert.equal(run("node", "tools/generate.ts").status, 0)
  assert.doesNotMatch(readFileSync(join(path, connectorsFolder, "registry.ts"), "utf8"), /unfinished/)
})
