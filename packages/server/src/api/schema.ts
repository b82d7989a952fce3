// Schemas that several resources share. A schema is the validation, the type and the documentation at once.

import { Type, type Static, type TSchema, type TSchemaOptions } from "typebox"
import { networks, type Network } from "../core/card.ts"
import { given } from "../core/given.ts"
import { currencies } from "../core/currency.ts"
import { maxPaymentMinor } from "../core/money.ts"

export const MAX_METADATA_KEYS = 50
export const MAX_METADATA_VALUE = 500

/** A choice among words. An `enum` gives one clear error where a union would give one per member. */
export const words = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>(given({ type: "string", enum: [...values], description }))

/** An object that takes no other fields: a misspelt one is an error, never ignored. */
export const closed = <P extends Record<string, TSchema>>(properties: P, options: TSchemaOptions = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false })

export const Currency = Type.Unsafe<string>({
  type: "string",
  enum: currencies as readonly string[],
  description: "ISO 4217.",
})
export const Country = Type.String({ pattern: "^[A-Z]{2}$", description: "ISO 3166-1 alpha-2." })
/** Whole minor units of the currency: 1999 is 19.99 EUR, 1999 JPY, 1.999 KWD. */
export const Amount = Type.Integer({
  minimum: 0,
  maximum: Number(maxPaymentMinor),
  description: "Minor units of the currency.",
})
export const PositiveAmount = Type.Integer({
  minimum: 1,
  maximum: Number(maxPaymentMinor),
  description: "Minor units of the currency.",
})
export const NetworkName = Type.Unsafe<Network>({ type: "string", enum: Object.keys(networks) })
export const Text = (maxLength: number, description?: string) =>
  Type.String(given({ minLength: 1, maxLength, description }))
export const Id = (prefix: string) =>
  Type.String({ pattern: `^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`, description: `An id beginning with ${prefix}_.` })
export const Time = Type.String({ format: "date-time", description: "RFC 3339, UTC." })
export const Metadata = Type.Record(
  Type.String({ pattern: "^[\\s\\S]{1,40}$" }),
  Type.String({ maxLength: MAX_METADATA_VALUE }),
  {
    maxProperties: MAX_METADATA_KEYS,
    additionalProperties: false,
    description: "Your own words: up to 50 keys of up to 40 characters, values of up to 500.",
  },
)

export const Email = Type.String({ format: "email", maxLength: 254 })

export const Address = closed({
  line1: Type.Optional(Text(200)),
  line2: Type.Optional(Text(200)),
  city: Type.Optional(Text(100)),
  state: Type.Optional(Text(100)),
  postal_code: Type.Optional(Text(20)),
  country: Type.Optional(Country),
})
export const Party = closed({
  name: Type.Optional(Text(200)),
  email: Type.Optional(Email),
  phone: Type.Optional(Text(30)),
  address: Type.Optional(Address),
})

/** Or null. One type keyword gives one clear error where a union would give one per member. */
export const nullable = <T extends TSchema & { readonly type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, "null"] })

export const Url = Type.String({ minLength: 8, maxLength: 2_048, description: "An absolute URL." })

export const Problem = Type.Object(
  {
    type: Type.String(),
    code: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What is wrong here, and what to do." }),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
    request_id: Type.String(),
  },
  { $id: "Problem", description: "RFC 9457." },
)

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    data: Type.Array(item),
    next: Type.Union([Type.String(), Type.Null()], { description: "Send it as `cursor` to read on; null at the end." }),
  })
