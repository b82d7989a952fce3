// Adyen's amounts. It counts four currencies with other digits than ISO 4217, and says that its own table leads:
// https://docs.adyen.com/development-resources/currency-codes. The ledger and the issuer count by ISO.

/** Digits that Adyen has more (or fewer) than ISO 4217. */
const MORE_DIGITS_THAN_ISO: Readonly<Record<string, number>> = { CLP: 2, CVE: -2, IDR: -2, ISK: 2 }

export type AdyenAmount = { readonly currency: string; readonly value: bigint }

/** Undefined for a fraction that ISO has no minor unit for (half a Chilean peso). */
export function toIso({ currency, value }: AdyenAmount): bigint | undefined {
  const more = MORE_DIGITS_THAN_ISO[currency] ?? 0
  if (more <= 0) return value * 10n ** BigInt(-more)
  const unit = 10n ** BigInt(more)
  return value % unit === 0n ? value / unit : undefined
}

/** Rounds down what Adyen cannot express, as with an issuer's partial approval in rupiah and sen. */
export function fromIso(minor: bigint, currency: string): AdyenAmount {
  const more = MORE_DIGITS_THAN_ISO[currency] ?? 0
  return { currency, value: more >= 0 ? minor * 10n ** BigInt(more) : minor / 10n ** BigInt(-more) }
}

/** As it stands in JSON; the values that a request can carry are safe integers. */
export function wireAmount({ currency, value }: AdyenAmount): { currency: string; value: number } {
  return { currency, value: Number(value) }
}

/** For people, e.g. on the 3DS page: minor units as Adyen counts them. */
export function spokenAmount({ currency, value }: AdyenAmount): string {
  return `${value} ${currency} (minor units)`
}
