// Card numbers (PAN): which network issued one, whether it is well formed, what of it may be kept, and when a card has
// expired. Nothing here puts a number into an error, and a number leaves `parsePan` only inside a Secret.

import { type Secret, secret } from "./secret.ts"

/** `cartes_bancaires` is co-badged with Visa or Mastercard and cannot be told from the number. */
export type Network =
  | "visa"
  | "mastercard"
  | "amex"
  | "discover"
  | "diners"
  | "jcb"
  | "unionpay"
  | "maestro"
  | "cartes_bancaires"
  | "dankort"
  | "elo"
  | "hipercard"
  | "mir"
  | "rupay"
  | "troy"
  | "verve"

type NetworkFacts = {
  readonly name: string
  /** Digits of a whole number. */
  readonly lengths: readonly number[]
  /** Digits of the security code; 0 for cards that have none. */
  readonly cvcLengths: readonly number[]
  /** False where some issuers use no check digit. */
  readonly luhn: boolean
  /** Ranges of leading digits, both ends included; the longest matching range of all networks wins. */
  readonly ranges: readonly string[]
}

const from12To19 = [12, 13, 14, 15, 16, 17, 18, 19]
const from14To19 = [14, 15, 16, 17, 18, 19]
const from16To19 = [16, 17, 18, 19]

// Source: ranges that the networks publish, as collected in Wikipedia "Payment card number" and Braintree's
// credit-card-type, state of 2026. Co-badged ranges go to the mark on the card: 622126-622925 runs on Discover in the
// United States but is UnionPay. Local schemes inside Discover's 65 (Elo, RuPay, Verve) are known by their longer ranges.
export const networks: Readonly<Record<Network, NetworkFacts>> = {
  visa: { name: "Visa", lengths: [13, 16, 19], cvcLengths: [3], luhn: true, ranges: ["4"] },
  mastercard: { name: "Mastercard", lengths: [16], cvcLengths: [3], luhn: true, ranges: ["51-55", "2221-2720"] },
  amex: { name: "American Express", lengths: [15], cvcLengths: [4], luhn: true, ranges: ["34", "37"] },
  discover: { name: "Discover", lengths: from16To19, cvcLengths: [3], luhn: true, ranges: ["6011", "644-649", "65"] },
  diners: {
    name: "Diners Club",
    lengths: from14To19,
    cvcLengths: [3],
    luhn: true,
    ranges: ["300-305", "3095", "36", "38-39"],
  },
  jcb: { name: "JCB", lengths: from16To19, cvcLengths: [3], luhn: true, ranges: ["3528-3589"] },
  unionpay: { name: "UnionPay", lengths: from16To19, cvcLengths: [3], luhn: false, ranges: ["62", "8100-8171"] },
  maestro: {
    name: "Maestro",
    lengths: from12To19,
    cvcLengths: [0, 3],
    luhn: true,
    ranges: ["50", "56-58", "6304", "639", "67"],
  },
  cartes_bancaires: { name: "Cartes Bancaires", lengths: [16], cvcLengths: [3], luhn: true, ranges: [] },
  dankort: { name: "Dankort", lengths: [16], cvcLengths: [3], luhn: true, ranges: ["5019"] },
  elo: {
    name: "Elo",
    lengths: [16],
    cvcLengths: [3],
    luhn: true,
    ranges: [
      ..."401178-401179 431274 438935 451416 457393 457631-457632 504175 506699-506778 509000-509999 627780".split(" "),
      ..."636297 636368 650031-650033 650035-650051 650405-650439 650485-650538 650541-650598 650700-650718".split(" "),
      ..."650720-650727 650901-650978 651652-651679 655000-655019 655021-655058".split(" "),
    ],
  },
  hipercard: { name: "Hipercard", lengths: [16], cvcLengths: [3], luhn: true, ranges: ["606282"] },
  mir: { name: "Mir", lengths: from16To19, cvcLengths: [3], luhn: true, ranges: ["2200-2204"] },
  rupay: {
    name: "RuPay",
    lengths: [16],
    cvcLengths: [3],
    luhn: true,
    ranges: ["508500-508999", "606985-607984", "608001-608500", "652150-653149", "8172-8201"],
  },
  troy: { name: "Troy", lengths: [16], cvcLengths: [3], luhn: true, ranges: ["9792"] },
  verve: {
    name: "Verve",
    lengths: [16, 18, 19],
    cvcLengths: [3],
    luhn: true,
    ranges: ["506099-506198", "507865-507964", "650002-650027"],
  },
}

/** A well-formed number. `bin` and `last4` together stay within what may be stored in the clear. */
export type Pan = {
  readonly kind: "pan"
  readonly number: Secret<string>
  readonly network: Network
  readonly bin: string
  readonly last4: string
}
export type PanProblem = {
  readonly kind: "invalid"
  readonly problem: "not_digits" | "unknown_network" | "length" | "check_digit"
}

/** Reads a number as people type it: digits, with single spaces or hyphens between them. */
export function parsePan(text: string): Pan | PanProblem {
  const invalid = (problem: PanProblem["problem"]): PanProblem => ({ kind: "invalid", problem })
  if (text.length > maxPanText || !/^\d(?:[ -]?\d)*$/.test(text)) return invalid("not_digits")
  const number = text.replace(/[ -]/g, "")
  const network = networkOf(number)
  if (network === undefined) return invalid("unknown_network")
  const { lengths, luhn } = networks[network]
  if (!lengths.includes(number.length)) return invalid("length")
  if (luhn && !passesLuhn(number)) return invalid("check_digit")
  return { kind: "pan", number: secret(number), network, ...truncatePan(number, network) }
}

/** Longest text that `parsePan` looks at: 19 digits with a separator after each. */
export const maxPanText = 38

type Range = { readonly network: Network; readonly low: string; readonly high: string }

// Longest prefixes first: 5019 is Dankort although 50 is Maestro, 506699 is Elo, 6521 is RuPay although 65 is Discover.
const ranges: readonly Range[] = (Object.keys(networks) as Network[])
  .flatMap((network) =>
    networks[network].ranges.map((range): Range => {
      const [low = "", high = low] = range.split("-")
      return { network, low, high }
    }),
  )
  .sort((a, b) => b.low.length - a.low.length)

/** The network by the leading digits (six decide), or undefined. */
export function networkOf(digits: string): Network | undefined {
  return ranges.find(({ low, high }) => {
    const prefix = digits.slice(0, low.length)
    return prefix.length === low.length && prefix >= low && prefix <= high
  })?.network
}

/** The check digit of ISO/IEC 7812-1, annex B. Takes digits only. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    sum += i % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
  }
  return sum % 10 === 0
}

/** Whether a security code has the shape this network prints. */
export function isCvc(network: Network, text: string): boolean {
  return /^\d{3,4}$/.test(text) && networks[network].cvcLengths.includes(text.length)
}

// PCI SSC FAQ 1091: 16-digit numbers of these brands may keep the first eight and any other four; everything else,
// and every length the FAQ does not list, keeps at most the first six and the last four.
const eightDigitBin: ReadonlySet<Network> = new Set([
  "visa",
  "mastercard",
  "maestro",
  "discover",
  "diners",
  "jcb",
  "unionpay",
])

/** What of a number may be stored and shown in the clear: the first 8 or 6 digits and the last 4. */
export function truncatePan(number: string, network: Network): { readonly bin: string; readonly last4: string } {
  const kept = number.length === 16 && eightDigitBin.has(network) ? 8 : 6
  return { bin: number.slice(0, kept), last4: number.slice(-4) }
}

/** For people: "•••• 4242". */
export function maskedPan({ last4 }: { readonly last4: string }): string {
  return `•••• ${last4}`
}

/** Month 1 to 12, year with four digits. */
export type Expiry = { readonly month: number; readonly year: number }

/** Cards are issued for a few years; a date further ahead is a typing error. Stripe draws the same line. */
export const maxExpiryYears = 50

const hourMs = 60 * 60 * 1000

/**
 * A card is good through the last day of its month, wherever on earth its holder is: until the month has ended in
 * UTC-12. `nowMs` is milliseconds since the epoch.
 */
export function checkExpiry({ month, year }: Expiry, nowMs: number): "valid" | "expired" | "invalid" {
  if (!Number.isInteger(month) || month < 1 || month > 12) return "invalid"
  if (!Number.isInteger(year) || year < 1970 || year > 9999) return "invalid"
  if (nowMs >= monthStartMs(year, month + 1) + 12 * hourMs) return "expired"
  return monthStartMs(year - maxExpiryYears, month) > nowMs ? "invalid" : "valid"
}

/** Midnight UTC of a month's first day; month 13 is the next January. By the proleptic Gregorian calendar. */
function monthStartMs(year: number, month: number): number {
  const shifted = month > 12 ? { year: year + 1, month: 1 } : { year, month }
  // Days from civil, Howard Hinnant: years begin in March, so that the leap day is the last one.
  const y = shifted.month <= 2 ? shifted.year - 1 : shifted.year
  const dayOfYear = Math.floor((153 * ((shifted.month + 9) % 12) + 2) / 5)
  const days = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
  return days * 24 * hourMs
}
