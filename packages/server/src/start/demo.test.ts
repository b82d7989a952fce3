import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { startApi } from "../../testing/api.ts"
import { findAccount, listAccounts, updateAccount } from "../storage/resources/accounts.ts"
import { startDemo, type Demo, type DemoParts } from "./demo.ts"

const dataDir = mkdtempSync(join(tmpdir(), "orchestra-demo-"))
after(() => rmSync(dataDir, { recursive: true }))

test("a second start moves the simulated accounts to the new simulator, and leaves what a person has set", async () => {
  const { server } = await startApi()
  const { database, vault, engine } = server
  const parts: DemoParts = { database, vault, clock: engine.clock, chance: engine.chance, dataDir }
  const start = async (): Promise<Demo> => startDemo(parts, server.url, true)
  await (await start()).simulator?.close()
  const [before] = (await listAccounts(database)).filter(({ connector }) => connector === "adyen")
  assert.ok(before !== undefined)
  const fees = { currency: "EUR", rates: [] }
  await updateAccount(database, before.merchant, before.id, before.version, {
    name: "My Adyen",
    state: "draining",
    settings: { ...before.settings, onUnknown: "reverse_then_reroute", fees },
  })
  await (await start()).simulator?.close()
  const now = await findAccount(database, before.merchant, before.id)
  assert.deepEqual([now?.name, now?.state], ["My Adyen", "draining"])
  assert.deepEqual([now?.settings["onUnknown"], now?.settings["fees"]], ["reverse_then_reroute", fees])
  assert.notEqual(now?.settings["baseUrl"], before.settings["baseUrl"])
})
