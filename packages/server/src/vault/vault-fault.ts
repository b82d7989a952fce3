// What can be wrong with a sealed value or a key. A fault names the key or the place, never a byte of what is inside.

export type VaultFaultCode =
  /** The configured keys cannot be read as a key ring. */
  | "key_ring_invalid"
  /** Sealed under a key that the ring does not hold (any more). */
  | "key_missing"
  /** Not something this vault sealed. */
  | "malformed"
  /** Changed, or opened as another merchant's, table's or row's. */
  | "not_authentic"
  | "too_large"
  /** Nothing in the database opens with this key ring. */
  | "foreign_keys"

export class VaultFault extends Error {
  readonly code: VaultFaultCode
  constructor(code: VaultFaultCode, message: string) {
    super(message)
    this.name = "VaultFault"
    this.code = code
  }
}
