// What the issuer said about the address and the security code. The one-letter answers of networks and providers mix
// several checks into one letter, so each letter is taken apart into four checks, and the letters are kept beside them.

/** `unavailable`: asked for, and the issuer did not or could not check. `unchecked`: not asked for, or not told. */
export type CheckResult = "pass" | "fail" | "unavailable" | "unchecked"

export type Checks = {
  /** First line of the billing address. */
  readonly line: CheckResult
  readonly postcode: CheckResult
  /** Cardholder's name. */
  readonly name: CheckResult
  /** Security code (CVC, CVV, CID). */
  readonly code: CheckResult
  /** The letters as they came. */
  readonly rawAvs?: string
  readonly rawCode?: string
}
