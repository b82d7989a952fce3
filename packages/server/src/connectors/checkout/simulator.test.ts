// The connector against the simulator's Checkout.com, which others wrote from the same documents: encode, the persona,
// decode, and every webhook back through verify and decode. The clock moves only when a test says so.

import assert from "node:assert/strict"
import { test } from "node:test"
import { PERSONAS, seededRandom, type IssuerAnswer } from "@orchestra/simulator"
import { type Currency, money } from "../../core/money.ts"
import type { Outcome } from "../../core/outcome.ts"
import { secret } from "../../core/secret.ts"
import type {
  AccountConfig,
  AuthorizeInput,
  Codec,
  FollowUpInput,
  HttpRequest,
  HttpResponse,
  InquiryInput,
  Notice,
} from "../connector.ts"
import { connectorScenarios } from "../contract-scenario.ts"
import { nodeHmac } from "../contract-webhook.ts"
import { checkout } from "./index.ts"

const origin = "https://customers.example"
const attempt = "att_01k7m0c9qv3w8x5y2z4r6t8b1d"
const operation = "op_01k7m0d2ab4c6e8g0j2m4p6r8t"
const euro = (minor: bigint) => money(minor, "EUR" as Currency)

const authorization: AuthorizeInput = {
  key: "key_1",
  attempt,
  amount: euro(2000n),
  capture: "manual",
  method: { type: "card", number: secret("4485040371536584"), expiryMonth: 3, expiryYear: 2030, network: "visa" },
  initiator: { by: "customer", stored: "none" },
  threeDs: { mode: "none" },
  allowPartial: false,
  store: false,
  returnUrl: "https://pay.example/v1/returns/att_1",
}

type Issuer = Omit<IssuerAnswer, "approvedAmount"> & { readonly share?: bigint }

function openShop({ issuer, settings }: { issuer?: Issuer; settings?: AccountConfig["settings"] } = {}) {
  let now = Date.UTC(2027, 0, 15, 12)
  let timers: { readonly at: number; readonly run: () => void }[] = []
  const random = seededRandom("checkout")
  const credentials = PERSONAS.checkout.credentials(random)
  const ports = {
    now: () => now,
    random,
    after: (ms: number, run: () => void) => void timers.push({ at: now + ms, run }),
  }
  const persona = PERSONAS.checkout.create({ id: "shop", credentials, publicUrl: origin }, ports, ({ amount }) => ({
    responseCode: "00",
    approvedAmount: amount / (issuer?.share ?? 1n),
    ...issuer,
  }))
  const config: AccountConfig = {
    mode: "test",
    credentials: { secret_key: secret(credentials["secretKey"]!) },
    settings: { prefix: "vkuhvk4v", processing_channel_id: credentials["processingChannelId"]!, ...settings },
  }
  const notices: Notice[] = []
  persona.onWebhook((request) => {
    const verification = checkout.webhook.verify(request, [credentials["webhookSecret"]!], now, nodeHmac)
    assert.deepEqual(verification, { kind: "genuine" })
    notices.push(...checkout.webhook.decode(request))
  })
  const carry = ({ body = "", ...request }: HttpRequest): HttpResponse => persona.handle({ ...request, body })
  return {
    persona,
    config,
    carry,
    send: <I>(codec: Codec<I>, input: I): Outcome => codec.decode(carry(codec.encode(input, config)), input),
    wait: (ms: number): readonly Notice[] => {
      const until = now + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter((timer) => timer !== next)
        now = next.at
        next.run()
      }
      now = until
      return notices.splice(0)
    },
    charge: () => persona.truth()[0]!,
  }
}

const followUp = (reference: string, minor: bigint, captured = 0n): FollowUpInput => ({
  key: `key_${operation}`,
  attempt,
  operation,
  reference,
  amount: euro(minor),
  authorized: authorization.amount,
  captured: euro(captured),
})

const question = (change: Partial<InquiryInput>): InquiryInput => ({
  about: "authorize",
  attempt,
  operation,
  key: "key_1",
  amount: authorization.amount,
  capture: "manual",
  ...change,
})

function brief(outcome: Outcome): readonly unknown[] {
  if (outcome.kind === "approved") return [outcome.effect, outcome.amount]
  return "reason" in outcome ? [outcome.kind, outcome.reason] : [outcome.kind]
}

function approved(outcome: Outcome): string {
  assert.equal(outcome.kind, "approved")
  assert.match(outcome.evidence.reference ?? "", /^pay_/)
  return outcome.evidence.reference!
}

const day = 86_400_000

test("simulated Checkout.com: an automatic capture answers captured, becomes true and is told about the attempt", () => {
  const { send, wait, charge } = openShop()
  const outcome = send(checkout.codecs.authorize, { ...authorization, capture: "automatic" })
  assert.deepEqual(brief(outcome), ["captured", 2000n])
  const notices = wait(10_000)
  assert.deepEqual(
    notices.map((notice) => [notice.about, notice.attempt, notice.operation, notice.trust, ...brief(notice.outcome)]),
    [
      ["authorize", attempt, undefined, "signed", "captured", 2000n],
      ["capture", attempt, undefined, "signed", "captured", 2000n],
    ],
  )
  assert.equal(charge().captured, 2000n)
  assert.deepEqual(brief(send(checkout.inquire, question({ reference: approved(outcome), capture: "automatic" }))), [
    "captured",
    2000n,
  ])
})

test("simulated Checkout.com: an authorization whose answer was lost is found by our reference", () => {
  const { send, wait, carry, config } = openShop()
  carry(checkout.codecs.authorize.encode(authorization, config))
  wait(10_000)
  const found = send(checkout.inquire, question({}))
  assert.deepEqual(brief(found), ["authorized", 2000n])
  assert.deepEqual(brief(send(checkout.inquire, question({ reference: approved(found) }))), ["authorized", 2000n])
  assert.deepEqual(brief(send(checkout.inquire, question({ attempt: "att_other" }))), ["absent"])
})

test("simulated Checkout.com: the same key brings the same outcome and no second payment", () => {
  const { send, persona } = openShop()
  const first = send(checkout.codecs.authorize, authorization)
  assert.deepEqual(send(checkout.codecs.authorize, authorization), first)
  assert.equal(persona.truth().length, 1)
})

for (const { about, captured, asked, effect } of [
  { about: "capture", captured: 0n, asked: 700n, effect: ["captured", 700n] },
  { about: "void", captured: 0n, asked: 2000n, effect: ["voided", 0n] },
  { about: "refund", captured: 2000n, asked: 700n, effect: ["refunded", 700n] },
] as const)
  test(`simulated Checkout.com: a ${about} is accepted, then found among the actions and told with our ids`, () => {
    const { send, wait } = openShop()
    const capture = captured > 0n ? "automatic" : "manual"
    const reference = approved(send(checkout.codecs.authorize, { ...authorization, capture }))
    wait(10_000)
    const input = { ...followUp(reference, asked, captured), final: false }
    const accepted = send(checkout.codecs[about] as Codec<typeof input>, input)
    assert.deepEqual(brief(accepted), ["pending"])
    const asking = question({
      about,
      reference,
      operationReference: accepted.evidence.reference!,
      amount: input.amount,
    })
    assert.deepEqual(brief(send(checkout.inquire, asking)), ["pending"])
    const notices = wait(10_000)
    assert.deepEqual(
      notices.map((notice) => [notice.about, notice.attempt, notice.operation, notice.operationReference]),
      [[about, attempt, operation, accepted.evidence.reference]],
    )
    assert.deepEqual(brief(notices[0]!.outcome), effect)
    assert.deepEqual(brief(send(checkout.inquire, asking)), effect)
    // Our own id finds it as well, where the answer that named the action was lost.
    const { operationReference: _, ...withoutId } = asking
    assert.deepEqual(brief(send(checkout.inquire, withoutId)), effect)
  })

test("simulated Checkout.com: a follow-up that the payment's state forbids is rejected", () => {
  const { send, wait } = openShop()
  const reference = approved(send(checkout.codecs.authorize, authorization))
  assert.deepEqual(brief(send(checkout.codecs.refund, followUp(reference, 700n))), ["rejected", "wrong_state"])
  send(checkout.codecs.void, followUp(reference, 2000n))
  wait(10_000)
  const capture = { ...followUp(reference, 2000n), key: "key_capture", final: true }
  assert.deepEqual(brief(send(checkout.codecs.capture, capture)), ["rejected", "wrong_state"])
  assert.deepEqual(brief(send(checkout.inquire, question({ reference }))), ["voided", 0n])
})

test("simulated Checkout.com: an increment of an estimate answers with the new total", () => {
  const { send, wait, charge } = openShop({ settings: { authorization_type: "Estimated" } })
  const reference = approved(send(checkout.codecs.authorize, authorization))
  wait(10_000)
  assert.deepEqual(brief(send(checkout.codecs.increment, followUp(reference, 2600n))), ["incremented", 2600n])
  assert.equal(charge().authorized, 2600n)
  const notices = wait(10_000)
  assert.deepEqual(
    notices.map((notice) => [notice.about, notice.operation, ...brief(notice.outcome)]),
    [["increment", operation, "incremented", 2600n]],
  )
})

test("simulated Checkout.com: a decline has the issuer's reason in the answer and in the webhook", () => {
  const { send, wait } = openShop({ issuer: { responseCode: "54" } })
  assert.deepEqual(brief(send(checkout.codecs.authorize, authorization)), ["declined", "expired_card"])
  const notices = wait(10_000)
  assert.deepEqual(
    notices.map((notice) => [notice.about, notice.attempt, ...brief(notice.outcome)]),
    [["authorize", attempt, "declined", "expired_card"]],
  )
  assert.equal(send(checkout.inquire, question({})).kind, "declined")
})

test("simulated Checkout.com: a partial approval is booked with what was approved", () => {
  const { send } = openShop({ issuer: { responseCode: "10", share: 2n } })
  const outcome = send(checkout.codecs.authorize, { ...authorization, allowPartial: true })
  assert.deepEqual(brief(outcome), ["authorized", 1000n])
  assert.deepEqual(brief(send(checkout.inquire, question({ reference: approved(outcome) }))), ["authorized", 1000n])
})

test("simulated Checkout.com: a zero amount verifies the card", () => {
  const { send, wait } = openShop()
  assert.deepEqual(brief(send(checkout.codecs.authorize, { ...authorization, amount: euro(0n) })), ["verified", 0n])
  assert.deepEqual(
    wait(10_000).map(({ outcome }) => brief(outcome)),
    [["verified", 0n]],
  )
})

for (const { challenge, end } of [
  { challenge: "authenticated", end: ["authorized", 2000n] },
  { challenge: "failed", end: ["declined"] },
])
  test(`simulated Checkout.com: 3-D Secure sends the customer away, and ${challenge} is learned by inquiry`, () => {
    const { send, wait, persona } = openShop()
    const outcome = send(checkout.codecs.authorize, { ...authorization, threeDs: { mode: "required" } })
    assert(outcome.kind === "action" && outcome.action.type === "redirect")
    const asking = question({ reference: outcome.evidence.reference! })
    assert.equal(send(checkout.inquire, asking).kind, "pending")
    const path = outcome.action.url.slice(origin.length)
    const back = persona.page({ method: "POST", path, headers: {}, body: `challenge=${challenge}` })
    assert.ok(back.headers["location"]?.startsWith(authorization.returnUrl!))
    assert.deepEqual(brief(send(checkout.inquire, asking)).slice(0, end.length), end)
    const decided = wait(10_000).filter(({ about, trust }) => about === "authorize" && trust === "signed")
    assert.deepEqual(
      decided.map((notice) => brief(notice.outcome).slice(0, end.length)),
      [end],
    )
  })

test("simulated Checkout.com: a customer who never comes back leaves a decline", () => {
  const { send, wait } = openShop()
  const { evidence } = send(checkout.codecs.authorize, { ...authorization, threeDs: { mode: "required" } })
  wait(day)
  assert.deepEqual(brief(send(checkout.inquire, question({ reference: evidence.reference! }))), [
    "declined",
    "customer_timeout",
  ])
})

test("simulated Checkout.com: an authorization that ran out holds nothing and is told to have expired", () => {
  const { send, wait } = openShop()
  const reference = approved(send(checkout.codecs.authorize, authorization))
  wait(10_000)
  assert.deepEqual(
    wait(40 * day).map(({ about, attempt: of }) => [about, of]),
    [["expire", attempt]],
  )
  assert.deepEqual(brief(send(checkout.inquire, question({ reference }))), ["voided", 0n])
})

test("simulated Checkout.com: a dispute is opened for its payment with the time to answer", () => {
  const { send, wait, persona } = openShop()
  const reference = approved(send(checkout.codecs.authorize, { ...authorization, capture: "automatic" }))
  wait(10_000)
  assert.ok(persona.befall(reference, { type: "dispute", amount: 500n }))
  const [notice] = wait(10_000)
  assert.equal(notice?.reference, reference)
  assert.equal(notice.attempt, attempt)
  assert.equal(notice.dispute?.stage, "opened")
  assert.equal(notice.dispute.amount, 500n)
  assert.match(notice.dispute.dueAt ?? "", /^2027-/)
})

test("simulated Checkout.com: a working key is told from a wrong one", () => {
  const { carry, config } = openShop()
  const { encode, decode } = checkout.verifyCredentials
  assert.equal(decode(carry(encode(config))).ok, true)
  const wrong = { ...config, credentials: { secret_key: secret("sk_sbox_aaaaaaaaaaaaaaaaaaaaaaaaaa2") } }
  assert.deepEqual(decode(carry(encode(wrong))), { ok: false, detail: "The secret key is not accepted." })
})

connectorScenarios(checkout, {
  persona: "checkout",
  config: ({ secretKey }) => ({
    mode: "test",
    credentials: { secret_key: secret(secretKey!) },
    // Only estimates can be raised.
    settings: { prefix: "vkuhvk4v", authorization_type: "Estimated" },
  }),
  webhookSecret: ({ webhookSecret }) => webhookSecret!,
})
