import { spawnSync } from "node:child_process"
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { factStoreContract } from "./fact-store-contract.ts"
import { openDuckFacts } from "./duckdb.ts"

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "facts-"))
  folders.push(folder)
  return folder
}

factStoreContract("DuckDB", async () => {
  const dir = newFolder()
  let store = await openDuckFacts({ dir })
  return {
    store,
    reopen: async () => {
      await store.close()
      return (store = await openDuckFacts({ dir }))
    },
    close: () => store.close(),
  }
})

test("a second process is told that the facts are open elsewhere", async () => {
  const dir = newFolder()
  const store = await openDuckFacts({ dir })
  const script = `const { openDuckFacts } = await import(process.argv[1])
    await openDuckFacts({ dir: process.argv[2] }).catch((error) => console.log(error.constructor.name))`
  const { stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", script, join(import.meta.dirname, "duckdb.ts"), dir],
    { encoding: "utf8" },
  )
  assert.equal(stdout.trim(), "FactsInUse")
  await store.close()
})
