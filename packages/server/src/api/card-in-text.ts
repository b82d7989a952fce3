// Card data where none belongs: metadata, a description, a reference, a name. There it would be stored in clear, sent to
// webhooks and shown to people. Refused is what is certain: the number that the same request pays with, and what a field
// itself calls a card number or a CVC. A row of digits alone is not: one reference of ten would be taken for a card number.

import { isCardNumber } from "../core/pan-mask.ts"
import { Fault, type FieldError } from "../core/fault.ts"

/** What people call it, without case, spaces, dashes and underscores. */
const codeNames: ReadonlySet<string> = new Set([
  "cvc",
  "cvc2",
  "cvv",
  "cvv2",
  "cid",
  "csc",
  "cardcvc",
  "cardcvv",
  "securitycode",
  "cardsecuritycode",
  "verificationvalue",
  "cardverificationvalue",
])
const numberNames: ReadonlySet<string> = new Set(["pan", "card", "cardnumber", "cardno", "ccnumber", "creditcard"])
const CODE = /^\d{3,4}$/
/** Where card data belongs, and goes to the vault or is never stored. */
const ownPlaces = /^#(\/payment_method)?\/((card|network_token|stored)\/)?(number|cvc|cryptogram)$/
const separators = /[\s_-]/g

/** The fields of a request that take card data; whatever stands in others may be read by many. */
type Paying = {
  readonly payment_method?: { readonly card?: unknown; readonly network_token?: unknown }
  readonly card?: unknown
}

/** `key`: the request's idempotency key, which is stored as it is. Throws `request.invalid`, which never repeats the number. */
export function refuseCardData(body: Paying, key?: string): void {
  const number =
    numberOf(body.payment_method?.card) ?? numberOf(body.payment_method?.network_token) ?? numberOf(body.card)
  const errors: FieldError[] = []
  const look = (name: string, value: unknown, pointer: string): void => {
    if (ownPlaces.test(pointer)) return
    if (typeof value === "string") {
      const detail = refusal(name, value, number)
      if (detail !== undefined) errors.push({ pointer, detail })
    } else if (typeof value === "object" && value !== null) {
      for (const [inner, item] of Object.entries(value)) {
        if (number !== undefined && digitsIn(inner).includes(number))
          errors.push({ pointer, detail: `has a field whose name ${HOLDS_NUMBER}` })
        else look(inner, item, `${pointer}/${inner.replaceAll("~", "~0").replaceAll("/", "~1")}`)
      }
    }
  }
  for (const [name, value] of Object.entries(body)) look(name, value, `#/${name}`)
  if (key !== undefined && number !== undefined && digitsIn(key).includes(number))
    errors.push({ pointer: "header/idempotency-key", detail: HOLDS_NUMBER })
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
}

const HOLDS_NUMBER =
  "holds the card's number, which belongs in the payment method alone: here it would be stored in clear"

function refusal(name: string, value: string, number: string | undefined): string | undefined {
  const called = name.toLowerCase().replaceAll(separators, "")
  const digits = digitsIn(value)
  if (number !== undefined && digits.includes(number)) return HOLDS_NUMBER
  if (numberNames.has(called) && isCardNumber(digits)) return HOLDS_NUMBER
  if (codeNames.has(called) && CODE.test(value.trim()))
    return "holds a card verification code, which may never be stored: it belongs in the payment method alone"
  return undefined
}

const digitsIn = (text: string): string => text.replaceAll(separators, "")

function numberOf(card: unknown): string | undefined {
  if (typeof card !== "object" || card === null || !("number" in card) || typeof card.number !== "string")
    return undefined
  const digits = digitsIn(card.number)
  return /^\d{12,19}$/.test(digits) ? digits : undefined
}
