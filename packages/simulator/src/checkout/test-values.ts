// Test values that decide instead of an issuer.
// https://www.checkout.com/docs/previous/testing/response-code-testing
import { hasTwoDigits } from "./amount.ts"

export type TestInput = {
  readonly pan: string
  readonly expiryMonth: number
  readonly expiryYear: number
  readonly value: bigint
  readonly currency: string
}

const CARDS: Readonly<Record<string, string>> = { "4544249167673670": "20051", "4111111111111129": "20001" }

/** Only the sandbox's own cards obey the amounts: other cards are somebody's sample traffic. */
const AMOUNT_CARDS = [
  "4242424242424242",
  "4543474002249996",
  "5436031030606378",
  "2223000010479399",
  "5199992312641465",
  "345678901234564",
  "378282246310005",
  "30123456789019",
  "6011111111111117",
  "3530111333300000",
]

/**
 * Last two digits of the amount → response code. The documentation shows xxx05 with its code; the other rows follow
 * its pattern for the codes that it lists without an amount.
 */
const AMOUNTS: Readonly<Record<string, string>> = {
  "05": "20005",
  "12": "20012",
  "14": "20014",
  "33": "30033",
  "51": "20051",
  "62": "20062",
  "63": "20063",
}

/** Payments of these holders are approved, and what follows them is declined: an invention of this simulator. */
export const CAPTURE_DECLINES = "capture declined"
export const REFUND_DECLINES = "refund declined"

/** The response code that the sandbox gives; undefined leaves the decision to the issuer. */
export function testResponseCode({ pan, expiryMonth, expiryYear, value, currency }: TestInput): string | undefined {
  const byCard = CARDS[pan]
  if (byCard !== undefined) return byCard
  // The documented way to turn the amounts off.
  if (expiryMonth === 1 && expiryYear === 2099) return undefined
  if (!AMOUNT_CARDS.includes(pan) || !hasTwoDigits(currency)) return undefined
  if (pan === "4242424242424242" && value === 101n) return "20051"
  return AMOUNTS[String(value).padStart(2, "0").slice(-2)]
}
