// Recovery must end: with a verdict, with a reversal, or with a person, after a number of looks that can be said.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { connectors } from "../connectors/registry.ts"
import { isOpen, statusOf } from "../core/payment.ts"
import { MAX_COMPLETIONS } from "../core/payment-command.ts"
import { accountAt, scripted } from "../../testing/scripted.ts"
import { follow } from "./follow-up.ts"
import { recover } from "./recover.ts"
import { apply } from "./receive.ts"
import { RECOVERY_DELAYS_MS } from "./timing.ts"

const redirect = {
  body: {
    resultCode: "RedirectShopper",
    pspReference: "PSP",
    action: { type: "redirect", method: "GET", url: "https://issuer.example/3ds", paymentMethodType: "scheme" },
  },
}

test("a customer who never comes back to a payment that is being canceled is asked about a bounded number of times", async () => {
  const checkout = accountAt("shop", connectors.checkout)
  const world = scripted([checkout], ({ method, path }) =>
    method === "POST" && path === "/payments"
      ? {
          status: 202,
          body: {
            id: "pay_mbabizu24mvu3mela5njyhpit4",
            status: "Pending",
            _links: { redirect: { href: "https://issuer.example/3ds" } },
          },
        }
      : { status: 500, body: {} },
  )
  const { id } = world.pay()
  await world.pass(5_000)
  assert.equal(statusOf(world.stored(id)), "requires_action")
  void world.follow(id, { type: "cancel" })
  await world.pass(4 * 86_400_000)
  const looks = 2 * (RECOVERY_DELAYS_MS.length + 2)
  assert.ok(world.calls.length <= 1 + 2 * looks, `${world.calls.length} calls`)
  assert.ok(
    world
      .stored(id)
      .operations.filter(isOpen)
      .every((o) => o.needsPerson),
  )
})

test("a customer who does not finish in time lets the payment expire, and what the attempt may hold is reversed", async () => {
  const world = scripted([accountAt("shop")], ({ path }) =>
    path.endsWith("/payments") ? redirect : { body: { pspReference: "REV", status: "received" } },
  )
  const { id } = world.pay({ returnUrl: "https://shop.example" })
  await world.pass(5_000)
  assert.equal(statusOf(world.stored(id)), "requires_action")
  await world.pass(2 * 86_400_000)
  assert.equal(world.stored(id).ending?.as, "expired")
  assert.ok(world.stored(id).operations.some((o) => o.kind === "reverse"))
})

test("a look that fails counts as a look: in the end a person has to", async () => {
  const broken = {
    ...connectors.checkout,
    get inquire(): never {
      throw new TypeError("a bug in a connector")
    },
  }
  const world = scripted([accountAt("shop", broken as never)], () => "silence")
  const { id } = world.pay()
  await world.pass(4 * 86_400_000)
  const [operation] = world.stored(id).operations
  assert.equal(operation?.needsPerson, true)
  assert.ok(
    world.errors.filter((e) => e.startsWith("recovery of a payment failed")).length <= RECOVERY_DELAYS_MS.length + 3,
  )
})

test("an amount that the provider cannot express is refused before anything is stored", async () => {
  const world = scripted([accountAt("shop", connectors.adyen)], ({ path }) =>
    path.endsWith("/payments")
      ? { body: { pspReference: "PSP", resultCode: "Authorised" } }
      : { body: { pspReference: "MOD", status: "received" } },
  )
  const { id } = world.pay({ amount: { minor: 1_000_000n, currency: "IDR" as never }, capture: "automatic" })
  await world.pass(2_000)
  const before = world.stored(id).version
  const followed = follow(world.engine, world.stored(id).merchant, id, { type: "refund", amount: 10_050n }, undefined)
  await world.pass(2_000)
  const answer = await followed
  assert.equal(answer.kind === "refused" && answer.code, "amount.not_expressible")
  assert.equal(world.stored(id).version, before)
})

test("a follow-up goes to the account of the attempt that stands, not to the latest that ever held money", async () => {
  const first = accountAt("first")
  const world = scripted([first, accountAt("second")], ({ account, path }) =>
    !path.endsWith("/payments")
      ? { body: { pspReference: `MOD ${account}`, status: "received" } }
      : account === "first"
        ? {
            body: {
              pspReference: "PSP1",
              resultCode: "Refused",
              refusalReasonCode: "9",
              refusalReason: "Issuer Unavailable",
            },
          }
        : { body: { pspReference: "PSP2", resultCode: "Authorised" }, afterMs: 5_000 },
  )
  const { id } = world.pay()
  await world.pass(2_000)
  // The first provider contradicts itself while the second is asked: both hold the money then, and the first stands.
  const [attempt] = world.stored(id).attempts
  void apply(world.engine, first, {
    about: "authorize",
    eventId: "event",
    type: "AUTHORISATION",
    trust: "signed",
    attempt: attempt!.id,
    reference: "PSP1",
    outcome: {
      kind: "approved",
      effect: "authorized",
      amount: 1_000n,
      raw: { code: "true" },
      evidence: { reference: "PSP1" },
    },
  })
  await world.pass(10_000)
  assert.deepEqual(
    world.stored(id).attempts.map((a) => a.state),
    ["held", "held"],
  )
  void world.follow(id, { type: "capture" })
  await world.pass(5_000)
  const captures = world.calls
    .filter((call) => call.path.includes("captures"))
    .map((call) => `${call.account} ${call.path.replace(/^\/v\d+/, "")}`)
  assert.deepEqual([...new Set(captures)], ["first /payments/PSP1/captures"])
})

test("a copy that is turned away says nothing about a first request that may have arrived", async () => {
  const world = scripted([accountAt("shop")], ({ path }, calls) =>
    path.endsWith("/payments")
      ? { body: { pspReference: "PSP", resultCode: "Authorised" } }
      : calls.some((call) => call.path.includes("refunds"))
        ? { status: 401, body: { status: 401, errorCode: "000", message: "HTTP Status Response - Unauthorized" } }
        : "silence",
  )
  const { id } = world.pay({ capture: "automatic" })
  await world.pass(2_000)
  void world.follow(id, { type: "refund", amount: 300n })
  await world.pass(5 * 86_400_000)
  const operation = world.stored(id).operations.find((o) => o.kind === "refund")
  assert.deepEqual([operation?.state, operation?.needsPerson], ["unknown", true])
  assert.ok(world.calls.filter((call) => call.path.includes("refunds")).length > 1)
})

test("two looks at one payment send its reversal once", async () => {
  const { engine, world, ...shop } = scripted([accountAt("shop")], ({ path }) =>
    path.endsWith("/payments") ? "silence" : { body: { pspReference: "REV", status: "received" }, afterMs: 500 },
  )
  const { id } = shop.pay()
  await world.run(world.now + 1_000)
  void shop.follow(id, { type: "cancel" })
  await world.run(world.now + 300)
  const owed = shop.stored(id)
  for (const ms of [1, 2]) void world.sleep(ms).then(() => recover(engine, owed))
  await world.run(world.now + 3_000)
  assert.equal(shop.calls.filter(({ path }) => !path.endsWith("/payments")).length, 1)
  assert.equal(shop.stored(id).operations.find((o) => o.kind === "reverse")?.state, "pending")
})

test("a customer's returns use up nothing that the merchant needs", async () => {
  const world = scripted([accountAt("shop")], ({ path }) =>
    path.endsWith("/payments")
      ? redirect
      : { status: 422, body: { status: 422, errorCode: "14_0408", errorType: "validation", message: "Invalid" } },
  )
  const { id } = world.pay({ returnUrl: "https://shop.example" })
  await world.pass(2_000)
  for (let visits = 0; visits < 30; visits++) {
    void world.follow(id, { type: "complete", fields: { redirectResult: "forged" } })
    await world.pass(1_000)
  }
  assert.equal(world.stored(id).operations.filter((o) => o.kind === "complete").length, MAX_COMPLETIONS)
  const canceled = world.follow(id, { type: "cancel" })
  await world.pass(1_000)
  assert.equal((await canceled).kind, "payment")
})

test("a reversal that the provider calls done, of a payment that it still calls captured, is not done", async () => {
  const id = "pay_mbabizu24mvu3mela5njyhpit4"
  const action = "act_y3oqhf46pyzuxjbcn2giaqnb44"
  let attempt = ""
  let reversals = 0
  const shown = () => ({
    id,
    status: "Captured",
    approved: true,
    response_code: "10000",
    amount: 1_000,
    currency: "EUR",
    reference: attempt,
    balances: { total_authorized: 1_000, total_captured: 1_000, total_refunded: 0, available_to_capture: 0 },
  })
  const first = accountAt("first", connectors.checkout, { onUnknown: "reverse_then_reroute" })
  const world = scripted([first, accountAt("second")], ({ account, method, path, body }) => {
    if (account === "second") return { body: { pspReference: "PSP", resultCode: "Authorised" } }
    if (method === "GET") return { body: path.startsWith("/payments?") ? { data: [shown()] } : shown() }
    if (path === "/payments") {
      attempt = (JSON.parse(body) as { reference: string }).reference
      return "silence"
    }
    reversals += 1
    return reversals === 1 ? { status: 202, body: { action_id: action } } : { status: 204, body: undefined }
  })
  const payment = world.pay({ capture: "automatic", answerWithinMs: 60_000 }).id
  const reversal = () => world.stored(payment).operations.find((o) => o.kind === "reverse")!
  for (let tries = 0; tries < 400 && reversals === 0; tries++) await world.pass(1_000)
  await world.pass(500)
  const data = {
    id,
    action_id: action,
    reference: reversal().id,
    amount: 1_000,
    currency: "EUR",
    response_code: "20051",
    metadata: { orchestra_attempt: attempt, orchestra_operation: reversal().id, orchestra_kind: "reverse" },
  }
  const event = { id: "evt_1", type: "payment_refund_declined", data }
  const [notice] = connectors.checkout.webhook.decode({ headers: {}, body: JSON.stringify(event) })
  void apply(world.engine, first, notice!)
  await world.pass(3_600_000)
  assert.ok(reversals > 1)
  assert.ok(isOpen(reversal()))
  assert.equal(world.stored(payment).attempts[0]?.state, "held")
  await world.pass(4 * 86_400_000)
  assert.ok(isOpen(reversal()) && reversal().needsPerson)
})

describe("a customer at the page of Checkout.com, whose payment details show that but not the page,", () => {
  const id = "pay_mbabizu24mvu3mela5njyhpit4"
  const redirected = {
    status: 202,
    body: { id, status: "Pending", _links: { redirect: { href: "https://3ds.example" } } },
  }
  const pending = {
    id,
    status: "Pending",
    amount: 1_000,
    currency: "EUR",
    _links: { self: { href: "https://api.example" } },
  }
  const shop = accountAt("shop", connectors.checkout)
  const started = async (details: () => object) => {
    const world = scripted([shop], ({ method, path }) =>
      method === "GET" ? { body: details() } : path === "/payments" ? redirected : { status: 403, body: undefined },
    )
    const payment = world.pay({ capture: "automatic" }).id
    await world.pass(2_000)
    return {
      world,
      stored: () => world.stored(payment),
      complete: () => world.follow(payment, { type: "complete", fields: {} }),
    }
  }

  test("may come back too early, go on and finish", async () => {
    let details: object = pending
    const { world, stored, complete } = await started(() => details)
    for (let returns = 0; returns < 2; returns++) {
      const returned = complete()
      await world.pass(2_000)
      assert.equal((await returned).kind, "payment")
      assert.equal(statusOf(stored()), "requires_action")
      assert.ok(stored().attempts[0]?.action !== undefined)
    }
    details = { ...pending, status: "Captured", approved: true, response_code: "10000" }
    void complete()
    await world.pass(2_000)
    assert.equal(statusOf(stored()), "captured")
  })

  test("is not disturbed by an event that only says that something is going on", async () => {
    const { world, stored } = await started(() => pending)
    const data = { id, reference: stored().attempts[0]!.id, metadata: { orchestra_attempt: stored().attempts[0]!.id } }
    const event = { id: "evt_1", type: "payment_pending", data }
    const [notice] = connectors.checkout.webhook.decode({ headers: {}, body: JSON.stringify(event) })
    void apply(world.engine, shop, notice!)
    await world.pass(200)
    await world.pass(60_000)
    assert.ok(world.calls.some((call) => call.method === "GET"))
    assert.equal(statusOf(stored()), "requires_action")
    assert.equal(stored().ending, undefined)
  })

  test("who never finishes lets the payment expire at its time", async () => {
    let details: object = pending
    const { world, stored, complete } = await started(() => details)
    void complete()
    await world.pass(3_600_000)
    assert.equal(stored().ending?.as, "expired")
    assert.ok(stored().operations.some((o) => o.kind === "reverse"))
    details = { ...pending, status: "Expired", approved: false, response_code: "20152" }
    await world.pass(2 * 86_400_000)
    assert.equal(statusOf(stored()), "expired")
  })
})

test("a customer at Adyen's page is not disturbed by an event that is no fact", async () => {
  const shop = accountAt("shop")
  const world = scripted([shop], () => redirect)
  const { id } = world.pay({ returnUrl: "https://shop.example" })
  await world.pass(2_000)
  void apply(world.engine, shop, {
    about: "authorize",
    eventId: "event",
    type: "AUTHORISATION",
    trust: "hint",
    attempt: world.stored(id).attempts[0]!.id,
    outcome: { kind: "pending", raw: { code: "AUTHORISATION" }, evidence: {} },
  })
  await world.pass(200)
  await world.pass(60_000)
  assert.equal(statusOf(world.stored(id)), "requires_action")
  assert.equal(world.stored(id).ending, undefined)
})

describe("an account whose credentials may have become another account's", () => {
  const world = (
    connector: typeof connectors.checkout | typeof connectors.adyen,
    onUnknown: "wait" | "reverse_then_reroute",
  ) => {
    const before = accountAt("shop", connector, { onUnknown })
    const accounts = [before, accountAt("other", connectors.checkout)]
    let reversals = 0
    const told = scripted(accounts, ({ account, method, path }) => {
      if (account === "other")
        return { status: 422, body: { error_type: "request_invalid", error_codes: ["card_expired"] } }
      if (path.endsWith("/payments") && method === "POST") return "silence"
      if (method === "GET") return { body: { data: [] } }
      reversals += 1
      return { status: 201, body: { pspReference: `MOD${reversals}`, status: "received" } }
    })
    const { id } = told.pay({ capture: "automatic", answerWithinMs: 60_000 })
    return {
      told,
      before,
      stored: () => told.stored(id),
      change: () => accounts.splice(0, 1, { ...before, generation: 1 }),
    }
  }

  test("is not believed that it never saw a payment: a person decides", async () => {
    const { told, stored, change } = world(connectors.checkout, "wait")
    await told.pass(2_000)
    change()
    await told.pass(4 * 86_400_000)
    const [operation] = stored().operations
    assert.deepEqual([operation?.state, operation?.needsPerson, operation?.generation], ["unknown", true, undefined])
    assert.equal(statusOf(stored()), "processing")
  })

  test("does not end a reversal by finding nothing to cancel", async () => {
    const { told, before, stored, change } = world(connectors.adyen, "reverse_then_reroute")
    const reversal = () => stored().operations.find((o) => o.kind === "reverse")
    await told.pass(2_000)
    change()
    for (let minutes = 0; minutes < 30; minutes++) {
      await told.pass(60_000)
      if (reversal()?.state !== "pending") continue
      const NotificationRequestItem = {
        merchantAccountCode: "Other",
        amount: { value: 0, currency: "EUR" },
        eventCode: "TECHNICAL_CANCEL",
        success: "false",
        pspReference: reversal()?.reference,
        merchantReference: reversal()?.id,
      }
      const body = JSON.stringify({ notificationItems: [{ NotificationRequestItem }] })
      for (const notice of connectors.adyen.webhook.decode({ headers: {}, body }))
        void apply(told.engine, before, notice)
      await told.pass(500)
    }
    assert.ok(reversal() !== undefined && isOpen(reversal()!))
    assert.equal(reversal()?.generation, 1)
    assert.equal(stored().attempts[0]?.state, "open")
  })
})
