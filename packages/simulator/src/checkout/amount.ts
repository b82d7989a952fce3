// Checkout.com's amounts: https://www.checkout.com/docs/payments/accept-payments/format-the-amount-value. They follow
// ISO 4217 except for the Chilean peso, which has two digits here; and the last digit of three-digit currencies must
// be zero. The ledger and the issuer count by ISO.

const MORE_DIGITS_THAN_ISO: Readonly<Record<string, number>> = { CLP: 2 }
const THREE_DIGITS = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
const NO_DIGITS = "BIF DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ")
/** "Not more than nine digits." */
const MAX_VALUE = 999_999_999n

/** Undefined when Checkout.com takes no such amount in this currency. */
export function toIso(value: bigint, currency: string): bigint | undefined {
  if (value > MAX_VALUE) return undefined
  if (THREE_DIGITS.includes(currency) && value % 10n !== 0n) return undefined
  const unit = unitOf(currency)
  return value % unit === 0n ? value / unit : undefined
}

export function fromIso(minor: bigint, currency: string): number {
  return Number(minor * unitOf(currency))
}

/** What can be said of an amount that an issuer approved: three-digit currencies rounded down to a zero. */
export function expressible(minor: bigint, currency: string): bigint {
  return THREE_DIGITS.includes(currency) ? minor - (minor % 10n) : minor
}

/** "Divide by 100" currencies; the test amounts work in these only. */
export function hasTwoDigits(currency: string): boolean {
  return !THREE_DIGITS.includes(currency) && !NO_DIGITS.includes(currency)
}

function unitOf(currency: string): bigint {
  return 10n ** BigInt(MORE_DIGITS_THAN_ISO[currency] ?? 0)
}
