import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, test } from "node:test"
import { Checkout } from "checkout-sdk-node"
import { money, type Currency } from "../../core/money.ts"
import { commonCodes } from "../../core/network-code.ts"
import type { Outcome } from "../../core/outcome.ts"
import { secret } from "../../core/secret.ts"
import type { AccountConfig, AuthorizeInput, FollowUpInput, HttpRequest, InquiryInput } from "../connector.ts"
import { connectorContract, readSamples, readWebhookSamples, standard } from "../contract.ts"
import * as errorCodesModule from "./error-codes.ts"
import { checkout } from "./index.ts"
import * as responseCodesModule from "./response-codes.ts"
import * as tables from "./tables.ts"

const config: AccountConfig = {
  mode: "test",
  credentials: { secret_key: secret("sk_sbox_abcdefghijklmnopqrstuvwxyz2") },
  settings: { prefix: "vkuhvk4v", processing_channel_id: "pc_q4dbxom5jbgudnjzjpz7j2z6uq" },
}
const euro = (minor: bigint) => money(minor, "EUR" as Currency)

const authorization: AuthorizeInput = {
  key: standard.key,
  attempt: standard.attempt,
  amount: euro(1999n),
  capture: "automatic",
  method: { type: "card", number: secret(standard.number), expiryMonth: 3, expiryYear: 2030, network: "visa" },
  initiator: { by: "customer", stored: "none" },
  threeDs: { mode: "automatic" },
  allowPartial: false,
  store: false,
  returnUrl: "https://pay.example/v1/returns/att_1",
}
const followUp: FollowUpInput = {
  key: standard.key,
  attempt: standard.attempt,
  operation: standard.operation,
  reference: "pay_zt4m2kq6vnwe5f7xjh3ryb2cda",
  amount: euro(1999n),
  authorized: euro(1999n),
  captured: euro(0n),
}
const question: InquiryInput = {
  about: "authorize",
  attempt: standard.attempt,
  operation: standard.operation,
  key: standard.key,
  reference: followUp.reference,
  amount: euro(1999n),
  capture: "manual",
}

const payment = {
  id: followUp.reference,
  amount: 1999,
  currency: "EUR",
  reference: standard.attempt,
  approved: true,
  status: "Authorized",
}
const answer = (body: unknown, status = 200) => ({ status, headers: {}, body: JSON.stringify(body) })
const authorized = (change: object): Outcome =>
  checkout.codecs.authorize.decode(answer({ ...payment, ...change }, 201), authorization)
const inquired = (body: unknown, change: Partial<InquiryInput> = {}): Outcome =>
  checkout.inquire.decode(answer(body), { ...question, ...change })
const bodyOf = (request: HttpRequest): Record<string, unknown> => JSON.parse(request.body!) as Record<string, unknown>
const encoded = (change: Partial<AuthorizeInput>, settings = config.settings): Record<string, unknown> =>
  bodyOf(checkout.codecs.authorize.encode({ ...authorization, ...change }, { ...config, settings }))

const reasonOf = (outcome: Outcome): string => ("reason" in outcome ? outcome.reason : outcome.kind)

function standing(status: string): unknown {
  const zero = status === "Card Verified"
  for (const approved of [false, true]) {
    const change = zero ? { amount: euro(0n) } : {}
    const balances = approved ? { total_authorized: 1999 } : undefined
    const outcome = inquired({ ...payment, amount: zero ? 0 : 1999, balances, status, approved }, change)
    if (outcome.kind === "approved") return outcome.effect
    if (outcome.kind === "pending") return "pending"
    if (outcome.kind === "declined")
      return { generic_decline: "declined", canceled_by_customer: "canceled", customer_timeout: "expired" }[
        outcome.reason as string
      ]
  }
  return "foreign"
}

function eventMeaning(type: string): unknown {
  for (const code of [{}, { response_code: "10000" }]) {
    const data = {
      ...payment,
      ...code,
      action_id: "act_1",
      balances: { total_authorized: 1999 },
      status: undefined,
      approved: undefined,
    }
    const body = JSON.stringify({ id: "evt_1", type, data })
    const notice = checkout.webhook.decode({ headers: {}, body })[0]!
    const { about, outcome } = notice
    if (about === "other") return "other"
    if (about === "expire") return { about }
    if (about === "dispute") return { about, stage: notice.dispute?.stage }
    if (outcome.kind === "unknown") continue
    if (notice.trust === "hint") return { about, says: "hint" }
    return { about, says: reasonOf(outcome) === "canceled_by_customer" ? "canceled" : outcome.kind }
  }
  return undefined
}

const checksOf = (
  letters: object,
): { readonly line: string; readonly postcode: string; readonly name: string; readonly code: string } => {
  const { evidence } = authorized({ response_code: "10000", source: letters })
  assert.ok(evidence.checks !== undefined)
  return evidence.checks
}

connectorContract(checkout, {
  config,
  samples: readSamples(new URL("./samples/", import.meta.url)),
  webhooks: {
    samples: readWebhookSamples(new URL("./samples/", import.meta.url)),
    secrets: ["8V8x0dLK%AyD*DNS8JJr", "another signature key"],
    sign: (body, key) => ({
      body,
      headers: { "cko-signature": createHmac("sha256", key).update(body, "utf8").digest("hex") },
    }),
    covers: "body",
  },
  tables: [
    {
      name: "response codes",
      table: responseCodesModule.responseCodes,
      reach: (code) => {
        const approves = code.startsWith("10")
        const status = approves ? "Authorized" : "Declined"
        const outcome = authorized({ response_code: code, approved: approves, status })
        const { networkCode } = outcome.raw
        if (outcome.kind !== "approved") return { reason: reasonOf(outcome), networkCode }
        return { approves: true, networkCode, ...(outcome.effect === "authorized" ? { capture: "withheld" } : {}) }
      },
      miss: { reason: "unmapped" },
    },
    {
      name: "error codes",
      table: errorCodesModule.errorCodes,
      reach: (code) => {
        const body = { request_id: "1", error_type: "request_invalid", error_codes: [code] }
        const outcome = checkout.codecs.authorize.decode(answer(body, 422), authorization)
        assert.ok(outcome.kind === "rejected")
        return { reason: outcome.reason, fault: outcome.fault, executed: outcome.executed }
      },
      // Some codes of a 422 follow processing: what is in no table may be another.
      miss: { reason: "unmapped", fault: "ours", executed: "unknown" },
    },
    { name: "statuses", table: tables.paymentStatuses, reach: standing, miss: "foreign" },
    {
      name: "declined reasons",
      table: tables.declinedReasons,
      reach: (code) => reasonOf(inquired({ ...payment, approved: false, status: "Declined", declined_reason: code })),
      miss: "unmapped",
    },
    {
      name: "types of actions",
      table: tables.actionTypes,
      reach: (type) =>
        (["capture", "void", "refund", "increment"] as const).find(
          (about) =>
            inquired([{ id: "act_1", type, amount: 1999, approved: true, reference: standard.operation }], { about })
              .kind === "approved",
        ) ?? "unknown",
      miss: "unknown",
    },
    {
      name: "AVS letters",
      table: tables.avsChecks,
      reach: (letter) => {
        const { line, postcode, name } = checksOf({ avs_check: letter })
        return { line, postcode, name }
      },
      miss: { line: "unchecked", postcode: "unchecked", name: "unchecked" },
    },
    {
      name: "CVV letters",
      table: tables.cvvChecks,
      reach: (letter) => checksOf({ cvv_check: letter }).code,
      miss: "unchecked",
    },
    {
      name: "funding",
      table: tables.fundings,
      reach: (type) =>
        authorized({ response_code: "10000", source: { card_type: type } }).evidence.card?.funding ?? null,
      miss: null,
    },
    { name: "webhook events", table: tables.webhookEvents, reach: eventMeaning, miss: "other" },
  ],
  tableModule: { ...tables, ...responseCodesModule, ...errorCodesModule },
})

describe("checkout: what is sent", () => {
  test("a merchant's payment refers to the network's id of the first one and goes without 3-D Secure", () => {
    const body = encoded({
      initiator: { by: "merchant", purpose: "recurring", networkTransactionId: "016153570198200" },
    })
    assert.equal(body["merchant_initiated"], true)
    assert.equal(body["payment_type"], "Recurring")
    assert.equal(body["previous_payment_id"], "016153570198200")
    assert.equal((body["source"] as { stored: boolean }).stored, true)
    for (const absent of ["3ds", "success_url", "failure_url"]) assert.equal(body[absent], undefined, absent)
  })

  test("the first payment of an agreement is of its type, stores the card and asks for a challenge", () => {
    const body = encoded({ initiator: { by: "customer", stored: "first", purpose: "installment" } })
    assert.equal(body["payment_type"], "Installment")
    assert.equal(body["merchant_initiated"], false)
    assert.equal((body["source"] as { store_for_future_use: boolean }).store_for_future_use, true)
    assert.equal((body["3ds"] as { challenge_indicator: string }).challenge_indicator, "challenge_requested_mandate")
  })

  test("without consent Checkout.com is told not to store the card", () => {
    assert.equal((encoded({})["source"] as { store_for_future_use: boolean }).store_for_future_use, false)
    assert.equal((encoded({ store: true })["source"] as { store_for_future_use: boolean }).store_for_future_use, true)
  })

  test("3-D Secure runs when required, may follow a soft decline when automatic, and never runs when forbidden", () => {
    const sent = (mode: "required" | "automatic" | "none") => encoded({ threeDs: { mode } })["3ds"]
    assert.deepEqual(sent("required"), { enabled: true, attempt_n3d: false, challenge_indicator: "no_preference" })
    assert.deepEqual(sent("automatic"), { enabled: false, allow_upgrade: true, challenge_indicator: "no_preference" })
    assert.deepEqual(sent("none"), { enabled: false, allow_upgrade: false })
  })

  test("a manual authorization is estimated only where the account says so, an automatic one never", () => {
    const estimated = { ...config.settings, authorization_type: "Estimated" }
    assert.equal(encoded({ capture: "manual" }, estimated)["authorization_type"], "Estimated")
    assert.equal(encoded({ capture: "manual" })["authorization_type"], undefined)
    assert.equal(encoded({}, estimated)["authorization_type"], undefined)
  })

  test("a zero amount is never captured", () => {
    const body = encoded({ amount: euro(0n) })
    assert.equal(body["amount"], 0)
    assert.equal(body["capture"], false)
  })

  test("a provider's token is sent as what its prefix says it is", () => {
    const source = (token: string) => encoded({ method: { type: "provider_token", token } })["source"]
    assert.deepEqual(source("src_a"), { type: "id", id: "src_a" })
    assert.deepEqual(source("tok_a"), { type: "token", token: "tok_a", store_for_future_use: false })
    assert.deepEqual(source("cus_a"), { type: "customer", id: "cus_a" })
  })

  test("a statement descriptor goes out in plain characters, and only where the account names a city", () => {
    const settings = { ...config.settings, descriptor_city: "Berlin" }
    assert.equal(encoded({ descriptor: "Café 7" })["billing_descriptor"], undefined)
    assert.deepEqual(encoded({ descriptor: "Café 7 東京" }, settings)["billing_descriptor"], {
      name: "Cafe 7",
      city: "Berlin",
    })
  })

  test("a co-badged card is kept on Cartes Bancaires", () => {
    const method = { ...authorization.method, network: "cartes_bancaires" } as AuthorizeInput["method"]
    assert.deepEqual(encoded({ method })["processing"], { preferred_scheme: "cartes_bancaires" })
  })

  test("an increment sends what is to be added to the authorization", () => {
    const request = checkout.codecs.increment.encode({ ...followUp, amount: euro(2500n) }, config)
    assert.equal(bodyOf(request)["amount"], 501)
    assert.throws(() => checkout.codecs.increment.encode({ ...followUp, amount: euro(1000n) }, config))
  })

  test("amounts in dinars that do not end in zero are refused before they are sent", () => {
    const dinars = (minor: bigint) =>
      checkout.codecs.refund.encode({ ...followUp, amount: money(minor, "KWD" as Currency) }, config)
    assert.equal(bodyOf(dinars(1230n))["amount"], 1230)
    assert.throws(() => dinars(1234n), RangeError)
  })
})

describe("checkout: what is read", () => {
  test("without the provider's id, the attempt's payment is looked for by our reference", () => {
    const { reference: _reference, ...asked } = question
    const { path } = checkout.inquire.encode(asked, config)
    assert.equal(path, `/payments?limit=10&skip=0&reference=${standard.attempt}`)
    const list = (...data: readonly object[]) =>
      checkout.inquire.decode(answer({ limit: 10, skip: 0, total_count: data.length, data }), asked)
    assert.equal(list().kind, "absent")
    assert.equal(list({ ...payment, reference: "another" }).kind, "absent")
    assert.equal(list(payment).kind, "approved")
    const declined = { ...payment, id: "pay_2", approved: false, status: "Declined" }
    assert.equal(list(declined).kind, "declined")
    assert.equal(list(declined, payment).kind, "approved")
    // A copy of the request was processed anew: which of them stands nobody can say.
    assert.equal(list({ ...payment, id: "pay_3" }, payment).kind, "unknown")
    assert.equal(list({ ...payment, reference: 7 }).kind, "unknown")
    assert.equal(checkout.inquire.decode(answer({}), asked).kind, "unknown")
    assert.equal(checkout.inquire.decode({ status: 404, headers: {}, body: "" }, asked).kind, "unknown")
  })

  test("a payment whose words contradict each other is unknown", () => {
    assert.equal(authorized({ response_code: "10000", approved: false }).kind, "unknown")
    assert.equal(authorized({ response_code: "20051" }).kind, "unknown")
    assert.equal(authorized({ response_code: "10000", status: "Declined" }).kind, "unknown")
    assert.equal(authorized({ response_code: "10999" }).kind, "unknown")
    assert.equal(authorized({ response_code: "10000", status: undefined }).kind, "unknown")
  })

  test("an approval holds no more than the balances say", () => {
    const outcome = authorized({ response_code: "10010", balances: { total_authorized: 1200 } })
    assert.ok(outcome.kind === "approved")
    assert.equal(outcome.amount, 1200n)
  })

  test("Mastercard's advice names the reason only where the response code names none", () => {
    const advised = (code: string) =>
      reasonOf(
        authorized({
          approved: false,
          status: "Declined",
          response_code: code,
          processing: { partner_merchant_advice_code: "21" },
        }),
      )
    assert.equal(advised("20005"), "authorization_revoked")
    assert.equal(advised("20051"), "insufficient_funds")
  })

  test("codes that restate ISO 8583 mean what the networks' own codes mean, with few exceptions", () => {
    const differing = Object.entries(responseCodesModule.responseCodes).flatMap(([code, row]) => {
      if (!("reason" in row) || row.networkCode === undefined) return []
      const meaning = Object.hasOwn(commonCodes, row.networkCode) ? commonCodes[row.networkCode] : undefined
      return meaning === undefined || meaning === row.reason ? [] : [code]
    })
    // 20010: a part where none was asked for. 20064: AML, as Visa has it. 20082: a wrong code, as Visa has it.
    assert.deepEqual(differing, ["20010", "20064", "20082"])
  })

  test("credentials count as working only when the list of payments is shown", () => {
    const { verifyCredentials } = checkout
    assert.equal(verifyCredentials.decode(answer({ limit: 1, skip: 0, total_count: 0, data: [] })).ok, true)
    assert.equal(verifyCredentials.decode(answer({ data: "no" })).ok, false)
    assert.equal(verifyCredentials.decode({ status: 401, headers: {}, body: "" }).ok, false)
  })

  test("nothing of a card's number, code or cryptogram, and no key, is left after scrubbing", () => {
    const text = JSON.stringify({
      number: 4242424242424242,
      cvv: 917,
      "3ds": { cryptogram: "AgAAAAAAAIR8CQrXcIhbQAAAAAA=" },
      log: "Bearer sk_sbox_abcdefghijklmnopqrstuvwxyz2",
    })
    assert.doesNotMatch(checkout.scrub(text), /4242424242424242|917|AgAAAA|abcdefghijkl/)
  })
})

test("checkout: asks the addresses that Checkout.com's own SDK asks, with its headers", async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const { authorization: key, "cko-idempotency-key": idempotency, "content-type": type } = request.headers
    seen.push([request.method, request.url, key, idempotency, type].join(" "))
    request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  try {
    const key = config.credentials["secret_key"]!.reveal()
    const sdk = new Checkout(key, { host: `http://127.0.0.1:${port}` } as ConstructorParameters<typeof Checkout>[1])
    const id = followUp.reference
    await sdk.payments.request({ ...encoded({}) }, standard.key)
    await sdk.payments.capture(id, {}, standard.key)
    await sdk.payments.void(id, {}, standard.key)
    await sdk.payments.refund(id, {}, standard.key)
    await sdk.payments.increment(id, {}, standard.key)
    await sdk.payments.reverse(id, {}, standard.key)
    await sdk.payments.get(id)
    await sdk.payments.getActions(id)
  } finally {
    server.close()
  }
  const { codecs, inquire } = checkout
  const ours = [
    codecs.authorize.encode(authorization, config),
    codecs.capture.encode({ ...followUp, final: true }, config),
    codecs.void.encode(followUp, config),
    codecs.refund.encode(followUp, config),
    codecs.increment.encode(followUp, config),
    codecs.reverse.encode(followUp, config),
    inquire.encode(question, config),
    inquire.encode({ ...question, about: "capture" }, config),
  ].map(({ method, path, headers }) =>
    // The SDK names a content type even where there is no content.
    [method, path, headers["authorization"], headers["cko-idempotency-key"], "application/json"].join(" "),
  )
  assert.deepEqual(seen, ours)
})
