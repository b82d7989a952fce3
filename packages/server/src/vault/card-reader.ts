// Card numbers by token, for the engine: the row from storage, opened here.

import type { CardId, MerchantId } from "../core/id.ts"
import type { Secret } from "../core/secret.ts"
import type { Vault, VaultCard } from "./vault.ts"

/** Storage's side: the row of a card, `undefined` once retention or erasure deleted it. */
export type CardStore = { card(merchant: MerchantId, token: CardId): Promise<VaultCard | undefined> }

export type TokenReader = {
  read(merchant: MerchantId, method: { readonly token: CardId }): Promise<Secret<string> | undefined>
}

export function createCardReader(vault: Vault, store: CardStore): TokenReader {
  return {
    read: async (merchant, { token }) => {
      const card = await store.card(merchant, token)
      // The row's own merchant and id do not count: a row that answers for another place must not open.
      return card === undefined ? undefined : vault.openCard({ id: token, merchant, sealed: card.sealed })
    },
  }
}
