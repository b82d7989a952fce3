// Money is an exact count of minor units of one currency and never meets a float: all arithmetic on amounts stands in
// this file. Wrong use (two currencies in one sum, an amount no store can hold) is a bug in the caller and throws.

import { type Currency, exponentOf, parseCurrency } from "./currency.ts"

export type { Currency } from "./currency.ts"

/** `minor` may be negative (fees, corrections); what may be paid is narrower, see `maxPaymentMinor`. */
export type Money = { readonly minor: bigint; readonly currency: Currency }

/** How an amount stands in JSON: an integer of minor units and the ISO 4217 code. */
export type MoneyJson = { readonly amount: number; readonly currency: string }

/** The largest payment, in minor units: ISO 8583 field 4 has twelve digits, so no card network carries more. */
export const maxPaymentMinor = 999_999_999_999n

/** The largest amount in JSON, in minor units: 2^53 - 1, the last integer that every JSON reader keeps exactly. */
export const maxJsonMinor = BigInt(Number.MAX_SAFE_INTEGER)

/** The largest amount anywhere, in minor units: 2^63 - 1, the ledger's `bigint` column. Sums may come close to it. */
export const maxStoredMinor = 2n ** 63n - 1n

/** The most decimal digits that a provider counts an amount in; ISO 4217 itself ends at 4. */
export const maxExponent = 8

/** Throws a RangeError beyond `maxStoredMinor`. */
export function money(minor: bigint, currency: Currency): Money {
  if (minor > maxStoredMinor || minor < -maxStoredMinor)
    throw new RangeError(`amount out of range: ${minor} ${currency}`)
  return { minor, currency }
}

export function add(a: Money, b: Money): Money {
  return money(a.minor + sameCurrency(a, b).minor, a.currency)
}

export function subtract(a: Money, b: Money): Money {
  return money(a.minor - sameCurrency(a, b).minor, a.currency)
}

/** Negative, zero or positive, as `sort` wants it. Throws a TypeError when the currencies differ. */
export function compare(a: Money, b: Money): -1 | 0 | 1 {
  const { minor } = sameCurrency(a, b)
  return a.minor < minor ? -1 : a.minor > minor ? 1 : 0
}

/** The currency is asked for because an empty list has none. */
export function sum(amounts: Iterable<Money>, currency: Currency): Money {
  let total = money(0n, currency)
  for (const amount of amounts) total = add(total, amount)
  return total
}

/** In major units with exactly the currency's digits: "12.30" (EUR), "-5" (JPY), "0.001" (KWD). No separators. */
export function toMajorString({ minor, currency }: Money): string {
  const digits = exponentOf(currency)
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0")
  const body = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return minor < 0n ? `-${body}` : body
}

const majorPattern = /^(-?)(\d{1,19})(?:\.(\d{1,19}))?$/

/**
 * The inverse of `toMajorString`, for providers that write "10.00". Fewer or more digits than the currency has are
 * read if nothing is lost ("10", "10.0", "10.000"). Undefined for anything else: "10.005" EUR, "1e3", "1,000".
 */
export function parseMajorString(text: string, currency: Currency): Money | undefined {
  const match = majorPattern.exec(text)
  if (match === null) return undefined
  const [, sign, whole = "", fraction = ""] = match
  const digits = exponentOf(currency)
  if (/[1-9]/.test(fraction.slice(digits))) return undefined
  const minor = BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"))
  return minor > maxStoredMinor ? undefined : money(sign === "-" ? -minor : minor, currency)
}

/** Throws a RangeError beyond `maxJsonMinor`: a rounded amount is worse than none. */
export function toJson({ minor, currency }: Money): MoneyJson {
  if (minor > maxJsonMinor || minor < -maxJsonMinor)
    throw new RangeError(`amount not exact in JSON: ${minor} ${currency}`)
  return { amount: Number(minor), currency }
}

/** Undefined when the amount is not a safe integer or the currency is not in ISO 4217. */
export function fromJson({ amount, currency }: MoneyJson): Money | undefined {
  const known = parseCurrency(currency)
  return known === undefined || !Number.isSafeInteger(amount) ? undefined : money(BigInt(amount), known)
}

/**
 * The amount counted in units of 10^-exponent, for a provider whose digits differ from ISO's. Undefined when that
 * would round: such an amount cannot be expressed there, and the account is excluded instead.
 */
export function rescale({ minor, currency }: Money, exponent: number): bigint | undefined {
  return shift(minor, exponent - exponentOf(currency))
}

/** The way back: a provider's count of units of 10^-exponent as money. Undefined when it is not exact in ISO's digits. */
export function fromScaled(count: bigint, exponent: number, currency: Currency): Money | undefined {
  const minor = shift(count, exponentOf(currency) - exponent)
  return minor === undefined ? undefined : money(minor, currency)
}

function shift(count: bigint, digits: number): bigint | undefined {
  if (!Number.isInteger(digits) || Math.abs(digits) > maxExponent) throw new RangeError(`not an exponent: ${digits}`)
  const factor = 10n ** BigInt(Math.abs(digits))
  if (digits >= 0) return count * factor
  return count % factor === 0n ? count / factor : undefined
}

function sameCurrency(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new TypeError(`currencies differ: ${a.currency} and ${b.currency}`)
  return b
}
