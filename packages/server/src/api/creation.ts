// Creating a resource once, however often it is asked for: `Idempotency-Key` on everything that is made beside payments,
// where it may be left out. The key is taken first, with the id under which the resource will be made and with the chance
// that its secret is made of; so whoever comes after a crash finds what was made, or makes that very one, and gives the
// same answer. Both are sealed by the vault: a secret that is shown once is stored in clear nowhere, and may be heard again
// only under its own key, and not for long (SECRET_KEPT_MS).

import type { FastifyReply, FastifyRequest } from "fastify"
import { Type } from "typebox"
import { Fault } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { makeId, type Id, type IdPrefix } from "../core/id.ts"
import { secret, type Secret } from "../core/secret.ts"
import {
  answerRequestKey,
  findRequestKey,
  forgetRequestAnswer,
  freeRequestKey,
  takeOverRequestKey,
  takeRequestKey,
  type RequestKey,
} from "../storage/resources/request-keys.ts"
import { callerOf, type Api } from "./context.ts"
import { idempotencyKeyOf, scopeOf } from "./idempotent.ts"

/** For the document. */
export const MayRepeat = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description:
        "Optional. Unique to this one wish; the same again when you repeat it: then the first answer comes again and " +
        "nothing is made twice.",
    }),
  ),
})

/** How long one request may work before its key counts as abandoned: a provider is asked, and some statements (ms). */
export const CREATION_LEASE_MS = 45_000
/** As long as those of payments (ms). */
export const CREATION_KEPT_MS = 30 * 86_400_000
/** Answers that hold a secret: time enough to repeat a request (ms). */
export const SECRET_KEPT_MS = 86_400_000
/** Whoever is told to wait comes back after this at the latest (ms). */
const MAX_RETRY_MS = 5_000
const SEED_BYTES = 32

/** What is answered, with 201. */
export type Made<B> = { readonly body: B; readonly location?: string; readonly etag?: string }

export type Creation<P extends IdPrefix, B> = {
  readonly prefix: P
  readonly keptMs?: number
  /** Makes it under this id. A fault means that nothing was made. `seed`: chance for what is secret in it. */
  create(id: Id<P>, seed: Secret<Uint8Array>): Promise<Made<B>>
  /** It as it stands, if it was made. */
  find(id: Id<P>, seed: Secret<Uint8Array>): Promise<Made<B> | undefined>
}

export async function createOnce<P extends IdPrefix, B>(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  creation: Creation<P, B>,
): Promise<B> {
  const { clock, chance } = api.engine
  const id = makeId(creation.prefix, clock.now(), chance.bytes(16))
  const seed = secret(chance.bytes(SEED_BYTES))
  const key = idempotencyKeyOf(request)
  const made =
    key === undefined
      ? await creation.create(id, seed)
      : await underKey(api, request, reply, key, { id, seed }, creation)
  void reply.code(201)
  if (made.location !== undefined) void reply.header("location", made.location)
  if (made.etag !== undefined) void reply.header("etag", made.etag)
  return made.body
}

type Wish<P extends IdPrefix> = { readonly id: Id<P>; readonly seed: Secret<Uint8Array> }

async function underKey<P extends IdPrefix, B>(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
  { id, seed }: Wish<P>,
  creation: Creation<P, B>,
): Promise<Made<B>> {
  const caller = callerOf(request)
  const fingerprint = api.vault.requestFingerprint(caller.merchant, request.body ?? {})
  const taken = await takeRequestKey(api.database, scopeOf(caller, request, key), {
    fingerprint,
    resource: id,
    leaseMs: CREATION_LEASE_MS,
    keptMs: creation.keptMs ?? CREATION_KEPT_MS,
    value: seal(api, caller.merchant, id, { seed }),
  })
  if (taken === undefined) throw inFlight(0)
  if (taken.ours) return finish(api, reply, taken.row, { id, seed }, creation, false)
  const { row } = taken
  if (row.fingerprint !== fingerprint) throw new Fault("idempotency.key_reused")
  if (row.answered) return replayed(api, reply, row)
  if (row.leaseMs > 0) throw inFlight(row.leaseMs)
  const over = await takeOverRequestKey(api.database, row, CREATION_LEASE_MS)
  if (over === undefined) throw inFlight(0)
  const first = { id: row.resource as Id<P>, seed: open<B>(api, row).seed }
  return finish(api, reply, over, first, creation, true)
}

/** The resource is made, or found where another may have made it; its answer is stored. */
async function finish<P extends IdPrefix, B>(
  api: Api,
  reply: FastifyReply,
  row: RequestKey,
  { id, seed }: Wish<P>,
  { create, find }: Creation<P, B>,
  takenOver: boolean,
): Promise<Made<B>> {
  const found = takenOver ? await find(id, seed) : undefined
  if (found !== undefined) void reply.header("idempotent-replayed", "true")
  const made = found ?? (await create(id, seed).catch(orFound))
  const kept = await answerRequestKey(api.database, row, seal(api, row.merchant, id, { seed, made })).catch(
    (error: unknown) => {
      // Whoever repeats it waits for the end of the lease, and gets it as it stands then.
      api.engine.log.warn({ resource: id, error: String(error) }, "the answer could not be stored")
      return true
    },
  )
  const stored = kept ? undefined : await findRequestKey(api.database, row)
  return stored?.answered === true ? replayed(api, reply, stored) : made

  async function orFound(error: unknown): Promise<Made<B>> {
    // Whoever was taken for dead may have made it at this moment.
    const late = takenOver ? await find(id, seed) : undefined
    if (late !== undefined) return late
    if (error instanceof Fault) await freeRequestKey(api.database, row)
    throw error
  }
}

function replayed<B>(api: Api, reply: FastifyReply, row: RequestKey): Made<B> {
  const { made } = open<B>(api, row)
  if (made === undefined) throw inFlight(0)
  void reply.header("idempotent-replayed", "true")
  return made
}

/** What was answered when it was made is erased with what it was about. */
export async function forgetCreation(api: Api, merchant: RequestKey["merchant"], resource: string): Promise<void> {
  const seed = secret(api.engine.chance.bytes(SEED_BYTES))
  await forgetRequestAnswer(api.database, { merchant, resource }, seal(api, merchant, resource, { seed }))
}

const inFlight = (leaseMs: number): Fault =>
  new Fault("idempotency.in_flight", { retryAfterMs: Math.min(Math.max(leaseMs, 1_000), MAX_RETRY_MS) })

type Kept<B> = { readonly seed: Secret<Uint8Array>; readonly made?: Made<B> }

function seal<B>({ vault }: Api, merchant: RequestKey["merchant"], id: string, { seed, made }: Kept<B>) {
  const text = JSON.stringify({ seed: Buffer.from(seed.reveal()).toString("base64url"), made })
  return vault.seal("request_keys", merchant, id, secret(Buffer.from(text, "utf8")))
}

function open<B>({ vault }: Api, { merchant, resource, sealed }: RequestKey): Kept<B> {
  const bytes = vault.open("request_keys", merchant, resource, sealed).reveal()
  const { seed, made } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    readonly seed: string
    readonly made?: Made<B>
  }
  return given({ seed: secret(new Uint8Array(Buffer.from(seed, "base64url"))), made })
}
