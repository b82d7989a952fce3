// A fee model as JSON (snake_case), as it stands on an account: read with every problem and its place, written so that it
// reads back as it was. Percentages and amounts are decimal text ("1.4", "0.004"), because contracts quote fractions of minor
// units and JSON's numbers would round them.

import { fundings } from "../../core/card-facts.ts"
import { cardRegions, type CardRegion } from "../../core/card-region.ts"
import { networks, type Network } from "../../core/card.ts"
import { parseCountry } from "../../core/country.ts"
import { type Currency, parseCurrency } from "../../core/currency.ts"
import { given } from "../../core/given.ts"
import { fields, type Fields, type Form, list, oneOf, optional, type Problem, problem, text } from "../json-form.ts"
import {
  type Charge,
  credentials,
  type Fee,
  type FeeCondition,
  feeEvents,
  type FeeModel,
  MAX_FEE_NAME,
  MAX_FEES,
  MAX_RATES,
  MAX_TIERS,
  type Price,
  type Pricing,
  products,
  type Tiers,
} from "./fee-model.ts"
import { FINE, type Fine, parseFixed, parsePercent } from "./fine-amount.ts"

export type FeeModelReading =
  | { readonly kind: "model"; readonly model: FeeModel }
  | { readonly kind: "broken"; readonly problems: readonly Problem[] }

const chargeFields = ["percent", "fixed", "least", "most"] as const

export function readFeeModel(json: unknown): FeeModelReading {
  const form: Form = { problems: [] }
  const model = readModel(form, json)
  return model === undefined || form.problems.length > 0
    ? { kind: "broken", problems: form.problems }
    : { kind: "model", model }
}

const modelFields = [
  "currency",
  "country",
  "pricing",
  "fees",
  "conversion",
  "refund",
  "chargeback",
  "least_per_payment",
  "monthly",
] as const

function readModel(form: Form, json: unknown): FeeModel | undefined {
  const object = fields(form, "", json, modelFields)
  if (object === undefined) return undefined
  const { currency: code, country: land } = object
  const currency = typeof code === "string" ? parseCurrency(code) : undefined
  const country = typeof land === "string" ? parseCountry(land) : undefined
  if (country === undefined) problem(form, "/country", "is no country of ISO 3166-1")
  // Nothing that is counted in minor units can be read without its currency.
  if (currency === undefined) return problem(form, "/currency", "is no currency of ISO 4217")
  const pricing = readPricing(form, "/pricing", object["pricing"], currency)
  const fees = optional(object, "fees", "", (at, value) =>
    list(form, at, value, { max: MAX_FEES }, (place, fee) => readFee(form, place, fee, currency)),
  )
  const charge = (name: string): Charge | undefined =>
    optional(object, name, "", (at, value) => readCharge(form, at, value, currency))
  const monthly = optional(object, "monthly", "", (at, value) => {
    const month = fields(form, at, value, ["fixed", "minimum"])
    if (month === undefined) return undefined
    return given({
      fixed: readFixed(form, at, month, "fixed", currency),
      minimum: readFixed(form, at, month, "minimum", currency),
    })
  })
  const [conversion, refund, chargeback] = [charge("conversion"), charge("refund"), charge("chargeback")]
  const leastPerPayment = readFixed(form, "", object, "least_per_payment", currency)
  if (country === undefined || pricing === undefined) return undefined
  return given({
    currency,
    country,
    pricing,
    fees: fees ?? [],
    conversion,
    refund,
    chargeback,
    leastPerPayment,
    monthly,
  })
}

function readPricing(form: Form, at: string, json: unknown, currency: Currency): Pricing | undefined {
  const object = fields(form, at, json, ["kind", "rates", "markup", "scheme_fees"])
  if (object === undefined) return undefined
  const kind = oneOf(form, `${at}/kind`, object["kind"], ["blended", "interchange_plus"])
  if (kind === undefined) return undefined
  const foreign = kind === "blended" ? ["markup", "scheme_fees"] : ["rates"]
  for (const name of foreign)
    if (Object.hasOwn(object, name)) problem(form, `${at}/${name}`, `does not belong to ${kind}`)
  if (kind === "blended") {
    const rates = list(form, `${at}/rates`, object["rates"], { min: 1, max: MAX_RATES }, (place, rate) =>
      readRate(form, place, rate, currency),
    )
    if (rates === undefined) return undefined
    const open = rates.findIndex(({ when }) => Object.keys(when).length === 0)
    if (open < 0) problem(form, `${at}/rates`, "has no last rate without `when`: some payments would have no price")
    else if (open < rates.length - 1)
      problem(form, `${at}/rates/${open + 1}`, "is never reached: the rate before it matches everything")
    return { kind, rates }
  }
  const markup = readPrice(form, `${at}/markup`, object["markup"], currency)
  const schemeFees = Object.hasOwn(object, "scheme_fees")
    ? object["scheme_fees"] === "estimated"
      ? "estimated"
      : readCharge(form, `${at}/scheme_fees`, object["scheme_fees"], currency)
    : "estimated"
  return markup === undefined || schemeFees === undefined ? undefined : { kind, markup, schemeFees }
}

function readRate(
  form: Form,
  at: string,
  json: unknown,
  currency: Currency,
): { readonly when: FeeCondition; readonly price: Price } | undefined {
  const object = fields(form, at, json, ["when", "tiers", "applies", ...chargeFields])
  if (object === undefined) return undefined
  const { when: condition, ...rest } = object
  const when = condition === undefined ? {} : readCondition(form, `${at}/when`, condition)
  const price = readPrice(form, at, rest, currency)
  return when === undefined || price === undefined ? undefined : { when, price }
}

/** A charge, or tiers of charges. */
function readPrice(form: Form, at: string, json: unknown, currency: Currency): Price | undefined {
  const isTiered = typeof json === "object" && json !== null && Object.hasOwn(json, "tiers")
  return isTiered ? readTiers(form, at, json, currency) : readCharge(form, at, json, currency)
}

function readTiers(form: Form, at: string, json: unknown, currency: Currency): Tiers | undefined {
  const object = fields(form, at, json, ["tiers", "applies"])
  if (object === undefined) return undefined
  const applies = oneOf(form, `${at}/applies`, object["applies"], ["part", "payment"])
  const tiers = list(form, `${at}/tiers`, object["tiers"], { min: 1, max: MAX_TIERS }, (place, tier) => {
    const one = fields(form, place, tier, ["from", ...chargeFields])
    if (one === undefined) return undefined
    const { from: start, ...rest } = one
    const from = readMinor(form, `${place}/from`, start, currency)
    const charge = readCharge(form, place, rest, currency)
    return from === undefined || charge === undefined ? undefined : { from, charge }
  })
  if (applies === undefined || tiers === undefined) return undefined
  for (const [index, { from }] of tiers.entries()) {
    if (index === 0 && from !== 0n)
      problem(form, `${at}/tiers/0/from`, "is not 0: the first payments would have no price")
    const before = tiers[index - 1]
    if (before !== undefined && from <= before.from)
      problem(form, `${at}/tiers/${index}/from`, "is not above the tier before")
  }
  return { applies, tiers }
}

function readFee(form: Form, at: string, json: unknown, currency: Currency): Fee | undefined {
  const object = fields(form, at, json, ["name", "on", "when", ...chargeFields])
  if (object === undefined) return undefined
  const { name: label, on: events, when: condition, ...rest } = object
  const name = text(form, `${at}/name`, label, MAX_FEE_NAME)
  const on = list(form, `${at}/on`, events, { min: 1, max: feeEvents.length }, (place, event) =>
    oneOf(form, place, event, feeEvents),
  )
  const when = condition === undefined ? {} : readCondition(form, `${at}/when`, condition)
  const charge = readCharge(form, at, rest, currency)
  return name === undefined || on === undefined || when === undefined || charge === undefined
    ? undefined
    : { name, on, when, charge }
}

function readCharge(form: Form, at: string, json: unknown, currency: Currency): Charge | undefined {
  const object = fields(form, at, json, chargeFields)
  if (object === undefined) return undefined
  if (Object.keys(object).length === 0) return problem(form, at, "charges nothing: name `percent` or `fixed`")
  const percent = optional(object, "percent", at, (place, value) => {
    const share = typeof value === "string" ? parsePercent(value) : undefined
    return (
      share ?? problem(form, place, "is no percentage as text, from 0 to 100 with at most six digits behind the point")
    )
  })
  const amount = (name: string): Fine | undefined => readFixed(form, at, object, name, currency)
  const [fixed, least, most] = [amount("fixed"), amount("least"), amount("most")]
  if (least !== undefined && most !== undefined && least > most) problem(form, `${at}/most`, "is below `least`")
  return given({ percent, fixed, least, most })
}

function readFixed(form: Form, at: string, object: Fields, name: string, currency: Currency): Fine | undefined {
  return optional(object, name, at, (place, value) => {
    const fine = typeof value === "string" ? parseFixed(value, currency) : undefined
    return fine ?? problem(form, place, "is no amount as text, in major units with at most six digits behind the point")
  })
}

/** Volumes are whole minor units. */
function readMinor(form: Form, at: string, json: unknown, currency: Currency): bigint | undefined {
  const fine = typeof json === "string" ? parseFixed(json, currency) : undefined
  return fine === undefined || fine % FINE !== 0n
    ? problem(form, at, "is no amount of whole minor units as text")
    : fine / FINE
}

const conditionFields = [
  "networks",
  "fundings",
  "products",
  "crossings",
  "card_regions",
  "initiators",
  "credentials",
  "three_ds",
] as const

function readCondition(form: Form, at: string, json: unknown): FeeCondition | undefined {
  const object = fields(form, at, json, conditionFields)
  if (object === undefined) return undefined
  const some = <const T extends string>(name: string, known: readonly T[]): readonly T[] | undefined =>
    optional(object, name, at, (place, value) =>
      list(form, place, value, { min: 1, max: known.length }, (entry, one) => oneOf(form, entry, one, known)),
    )
  return given({
    networks: some("networks", Object.keys(networks) as Network[]),
    fundings: some("fundings", fundings),
    products: some("products", products),
    crossings: some("crossings", ["domestic", "intra", "inter"]),
    cardRegions: some("card_regions", Object.keys(cardRegions) as CardRegion[]),
    initiators: some("initiators", ["customer", "merchant"]),
    credentials: some("credentials", credentials),
    threeDs: optional(object, "three_ds", at, (place, value) =>
      typeof value === "boolean" ? value : problem(form, place, "is neither true nor false"),
    ),
  })
}
