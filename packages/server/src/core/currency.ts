// ISO 4217: which currencies exist and how many decimal digits their minor unit has. Every amount in the house is a
// count of minor units, so a wrong exponent here is a payment off by a factor of ten; PSPs that count some currency
// differently (Stripe: ISK and UGX with two digits) say so in their own tables and convert with `rescale` in money.ts.

declare const currencyBrand: unique symbol

/** An upper-case ISO 4217 code that stands in the table below. Only `parseCurrency` makes one. */
export type Currency = string & { readonly [currencyBrand]: true }

// Source: ISO 4217 list one (SIX), state of 2026-01-01: amendment 180 retired BGN for EUR; before it XCG replaced ANG
// (2025), ZWG replaced ZWL (2024), SLE replaced SLL (2024). The funds codes (CLF, UYW, ...) are part of the list.
// Codes without a minor unit (XAU, XDR, XTS, XXX, ...) are left out: no amount can be counted in them.
const codesByExponent: Readonly<Record<number, string>> = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
    COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
}

const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByExponent).flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(exponent)] as const),
  ),
)

/** The currency of an upper-case ISO 4217 code, or undefined when the list does not hold it ("usd" is not "USD"). */
export function parseCurrency(code: string): Currency | undefined {
  return exponents.has(code) ? (code as Currency) : undefined
}

/** Decimal digits of the minor unit by ISO 4217: 0 (JPY), 2 (EUR), 3 (KWD) or 4 (CLF). */
export function exponentOf(currency: Currency): number {
  const exponent = exponents.get(currency)
  if (exponent === undefined) throw new TypeError(`not a currency: ${currency}`)
  return exponent
}

/** Every currency, in alphabetical order. */
export const currencies: readonly Currency[] = [...exponents.keys()].sort() as Currency[]
