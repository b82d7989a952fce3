// Money of one currency counted in another, by rates that somebody names. Nothing here knows a rate: where none is named there
// is no amount, and whoever asked says so.

import { type Currency, exponentOf } from "../../core/currency.ts"
import { money, type Money } from "../../core/money.ts"

/** Digits behind the point of a rate. */
export const RATE_DIGITS = 12
const RATE = 10n ** BigInt(RATE_DIGITS)
const WHOLE_DIGITS = 9
const pattern = new RegExp(`^(\\d{1,${WHOLE_DIGITS}})(?:\\.(\\d{1,${RATE_DIGITS}}))?$`)

/** How many units of `to` one unit of `from` is worth (major units), in 10^-12; undefined where nobody knows. */
export type Rates = (from: Currency, to: Currency) => bigint | undefined

export const noRates: Rates = () => undefined

/** "1.0842" as a rate; undefined for anything but a positive decimal number with at most twelve digits behind the point. */
export function parseRate(text: string): bigint | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, whole = "", fraction = ""] = match
  const rate = BigInt(whole + fraction.padEnd(RATE_DIGITS, "0"))
  return rate === 0n ? undefined : rate
}

/** In minor units of `to`, a half and more upwards; itself in its own currency. Not for negative amounts. */
export function converted(amount: Money, to: Currency, rates: Rates): Money | undefined {
  if (amount.currency === to) return amount
  if (amount.minor < 0n) throw new RangeError(`an amount that is charged is not negative: ${amount.minor}`)
  const rate = rates(amount.currency, to)
  if (rate === undefined) return undefined
  const above = amount.minor * rate * 10n ** BigInt(exponentOf(to))
  const below = RATE * 10n ** BigInt(exponentOf(amount.currency))
  return money((above + below / 2n) / below, to)
}
