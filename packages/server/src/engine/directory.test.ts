import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { checkout } from "../connectors/checkout/index.ts"
import { makeId, type AccountId, type MerchantId } from "../core/id.ts"
import { secret } from "../core/secret.ts"
import { systemPorts } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import { freshDatabase, type DatabaseWithPools } from "../../testing/pools.ts"
import { until } from "../../testing/wait.ts"
import { createAccount, updateAccount, type AccountRow } from "../storage/resources/accounts.ts"
import { createMerchant } from "../storage/resources/merchants.ts"
import { addPolicyVersion, createPolicy } from "../storage/resources/policies.ts"
import { publishPolicy } from "../storage/resources/policy-publication.ts"
import { parseKeyRing } from "../vault/key-ring.ts"
import { createVault } from "../vault/vault.ts"
import { accountSecretsBytes, type AccountSettings } from "./account.ts"
import { createDirectory, MAX_SINGLE_RELOADS, type DirectoryParts, type FreshDirectory } from "./directory.ts"

const logged: string[] = []
const note = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
const ports = systemPorts(() => 0, { info: () => {}, warn: note, error: note })
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const vault = createVault(parseKeyRing(`k1:${key(1)},fingerprint:${key(2)}`), ports)
const SECRET_KEY = "sk_sbox_aaaaaaaaaaaaaaaaaaaaaaaaaa2"
const secrets = accountSecretsBytes({ credentials: { secret_key: SECRET_KEY }, webhookSecrets: ["hook"] })
const settings: AccountSettings = { values: { prefix: "ab12cd34" } }

let shared: DatabaseWithPools
/** Another process's pool: what it writes is heard, not remembered. */
let writer: Database
let parts: DirectoryParts
const open: FreshDirectory[] = []
const pools: Database[] = []

before(async () => {
  shared = await freshDatabase()
  writer = poolOf()
  parts = {
    ...ports,
    database: poolOf(),
    connectors: [checkout],
    open: (merchant, account, sealed) => vault.open("accounts", merchant, account, sealed),
  }
})
after(async () => {
  await Promise.all(open.map((directory) => directory.stop()))
  await Promise.all(pools.map((pool) => pool.close()))
})
function poolOf(): Database {
  const pool = shared.open()
  pools.push(pool)
  return pool
}
async function directoryOf(given: Partial<DirectoryParts> = {}): Promise<FreshDirectory> {
  const directory = await createDirectory({ ...parts, ...given })
  open.push(directory)
  return directory
}

const fresh = (): Uint8Array => ports.chance.bytes(16)
async function merchantOf(): Promise<MerchantId> {
  const id = makeId("mer", Date.now(), fresh())
  await createMerchant(writer, { id, name: "A shop", settings: {} })
  return id
}
let made = 0
async function accountIn(merchant: MerchantId, change: Partial<AccountRow> = {}): Promise<AccountRow> {
  const id: AccountId = makeId("acc", Date.now() + (made += 1), fresh())
  return createAccount(writer, {
    id,
    merchant,
    mode: "test",
    connector: "checkout",
    name: "Checkout.com",
    state: "enabled",
    settings,
    ...vault.seal("accounts", merchant, id, secrets),
    ...change,
  })
}
async function policyFor(merchant: MerchantId, mode: "live" | "test", document: unknown) {
  const policy = await createPolicy(writer, { id: makeId("pol", Date.now(), fresh()), merchant, mode, name: "Main" })
  await addPolicyVersion(writer, { policy: policy.id, merchant, document, author: "test", note: "" })
  await publishPolicy(writer, merchant, policy.id, policy.version, 1)
  return policy
}
const rule = (account: AccountId) => ({
  name: "all",
  when: { field: "amount", op: "ge", value: 1 },
  strategy: { kind: "ordered", accounts: [account] },
})
const payment = makeId("pay", 1, fresh())

test("a starting node knows all accounts in the order of their creation, with credentials open, and the policies in force", async () => {
  const merchant = await merchantOf()
  const [first, second] = [await accountIn(merchant), await accountIn(merchant, { state: "disabled" })]
  const policy = await policyFor(merchant, "test", { rules: [rule(first.id)] })
  const directory = await directoryOf()
  assert.deepEqual(
    directory.accounts(merchant).map(({ id, state }) => [id, state]),
    [
      [first.id, "enabled"],
      [second.id, "disabled"],
    ],
  )
  const account = directory.account(first.id)
  assert.equal(account?.config.credentials["secret_key"]?.reveal(), SECRET_KEY)
  assert.equal(account?.merchant, merchant)
  assert.deepEqual(directory.policy(merchant, "test", payment), { id: policy.id, version: 1, rules: [rule(first.id)] })
  assert.equal(directory.policy(merchant, "live", payment), undefined)
  assert.deepEqual(directory.accounts(makeId("mer", 1, fresh())), [])
})

test("what another process changes is here soon: accounts made and edited, policies published and replaced", async () => {
  const merchant = await merchantOf()
  const directory = await directoryOf()
  const account = await accountIn(merchant)
  await until("the new account", () => directory.account(account.id) !== undefined)
  await updateAccount(writer, merchant, account.id, account.version, { state: "draining" })
  await until("the edit", () => directory.account(account.id)?.state === "draining")
  assert.equal(directory.accounts(merchant)[0]?.state, "draining")
  const next = accountSecretsBytes({ credentials: { secret_key: "sk_new" }, webhookSecrets: [] })
  await updateAccount(writer, merchant, account.id, account.version + 1, {
    secrets: vault.seal("accounts", merchant, account.id, next),
  })
  await until(
    "the new key",
    () => directory.account(account.id)?.config.credentials["secret_key"]?.reveal() === "sk_new",
  )
  await policyFor(merchant, "test", { rules: [rule(account.id)] })
  await until("the policy", () => directory.policy(merchant, "test", payment) !== undefined)
  const other = await policyFor(merchant, "test", { rules: [] })
  await until("the other policy", () => directory.policy(merchant, "test", payment)?.id === other.id)
})

/** One transaction that edits these merchants' accounts and notes it, and that nobody is notified of. */
const quietly = (edit: string, merchants: readonly MerchantId[]): Promise<unknown> =>
  writer.query(
    {
      name: `quietly ${edit}`,
      text: `with edited as (update accounts ${edit} where merchant_id = any ($1) returning merchant_id)
        insert into changes (merchant_id, topic, transaction)
        select distinct merchant_id, 'accounts', ledger_transaction() from edited
        on conflict (merchant_id, topic) do update set transaction = excluded.transaction`,
    },
    [merchants],
  )

test("a change whose notification was lost is found by the poll", async () => {
  const merchant = await merchantOf()
  const account = await accountIn(merchant)
  const directory = await directoryOf()
  await quietly("set state = 'disabled', version = version + 1", [merchant])
  await until("the quiet edit", () => directory.account(account.id)?.state === "disabled")
})

test("rows that cannot be used are left out with their reason and no secret, and come back when they are mended", async () => {
  const merchant = await merchantOf()
  const good = await accountIn(merchant)
  const moved = await accountIn(merchant, { sealed: good.sealed, keyId: good.keyId })
  const strange = await accountIn(merchant, { connector: "nobody" })
  const bare = await accountIn(merchant, { settings: { values: {} } })
  await policyFor(merchant, "test", { rules: "all" })
  logged.length = 0
  const directory = await directoryOf()
  assert.deepEqual(
    directory.accounts(merchant).map(({ id }) => id),
    [good.id],
  )
  assert.equal(directory.policy(merchant, "test", payment), undefined)
  const line = (id: string): string => logged.find((text) => text.includes(id)) ?? assert.fail(`nothing about ${id}`)
  assert.ok(line(moved.id).includes("sealed for another place"))
  assert.ok(line(strange.id).includes("no connector nobody"))
  assert.ok(line(bare.id).includes("setting prefix is missing"))
  assert.ok(!logged.join().includes(SECRET_KEY))
  await updateAccount(writer, merchant, bare.id, bare.version, { settings })
  await until("the mended account", () => directory.account(bare.id) !== undefined)
  assert.equal(directory.accounts(merchant).length, 2)
})

test("an account that becomes unusable is withdrawn, and the others stay", async () => {
  const merchant = await merchantOf()
  const [one, two] = [await accountIn(merchant), await accountIn(merchant)]
  const directory = await directoryOf()
  const nonsense = vault.seal("accounts", merchant, two.id, secret(Buffer.from("nonsense")))
  await updateAccount(writer, merchant, two.id, two.version, { secrets: nonsense })
  await until("withdrawn", () => directory.account(two.id) === undefined)
  assert.deepEqual(
    directory.accounts(merchant).map(({ id }) => id),
    [one.id],
  )
})

test("many merchants changed at once are read at once", async () => {
  const merchants: MerchantId[] = []
  const rows: AccountRow[] = []
  for (let n = 0; n <= MAX_SINGLE_RELOADS; n++) {
    const merchant = await merchantOf()
    merchants.push(merchant)
    rows.push(await accountIn(merchant))
  }
  const directory = await directoryOf()
  await quietly("set state = 'draining', version = version + 1", merchants)
  await until("all edits", () => rows.every((row) => directory.account(row.id)?.state === "draining"))
})

test("connections that are cut are made again, and changes are heard afterwards", async () => {
  const merchant = await merchantOf()
  const account = await accountIn(merchant)
  const directory = await directoryOf()
  const text = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  await writer.query({ name: "cut", text })
  await updateAccount(writer, merchant, account.id, account.version, { state: "draining" })
  await until("the edit", () => directory.account(account.id)?.state === "draining")
})

test("a refresh shows the newest configuration, also when an older read arrives after it", async () => {
  const merchant = await merchantOf()
  const account = await accountIn(merchant)
  let held: (() => void) | undefined
  let hold = false
  const slow: Database = {
    ...parts.database,
    query: async (statement, values) => {
      const rows = await parts.database.query(statement, values)
      if (hold && statement.name === "accounts-of-merchant") {
        hold = false
        await new Promise<void>((resolve) => {
          held = resolve
        })
      }
      return rows as never
    },
  }
  const directory = await directoryOf({ database: slow })
  hold = true
  const older = directory.refresh(merchant)
  await until("the older read waits", () => held !== undefined)
  await updateAccount(writer, merchant, account.id, account.version, { state: "draining" })
  await directory.refresh(merchant)
  assert.equal(directory.account(account.id)?.state, "draining")
  held?.()
  await older
  assert.equal(directory.account(account.id)?.state, "draining")
})

test("a stopped directory keeps what it knows and hears nothing more", async () => {
  const merchant = await merchantOf()
  const account = await accountIn(merchant)
  const heard: string[] = []
  const directory = await directoryOf({ heard: (change) => void heard.push(`${change.topic} ${change.merchant}`) })
  await updateAccount(writer, merchant, account.id, account.version, { name: "Renamed" })
  await until("heard", () => heard.includes(`accounts ${merchant}`))
  await directory.stop()
  heard.length = 0
  await updateAccount(writer, merchant, account.id, account.version + 1, { state: "disabled" })
  const other = await directoryOf()
  assert.equal(other.account(account.id)?.state, "disabled")
  assert.equal(directory.account(account.id)?.state, "enabled")
  assert.deepEqual(heard, [])
})
