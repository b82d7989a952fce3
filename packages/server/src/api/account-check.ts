// Whether the provider takes an account's credentials: one harmless call, before they are saved.

import { Fault, invalid } from "../core/fault.ts"
import { accountOf, AccountUnusable } from "../engine/account.ts"
import type { Account, Engine } from "../engine/engine.ts"
import { readHarmlessly } from "../engine/harmless-read.ts"
import type { AccountRow } from "../storage/resources/accounts.ts"
import type { Connector } from "../connectors/connector.ts"
import type { Vault } from "../vault/vault.ts"

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
  const { connector, config } = account
  const read = await readHarmlessly(engine, account)
  if (read === undefined) return undefined
  if (read.kind === "unreachable")
    throw new Fault("account.unreachable", { detail: `${connector.manifest.name}: ${read.code}` })
  const { ok, detail, response } = read
  // Providers like to repeat the key that they refuse.
  if (!ok)
    throw new Fault("account.credentials_refused", {
      detail: `${connector.manifest.name}: ${connector.scrub(detail).slice(0, MAX_DETAIL)}`,
      errors: [{ pointer: "#/credentials", detail: "were refused by the provider" }],
    })
  return connector.verifyCredentials?.account?.(response, config)
}
