// Arbitrary inputs within what a manifest allows, with every nasty text that a merchant or a browser can hand us, and card
// numbers, cryptograms and amounts of every network and currency. Test support.

import fc from "fast-check"
import type { Network } from "../core/card.ts"
import { type Money, money } from "../core/money.ts"
import type { OperationKind } from "../core/payment.ts"
import { secret } from "../core/secret.ts"
import type { AuthorizeInput, Connector, Input, Manifest, MethodInput, ThreeDs } from "./connector.ts"
import { type AnyInput, currenciesOf, expressible } from "./contract-input.ts"
import type { SampleOperation } from "./contract-sample.ts"
import { isCardNumber } from "../core/pan-mask.ts"

/** Texts that break encoders: separators of every syntax, line ends, half a surrogate pair, other scripts. */
export const arbitraryText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "Ann Example",
    "a&b=c[d]#e%20+f",
    "line\r\nx-injected: yes",
    "half \ud800 pair",
    '"quoted\\"',
    "<b>&amp;</b>",
    "Ötzi 東京 🎫",
    "__proto__",
    " ",
    "x".repeat(600),
  ),
)

/** 26 digits as ids have them. */
const arbitraryIdBody = fc.string({
  unit: fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz".split("")),
  minLength: 26,
  maxLength: 26,
})
const arbitraryId = (prefix: string): fc.Arbitrary<string> => arbitraryIdBody.map((body) => `${prefix}_${body}`)
/** As providers make them. */
export const arbitraryReference: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(..."0123456789ABCDEFGHabcdefgh_-".split("")),
  minLength: 8,
  maxLength: 40,
})

/** An amount that the provider can express exactly, from the smallest to the largest. */
export function arbitraryAmount(manifest: Manifest): fc.Arbitrary<Money> {
  return fc
    .tuple(
      fc.constantFrom(...currenciesOf(manifest)),
      fc.oneof(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 1, max: 999_999_999_999 })),
    )
    .map(([currency, count]) => expressible(manifest, BigInt(count), currency))
}

// First digits and lengths that the networks really have.
const ranges: Readonly<Record<Network, readonly (readonly [string, number])[]>> = {
  visa: [
    ["4", 16],
    ["4", 13],
    ["4", 19],
  ],
  mastercard: [
    ["51", 16],
    ["2221", 16],
  ],
  amex: [
    ["34", 15],
    ["37", 15],
  ],
  discover: [["6011", 16]],
  jcb: [["3528", 16]],
  diners: [["36", 14]],
  unionpay: [
    ["62", 16],
    ["62", 19],
    ["81", 17],
  ],
  maestro: [
    ["5018", 13],
    ["6759", 19],
  ],
  cartes_bancaires: [["4973", 16]],
  dankort: [["5019", 16]],
  elo: [["6362", 16]],
  hipercard: [["606282", 16]],
  mir: [["2200", 16]],
  rupay: [["6073", 16]],
  troy: [["9792", 16]],
  verve: [["5061", 18]],
}

const arbitraryNumber = (network: Network): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...ranges[network]),
      fc.string({ unit: fc.constantFrom(..."0123456789".split("")), minLength: 19, maxLength: 19 }),
    )
    .map(([[first, length], tail]) => {
      const open = (first + tail).slice(0, length - 1)
      return "0123456789"
        .split("")
        .map((digit) => open + digit)
        .find(isCardNumber)!
    })

const optional = <T, K extends string>(name: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [P in K]?: T }> =>
  fc
    .option(value, { nil: undefined })
    .map((found) => (found === undefined ? {} : { [name]: found }) as { [P in K]?: T })

const merged = <T>(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<T> =>
  fc.tuple(...parts).map((found) => Object.assign({}, ...found) as T)

const arbitraryCvc = fc.string({ unit: fc.constantFrom(..."0123456789".split("")), minLength: 3, maxLength: 4 })
const arbitraryCryptogram = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString("base64"))
const arbitraryExpiry = fc.record({
  expiryMonth: fc.integer({ min: 1, max: 12 }),
  expiryYear: fc.integer({ min: 2026, max: 2099 }),
})

function arbitraryMethod(manifest: Manifest, initiated: "customer" | "merchant"): fc.Arbitrary<MethodInput> {
  const { methods } = manifest
  const numberOf = (networks: readonly Network[]) =>
    fc
      .constantFrom<Network>(...networks)
      .chain((network) => arbitraryNumber(network).map((digits) => ({ network, number: secret(digits) })))
  const choices: fc.Arbitrary<MethodInput>[] = []
  const cvc = initiated === "customer" ? optional("cvc", arbitraryCvc.map(secret)) : fc.constant({})
  if (methods.card)
    choices.push(
      merged(
        fc.constant({ type: "card" }),
        numberOf(methods.networks),
        arbitraryExpiry,
        cvc,
        optional("holderName", arbitraryText),
      ),
    )
  if (methods.networkToken)
    choices.push(
      merged(
        fc.constant({ type: "network_token" }),
        numberOf(methods.tokenNetworks ?? methods.networks),
        arbitraryExpiry,
        initiated === "customer" ? arbitraryCryptogram.map((text) => ({ cryptogram: secret(text) })) : fc.constant({}),
        optional("eci", fc.constantFrom("05", "06", "07", "02")),
        optional("holderName", arbitraryText),
      ),
    )
  if (methods.providerToken)
    choices.push(
      merged(
        fc.constant({ type: "provider_token" }),
        fc
          .oneof(
            arbitraryReference,
            arbitraryText.filter((text) => text !== ""),
          )
          .map((token) => ({ token })),
        optional("customer", fc.oneof(arbitraryReference, arbitraryText)),
        cvc,
      ),
    )
  return fc.oneof(...choices)
}

const arbitraryParty = merged<object>(
  optional("name", arbitraryText),
  optional("email", fc.constantFrom("ann@example.com", "a+b@example.co.uk")),
  optional("phone", fc.oneof(fc.constantFrom("+49301234567", "030 1234"), arbitraryText)),
  optional(
    "address",
    merged(
      optional("line1", arbitraryText),
      optional("line2", arbitraryText),
      optional("city", arbitraryText),
      optional("state", fc.oneof(fc.constantFrom("BE", "CA", ""), arbitraryText)),
      optional("postalCode", fc.oneof(fc.constantFrom("10115", "SW1A 1AA", "94103-1234", ""), arbitraryText)),
      optional("country", fc.constantFrom("DE", "US", "GB")),
    ),
  ),
)

function arbitraryThreeDs(manifest: Manifest): fc.Arbitrary<ThreeDs> {
  const plain = fc.constantFrom("automatic" as const, "required" as const, "none" as const).map((mode) => ({ mode }))
  if (!manifest.features.externalThreeDs) return plain
  return fc.oneof(
    plain,
    fc.record({
      mode: fc.constant("external" as const),
      version: fc.constantFrom("1.0.2", "2.1", "2.1.0", "2.2.0"),
      eci: fc.constantFrom("05", "06", "02", "01", "5", "0", "99"),
      cryptogram: arbitraryCryptogram.map(secret),
      dsTransactionId: fc.oneof(fc.uuid(), fc.string({ unit: "binary", minLength: 8, maxLength: 64 })),
      status: fc.constantFrom("Y", "A", "N", "U", "C", "R", "I"),
    }),
  )
}

const purposes = ["recurring", "installment", "unscheduled"] as const

function arbitraryAuthorize(connector: Connector): fc.Arbitrary<AuthorizeInput> {
  const { manifest } = connector
  const customer = merged<AuthorizeInput["initiator"]>(
    fc.constant({ by: "customer" }),
    fc.record({ stored: fc.constantFrom("none", "first", "used") }),
    optional("purpose", fc.constantFrom(...purposes)),
  )
  const merchant = merged<AuthorizeInput["initiator"]>(
    fc.constant({ by: "merchant" }),
    fc.record({ purpose: fc.constantFrom(...purposes) }),
    optional("networkTransactionId", fc.constantFrom("MCC123456789012", "016153570198200")),
  )
  const initiators = manifest.features.merchantInitiated ? fc.oneof(customer, merchant) : customer
  const amount = manifest.features.zeroAmount
    ? fc.oneof(
        { weight: 9, arbitrary: arbitraryAmount(manifest) },
        { weight: 1, arbitrary: arbitraryAmount(manifest).map(({ currency }) => money(0n, currency)) },
      )
    : arbitraryAmount(manifest)
  return initiators.chain((initiator) =>
    merged<AuthorizeInput>(
      fc.constant({ initiator }),
      fc.record({
        key: arbitraryId("key"),
        attempt: arbitraryId("att"),
        amount,
        capture: fc.constantFrom("automatic", "manual"),
        method: arbitraryMethod(manifest, initiator.by),
        threeDs: initiator.by === "merchant" ? fc.constant<ThreeDs>({ mode: "none" }) : arbitraryThreeDs(manifest),
        allowPartial: fc.boolean(),
        store: fc.boolean(),
        returnUrl: arbitraryIdBody.map((body) => `https://pay.example/v1/returns/att_${body}?a=1&b=2`),
      }),
      optional("merchantReference", arbitraryText),
      optional("descriptor", fc.constantFrom("ORDER 42", "Shop*Café", "x".repeat(60))),
      optional("description", arbitraryText),
      optional(
        "customer",
        merged(
          arbitraryReference.map((id) => ({ id })),
          optional("email", fc.constant("ann@example.com")),
          optional("name", arbitraryText),
          optional("ip", fc.constantFrom("203.0.113.7", "2001:db8::1", "999.1.1.1", ":.:")),
          optional("userAgent", arbitraryText),
        ),
      ),
      optional("billing", arbitraryParty),
      optional("shipping", arbitraryParty),
    ),
  )
}

/** Any input that the manifest allows. Authorizations carry the reference of `prepare` where the connector has it. */
export function arbitraryInput(connector: Connector, operation: SampleOperation): fc.Arbitrary<AnyInput> {
  const { manifest } = connector
  const withReference = arbitraryReference.map((reference) => ({ reference }))
  const followUp = merged<Input["void"]>(
    fc.record({ key: arbitraryId("key"), attempt: arbitraryId("att"), operation: arbitraryId("op") }),
    withReference,
    arbitrarySums(manifest),
  )
  switch (operation) {
    case "prepare":
      return arbitraryAuthorize(connector)
    case "authorize":
      return manifest.operations.prepare
        ? merged(arbitraryAuthorize(connector), withReference)
        : arbitraryAuthorize(connector)
    case "complete":
      return merged(
        fc.record({
          key: arbitraryId("key"),
          attempt: arbitraryId("att"),
          amount: arbitraryAmount(manifest),
          capture: fc.constantFrom("automatic", "manual"),
          fields: fc.dictionary(arbitraryText, arbitraryText, { maxKeys: 5 }),
        }),
        withReference,
      )
    case "capture":
      return merged(
        followUp,
        fc.boolean().map((final) => ({ final })),
      )
    case "refund":
      return merged(followUp, optional("reason", arbitraryText))
    case "increment":
      // The new total is never below what is authorized.
      return followUp.map((input) => ({ ...input, amount: input.authorized, authorized: input.amount }))
    case "void":
      return followUp
    case "reverse":
      return manifest.reverse.byAttempt
        ? fc
            .tuple(followUp, fc.boolean())
            .map(([{ reference, ...rest }, known]) => (known ? { ...rest, reference } : rest) as AnyInput)
        : followUp
    case "inquire":
      return merged(
        fc.record({
          about: fc.constantFrom(...(Object.keys(manifest.operations) as OperationKind[])),
          key: arbitraryId("key"),
          attempt: arbitraryId("att"),
          operation: arbitraryId("op"),
          amount: arbitraryAmount(manifest),
          capture: fc.constantFrom("automatic", "manual"),
        }),
        withReference,
        optional("operationReference", arbitraryReference),
      )
    default:
      return operation satisfies never
  }
}

// A part or the whole of what is authorized, with nothing, a part or all of it captured before.
function arbitrarySums(manifest: Manifest): fc.Arbitrary<Pick<Input["void"], "amount" | "authorized" | "captured">> {
  return arbitraryAmount(manifest).chain((authorized) =>
    fc.tuple(fc.constantFrom(1n, 2n, 10n), fc.constantFrom(0n, 1n, 2n)).map(([share, captured]) => ({
      amount: expressible(manifest, authorized.minor / share, authorized.currency),
      authorized,
      captured: money(captured === 0n ? 0n : authorized.minor / captured, authorized.currency),
    })),
  )
}
