// The merchant of a run, set up over the API as a merchant would: an account at every simulated provider, a policy that
// tries them in many orders, and an endpoint for webhooks. Configuration is written before anything breaks.

import type { ReadyAccount, Simulator } from "@orchestra/simulator"
import { request } from "undici"
import { findConnector } from "../../packages/server/src/connectors/registry.ts"
import type { MerchantId } from "../../packages/server/src/core/id.ts"
import type { Database } from "../../packages/server/src/storage/database.ts"
import type { Dice } from "./dice.ts"
import { timeScale } from "./providers.ts"
import type { Receiver } from "./receiver.ts"
import type { ServerProcess } from "./server-process.ts"

export type Shop = {
  readonly merchant: MerchantId
  readonly apiKey: string
  readonly accounts: readonly [string, ...string[]]
}

const CALL_MS = 30_000
/** What payments are routed by. */
const CURRENCIES = ["EUR", "USD", "GBP", "SEK", "PLN", "JPY"]
const NETWORKS = ["visa", "mastercard"]
const ACCOUNTS_PER_RULE = 5

export async function openShop(
  {
    simulator,
    servers,
    receiver,
    database,
  }: {
    simulator: Simulator
    servers: readonly [ServerProcess, ...ServerProcess[]]
    receiver: Receiver
    database: Database
  },
  dice: Dice,
): Promise<Shop> {
  const [first] = servers
  const api = { url: first.url, apiKey: first.apiKey() }
  const accounts: string[] = []
  for (const [index, ready] of simulator.accounts().entries()) {
    const account = await connect(api, ready, index)
    accounts.push(account)
    // Providers know one address; half of them one server's, half the other's.
    const server = servers[index % servers.length] ?? first
    simulator.setWebhookUrl(ready.id, `${server.url}/webhooks/${ready.persona}/${account}`)
  }
  await publishPolicy(api, accounts, dice)
  const endpoint = await call(api, "POST", "/v1/webhook-endpoints", {
    url: receiver.url,
    description: "chaos",
    event_types: ["*"],
  })
  receiver.secret = String(endpoint.json["secret"])
  const [some, ...others] = accounts
  if (some === undefined) throw new Error("no account was connected")
  return { apiKey: api.apiKey, accounts: [some, ...others], merchant: await merchantOf(database, some) }
}

type Api = { readonly url: string; readonly apiKey: string }

/** Every second account rather reverses and tries elsewhere than waits. */
async function connect(api: Api, ready: ReadyAccount, index: number): Promise<string> {
  const manifest = findConnector(ready.persona)?.manifest
  if (manifest === undefined) throw new Error(`there is no connector for the simulated ${ready.persona}`)
  const { json } = await call(api, "POST", "/v1/accounts", {
    connector: ready.persona,
    name: ready.id,
    credentials: named(manifest.credentials, ready.credentials),
    settings: named(manifest.settings, ready.credentials),
    webhook_secrets: [ready.webhookSecret],
    on_unknown: index % 2 === 0 ? "wait" : "reverse_then_reroute",
    base_url: ready.url,
    time_scale: timeScale[ready.persona],
  })
  return String(json["id"])
}

/** The simulator's credentials under the connector's names. */
function named(
  fields: readonly { readonly name: string }[],
  credentials: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const known = Object.entries(credentials).find(([key]) => plain(key) === plain(name))
      return known === undefined ? [] : [[name, known[1]]]
    }),
  )
}

/** Every account comes first somewhere; behind it stand others in any order. */
async function publishPolicy(api: Api, accounts: readonly string[], dice: Dice): Promise<void> {
  const conditions = [
    ...CURRENCIES.flatMap((currency) => [
      ...NETWORKS.map((network) => `currency == "${currency}" && card.network == "${network}"`),
      `currency == "${currency}"`,
    ]),
    "true",
  ]
  const behind = (first: string): readonly string[] => {
    const left = accounts.filter((account) => account !== first)
    return Array.from({ length: ACCOUNTS_PER_RULE - 1 }, () => left.splice(dice.int(0, left.length - 1), 1)).flat()
  }
  const created = await call(api, "POST", "/v1/policies", {
    name: "Chaos",
    rules: conditions.map((when, index) => {
      const first = accounts[index % accounts.length]!
      return { name: `rule ${index + 1}`, when, strategy: { kind: "ordered", accounts: [first, ...behind(first)] } }
    }),
  })
  const { id } = created.json["policy"] as { readonly id: string }
  await call(api, "POST", `/v1/policies/${id}/activate`, { version: 1 }, { "if-match": created.etag })
}

async function call(
  { url, apiKey }: Api,
  method: "POST",
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly json: Readonly<Record<string, unknown>>; readonly etag: string }> {
  const answer = await request(url + path, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    headersTimeout: CALL_MS,
    bodyTimeout: CALL_MS,
  })
  const text = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text}`)
  return { json: JSON.parse(text) as Record<string, unknown>, etag: String(answer.headers["etag"] ?? "") }
}

async function merchantOf(database: Database, account: string): Promise<MerchantId> {
  const [row] = await database.query<{ merchant_id: MerchantId }>(
    { name: "", text: "select merchant_id from accounts where id = $1" },
    [account],
  )
  if (row === undefined) throw new Error(`account ${account} is not stored`)
  return row.merchant_id
}
