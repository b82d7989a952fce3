// Fees are quoted in fractions of a minor unit (0.0125 %, 0.004 EUR). They are counted exactly, in hundred-millionths of a
// minor unit, as bigint; rounding happens once, for the whole, and the parts are rounded so that they sum up to it. No amount
// ever meets a float.

import { type Currency, exponentOf } from "../../core/currency.ts"

/** A count of 10^-8 minor units. */
export type Fine = bigint

/** A share of an amount in 10^-8: 1.4 % is 1_400_000. A share times minor units is a `Fine`. */
export type Share = bigint

/** Digits behind the point of a minor unit that are counted. */
export const FINE_DIGITS = 8
export const FINE = 10n ** BigInt(FINE_DIGITS)

/** Digits behind the point of a percentage, at most: more are in no contract. */
export const PERCENT_DIGITS = 6
/** Digits behind the point of an amount, at most; so every currency's fits into the fine count. */
export const FIXED_DIGITS = 6
/** The largest whole part of a fixed amount, in digits. */
const WHOLE_DIGITS = 12

const decimal = new RegExp(`^(\\d{1,${WHOLE_DIGITS}})(?:\\.(\\d{1,${FIXED_DIGITS}}))?$`)

/** "1.4" (percent) as a share; undefined for anything but 0 to 100 with at most six digits behind the point. */
export function parsePercent(text: string): Share | undefined {
  const share = scaled(text, PERCENT_DIGITS)
  return share === undefined || share > FINE ? undefined : share
}

/** "0.25" (major units) in fine units of the currency; undefined where the digits are too many or it is no plain number. */
export function parseFixed(text: string, currency: Currency): Fine | undefined {
  const digits = scaled(text, FIXED_DIGITS)
  if (digits === undefined) return undefined
  return digits * 10n ** BigInt(exponentOf(currency) + FINE_DIGITS - FIXED_DIGITS)
}

/** The inverse of `parsePercent`, without needless zeros. */
export function percentText(share: Share): string {
  return plain(share, PERCENT_DIGITS)
}

/** The inverse of `parseFixed`, without needless zeros. */
export function fixedText(fine: Fine, currency: Currency): string {
  return plain(fine, exponentOf(currency) + FINE_DIGITS)
}

function scaled(text: string, digits: number): bigint | undefined {
  const match = decimal.exec(text)
  if (match === null) return undefined
  const [, whole = "", fraction = ""] = match
  return BigInt(whole + fraction.padEnd(digits, "0"))
}

function plain(count: bigint, digits: number): string {
  const text = count.toString().padStart(digits + 1, "0")
  const fraction = text.slice(-digits).replace(/0+$/, "")
  return fraction === "" ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${fraction}`
}

/** In minor units, a half and more upwards. Not for negative counts: fees are none. */
export function rounded(fine: Fine): bigint {
  if (fine < 0n) throw new RangeError(`a fee is not negative: ${fine}`)
  return (fine + FINE / 2n) / FINE
}

/**
 * The sum rounded once, and the parts in minor units so that they sum up to it: each is its exact count rounded down or up,
 * up those that lose most by rounding down (the largest remainder; the earlier of equals).
 */
export function apportioned(parts: readonly Fine[]): { readonly total: bigint; readonly parts: readonly bigint[] } {
  const total = rounded(parts.reduce((sum, part) => sum + part, 0n))
  const down = parts.map((part) => part / FINE)
  const missing = total - down.reduce((sum, part) => sum + part, 0n)
  const byLoss = parts
    .map((part, index) => ({ index, loss: part % FINE }))
    .toSorted((a, b) => (a.loss === b.loss ? a.index - b.index : a.loss > b.loss ? -1 : 1))
  const up = new Set(byLoss.slice(0, Number(missing)).map(({ index }) => index))
  return { total, parts: down.map((part, index) => (up.has(index) ? part + 1n : part)) }
}
