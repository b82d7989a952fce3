// The merchant of the benchmark: a key, an account at every simulated provider, and a policy.

import { keyHash, newKeySecret } from "../../packages/server/src/api/key-source.ts"
import type { Connector } from "../../packages/server/src/connectors/connector.ts"
import { findConnector } from "../../packages/server/src/connectors/registry.ts"
import { makeId, type AccountId, type MerchantId } from "../../packages/server/src/core/id.ts"
import { accountSecretsBytes } from "../../packages/server/src/engine/account.ts"
import { systemPorts, type Log } from "../../packages/server/src/ports.ts"
import { API_VERSION } from "../../packages/server/src/api/version.ts"
import type { Database } from "../../packages/server/src/storage/database.ts"
import { createAccount } from "../../packages/server/src/storage/resources/accounts.ts"
import { createApiKey } from "../../packages/server/src/storage/resources/api-keys.ts"
import { createMerchant } from "../../packages/server/src/storage/resources/merchants.ts"
import { addPolicyVersion, createPolicy } from "../../packages/server/src/storage/resources/policies.ts"
import { publishPolicy } from "../../packages/server/src/storage/resources/policy-publication.ts"
import { parseKeyRing } from "../../packages/server/src/vault/key-ring.ts"
import { createVault } from "../../packages/server/src/vault/vault.ts"
import type { ReadyAccount } from "@orchestra/simulator"

export type Persona = ReadyAccount["persona"]
export type Shop = {
  readonly merchant: MerchantId
  readonly apiKey: string
  readonly accounts: Readonly<Record<Persona, AccountId>>
}

/** Adyen first: one call per authorization. */
export const PERSONAS: readonly Persona[] = ["adyen", "checkout", "stripe"]

export async function openShop(
  database: Database,
  masterKeys: string,
  providers: readonly ReadyAccount[],
  log: Log,
): Promise<Shop> {
  const ports = systemPorts(() => 0, log)
  const { clock, chance } = ports
  const vault = createVault(parseKeyRing(masterKeys), ports)
  const merchant = makeId("mer", clock.now(), chance.bytes(16))
  await createMerchant(database, { id: merchant, name: "Benchmark", settings: {} })
  const apiKey = newKeySecret("test", chance.bytes).reveal()
  await createApiKey(database, {
    id: makeId("key", clock.now(), chance.bytes(16)),
    merchant,
    name: "Benchmark",
    hint: apiKey.slice(-4),
    mode: "test",
    scopes: ["admin"],
    apiVersion: API_VERSION,
    hash: keyHash(vault, apiKey),
  })
  const accounts: Partial<Record<Persona, AccountId>> = {}
  for (const persona of PERSONAS) {
    const ready = providers.find((provider) => provider.persona === persona)
    const connector = findConnector(persona)
    if (ready === undefined || connector === undefined) throw new Error(`there is no simulated ${persona}`)
    const id = makeId("acc", clock.now(), chance.bytes(16))
    const secrets = accountSecretsBytes({
      credentials: named(connector.manifest.credentials, ready.credentials),
      webhookSecrets: [ready.webhookSecret],
    })
    await createAccount(database, {
      id,
      merchant,
      mode: "test",
      connector: persona,
      name: connector.manifest.name,
      state: "enabled",
      settings: {
        values: named(connector.manifest.settings, ready.credentials),
        baseUrl: ready.url,
        onUnknown: "wait",
      },
      ...vault.seal("accounts", merchant, id, secrets),
    })
    accounts[persona] = id
  }
  const { id: policy, version: etag } = await createPolicy(database, {
    id: makeId("pol", clock.now(), chance.bytes(16)),
    merchant,
    mode: "test",
    name: "Benchmark",
  })
  const document = {
    rules: [
      {
        name: "everything",
        when: { all: [] },
        strategy: { kind: "ordered", accounts: PERSONAS.map((persona) => accounts[persona]) },
      },
    ],
  }
  const added = await addPolicyVersion(database, { policy, merchant, document, author: "benchmark", note: "" })
  await publishPolicy(database, merchant, policy, etag, added?.version ?? 1)
  return { merchant, apiKey, accounts: accounts as Shop["accounts"] }
}

/** The simulator's credentials under the connector's names. */
function named(
  fields: Connector["manifest"]["credentials"],
  credentials: Readonly<Record<string, string>>,
): Record<string, string> {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()
  const found = fields.flatMap(({ name }) => {
    const value = Object.entries(credentials).find(([key]) => plain(key) === plain(name))?.[1]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(found)
}
