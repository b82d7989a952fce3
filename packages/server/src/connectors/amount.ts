// Amounts as a provider counts them. Most follow ISO 4217; some count a currency with other digits, and some take only
// every tenth unit. What cannot be said exactly is not rounded: routing leaves such an account out, whoever asks for a
// capture, refund or increment looks first (`isExact`), and an encoder that is asked nevertheless has been called by
// mistake and throws. Nothing here but `exactAmount` throws, for any amount of any currency.

import { exponentOf, parseCurrency } from "../core/currency.ts"
import { fromScaled, maxPaymentMinor, type Money, rescale } from "../core/money.ts"
import type { Manifest } from "./connector.ts"

type Counting = Pick<Manifest, "currencies" | "exponents" | "steps">

/** The provider's digits for an ISO 4217 currency. */
export function providerExponent(counting: Counting, currency: Money["currency"]): number {
  return Object.hasOwn(counting.exponents, currency) ? counting.exponents[currency]! : exponentOf(currency)
}

/**
 * Whether the provider can be told this amount: it takes the currency, and neither its digits nor its smallest step
 * round the amount. The one question to ask before an operation with an amount is stored: no encoder throws for an
 * amount that passes (contract-encode.ts). Total; zero is exact wherever the currency is taken, less than zero nowhere.
 */
export const isExact = (counting: Counting, amount: Money): boolean => providerAmount(counting, amount) !== undefined

/** The provider's count, or undefined when the provider cannot express the amount or does not take the currency. */
export function providerAmount(counting: Counting, amount: Money): bigint | undefined {
  if (amount.minor < 0n || amount.minor > maxPaymentMinor) return undefined
  if (counting.currencies !== "all" && !counting.currencies.includes(amount.currency)) return undefined
  const count = rescale(amount, providerExponent(counting, amount.currency))
  if (count === undefined || count % stepOf(counting, amount.currency) !== 0n) return undefined
  return count
}

/** For encoders: as `providerAmount`, and a RangeError for what routing must have kept away. */
export function exactAmount(counting: Counting, amount: Money): bigint {
  const count = providerAmount(counting, amount)
  if (count === undefined) throw new RangeError(`not exact at this provider: ${amount.minor} ${amount.currency}`)
  return count
}

/** The way back: a provider's count and currency (in any case) as money; undefined when either makes no sense. */
export function amountFrom(
  counting: Counting,
  count: bigint | undefined,
  currency: string | undefined,
): Money | undefined {
  const known = currency === undefined ? undefined : parseCurrency(currency.toUpperCase())
  if (known === undefined || count === undefined || count < 0n) return undefined
  const exponent = providerExponent(counting, known)
  // No card network carries more, and what is written there is no amount: it must not meet the limits of our storage.
  if (count > maxPaymentMinor * 10n ** BigInt(Math.max(0, exponent - exponentOf(known)))) return undefined
  return fromScaled(count, exponent, known)
}

function stepOf(counting: Counting, currency: string): bigint {
  const { steps } = counting
  return steps !== undefined && Object.hasOwn(steps, currency) ? BigInt(steps[currency]!) : 1n
}
