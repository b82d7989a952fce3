import assert from "node:assert/strict"
import { test } from "node:test"
import { isDeepStrictEqual } from "node:util"
import { setTimeout as sleep } from "node:timers/promises"
import { systemPorts } from "../../ports.ts"
import type { Database } from "../database.ts"
import { sampleId } from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { until } from "../../../testing/wait.ts"
import { createAccount, updateAccount } from "./accounts.ts"
import { POLL_MS, watchChanges, type Change } from "./changes.ts"
import { createMerchant, updateMerchant } from "./merchants.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const ports = systemPorts(() => 0, silent)

const notes = (database: Database) =>
  database.query({ name: "", text: "select merchant_id, topic, transaction::text from changes order by 1, 2" })

const killListeners = (database: Database) =>
  database.query({
    name: "",
    text: `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen%' and pid <> pg_backend_pid()`,
  })

test("every node hears what another changed, and only that", async () => {
  const { open } = await freshDatabase()
  const [writer, one, two] = [open(), open(), open()]
  const merchant = sampleId("mer", Date.now())
  await createMerchant(writer, { id: merchant, name: "m", settings: {} })
  const heard: Change[][] = [[], []]
  // What was not long ago may be heard too.
  const expected: readonly Change[] = [
    { merchant, topic: "merchants" },
    { merchant, topic: "accounts" },
  ]
  const watches = await Promise.all([one, two].map((node, i) => watchChanges(node, ports, (c) => heard[i]?.push(c))))
  const account = sampleId("acc", Date.now())
  await createAccount(writer, {
    id: account,
    merchant,
    mode: "test",
    connector: "stripe",
    name: "a",
    state: "enabled",
    settings: {},
    keyId: "k",
    sealed: Uint8Array.of(1),
  })
  await until("both nodes to hear", () => heard.every((changes) => changes.some((c) => c.topic === "accounts")))
  for (const change of heard.flat())
    assert.ok(
      expected.some((one) => isDeepStrictEqual(one, change)),
      `${change.topic} of ${change.merchant}`,
    )
  // An edit that is refused is no change.
  const noted = await notes(writer)
  await updateAccount(writer, merchant, account, 99, { name: "stale" })
  assert.deepEqual(await notes(writer), noted)
  await Promise.all(watches.map((watch) => watch.stop()))
  await Promise.all([writer, one, two].map((database) => database.close()))
})

test("a node whose listening connection is cut misses nothing and listens again", async () => {
  const { open } = await freshDatabase()
  const [writer, node] = [open(), open()]
  const merchant = sampleId("mer", Date.now())
  await createMerchant(writer, { id: merchant, name: "m", settings: {} })
  const heard: Change[] = []
  const watch = await watchChanges(node, ports, (change) => heard.push(change))
  for (let version = 1; version <= 4; version++) {
    await killListeners(writer)
    heard.length = 0
    assert.equal((await updateMerchant(writer, merchant, version, { name: `m${version}` })).kind, "edited")
    await until(`change ${version}`, () => heard.length > 0)
  }
  await watch.stop()
  await Promise.all([writer.close(), node.close()])
})

test("a change whose transaction ends late is heard although younger ones were heard before", async () => {
  const { open } = await freshDatabase()
  const [writer, node] = [open(), open()]
  const [slow, quick] = [sampleId("mer", Date.now()), sampleId("mer", Date.now())]
  const heard: Change[] = []
  const watch = await watchChanges(node, ports, (change) => heard.push(change))
  const session = await writer.session()
  // No notification: only the table tells.
  await session.run(`begin; insert into changes values ('${slow}', 'policies', ledger_transaction())`)
  await createMerchant(writer, { id: quick, name: "m", settings: {} })
  await until("the younger change", () => heard.some((c) => c.merchant === quick))
  await sleep(POLL_MS)
  await session.run("commit")
  await until("the older change", () => heard.some((c) => c.merchant === slow && c.topic === "policies"))
  await session.close()
  await watch.stop()
  await Promise.all([writer.close(), node.close()])
})
