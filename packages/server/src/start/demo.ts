// The first minutes of a newcomer: a merchant, a test key, and three simulated providers with accounts, so that the first
// payment needs nothing else. Written only where no provider is configured; what it remembers is in the data folder.

import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startSimulator, type ReadyAccount, type Simulator } from "@orchestra/simulator"
import { keyHash, newKeySecret } from "../api/key-source.ts"
import { API_VERSION } from "../api/version.ts"
import type { Connector } from "../connectors/connector.ts"
import { findConnector } from "../connectors/registry.ts"
import { everything } from "../routing/condition-language.ts"
import { makeId, type AccountId, type MerchantId } from "../core/id.ts"
import { accountSecretsBytes } from "../engine/account.ts"
import type { Chance, Clock } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import { createAccount, findAccount, listAccounts, updateAccount } from "../storage/resources/accounts.ts"
import { createApiKey } from "../storage/resources/api-keys.ts"
import { createMerchant, findMerchant } from "../storage/resources/merchants.ts"
import { addPolicyVersion, createPolicy } from "../storage/resources/policies.ts"
import { publishPolicy } from "../storage/resources/policy-publication.ts"
import type { Vault } from "../vault/vault.ts"

/** What a later start must know again: keys are stored only as hashes. */
type Remembered = {
  readonly merchant: MerchantId
  readonly apiKey: string
  readonly accounts: Readonly<Record<string, AccountId>>
}

export type DemoParts = {
  readonly database: Database
  readonly vault: Vault
  readonly clock: Clock
  readonly chance: Chance
  readonly dataDir: string
}
export type Demo = { readonly apiKey: string; readonly simulator: Simulator | undefined }

const FILE = "demo.json"

/** A merchant with a key, and simulated accounts unless there are other ones. */
export async function startDemo(parts: DemoParts, serverUrl: string, withSimulator: boolean): Promise<Demo> {
  const known = read(parts.dataDir)
  const remembered =
    known !== undefined && (await findMerchant(parts.database, known.merchant)) !== undefined
      ? known
      : await found(parts)
  const own = new Set<string>(Object.values(remembered.accounts))
  const configured = (await listAccounts(parts.database, remembered.merchant)).some((account) => !own.has(account.id))
  if (configured || !withSimulator) return { apiKey: remembered.apiKey, simulator: undefined }
  const simulator = await startSimulator({
    accounts: (["stripe", "adyen", "checkout"] as const).map((persona) => ({ id: persona, persona })),
  })
  const accounts: Record<string, AccountId> = { ...remembered.accounts }
  for (const ready of simulator.accounts()) {
    accounts[ready.persona] = await connectAccount(parts, remembered.merchant, ready, accounts[ready.persona])
    simulator.setWebhookUrl(ready.id, `${serverUrl}/webhooks/${ready.persona}/${accounts[ready.persona]}`)
    await simulator.setWeather(ready.id, { latency: { medianMs: 180, p99Ms: 900 } })
  }
  if (Object.keys(remembered.accounts).length === 0)
    await publishOrder(parts, remembered.merchant, [accounts["stripe"]!, accounts["adyen"]!, accounts["checkout"]!])
  write(parts.dataDir, { ...remembered, accounts })
  return { apiKey: remembered.apiKey, simulator }
}

async function found({ database, vault, clock, chance, dataDir }: DemoParts): Promise<Remembered> {
  const merchant = makeId("mer", clock.now(), chance.bytes(16))
  await createMerchant(database, { id: merchant, name: "Demo merchant", settings: {} })
  const apiKey = newKeySecret("test", chance.bytes).reveal()
  await createApiKey(database, {
    id: makeId("key", clock.now(), chance.bytes(16)),
    merchant,
    name: "First key",
    hint: apiKey.slice(-4),
    mode: "test",
    scopes: ["admin"],
    apiVersion: API_VERSION,
    hash: keyHash(vault, apiKey),
  })
  const remembered: Remembered = { merchant, apiKey, accounts: {} }
  write(dataDir, remembered)
  return remembered
}

/** A simulated account gets new ports at every start: its address and keys are written anew. */
async function connectAccount(
  { database, vault, clock, chance }: DemoParts,
  merchant: MerchantId,
  ready: ReadyAccount,
  known: AccountId | undefined,
): Promise<AccountId> {
  const connector = findConnector(ready.persona)
  if (connector === undefined) throw new Error(`there is no connector for the simulated ${ready.persona}`)
  const id = known ?? makeId("acc", clock.now(), chance.bytes(16))
  const ofSimulator = { values: named(connector.manifest.settings, ready.credentials), baseUrl: ready.url }
  const secrets = vault.seal(
    "accounts",
    merchant,
    id,
    accountSecretsBytes({
      credentials: named(connector.manifest.credentials, ready.credentials),
      webhookSecrets: [ready.webhookSecret],
    }),
  )
  const row = known === undefined ? undefined : await findAccount(database, merchant, known)
  if (row === undefined)
    await createAccount(database, {
      id,
      merchant,
      mode: "test",
      connector: ready.persona,
      name: `Simulated ${connector.manifest.name}`,
      state: "enabled",
      settings: { ...ofSimulator, onUnknown: "wait" },
      ...secrets,
    })
  // What a person has set (fees, on_unknown) stays.
  else
    await updateAccount(database, merchant, id, row.version, { settings: { ...row.settings, ...ofSimulator }, secrets })
  return id
}

/** The simulator's credentials under the connector's names. */
function named(
  fields: Connector["manifest"]["credentials"],
  credentials: Readonly<Record<string, string>>,
): Record<string, string> {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()
  const values: Record<string, string> = {}
  for (const { name } of fields) {
    const value = Object.entries(credentials).find(([key]) => plain(key) === plain(name))?.[1]
    if (value !== undefined) values[name] = value
  }
  return values
}

async function publishOrder(
  { database, clock, chance }: DemoParts,
  merchant: MerchantId,
  accounts: readonly AccountId[],
): Promise<void> {
  const policy = await createPolicy(database, {
    id: makeId("pol", clock.now(), chance.bytes(16)),
    merchant,
    mode: "test",
    name: "Default",
  })
  const version = await addPolicyVersion(database, {
    policy: policy.id,
    merchant,
    document: { rules: [{ name: "everything", when: everything, strategy: { kind: "ordered", accounts } }] },
    author: "orchestra",
    note: "The order of the first start.",
  })
  if (version !== undefined) await publishPolicy(database, merchant, policy.id, policy.version, version.version)
}

function read(dataDir: string): Remembered | undefined {
  const file = join(dataDir, FILE)
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Remembered
  } catch {
    // Half written by a crash: a new merchant is made, nothing else is lost.
    return undefined
  }
}

function write(dataDir: string, remembered: Remembered): void {
  const file = join(dataDir, FILE)
  writeFileSync(file, `${JSON.stringify(remembered, undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(file, 0o600)
}
