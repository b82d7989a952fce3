// Idempotency keys of what is created beside payments. Taken before anything is made, with the id under which it will be
// made; answered afterwards. Who holds a key without an answer does so for the length of a lease.

import type { MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import type { IdempotencyScope } from "../ledger/ledger.ts"
import { keyText } from "../ledger/rows.ts"
import type { SealedValue } from "./sealed-rows.ts"

export type RequestKey = {
  readonly merchant: MerchantId
  readonly fingerprint: string
  /** What the first request made, or was about to make. */
  readonly resource: string
  readonly leaseUntil: number
  /** How much of the lease is left (ms); 0 when it is over. */
  readonly leaseMs: number
  readonly answered: boolean
  readonly sealed: Uint8Array
}

/** `ours`: the key was free. Undefined where it was given back at this very moment. */
export async function takeRequestKey(
  database: Database,
  scope: IdempotencyScope,
  wish: {
    readonly fingerprint: string
    readonly resource: string
    readonly leaseMs: number
    readonly keptMs: number
    readonly value: SealedValue
  },
): Promise<{ readonly ours: boolean; readonly row: RequestKey } | undefined> {
  const place = [scope.merchant, scope.mode, scope.method, keyText(scope.path), keyText(scope.key)]
  const { fingerprint, resource, leaseMs, keptMs, value } = wish
  const [taken] = await database.query<Row>(insert, [
    ...place,
    fingerprint,
    resource,
    leaseMs,
    keptMs,
    value.keyId,
    Buffer.from(value.sealed),
  ])
  if (taken !== undefined) return { ours: true, row: keyFrom(taken) }
  const [known] = await database.query<Row>(byScope, place)
  return known === undefined ? undefined : { ours: false, row: keyFrom(known) }
}

/** Whoever held it has died, as far as time can tell. Undefined when somebody else was first. */
export async function takeOverRequestKey(
  database: Database,
  { merchant, resource, leaseUntil }: RequestKey,
  leaseMs: number,
): Promise<RequestKey | undefined> {
  const [row] = await database.query<Row>(takeOver, [merchant, resource, leaseUntil, leaseMs])
  return row === undefined ? undefined : keyFrom(row)
}

/** The first answer stays: false when there is one. */
export async function answerRequestKey(
  database: Database,
  { merchant, resource }: Pick<RequestKey, "merchant" | "resource">,
  { keyId, sealed }: SealedValue,
): Promise<boolean> {
  return (await database.query(answer, [merchant, resource, keyId, Buffer.from(sealed)])).length === 1
}

export async function findRequestKey(
  database: Database,
  { merchant, resource }: Pick<RequestKey, "merchant" | "resource">,
): Promise<RequestKey | undefined> {
  const [row] = await database.query<Row>(byResource, [merchant, resource])
  return row === undefined ? undefined : keyFrom(row)
}

/** Refused, nothing made: the key is free, unless somebody has taken it over. */
export async function freeRequestKey(
  database: Database,
  { merchant, resource, leaseUntil }: RequestKey,
): Promise<void> {
  await database.query(free, [merchant, resource, leaseUntil])
}

/** Its answer is forgotten: the key stays taken, and whoever repeats the request gets the resource as it is. */
export async function forgetRequestAnswer(
  database: Database,
  { merchant, resource }: Pick<RequestKey, "merchant" | "resource">,
  { keyId, sealed }: SealedValue,
): Promise<void> {
  await database.query(forget, [merchant, resource, keyId, Buffer.from(sealed)])
}

type Row = {
  merchant_id: MerchantId
  fingerprint: string
  resource_id: string
  lease_until_ms: bigint
  left_ms: bigint
  answered: boolean
  sealed: Buffer
}

const keyFrom = (row: Row): RequestKey => ({
  merchant: row.merchant_id,
  fingerprint: row.fingerprint,
  resource: row.resource_id,
  leaseUntil: Number(row.lease_until_ms),
  leaseMs: Number(row.left_ms),
  answered: row.answered,
  sealed: new Uint8Array(row.sealed),
})

const columns = `merchant_id, fingerprint, resource_id, lease_until_ms, greatest(0, lease_until_ms - now_ms()) as left_ms,
  answered, sealed`

const insert: Statement = {
  name: "request-key-take",
  text: `insert into request_keys
      (merchant_id, mode, method, path, key, fingerprint, resource_id, lease_until_ms, until_ms, key_id, sealed)
    values ($1, $2, $3, $4, $5, $6, $7, now_ms() + $8::bigint, now_ms() + $9::bigint, $10, $11)
    on conflict do nothing returning ${columns}`,
}

const byScope: Statement = {
  name: "request-key",
  text: `select ${columns} from request_keys
    where merchant_id = $1 and mode = $2 and method = $3 and path = $4 and key = $5`,
}

const byResource: Statement = {
  name: "request-key-by-resource",
  text: `select ${columns} from request_keys where merchant_id = $1 and resource_id = $2`,
}

const takeOver: Statement = {
  name: "request-key-take-over",
  text: `update request_keys set lease_until_ms = now_ms() + $4::bigint
    where merchant_id = $1 and resource_id = $2 and lease_until_ms = $3 and lease_until_ms <= now_ms() and not answered
    returning ${columns}`,
}

const answer: Statement = {
  name: "request-key-answer",
  text: `update request_keys set answered = true, key_id = $3, sealed = $4
    where merchant_id = $1 and resource_id = $2 and not answered returning 1`,
}

const forget: Statement = {
  name: "request-key-forget",
  text: `update request_keys set answered = false, key_id = $3, sealed = $4,
      lease_until_ms = least(lease_until_ms, now_ms())
    where merchant_id = $1 and resource_id = $2 and answered`,
}

const free: Statement = {
  name: "request-key-free",
  text: `delete from request_keys
    where merchant_id = $1 and resource_id = $2 and lease_until_ms = $3 and not answered`,
}
