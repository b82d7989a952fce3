// Whether a process has the keys that its database was filled with. One with other keys would start, refuse every API key,
// leave out every account, and seal what nobody else can open: it must not start.

import type { SealedStore } from "./rewrap.ts"
import { VaultFault } from "./vault-fault.ts"
import type { Vault } from "./vault.ts"

/** Of each table. One that opens is proof; several are asked, since a single row may be damaged. */
const SAMPLE = 20

/** Every row's key, since no key has an empty name. */
const NO_KEY = ""

export async function proveKeys(
  vault: Vault,
  stores: readonly Pick<SealedStore, "table" | "sealedUnderOthers">[],
): Promise<void> {
  let fault: VaultFault | undefined
  for (const { table, sealedUnderOthers } of stores)
    for (const { merchant, id, sealed } of await sealedUnderOthers(NO_KEY, undefined, SAMPLE)) {
      try {
        vault.open(table, merchant, id, sealed)
        return
      } catch (error) {
        if (!(error instanceof VaultFault)) throw error
        fault ??= error
      }
    }
  if (fault === undefined) return
  throw new VaultFault(
    "foreign_keys",
    "The keys of this process are not those of its database: give every process the same ORCHESTRA_MASTER_KEYS, or a copy of the first one's key file.",
  )
}
