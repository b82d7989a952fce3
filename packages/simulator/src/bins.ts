// What the first digits of a card tell: network, issuing country, funding and bank. Covers the published test ranges
// of the simulated providers; any other number gets properties that are stable for its first six digits, so that
// sample traffic has issuers that differ.
import { fractionOf } from "./chance.ts"

export type Network = "visa" | "mastercard" | "amex" | "discover" | "diners" | "jcb" | "unionpay" | "maestro"
export type Funding = "credit" | "debit" | "prepaid"

export type Bin = {
  readonly bin: string
  readonly network: Network
  /** ISO 3166 alpha-2. */
  readonly country: string
  readonly funding: Funding
  readonly issuer: string
}

/** Published test numbers of Stripe, Adyen and Checkout.com. */
const KNOWN: readonly (readonly [prefix: string, network: Network, country: string, funding: Funding])[] = [
  ["4242424242424242", "visa", "US", "credit"],
  ["4000056655665556", "visa", "US", "debit"],
  ["4000058260000005", "visa", "GB", "debit"],
  ["4111111111111111", "visa", "NL", "credit"],
  ["4111111145551142", "visa", "NL", "credit"],
  ["4988438843884305", "visa", "ES", "credit"],
  ["4166676667666746", "visa", "NL", "credit"],
  ["4646464646464644", "visa", "PL", "credit"],
  ["4000620000000007", "visa", "US", "credit"],
  ["4543474002249996", "visa", "GB", "credit"],
  ["4485040371536584", "visa", "US", "credit"],
  ["4002931234567895", "visa", "US", "prepaid"],
  ["5555555555554444", "mastercard", "US", "credit"],
  ["5555341244441115", "mastercard", "NL", "credit"],
  ["5555444433331111", "mastercard", "GB", "credit"],
  ["2222400070000005", "mastercard", "US", "credit"],
  ["2223003122003222", "mastercard", "US", "credit"],
  ["5200828282828210", "mastercard", "US", "debit"],
  ["5105105105105100", "mastercard", "US", "prepaid"],
  ["5436031030606378", "mastercard", "GB", "credit"],
  ["378282246310005", "amex", "US", "credit"],
  ["371449635398431", "amex", "US", "credit"],
  ["370000000000002", "amex", "NL", "credit"],
  ["345678901234564", "amex", "US", "credit"],
  ["6011111111111117", "discover", "US", "credit"],
  ["6011000990139424", "discover", "US", "credit"],
  ["3056930009020004", "diners", "US", "credit"],
  ["36227206271667", "diners", "US", "credit"],
  ["3566002020360505", "jcb", "JP", "credit"],
  ["3530111333300000", "jcb", "JP", "credit"],
  ["6200000000000005", "unionpay", "CN", "credit"],
]

/** Stripe's per-country cards are 400000 followed by the issuer's ISO 3166 numeric code. */
// oxfmt-ignore
const NUMERIC_COUNTRIES: Readonly<Record<string, string>> = {
  "000": "US", "036": "AU", "040": "AT", "056": "BE", "076": "BR", "124": "CA", "156": "CN", "208": "DK", "246": "FI",
  "250": "FR", "276": "DE", "344": "HK", "356": "IN", "372": "IE", "380": "IT", "392": "JP", "442": "LU", "458": "MY",
  "484": "MX", "528": "NL", "554": "NZ", "578": "NO", "616": "PL", "620": "PT", "643": "RU", "702": "SG", "724": "ES", "752": "SE",
  "756": "CH", "826": "GB", "840": "US",
}

const NETWORK_PREFIXES: readonly (readonly [from: number, to: number, digits: number, network: Network])[] = [
  [4, 4, 1, "visa"],
  [51, 55, 2, "mastercard"],
  [2221, 2720, 4, "mastercard"],
  [34, 34, 2, "amex"],
  [37, 37, 2, "amex"],
  [6011, 6011, 4, "discover"],
  [644, 649, 3, "discover"],
  [65, 65, 2, "discover"],
  [300, 305, 3, "diners"],
  [36, 36, 2, "diners"],
  [38, 39, 2, "diners"],
  [3528, 3589, 4, "jcb"],
  [62, 62, 2, "unionpay"],
  [81, 81, 2, "unionpay"],
  [50, 50, 2, "maestro"],
  [56, 58, 2, "maestro"],
  [67, 67, 2, "maestro"],
]

const COUNTRIES = ["US", "US", "US", "GB", "DE", "FR", "NL", "ES", "IT", "BR", "PL", "SE"] as const
const BANKS = ["First Union", "Harbour", "Northern", "Meridian", "Civic", "Alpine", "Coastal", "Republic"] as const

/** Undefined when no network issues such a number. */
export function binOf(pan: string): Bin | undefined {
  const network = networkOf(pan)
  if (!network) return undefined
  const bin = pan.slice(0, 6)
  const known = KNOWN.find(([prefix]) => pan.startsWith(prefix))
  const [country, funding] = known
    ? [known[2], known[3]]
    : bin === "400000"
      ? [NUMERIC_COUNTRIES[pan.slice(6, 9)] ?? "US", "credit" as const]
      : [
          pick(COUNTRIES, `country:${bin}`),
          pick(["credit", "credit", "debit", "debit", "prepaid"] as const, `funding:${bin}`),
        ]
  return {
    bin,
    network: known?.[1] ?? network,
    country,
    funding,
    issuer: `${pick(BANKS, `bank:${bin}:${country}`)} Bank ${country}`,
  }
}

/** What `binOf` says of the published test cards, by the first eight digits; without those whose cards differ in it. */
export function testBins(): readonly (Bin & { readonly prefix: string })[] {
  const numbers = [
    ...KNOWN.map(([number]) => number),
    ...Object.keys(NUMERIC_COUNTRIES).map((code) => `400000${code}0`),
  ]
  const found = new Map<string, Bin | undefined>()
  for (const number of numbers) {
    const prefix = number.slice(0, 8)
    const bin = binOf(number)
    const before = found.get(prefix)
    const differs = found.has(prefix) && (before?.country !== bin?.country || before?.funding !== bin?.funding)
    found.set(prefix, differs ? undefined : bin)
  }
  return [...found].flatMap(([prefix, bin]) => (bin === undefined ? [] : [{ ...bin, prefix }]))
}

export function passesLuhn(pan: string): boolean {
  let sum = 0
  for (let i = 0; i < pan.length; i++) {
    const digit = Number(pan[pan.length - 1 - i])
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return /^\d{12,19}$/.test(pan) && sum % 10 === 0
}

function networkOf(pan: string): Network | undefined {
  return NETWORK_PREFIXES.find(([from, to, digits]) => {
    const prefix = Number(pan.slice(0, digits))
    return prefix >= from && prefix <= to
  })?.[3]
}

function pick<T>(from: readonly T[], seed: string): T {
  return from[Math.floor(fractionOf(seed) * from.length)] as T
}
