// Asking a provider something that changes nothing: whether it takes an account's credentials. Before they are saved, and before
// a payment is sent to an account that was out.

import { given } from "../core/given.ts"
import type { HttpResponse } from "../connectors/connector.ts"
import { MAX_RESENDS } from "./call.ts"
import { CONNECT_MS, type Account, type Engine } from "./engine.ts"
import type { Sent } from "./transport.ts"
import type { SignalSharing } from "./signal-sharing.ts"
import type { RoutingSignals } from "./signals.ts"

/** How long the provider may take to say whether it knows us (ms). */
export const READ_MS = 15_000
/** Reads that are under way at a time. */
const MAX_AT_ONCE = 8

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

/** Asks those accounts that routing wants to hear from; answers whether there were any. */
export async function readWanted(engine: ReadingEngine): Promise<boolean> {
  const { signals, sharing, directory, clock } = engine
  const now = clock.now()
  const wanted = new Set(signals.shelves().flatMap((shelf) => shelf.signals.wantsRead(now)))
  // Nobody pays through a sick node, so nothing else would tell that it is well again.
  if (sharing.isSick()) for (const id of sharing.sickAt()) wanted.add(id)
  const accounts = [...wanted].flatMap((id) => directory.account(id as Account["id"]) ?? []).slice(0, MAX_AT_ONCE)
  await Promise.all(
    accounts.map(async (account) => {
      const owner = { merchant: account.merchant, mode: account.config.mode, account: account.id }
      const read = await readHarmlessly(engine, account)
      if (read !== undefined) sharing.readCame(owner, read.kind === "answered" && read.ok, read.kind === "answered")
    }),
  )
  return accounts.length > 0
}
