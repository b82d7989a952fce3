// Whether the provider takes an account's credentials: one harmless call, before they are saved.

import { Fault, invalid } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { accountOf, AccountUnusable } from "../engine/account.ts"
import { CONNECT_MS, type Account, type Engine } from "../engine/engine.ts"
import type { AccountRow } from "../storage/resources/accounts.ts"
import type { Connector } from "../connectors/connector.ts"
import type { Vault } from "../vault/vault.ts"

/** How long the provider may take to say whether it knows us (ms). */
export const CHECK_MS = 15_000
/** Longest part of the provider's answer that is passed on. */
const MAX_DETAIL = 300

/** The account as the engine would use it; what does not make a whole one is refused before it is stored. */
export function wholeAccount(vault: Vault, row: AccountRow, connector: Connector): Account {
  try {
    return accountOf(row, connector, (merchant, id, sealed) => vault.open("accounts", merchant, id, sealed))
  } catch (error) {
    if (error instanceof AccountUnusable) throw invalid("#", error.message)
    throw error
  }
}

/** Answers what the provider calls the account, where its answer proves that. */
export async function checkCredentials(engine: Engine, account: Account): Promise<string | undefined> {
  const { connector, config, origin, limits, guarded } = account
  const { verifyCredentials } = connector
  if (verifyCredentials === undefined) return undefined
  const sent = await engine.transport.send(origin, verifyCredentials.encode(config), {
    connectMs: CONNECT_MS,
    totalMs: CHECK_MS,
    notAfter: engine.clock.now() + CONNECT_MS,
    keepAliveMs: limits.keepAliveMs,
    connections: limits.connections,
    ...given({ guarded }),
  })
  if (sent.kind !== "answered")
    throw new Fault("account.unreachable", { detail: `${connector.manifest.name}: ${sent.code}` })
  const { ok, detail } = verifyCredentials.decode(sent.response)
  // Providers like to repeat the key that they refuse.
  if (!ok)
    throw new Fault("account.credentials_refused", {
      detail: `${connector.manifest.name}: ${connector.scrub(detail).slice(0, MAX_DETAIL)}`,
      errors: [{ pointer: "#/credentials", detail: "were refused by the provider" }],
    })
  return verifyCredentials.account?.(sent.response, config)
}
