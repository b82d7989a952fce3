// The wire format of how a customer pays, as merchants send it.

import { Type } from "typebox"
import { cardFactFields } from "./card-facts.ts"
import { closed, Id, Text, words } from "./schema.ts"

const Expiry = {
  expiry_month: Type.Integer({ minimum: 1, maximum: 12 }),
  expiry_year: Type.Integer({ minimum: 2000, maximum: 2099 }),
}

const storable = {
  number: Type.String({
    minLength: 12,
    maxLength: 38,
    description: "Digits, with spaces or hyphens between them if you like.",
  }),
  ...Expiry,
  holder_name: Type.Optional(Text(100)),
  ...cardFactFields,
}
/** Without CVC, which nobody may store. */
export const StoredCardInput = closed(storable)
export const CardInput = closed({
  ...storable,
  cvc: Type.Optional(
    Type.String({ minLength: 3, maxLength: 4, description: "Never stored. Needed again for every new confirmation." }),
  ),
})

export const NetworkTokenInput = closed({
  number: Type.String({ minLength: 12, maxLength: 38 }),
  ...Expiry,
  cryptogram: Type.Optional(
    Type.String({ minLength: 20, maxLength: 64, description: "Base64. Spent by the first attempt that is sent." }),
  ),
  eci: Type.Optional(Type.String({ pattern: "^[0-9]{1,2}$" })),
  holder_name: Type.Optional(Text(100)),
  ...cardFactFields,
  requestor_account: Type.Optional({
    ...Id("acc"),
    description: "Where the token was requested through this account's provider: no other account is tried with it.",
  }),
})

export const methodTypes = words(["card", "stored", "network_token", "provider_token"])
export const methodFields = {
  card: Type.Optional(CardInput),
  stored: Type.Optional(
    closed(
      { id: Id("pm"), cvc: Type.Optional(Type.String({ minLength: 3, maxLength: 4 })), ...cardFactFields },
      { description: "What is said of the card here is said of this payment alone." },
    ),
  ),
  network_token: Type.Optional(NetworkTokenInput),
  provider_token: Type.Optional(closed({ account: Id("acc"), token: Text(255), customer: Type.Optional(Text(255)) })),
}
export const PaymentMethodInput = closed(
  { type: methodTypes, ...methodFields },
  { description: "Exactly the field that `type` names." },
)
