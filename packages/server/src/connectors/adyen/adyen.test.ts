// Adyen against the contract, its own tables, and Adyen's own validator of webhook signatures.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { describe, test } from "node:test"
import { hmacValidator as HmacValidator } from "@adyen/api-library"
import fc from "fast-check"
import { exponentOf, parseCurrency } from "../../core/currency.ts"
import { money } from "../../core/money.ts"
import type { Outcome } from "../../core/outcome.ts"
import { secret } from "../../core/secret.ts"
import { providerExponent } from "../amount.ts"
import type { AccountConfig, AuthorizeInput, HttpResponse, Input } from "../connector.ts"
import { connectorContract, readSamples, readWebhookSamples, standard, standardInput } from "../contract.ts"
import { nodeHmac } from "../contract-webhook.ts"
import * as errorTables from "./error-codes.ts"
import * as eventTables from "./event-codes.ts"
import { adyen } from "./index.ts"
import * as tables from "./tables.ts"

const config: AccountConfig = {
  mode: "test",
  credentials: { api_key: secret("AQEexampleKeyOfTheSuite0-exampleSecretPart1=-examplePart9") },
  settings: { merchant_account: "ShopECOM", live_prefix: "1797a841fbb37ca7-ShopDemo" },
}
const keys = ["A1".repeat(32), "b2".repeat(32)] as const
const samples = new URL("./samples/", import.meta.url)

const authorizeInput = standardInput(adyen, "authorize") as AuthorizeInput
const answer = (body: unknown, status = 200): HttpResponse => ({ status, headers: {}, body: JSON.stringify(body) })
const authorized = (body: object, input: Partial<AuthorizeInput> = {}): Outcome =>
  adyen.codecs.authorize.decode(answer(body), { ...authorizeInput, ...input })

type Item = { additionalData?: Record<string, string> } & Record<string, unknown>
const item = (fields: object): Item => ({
  pspReference: "ZK4N8HGD6WQJXC82",
  merchantAccountCode: "ShopECOM",
  merchantReference: standard.attempt,
  amount: { value: 1999, currency: "EUR" },
  success: "true",
  ...fields,
})
const delivery = (...items: readonly Item[]): string =>
  JSON.stringify({ live: "false", notificationItems: items.map((one) => ({ NotificationRequestItem: one })) })

// As Adyen's documentation says it; its own library signs beside it below.
function signItem(one: Item, key: string): Item {
  const amount = one["amount"] as { value?: unknown; currency?: unknown } | undefined
  const text = [
    one["pspReference"],
    one["originalReference"] ?? "",
    one["merchantAccountCode"] ?? "",
    one["merchantReference"] ?? "",
    amount?.value,
    amount?.currency,
    one["eventCode"],
    one["success"],
  ].join(":")
  const hmacSignature = createHmac("sha256", Buffer.from(key, "hex")).update(text, "utf8").digest("base64")
  return { ...one, additionalData: { ...one.additionalData, hmacSignature } }
}
function sign(body: string, key: string): { headers: Record<string, string>; body: string } {
  const parsed = JSON.parse(body) as { notificationItems: readonly { NotificationRequestItem: Item }[] }
  const notificationItems = parsed.notificationItems.map(({ NotificationRequestItem: one }) => ({
    NotificationRequestItem: signItem(one, key),
  }))
  return { headers: {}, body: JSON.stringify({ ...parsed, notificationItems }) }
}
const genuine = (body: string, accepted: readonly string[] = [keys[1]]): boolean =>
  adyen.webhook.verify({ headers: {}, body }, accepted, 0, nodeHmac).kind === "genuine"

const reasonOf = (outcome: Outcome): string =>
  outcome.kind === "declined" || outcome.kind === "rejected" ? outcome.reason : outcome.kind

connectorContract(adyen, {
  config,
  samples: readSamples(samples),
  webhooks: { samples: readWebhookSamples(samples), secrets: keys, sign, covers: "fields" },
  tableModule: { ...tables, ...errorTables, ...eventTables },
  tables: [
    {
      name: "result codes",
      table: tables.resultCodes,
      reach: (resultCode) => {
        const outcome = authorized({
          resultCode,
          pspReference: "VQ7M2KXW9BTRLP82",
          refusalReasonCode: "2",
          ...(resultCode === "PartiallyAuthorised" ? { amount: { value: 1200, currency: "EUR" } } : {}),
          action: { type: "redirect", url: "https://acs.example/auth" },
        })
        return outcome.kind === "approved" && outcome.amount < 1999n ? "partly" : outcome.kind
      },
      miss: "unknown",
    },
    {
      name: "refusal reasons",
      table: tables.refusalReasons,
      reach: (refusalReasonCode) => {
        const outcome = authorized({ resultCode: "Refused", refusalReasonCode })
        const byText = tables.refusalReasons[refusalReasonCode]?.text
        assert.equal(
          reasonOf(authorized({ resultCode: "Refused", refusalReason: byText ?? "words of tomorrow" })),
          reasonOf(outcome),
        )
        const row = Object.hasOwn(tables.refusalReasons, refusalReasonCode)
          ? tables.refusalReasons[refusalReasonCode]
          : undefined
        return { ...row, reason: reasonOf(outcome) }
      },
      miss: { reason: "unmapped" },
    },
    {
      name: "inferred reasons",
      table: tables.inferredReasons,
      reach: (inferredRefusalReason) =>
        reasonOf(
          authorized({
            resultCode: "Refused",
            refusalReasonCode: "27",
            additionalData: { inferredRefusalReason },
          }),
        ),
      miss: "generic_decline",
    },
    {
      name: "statuses of modifications",
      table: tables.modificationStatuses,
      reach: (status) =>
        adyen.codecs.increment.decode(
          answer({ status, pspReference: "ZK4N8HGD6WQJXC82", amount: { value: 1999, currency: "EUR" } }, 201),
          standardInput(adyen, "increment") as Input["increment"],
        ).kind,
      miss: "unknown",
    },
    {
      name: "AVS results",
      table: tables.avsChecks,
      reach: (avsResult) => {
        const { evidence } = authorized({
          resultCode: "Authorised",
          pspReference: "VQ7M2KXW9BTRLP82",
          additionalData: { avsResult },
        })
        const { line, postcode, name } = evidence.checks!
        return { line, postcode, name }
      },
      miss: { line: "unchecked", postcode: "unchecked", name: "unchecked" },
    },
    {
      name: "CVC results",
      table: tables.cvcChecks,
      reach: (cvcResult) =>
        authorized({
          resultCode: "Authorised",
          pspReference: "VQ7M2KXW9BTRLP82",
          additionalData: { cvcResult: `${cvcResult} in words` },
        }).evidence.checks?.code,
      miss: "unchecked",
    },
    {
      // Known by what a raw code means that only one network has.
      name: "brands",
      table: tables.networks,
      reach: (paymentMethod) => {
        for (const [raw, reason, network] of networkProofs)
          if (
            reasonOf(
              authorized({
                resultCode: "Refused",
                refusalReasonCode: "2",
                additionalData: { paymentMethod, refusalReasonRaw: `${raw} : words` },
              }),
            ) === reason
          )
            return network
        return "none"
      },
      miss: "none",
    },
    {
      name: "funding sources",
      table: tables.fundingSources,
      reach: (fundingSource) =>
        authorized({
          resultCode: "Authorised",
          pspReference: "VQ7M2KXW9BTRLP82",
          additionalData: { fundingSource },
        }).evidence.card?.funding ?? "untold",
      miss: "untold",
    },
    {
      name: "error codes",
      table: errorTables.errorCodes,
      reach: (errorCode) =>
        reasonOf(
          adyen.codecs.authorize.decode(
            answer({ status: 422, errorCode, errorType: "validation" }, 422),
            authorizeInput,
          ),
        ),
      miss: "unmapped",
    },
    {
      name: "events",
      table: eventTables.events,
      reach: (eventCode) => {
        const [yes] = adyen.webhook.decode({ headers: {}, body: delivery(item({ eventCode })) })
        const [no] = adyen.webhook.decode({ headers: {}, body: delivery(item({ eventCode, success: "false" })) })
        const verdict = ({ outcome }: { outcome: Outcome }): string =>
          outcome.kind === "approved" ? outcome.effect : outcome.kind
        const known = Object.hasOwn(eventTables.events, eventCode) ? eventTables.events[eventCode] : undefined
        return {
          about: yes!.about,
          yes: verdict(yes!),
          no: verdict(no!),
          ...(yes!.dispute === undefined ? {} : { stage: yes!.dispute.stage }),
          ...(known === undefined ? {} : { meaning: known.meaning }),
        }
      },
      miss: { about: "other", yes: "unknown", no: "unknown" },
    },
    {
      name: "reasons of modifications",
      table: eventTables.modificationReasons,
      reach: (reason) => {
        const body = delivery(item({ eventCode: "REFUND", success: "false", reason }))
        return reasonOf(adyen.webhook.decode({ headers: {}, body })[0]!.outcome)
      },
      miss: "unmapped",
    },
  ],
})

// Raw codes that mean something on one network only.
const networkProofs = [
  ["116", "insufficient_funds", "amex"],
  ["64", "sanctions_or_aml", "visa"],
  ["84", "authorization_expired", "mastercard"],
] as const

describe("adyen: webhook signatures", () => {
  const validator = new HmacValidator()
  const text = fc.string({ unit: fc.constantFrom(..."aZ09-_:\\/ é"), maxLength: 24 })
  const anyItem = fc.record({
    pspReference: fc.stringMatching(/^[A-Z0-9]{16}$/),
    originalReference: fc.option(fc.stringMatching(/^[A-Z0-9]{16}$/), { nil: undefined }),
    merchantAccountCode: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
    merchantReference: text,
    amount: fc.record({ value: fc.integer({ min: 0, max: 1e12 }), currency: fc.constantFrom("EUR", "ISK", "KWD") }),
    eventCode: fc.constantFrom("AUTHORISATION", "CAPTURE", "REPORT_AVAILABLE"),
    success: fc.constantFrom("true", "false"),
  })

  test("what Adyen's own library signs is genuine, and nothing it would refuse is", () => {
    fc.assert(
      fc.property(anyItem, fc.boolean(), (fields, right) => {
        const key = right ? keys[1] : keys[0]
        const hmacSignature = validator.calculateHmac(fields as never, key)
        const signed = { ...fields, additionalData: { hmacSignature } } as Item
        assert.equal(genuine(delivery(signed)), validator.validateHMAC(signed as never, keys[1]))
        assert.equal(genuine(delivery(signed)), right)
      }),
      { numRuns: 200 },
    )
  })

  test("a signature does not stand for values that are cut at another colon", () => {
    const fields = { eventCode: "CAPTURE", originalReference: "VQ7M2KXW9BTRLP82", merchantReference: "a:b" }
    const signed = signItem(item(fields), keys[1])
    assert.ok(genuine(delivery(signed)))
    const moved = { ...signed, merchantAccountCode: "ShopECOM:a", merchantReference: "b" }
    assert.ok(validator.validateHMAC(moved as never, keys[1]), "Adyen's own validator takes it")
    assert.ok(!genuine(delivery(moved)))
  })

  test("one item that is not signed spoils its whole delivery", () => {
    const signed = signItem(item({ eventCode: "CAPTURE" }), keys[1])
    assert.ok(genuine(delivery(signed, signed)))
    assert.ok(!genuine(delivery(signed, item({ eventCode: "REFUND" }))))
  })

  test("more items than anybody sends are refused as a whole, so that none is lost silently", () => {
    const signed = signItem(item({ eventCode: "CAPTURE" }), keys[1])
    assert.ok(genuine(delivery(...Array.from({ length: 100 }, () => signed))))
    assert.ok(!genuine(delivery(...Array.from({ length: 101 }, () => signed))))
  })

  test("an approval keeps nothing of the card that Adyen writes into its reason", () => {
    const body = delivery(item({ eventCode: "AUTHORISATION", reason: "074918:1111:03/2030" }))
    assert.ok(!JSON.stringify(adyen.webhook.decode({ headers: {}, body })[0]?.outcome.raw).includes("2030"))
  })
})

describe("adyen: requests", () => {
  const bodyOf = (input: Partial<AuthorizeInput>): Record<string, unknown> =>
    JSON.parse(adyen.codecs.authorize.encode({ ...authorizeInput, ...input }, config).body!) as Record<string, unknown>

  test("counts as ISO does, but for Chile, Cape Verde, Indonesia and Iceland", () => {
    const other = (adyen.manifest.currencies as readonly string[])
      .map((code) => parseCurrency(code)!)
      .filter((currency) => providerExponent(adyen.manifest, currency) !== exponentOf(currency))
    assert.deepEqual(other, ["CLP", "CVE", "IDR", "ISK"])
  })

  test("an amount of rupiahs with cents is refused instead of rounded", () => {
    assert.throws(() => bodyOf({ amount: money(199_950n, parseCurrency("IDR")!) }), RangeError)
    assert.deepEqual(bodyOf({ amount: money(199_900n, parseCurrency("IDR")!) })["amount"], {
      value: 1999,
      currency: "IDR",
    })
  })

  test("a stored card that the customer uses again is card on file, whatever it was stored for", () => {
    const body = bodyOf({ initiator: { by: "customer", stored: "used", purpose: "recurring" } })
    assert.equal(body["shopperInteraction"], "ContAuth")
    assert.equal(body["recurringProcessingModel"], "CardOnFile")
  })

  test("a card stored for nobody is stored for the attempt", () => {
    assert.equal(bodyOf({ store: true })["shopperReference"], standard.attempt)
    assert.equal(bodyOf({ store: false })["shopperReference"], undefined)
  })

  test("an American address without its state is left out, as Adyen would refuse the whole payment", () => {
    const address = { line1: "1 Main St", city: "Springfield", postalCode: "62701", country: "US" }
    assert.equal(bodyOf({ billing: { address } })["billingAddress"], undefined)
    assert.ok(bodyOf({ billing: { address: { ...address, state: "IL" } } })["billingAddress"])
  })

  test("a pspReference that could change the path is refused", () => {
    const input = standardInput(adyen, "capture") as Input["capture"]
    assert.throws(() => adyen.codecs.capture.encode({ ...input, reference: "../x" }, config), RangeError)
  })
})

describe("adyen: credentials", () => {
  test("work when the payment methods come", () => {
    const request = adyen.verifyCredentials.encode(config)
    assert.equal(request.path, "/v72/paymentMethods")
    assert.deepEqual(JSON.parse(request.body!), { merchantAccount: "ShopECOM" })
    assert.deepEqual(adyen.verifyCredentials.decode(answer({ paymentMethods: [{ type: "scheme" }] })), {
      ok: true,
      detail: "1 payment methods",
    })
    assert.deepEqual(adyen.verifyCredentials.decode(answer({ message: "Invalid Merchant Account" }, 403)), {
      ok: false,
      detail: "Invalid Merchant Account",
    })
  })
})

test("the result of another payment's redirect completes nothing, and one that names no payment proves nothing", () => {
  const { complete } = adyen.codecs
  const input = standardInput(adyen, "complete") as Input["complete"]
  const completed = (merchantReference?: string): Outcome =>
    complete.decode(answer({ pspReference: "PSPOFANOTHER", resultCode: "Authorised", merchantReference }), input)
  assert.equal(completed(input.attempt).kind, "approved")
  const foreign = completed("att_01k9zq3v5e7f8g9h0jkmnpqrsz")
  assert.ok(foreign.kind === "rejected" && foreign.executed === "no")
  assert.deepEqual([foreign.evidence, completed().kind, completed().evidence], [{}, "unknown", {}])
})
