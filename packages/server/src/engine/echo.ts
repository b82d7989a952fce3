// Some providers repeat what they were sent, and so a card number may stand where nobody expects one: as an id, as an
// authorization code, in a webhook. What looks like a card number there is not kept: an id that is none leads nowhere, and
// a number that is kept may not be (PCI DSS 3.5).

import { parsePan } from "../core/card.ts"
import { given } from "../core/given.ts"
import type { Evidence } from "../core/outcome.ts"
import { maskPans } from "../core/pan-mask.ts"
import type { MethodInput, Notice } from "../connectors/connector.ts"

/** Amex has numbers of this length, and so have the transaction ids of Visa and Amex: those are kept, but for the one that was sent. */
const TRANSACTION_ID_DIGITS = 15
/** Deeper than any webhook. */
const MAX_DEPTH = 32

const isNumber = (text: string): boolean => parsePan(text).kind === "pan"
/** A name that is made of several ids, of which one is a number. */
export const hasNumber = (name: string): boolean => name.split(/[^0-9A-Za-z]+/).some(isNumber)

const unlessNumber = (text: string | undefined): string | undefined =>
  text === undefined || isNumber(text) ? undefined : text

/** The number that a request carries, where it carries one. */
export function numberIn(input: unknown): string | undefined {
  const method = (input as { readonly method?: MethodInput }).method
  return method === undefined || method.type === "provider_token" ? undefined : method.number.reveal()
}

/** What a provider tells beside its verdict, without what is a card number instead. `sent`: the one that it was sent. */
export function evidenceWithoutNumbers(evidence: Evidence, sent: string | undefined): Evidence {
  const { reference, authorizationCode, networkTransactionId: id, providerToken: token, ...rest } = evidence
  return given({
    ...rest,
    reference: unlessNumber(reference),
    authorizationCode: unlessNumber(authorizationCode),
    networkTransactionId: id?.length === TRANSACTION_ID_DIGITS && id !== sent ? id : unlessNumber(id),
    providerToken: token === undefined || isNumber(token.token) ? undefined : token,
  })
}

/** What a webhook is about, without ids that are card numbers. */
export const noticeWithoutNumbers = (notice: Notice): Notice => {
  const { reference, operationReference, ...rest } = notice
  return given({
    ...rest,
    reference: unlessNumber(reference),
    operationReference: unlessNumber(operationReference),
  })
}

/** A webhook's body as it is stored, once its signature was checked on what came. */
export function bodyWithoutNumbers(body: string): string {
  // The usual case, at the price of one look.
  if (maskPans(body) === body) return body
  try {
    return JSON.stringify(maskedIn(JSON.parse(body), 0))
  } catch {
    return maskPans(body)
  }
}

/** An id of nothing but digits is a card number only where a network has such numbers: Adyen's older ids begin with 8. */
const maskedText = (text: string): string => (/^\d+$/.test(text) && !isNumber(text) ? text : maskPans(text))

/** In texts only: a masked number outside of quotes would be no JSON any more. What is a bare number becomes a text. */
function maskedIn(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(`deeper than ${MAX_DEPTH}`)
  if (typeof value === "string") return maskedText(value)
  if (typeof value === "number") return isNumber(String(value)) ? maskedText(String(value)) : value
  if (Array.isArray(value)) return value.map((item) => maskedIn(item, depth + 1))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [maskedText(name), maskedIn(field, depth + 1)]),
  )
}
