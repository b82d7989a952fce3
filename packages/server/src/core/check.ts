// What the issuer said about the address and the security code. The one-letter answers of networks mix several checks
// into one letter, so each letter is taken apart into four checks, and the letters are kept beside them. The letters
// of one network contradict another's (an Amex F is a wrong name, a Visa F a full match): say the network if known.
// Providers that answer in letters of their own (Checkout.com's N, Braintree's A) translate them in their own tables.

import type { Network } from "./card.ts"

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

export type AddressChecks = Pick<Checks, "line" | "postcode" | "name">

/** Nothing was asked or told. */
export const noChecks: Checks = { line: "unchecked", postcode: "unchecked", name: "unchecked", code: "unchecked" }

/**
 * The four checks of the letters a network gave. A letter that no table knows leaves its checks `unchecked`: it is
 * kept raw, and never read as a pass.
 */
export function readChecks(letters: {
  readonly avs?: string
  readonly code?: string
  readonly network?: Network
}): Checks {
  const { avs, code, network } = letters
  return {
    ...noChecks,
    ...(avs === undefined ? {} : { ...readAvs(avs, network), rawAvs: avs }),
    ...(code === undefined ? {} : { code: own(codeLetters, code) ?? "unchecked", rawCode: code }),
  }
}

function readAvs(letter: string, network: Network | undefined): AddressChecks | undefined {
  const narrower = network === undefined ? undefined : avsLettersByNetwork[network]
  return (narrower === undefined ? undefined : own(narrower, letter)) ?? own(avsLetters, letter)
}

function own<V>(table: Readonly<Record<string, V>>, letter: string): V | undefined {
  return Object.hasOwn(table, letter) ? table[letter] : undefined
}

const avs = (line: CheckResult, postcode: CheckResult, name: CheckResult = "unchecked"): AddressChecks => ({
  line,
  postcode,
  name,
})
const nothing = avs("unavailable", "unavailable")

/** Source: Visa AVS result codes, domestic and international, as published by Airwallex and Checkout.com (2025). */
export const avsLetters: Readonly<Record<string, AddressChecks>> = {
  A: avs("pass", "fail"),
  B: avs("pass", "unavailable"), // incompatible postcode formats
  C: nothing, // incompatible formats
  D: avs("pass", "pass"), // international
  E: nothing, // not allowed for this kind of payment
  F: avs("pass", "pass"), // United Kingdom
  G: nothing, // issuer outside of AVS
  I: nothing, // international, not verified
  M: avs("pass", "pass"), // international
  N: avs("fail", "fail"),
  P: avs("unavailable", "pass"), // incompatible address formats
  R: nothing, // try again
  S: nothing, // not supported
  U: nothing, // no data on file
  W: avs("fail", "pass"), // nine digits
  X: avs("pass", "pass"), // nine digits
  Y: avs("pass", "pass"),
  Z: avs("fail", "pass"),
  // Amex in digits, name included, at acquirers that keep letters for the others. Source: PayEngine's codes.
  1: avs("fail", "pass", "pass"),
  2: avs("pass", "pass", "pass"),
  3: avs("pass", "fail", "pass"),
  4: avs("fail", "fail", "pass"),
  5: avs("fail", "pass", "fail"),
  6: avs("pass", "pass", "fail"),
  7: avs("pass", "fail", "fail"),
  8: avs("fail", "fail", "fail"),
}

/** Where a network's letter differs from the table above. Source: TabaPay's verification codes
 * (2026) for Discover; for Amex's letters about the name, acquirers' restatements of its Automated Address Verification. */
export const avsLettersByNetwork: Readonly<Partial<Record<Network, Readonly<Record<string, AddressChecks>>>>> = {
  amex: {
    D: avs("fail", "pass", "fail"),
    E: avs("pass", "pass", "fail"),
    F: avs("pass", "fail", "fail"),
    K: avs("fail", "fail", "pass"),
    L: avs("fail", "pass", "pass"),
    M: avs("pass", "pass", "pass"),
    O: avs("pass", "fail", "pass"),
    W: avs("fail", "fail", "fail"),
  },
  // Discover has A and Y the other way round; its W is restated both as "no data" and as a match, so it proves nothing.
  discover: { A: avs("pass", "pass"), T: avs("fail", "pass"), W: nothing, Y: avs("pass", "fail") },
}

/** Source: Visa CVV2 and Mastercard CVC 2 result codes; Y is Amex's match. */
export const codeLetters: Readonly<Record<string, CheckResult>> = {
  M: "pass",
  Y: "pass",
  N: "fail",
  P: "unavailable", // not processed
  S: "unchecked", // should be on the card, but was not sent
  U: "unavailable", // issuer not certified
  X: "unavailable", // no answer
}
