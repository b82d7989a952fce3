// What the API is given, and who is calling.

import type { FastifyRequest } from "fastify"
import type { BinTable } from "../core/bin-table.ts"
import { Fault } from "../core/fault.ts"
import type { ApiKeyId, MerchantId } from "../core/id.ts"
import type { Hmac } from "../connectors/connector.ts"
import type { Engine } from "../engine/engine.ts"
import type { Database } from "../storage/database.ts"
import type { SignalStore } from "../storage/resources/signal-store.ts"
import type { Vault } from "../vault/vault.ts"
import type { Counts } from "./counts.ts"
import type { FactReader } from "./facts.ts"
import type { Metrics } from "./metrics.ts"
import type { MethodSource } from "./method-input.ts"

/**
 * What a key may do; `admin` includes all others. payments:operate: to say how a payment ended where nobody else could.
 * metrics:read: the numbers of the whole installation. insight:read: those of the key's merchant and mode.
 */
export const scopes = [
  "payments:read",
  "payments:write",
  "payments:operate",
  "config:read",
  "config:write",
  "metrics:read",
  "insight:read",
  "admin",
] as const
export type Scope = (typeof scopes)[number]

export type Key = {
  readonly id: ApiKeyId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly scopes: readonly Scope[]
}

export type Api = {
  readonly engine: Engine
  readonly vault: Vault
  readonly database: Database
  readonly methods: MethodSource
  /** What the first digits of cards tell; empty where the operator gave no table. */
  readonly bins: BinTable
  readonly hmac: Hmac
  /** Has this node's engine use a merchant's configuration as it stands now; others hear of it within a second. */
  refresh(merchant: MerchantId): Promise<void>
  /** The key with this secret, unless it is unknown or revoked. In memory. */
  key(secret: string): Promise<Key | undefined>
  readonly counts: Counts
  readonly metrics: Metrics
  readonly facts: FactReader
  readonly routing: {
    readonly store: SignalStore
    /** No provider answers this node. */
    isSick(): boolean
  }
  /** Where this server is reached from outside, without a slash at the end. Known once it listens. */
  publicUrl(): string
}

declare module "fastify" {
  interface FastifyRequest {
    key: Key | undefined
  }
}

const BEARER = /^Bearer +([\x21-\x7e]{8,255})$/i

/** The key of the Authorization header, with the scope that is needed. */
export async function authenticate(api: Api, request: FastifyRequest, scope: Scope): Promise<void> {
  const header = request.headers.authorization
  if (header === undefined) throw new Fault("auth.missing")
  const secret = BEARER.exec(header)?.[1]
  const key = secret === undefined ? undefined : await api.key(secret)
  if (key === undefined) throw new Fault("auth.invalid")
  if (!key.scopes.includes(scope) && !key.scopes.includes("admin"))
    throw new Fault("auth.scope", { detail: `This needs the scope ${scope}: use a key that has it.` })
  request.key = key
}

export function callerOf(request: FastifyRequest): Key {
  if (request.key === undefined) throw new Fault("auth.missing")
  return request.key
}

/** After a change of configuration: it is stored, so a failure here only means that this node, too, hears of it later. */
export async function putInForce({ refresh, engine }: Api, merchant: MerchantId): Promise<void> {
  await refresh(merchant).catch((error: unknown) =>
    engine.log.warn({ merchant, error: String(error) }, "a change is not in force here yet; it will be in a moment"),
  )
}
