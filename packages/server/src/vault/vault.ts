// The one room that sees card numbers and credentials in the clear, and that nothing can be printed from. What it gives
// to the database opens only with the key ring, which the database does not have; what it opens travels in a Secret.

import { makeId, type CardId, type MerchantId } from "../core/id.ts"
import { secret, type Secret } from "../core/secret.ts"
import type { Chance, Clock } from "../ports.ts"
import { canonicalText } from "./canonical.ts"
import { openEnvelope, rewrapEnvelope, sealEnvelope, type Place, type Sealed } from "./envelope.ts"
import { keyedHash } from "./fingerprint.ts"
import type { KeyRing } from "./key-ring.ts"

/** What a sealed value belongs to. A value sealed for one table does not open as another's. */
export type SealedTable = "cards" | "accounts" | "webhook_endpoints" | "request_keys"

/** As storage keeps it; the payment that needs it is added by whoever stores it. */
export type VaultCard = {
  readonly id: CardId
  readonly merchant: MerchantId
  readonly fingerprint: string
  readonly keyId: string
  readonly sealed: Uint8Array
}

export type Vault = {
  /** Seals a card number under a new token. */
  sealCard(merchant: MerchantId, card: { readonly number: Secret<string> }): VaultCard
  openCard(card: Pick<VaultCard, "id" | "merchant" | "sealed">): Secret<string>
  readonly seal: (table: SealedTable, merchant: MerchantId, row: string, value: Secret<Uint8Array>) => Sealed
  readonly open: (table: SealedTable, merchant: MerchantId, row: string, sealed: Uint8Array) => Secret<Uint8Array>
  /** The same value under the current master key. */
  rewrap(table: SealedTable, merchant: MerchantId, row: string, sealed: Uint8Array): Uint8Array
  /** Name of the key that everything should be under. */
  readonly currentKey: string
  /** Equal for equal numbers of one merchant, and for no others. */
  fingerprint(merchant: MerchantId, number: Secret<string>): string
  /** Equal for requests that say the same, whatever their CVC. */
  requestFingerprint(merchant: MerchantId, body: unknown): string
  /** A keyed hash for other look-ups, such as API keys. */
  hmac(purpose: string, text: string, merchant?: MerchantId): string
}

export function createVault(
  ring: KeyRing,
  { clock, chance }: { readonly clock: Clock; readonly chance: Chance },
): Vault {
  const random = (count: number): Uint8Array => chance.bytes(count)
  const seal = (table: SealedTable, merchant: MerchantId, row: string, value: Secret<Uint8Array>): Sealed =>
    sealEnvelope(ring, placeOf(table, merchant, row), value.reveal(), random)
  const open = (table: SealedTable, merchant: MerchantId, row: string, sealed: Uint8Array): Secret<Uint8Array> =>
    secret(openEnvelope(ring, placeOf(table, merchant, row), sealed))
  const fingerprint = (merchant: MerchantId, number: Secret<string>): string =>
    keyedHash(ring.fingerprint, "card", merchant, number.reveal())
  return {
    sealCard: (merchant, { number }) => {
      const id = makeId("tok", clock.now(), chance.bytes(16))
      const sealed = seal("cards", merchant, id, secret(Buffer.from(number.reveal(), "utf8")))
      return { id, merchant, fingerprint: fingerprint(merchant, number), ...sealed }
    },
    openCard: ({ id, merchant, sealed }) =>
      secret(Buffer.from(open("cards", merchant, id, sealed).reveal()).toString("utf8")),
    seal,
    open,
    rewrap: (table, merchant, row, sealed) =>
      rewrapEnvelope(ring, placeOf(table, merchant, row), sealed, random).sealed,
    currentKey: ring.current,
    fingerprint,
    requestFingerprint: (merchant, body) => keyedHash(ring.fingerprint, "request", merchant, canonicalText(body)),
    // Apart from our own purposes, whatever a caller calls its own.
    hmac: (purpose, text, merchant) => keyedHash(ring.fingerprint, `hmac:${purpose}`, merchant, text),
  }
}

const placeOf = (table: SealedTable, merchant: MerchantId, row: string): Place => ({ merchant, table, row })
