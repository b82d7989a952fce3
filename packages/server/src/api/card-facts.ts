// What is known of a card beside its number: what the request says, and where it says nothing, what the operator's BIN table
// tells of the first digits.

import { Type, type Static, type TObject } from "typebox"
import { type BinTable, noBins } from "../core/bin-table.ts"
import { type CardFacts, cardFactsIn, fundings, MAX_CARD_FACT_CHARS } from "../core/card-facts.ts"
import { parseCountry } from "../core/country.ts"
import { Fault, type FieldError } from "../core/fault.ts"
import type { Method } from "../core/intent.ts"
import { Country, Text, words } from "./schema.ts"

/** What the merchant may tell of a card beside its number. */
export const cardFactFields = {
  country: Type.Optional({ ...Country, description: "Of the card's issuer, ISO 3166-1 alpha-2." }),
  funding: Type.Optional(words(fundings, "Whose money it is.")),
  issuer: Type.Optional(Text(MAX_CARD_FACT_CHARS, "The issuer's name, as your BIN data calls it.")),
  product: Type.Optional(
    Text(MAX_CARD_FACT_CHARS, "What kind of card it is, as your BIN data calls it: `visa_signature`, `business`."),
  ),
}
export type SaidFacts = Static<TObject<typeof cardFactFields>>

/** `digits`: as many of the number's first as are known. What is wrong is added to `errors`. */
export function readCardFacts(
  bins: BinTable,
  digits: string,
  body: SaidFacts,
  at: string,
  errors: FieldError[],
): CardFacts {
  const { country: code, ...said } = cardFactsIn(body)
  const country = code === undefined ? undefined : parseCountry(code)
  if (code !== undefined && country === undefined)
    errors.push({ pointer: `${at}/country`, detail: "is not a country of ISO 3166-1" })
  return { ...bins.factsOf(digits), ...said, ...(country === undefined ? {} : { country }) }
}

/** A stored card keeps what was known when it was stored; what was not may be known by now, or said with the payment. */
export function withCardFacts(bins: BinTable, method: Method, body: SaidFacts, at: string): Method {
  const errors: FieldError[] = []
  const said = readCardFacts(noBins, "", body, at, errors)
  if (method.type === "provider_token")
    for (const name of Object.keys(cardFactsIn(body)))
      errors.push({
        pointer: `${at}/${name}`,
        detail: "must be absent: only its provider knows the card of this token",
      })
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
  return method.type === "provider_token" ? method : { ...bins.factsOf(method.bin), ...method, ...said }
}
