// A whole server for tests of the API: assembled as it is started, on a database of its own, with a merchant, its keys,
// and the simulated providers that a test asks for. Everything it logs is kept.

import assert from "node:assert/strict"
import { after } from "node:test"
import { Client } from "pg"
import { startSimulator, type ReadyAccount, type Simulator } from "@orchestra/simulator"
import { keyHash, newKeySecret } from "../src/api/key-source.ts"
import type { Scope } from "../src/api/context.ts"
import { type BinTable, noBins } from "../src/core/bin-table.ts"
import type { FactReader } from "../src/api/facts.ts"
import { makeId, type ApiKeyId, type IdPrefix, type MerchantId } from "../src/core/id.ts"
import { assemble, type Server } from "../src/start/assemble.ts"
import { createApiKey } from "../src/storage/resources/api-keys.ts"
import { createMerchant } from "../src/storage/resources/merchants.ts"
import { newKeyRingText } from "../src/vault/key-ring.ts"
import { freshDatabase, type TestDatabase } from "./database.ts"

/** A value that JSON carried here. Tests say what they expect of it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  readonly text: string
  readonly body: Json
}
export type Call = {
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** A text is sent as it is. */
  readonly body?: unknown
}

export type TestApi = {
  readonly server: Server
  readonly place: TestDatabase
  readonly merchant: MerchantId
  /** An admin key of test mode, which `call` uses unless told otherwise. */
  readonly key: string
  readonly logged: readonly string[]
  call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, call?: Call): Promise<Answer>
  newKey(options?: {
    readonly merchant?: MerchantId
    readonly mode?: "live" | "test"
    readonly scopes?: readonly Scope[]
  }): Promise<{ readonly id: ApiKeyId; readonly secret: string; readonly merchant: MerchantId }>
  newMerchant(): Promise<MerchantId>
  id<P extends IdPrefix>(prefix: P): `${P}_${string}`
}

export async function startApi({
  role = "all",
  beside,
  bins = noBins,
  facts,
}: {
  readonly role?: "all" | "api"
  readonly bins?: BinTable
  /** Where numbers come from. */
  readonly facts?: FactReader
  /** Another node on the same database, with the same merchant and key. */
  readonly beside?: TestApi
} = {}): Promise<TestApi> {
  const place = beside?.place ?? (await freshDatabase())
  const logged: string[] = []
  const note =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const server = await assemble({
    database: place,
    masterKeys: newKeyRingText(
      "test",
      new Uint8Array(64).map((_, index) => index),
    ),
    port: 0,
    host: "127.0.0.1",
    publicUrl: undefined,
    role,
    bins,
    ...(facts === undefined ? {} : { facts }),
    node: beside === undefined ? "test" : "test beside",
    log: { info: note("info"), warn: note("warn"), error: note("error") },
  })
  after(() => server.stop())
  const { clock, chance } = server.engine
  const id: TestApi["id"] = (prefix) => makeId(prefix, clock.now(), chance.bytes(16))
  const newMerchant = async (): Promise<MerchantId> => {
    const merchant = id("mer")
    await createMerchant(server.database, { id: merchant, name: "Shop", settings: {} })
    return merchant
  }
  const merchant = beside?.merchant ?? (await newMerchant())
  const newKey: TestApi["newKey"] = async ({ merchant: owner = merchant, mode = "test", scopes = ["admin"] } = {}) => {
    const secret = newKeySecret(mode, (count) => chance.bytes(count)).reveal()
    const key = await createApiKey(server.database, {
      id: id("key"),
      merchant: owner,
      name: "Test",
      hint: secret.slice(-4),
      mode,
      scopes,
      apiVersion: "2026-11-22",
      hash: keyHash(server.vault, secret),
    })
    return { id: key.id, secret, merchant: owner }
  }
  const key = beside?.key ?? (await newKey()).secret
  return {
    server,
    place,
    merchant,
    key,
    logged,
    newKey,
    newMerchant,
    id,
    call: async (method, path, { key: asked = key, headers = {}, query, body } = {}) => {
      const response = await server.app.inject({
        method,
        url: path,
        headers: {
          ...(asked === null ? {} : { authorization: `Bearer ${asked}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(query === undefined ? {} : { query: { ...query } }),
        ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
      })
      const json = String(response.headers["content-type"] ?? "").includes("json")
      return {
        status: response.statusCode,
        headers: response.headers,
        text: response.body,
        body: json ? (JSON.parse(response.body) as Json) : undefined,
      }
    },
  }
}

/** The answer's body, whose status must be the one expected. */
export function ok(answer: Answer, status = 200): Json {
  assert.equal(answer.status, status, answer.text)
  return answer.body
}

export type Providers = {
  readonly simulator: Simulator
  /** Connects a simulated provider over the API and sends its webhooks to this server. */
  connect(persona: ReadyAccount["persona"], body?: Json): Promise<{ readonly id: string; readonly ready: ReadyAccount }>
}

export async function simulate(api: TestApi, ...personas: readonly ReadyAccount["persona"][]): Promise<Providers> {
  const simulator = await startSimulator({
    seed: "api",
    accounts: personas.map((persona) => ({ id: persona, persona })),
  })
  after(() => simulator.close())
  return {
    simulator,
    connect: async (persona, body = {}) => {
      const ready = simulator.accounts().find((account) => account.persona === persona)
      assert.ok(ready)
      const account = ok(await api.call("POST", "/v1/accounts", { body: { ...accountBody(ready), ...body } }), 201)
      simulator.setWebhookUrl(ready.id, account.webhook_url)
      return { id: account.id, ready }
    },
  }
}

/** What a merchant would type in for a simulated account. */
export function accountBody({ persona, url, credentials, webhookSecret }: ReadyAccount): Json {
  const known: Record<ReadyAccount["persona"], Json> = {
    stripe: { credentials: { secret_key: credentials["secretKey"] } },
    adyen: {
      credentials: { api_key: credentials["apiKey"] },
      settings: { merchant_account: credentials["merchantAccount"] },
    },
    checkout: {
      credentials: { secret_key: credentials["secretKey"] },
      settings: { processing_channel_id: credentials["processingChannelId"] },
    },
  }
  return {
    connector: persona,
    name: `Simulated ${persona}`,
    base_url: url,
    webhook_secrets: [webhookSecret],
    ...known[persona],
  }
}

/** A card that the simulated issuers approve. */
export const card = { number: "4242 4242 4242 4242", expiry_month: 12, expiry_year: 2030, cvc: "123" }

/** Every row of every table as text, by table. */
export async function contents({ place }: TestApi): Promise<Readonly<Record<string, readonly string[]>>> {
  const client = new Client(place)
  await client.connect()
  try {
    const tables = await client.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' order by 1",
    )
    const found: [string, readonly string[]][] = []
    for (const { name } of tables.rows) {
      const rows = await client.query<{ row: string }>(`select t::text as row from ${name} t`)
      found.push([name, rows.rows.map(({ row }) => row)])
    }
    return Object.fromEntries(found)
  } finally {
    await client.end()
  }
}

/** How many rows each table has, but for those that providers, and what is learned, add to whenever they like. */
export const rowCounts = async (api: TestApi): Promise<Readonly<Record<string, number>>> =>
  Object.fromEntries(
    Object.entries(await contents(api)).flatMap(([table, rows]) =>
      table.startsWith("inbound_webhook") || table.startsWith("routing_") ? [] : [[table, rows.length] as const],
    ),
  )
