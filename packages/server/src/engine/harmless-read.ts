// Asking a provider something that changes nothing: whether it takes an account's credentials. Before they are saved, and before
// a payment is sent to an account that was out.

import { given } from "../core/given.ts"
import type { HttpResponse } from "../connectors/connector.ts"
import type { AccountId } from "../core/id.ts"
import { MAX_RESENDS } from "./call.ts"
import { CONNECT_MS, type Account, type Engine } from "./engine.ts"
import type { Sent } from "./transport.ts"
import type { SignalSharing } from "./signal-sharing.ts"
import type { RoutingSignals, Shelf } from "./signals.ts"

/** How long the provider may take to say whether it knows us (ms). */
export const READ_MS = 15_000
/** Reads that are under way at a time. */
export const MAX_AT_ONCE = 32

export type HarmlessRead =
  | { readonly kind: "answered"; readonly ok: boolean; readonly detail: string; readonly response: HttpResponse }
  | { readonly kind: "unreachable"; readonly code: string }

/** Undefined where the connector knows no such call. */
export async function readHarmlessly(
  { transport, clock }: Pick<Engine, "transport" | "clock">,
  { connector, config, origin, limits, guarded }: Account,
): Promise<HarmlessRead | undefined> {
  const { verifyCredentials } = connector
  if (verifyCredentials === undefined) return undefined
  const ask = (): Promise<Sent> =>
    transport.send(origin, verifyCredentials.encode(config), {
      connectMs: CONNECT_MS,
      totalMs: READ_MS,
      notAfter: clock.now() + CONNECT_MS,
      keepAliveMs: limits.keepAliveMs,
      connections: limits.connections,
      ...given({ guarded }),
    })
  let sent = await ask()
  // An idle connection that was closed meanwhile says nothing about the provider: such reads are seconds apart.
  for (let resends = 0; sent.kind !== "answered" && sent.code === "ECONNRESET" && resends < MAX_RESENDS; resends++)
    sent = await ask()
  if (sent.kind !== "answered") return { kind: "unreachable", code: sent.code }
  return { kind: "answered", ...verifyCredentials.decode(sent.response), response: sent.response }
}

export type ReadingEngine = Pick<Engine, "transport" | "clock" | "directory" | "log"> & {
  readonly signals: RoutingSignals
  readonly sharing: Pick<SignalSharing, "readCame" | "isSick" | "sickAt">
}

/** How long it is known when an account was asked (ms). */
const REMEMBERED_MS = 3_600_000

/**
 * A step that asks those accounts that routing wants to hear from; it answers whether there were any. Who was asked longest ago
 * comes first: however many never answer, everybody has a turn.
 */
export function createReadings(engine: ReadingEngine): () => Promise<boolean> {
  const askedAt = new Map<AccountId, number>()
  return async () => {
    const { signals, sharing, directory, clock } = engine
    const now = clock.now()
    for (const [id, at] of askedAt) if (now - at > REMEMBERED_MS) askedAt.delete(id)
    const wanted = new Set(signals.shelves().flatMap((shelf) => shelf.signals.wantsRead(now)))
    // Nobody pays through a sick node, so nothing else would tell that it is well again. Those that did not answer may be down:
    // a test's, or another merchant's. Any provider's answer will do.
    if (sharing.isSick()) for (const id of [...sharing.sickAt(), ...signals.shelves().flatMap(readable)]) wanted.add(id)
    const accounts = [...wanted]
      .flatMap((id) => directory.account(id as AccountId) ?? [])
      .toSorted((a, b) => (askedAt.get(a.id) ?? 0) - (askedAt.get(b.id) ?? 0))
      .slice(0, MAX_AT_ONCE)
    for (const { id } of accounts) askedAt.set(id, now)
    await Promise.all(accounts.map((account) => readOne(engine, account)))
    return accounts.length > 0
  }
}

const readable = ({ accounts }: Shelf): readonly AccountId[] =>
  accounts.flatMap(({ id, state, connector }) =>
    state === "enabled" && connector.verifyCredentials !== undefined ? [id] : [],
  )

/** Who refuses the key is up. Whether it takes payments they will tell; a key that may pay and not read must come back, too. */
const isUp = (read: HarmlessRead): boolean =>
  read.kind === "answered" && (read.ok || read.response.status === 401 || read.response.status === 403)

async function readOne(engine: ReadingEngine, account: Account): Promise<void> {
  const owner = { merchant: account.merchant, mode: account.config.mode, account: account.id }
  try {
    const read = await readHarmlessly(engine, account)
    if (read !== undefined) engine.sharing.readCame(owner, isUp(read), read.kind === "answered")
  } catch (error) {
    engine.log.error({ account: account.id, error: String(error) }, "an account could not be asked whether it is well")
  }
}
