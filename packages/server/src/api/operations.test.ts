// What we have given up on is found, looked at anew, or settled by a person's word: on the real parts, with a provider
// that is away for weeks.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import type { OperationId, PaymentId } from "../core/id.ts"
import { isOpen, type OperationKind } from "../core/payment.ts"
import { violationOf } from "../core/invariant.ts"
import type { Notice } from "../connectors/connector.ts"
import { apply } from "../engine/receive.ts"
import { BELIEVED_AFTER_TRIES } from "../engine/found-at-provider.ts"
import { recover } from "../engine/recover.ts"

// No worker: time passes when a test says so.
const api = await startApi({ role: "api" })
const providers = await simulate(api, "adyen", "stripe")
const accounts = { adyen: (await providers.connect("adyen")).id, stripe: (await providers.connect("stripe")).id }
const { engine } = api.server
let keys = 0
const post = (path: string, body: Json, key = `key-${(keys += 1)}`, secret = api.key): Promise<Answer> =>
  api.call("POST", path, { body, headers: { "idempotency-key": key }, key: secret })
const get = async (id: string): Promise<Json> => ok(await api.call("GET", `/v1/payments/${id}`))
const needing = async (): Promise<string[]> =>
  ok(await api.call("GET", "/v1/payments", { query: { needs_person: "true" } })).data.map(({ id }: Json) => id)
const operator = "Ada Lovelace"
const note = "read in their dashboard, ticket 4711"

type Persona = keyof typeof accounts
const away = (persona: Persona): Promise<unknown> =>
  providers.simulator.setWeather(persona, { faults: [{ type: "refused", probability: 1 }] })
const back = (persona: Persona): Promise<unknown> => providers.simulator.setWeather(persona, {})

/** The provider does what it is asked, and nobody hears of it. */
async function lose(persona: Persona, operation: "authorize" | "refund"): Promise<void> {
  await providers.simulator.setWeather(persona, {
    faults: [{ type: "reset_after", probability: 1, match: { operation: [operation] } }],
  })
}

const DAY_MS = 86_400_000
/** More than any schedule takes. */
const MAX_LOOKS = 80

const { now } = engine.clock
let passed = 0
Object.assign(engine.clock, { now: () => now() + passed })

/** Days go by, somebody looks whenever it is time, and the provider is away; until we give up. */
async function giveUp(id: string): Promise<Json> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const known = await engine.ledger.load(api.merchant, id as PaymentId)
    assert.ok(known)
    if (known.operations.some((o) => isOpen(o) && o.needsPerson)) return get(id)
    passed += DAY_MS
    await recover(engine, known)
  }
  return assert.fail(`after ${MAX_LOOKS} looks nobody has given up: ${JSON.stringify(await get(id))}`)
}

const open = (payment: Json, kind: OperationKind): Json =>
  payment.operations.find((o: Json) => o.kind === kind && o.needs_person)
const path = (payment: Json, kind: OperationKind, verb: "retry" | "settle"): string =>
  `/v1/payments/${payment.id}/operations/${open(payment, kind).id}/${verb}`

/** What is stored holds its invariants, whatever somebody said. */
async function sound(id: string): Promise<void> {
  const payment = await engine.ledger.load(api.merchant, id as PaymentId)
  assert.ok(payment)
  assert.equal(violationOf(payment), undefined)
}

const wanted = { amount: 1000, currency: "EUR", payment_method: { type: "card", card }, answer_within_ms: 1_000 }

/** A captured payment at Adyen whose refund nobody could find out about. */
async function refunding(): Promise<Json> {
  const paid = ok(await post("/v1/payments", { ...wanted, account: accounts.adyen }), 201)
  await lose("adyen", "refund")
  ok(await post(`/v1/payments/${paid.id}/refund`, { amount: 600 }))
  await away("adyen")
  const payment = await giveUp(paid.id)
  await back("adyen")
  return payment
}

/** An authorization at Stripe of which we never heard again. */
async function authorizing(): Promise<Json> {
  await lose("stripe", "authorize")
  const asked = await post("/v1/payments", { ...wanted, account: accounts.stripe, answer_within_ms: 1_000 })
  assert.equal(ok(asked, 201).status, "processing")
  await away("stripe")
  const payment = await giveUp(asked.body.id)
  await back("stripe")
  return payment
}

test("what needs a person is listed until it no longer does, and says so itself", async () => {
  const plain = ok(await post("/v1/payments", { ...wanted, account: accounts.adyen }), 201)
  assert.equal(plain.needs_person, false)
  assert.deepEqual(await needing(), [])
  const given = await refunding()
  assert.equal(given.needs_person, true)
  assert.equal(open(given, "refund").needs_person, true)
  assert.deepEqual(await needing(), [given.id])
  assert.deepEqual(
    ok(
      await api.call("GET", "/v1/payments", {
        query: { needs_person: "true" },
        key: (await api.newKey({ mode: "live" })).secret,
      }),
    ).data,
    [],
  )
  ok(await post(path(given, "refund", "settle"), { verdict: "succeeded", operator, note }))
  assert.deepEqual(await needing(), [])
})

test("a retry starts the schedule anew: the provider is asked, and its answer counts", async () => {
  const given = await authorizing()
  const { id } = open(given, "authorize")
  const retried = ok(await post(path(given, "authorize", "retry"), { operator, note: "their outage is over" }))
  assert.equal(retried.needs_person, false)
  const operation = retried.operations.find((o: Json) => o.id === id)
  assert.equal(operation.needs_person, false)
  assert.equal(operation.acted.said, "retry")
  assert.equal(operation.acted.by, operator)
  const again = await post(`/v1/payments/${given.id}/operations/${id}/retry`, { operator })
  assert.equal(again.body.code, "operation.in_progress", "nobody has given up on it now")
  const loaded = await engine.ledger.load(api.merchant, given.id)
  assert.ok(loaded)
  const known = loaded.operations.find((o) => o.id === id)
  assert.equal(known?.checks, 0)
  await recover(engine, loaded)
  assert.equal((await get(given.id)).status, "captured", "the provider had charged it")
})

test("an authorization that was found by hand stands, with the provider's id, and can be refunded", async () => {
  const given = await authorizing()
  const key = "by-hand"
  const { reference } = given.attempts[0]
  assert.ok(reference, "Stripe's id was known before it charged")
  const body = { verdict: "succeeded", captured: true, operator, note }
  const answer = await post(path(given, "authorize", "settle"), body, key)
  const settled = ok(answer)
  assert.equal(settled.status, "captured")
  assert.equal(settled.amounts.captured, 1000)
  const operation = settled.operations.find((o: Json) => o.id === open(given, "authorize").id)
  assert.equal(operation.state, "succeeded")
  assert.deepEqual(
    [operation.acted.said, operation.acted.by, operation.acted.note, operation.outcome.raw.code],
    ["succeeded", operator, note, "settled_by_hand"],
  )
  await sound(given.id)
  const { data } = ok(await api.call("GET", `/v1/payments/${given.id}/events`))
  const told = data.find((event: Json) => event.type === "operation.settled_by_hand")
  assert.equal(told.data.operation.acted.note, note)
  assert.ok(data.some((event: Json) => event.type === "payment.captured"))
  const again = await post(path(given, "authorize", "settle"), body, key)
  assert.equal(again.headers["idempotent-replayed"], "true")
  assert.equal(again.text, answer.text)
  assert.equal((await post(path(given, "authorize", "settle"), body)).body.code, "operation.closed")
  assert.equal(ok(await post(`/v1/payments/${given.id}/refund`, {})).amounts.refunded, 1000)
})

test("an authorization that was declined, or never came, ends the payment; one that was given back too", async () => {
  for (const [verdict, state] of [
    ["failed", "declined"],
    ["absent", "absent"],
    ["reversed", "reversed"],
  ] as const) {
    const given = await authorizing()
    const settled = ok(await post(path(given, "authorize", "settle"), { verdict, operator, note }))
    assert.equal(settled.status, "failed", verdict)
    assert.equal(settled.attempts[0].state, state)
    assert.equal(settled.needs_person, false)
    await sound(given.id)
  }
})

test("a refund by hand counts with its own amount, and a failed one frees what it had reserved", async () => {
  const partly = await refunding()
  const some = ok(await post(path(partly, "refund", "settle"), { verdict: "succeeded", amount: 250, operator, note }))
  assert.deepEqual([some.amounts.refunded, some.amounts.refunding], [250, 0])
  await sound(partly.id)
  const failed = await refunding()
  const none = ok(await post(path(failed, "refund", "settle"), { verdict: "failed", operator, note }))
  assert.deepEqual([none.amounts.refunded, none.amounts.refunding], [0, 0])
  await sound(failed.id)
})

test("a reversal is owed until somebody says that it was made", async () => {
  await lose("adyen", "authorize")
  const asked = ok(await post("/v1/payments", { ...wanted, account: accounts.adyen, capture_method: "manual" }), 201)
  assert.equal(asked.status, "processing")
  ok(await post(`/v1/payments/${asked.id}/cancel`, { reason: "the customer left" }))
  await away("adyen")
  const given = await giveUp(asked.id)
  await back("adyen")
  const refused = await post(path(given, "reverse", "settle"), { verdict: "failed", operator, note })
  assert.equal(refused.body.code, "operation.verdict_impossible")
  assert.equal((await get(given.id)).needs_person, true)
  const settled = ok(await post(path(given, "reverse", "settle"), { verdict: "succeeded", operator, note }))
  assert.equal(settled.status, "canceled")
  assert.equal(settled.attempts[0].state, "reversed")
  await sound(given.id)
})

test("what may still end by itself is not settled by hand", async () => {
  await lose("stripe", "authorize")
  const asked = ok(await post("/v1/payments", { ...wanted, account: accounts.stripe }), 201)
  await back("stripe")
  const { id } = asked.operations.find((o: Json) => o.kind === "authorize")
  for (const verdict of ["absent", "failed", "reversed"]) {
    const answer = await post(`/v1/payments/${asked.id}/operations/${id}/settle`, { verdict, operator, note })
    assert.equal(answer.status, 409, answer.text)
    assert.equal(answer.body.code, "operation.in_progress", verdict)
  }
  assert.equal((await get(asked.id)).status, "processing")
})

test("what cannot be is refused, and nothing changes", async () => {
  const given = await refunding()
  const settle = path(given, "refund", "settle")
  const before = await get(given.id)
  for (const [body, status, code] of [
    [{ verdict: "succeeded", amount: 601, operator, note }, 422, "operation.verdict_impossible"],
    [{ verdict: "succeeded", captured: true, operator, note }, 422, "operation.verdict_impossible"],
    [{ verdict: "reversed", operator, note }, 422, "operation.verdict_impossible"],
    [{ verdict: "succeeded", operator }, 400, "request.invalid"],
    [{ verdict: "succeeded", note }, 400, "request.invalid"],
  ] as const) {
    const answer = await post(settle, body)
    assert.deepEqual([answer.status, answer.body.code], [status, code], answer.text)
  }
  const other = api.id("op") as OperationId
  assert.equal(
    (await post(`/v1/payments/${given.id}/operations/${other}/retry`, { operator })).body.code,
    "resource.not_found",
  )
  assert.deepEqual(await get(given.id), before)
})

test("a key that makes payments may not say how they ended; a number in a note is masked", async () => {
  const given = await refunding()
  const shop = await api.newKey({ scopes: ["payments:read", "payments:write"] })
  const body = { verdict: "succeeded", operator, note: "card 4242 4242 4242 4242 was refunded" }
  const refused = await post(path(given, "refund", "settle"), body, "shop", shop.secret)
  assert.deepEqual([refused.status, refused.body.code], [403, "auth.scope"])
  const person = await api.newKey({ scopes: ["payments:operate"] })
  const settled = ok(await post(path(given, "refund", "settle"), body, "person", person.secret))
  const { acted } = settled.operations.find((o: Json) => o.kind === "refund")
  assert.equal(acted.key, person.id)
  assert.ok(!/4242 ?4242 ?4242/.test(JSON.stringify(settled)), acted.note)
})

test("of two verdicts at the same moment, one counts", async () => {
  const given = await refunding()
  const said = await Promise.all(
    (["succeeded", "failed"] as const).map((verdict) =>
      post(path(given, "refund", "settle"), { verdict, operator, note }),
    ),
  )
  assert.deepEqual(
    said.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409],
  )
  assert.equal(said.find(({ status }) => status === 409)?.body.code, "operation.closed")
  await sound(given.id)
})

test("a verdict whose commit was stored unheard is told as stored, and recorded once", async () => {
  const given = await refunding()
  const { ledger } = engine
  const { commit } = ledger
  Object.assign(ledger, {
    commit: async (...of: Parameters<typeof commit>) => {
      Object.assign(ledger, { commit })
      await commit(...of)
      throw new Error("the connection was lost")
    },
  })
  const body = { verdict: "succeeded", operator, note }
  const answer = await post(path(given, "refund", "settle"), body, "unheard")
  assert.equal(ok(answer).amounts.refunded, 600)
  assert.equal((await post(path(given, "refund", "settle"), body, "unheard")).text, answer.text)
  const { data } = ok(await api.call("GET", `/v1/payments/${given.id}/events`))
  assert.equal(data.filter((event: Json) => event.type === "operation.settled_by_hand").length, 1)
})

/** Somebody gives back more at Adyen than was captured, and we are told. */
async function overRefunded(): Promise<Json> {
  const paid = ok(await post("/v1/payments", { ...wanted, account: accounts.adyen }), 201)
  await tellRefund(paid, 1500n)
  return get(paid.id)
}

async function tellRefund({ attempts, id }: Json, amount: bigint): Promise<void> {
  const account = engine.directory.account(accounts.adyen as `acc_${string}`)
  assert.ok(account)
  const refund: Notice = {
    about: "refund",
    eventId: `refund of ${amount} of ${id}`,
    type: "REFUND",
    trust: "signed",
    reference: attempts[0].reference,
    outcome: { kind: "approved", effect: "refunded", amount, raw: { code: "REFUND" }, evidence: {} },
  }
  assert.equal(await apply(engine, account, refund, BELIEVED_AFTER_TRIES), "applied")
}

const acknowledgement = { operator, note: "given back twice in their dashboard; written off" }

test("what a provider reports beyond what was asked is booked, and needs a person until one has looked into it", async () => {
  const plain = ok(await post("/v1/payments", { ...wanted, account: accounts.adyen }), 201)
  assert.deepEqual(plain.incidents, [])
  const broken = await overRefunded()
  assert.deepEqual([broken.amounts.captured, broken.amounts.refunded, broken.needs_person], [1000, 1500, true])
  const [incident, ...more] = broken.incidents
  assert.deepEqual([incident.violation, incident.acknowledged, more], ["refunds exceed what is captured", null, []])
  assert.ok((await needing()).includes(broken.id))
  const others = ok(await api.call("GET", "/v1/payments", { query: { needs_person: "false" } })).data
  assert.ok(others.some(({ id }: Json) => id === plain.id) && !others.some(({ id }: Json) => id === broken.id))

  const where = `/v1/payments/${broken.id}/incidents/${incident.id}/acknowledge`
  const answer = await post(where, acknowledgement, "looked")
  const looked = ok(answer)
  assert.equal(looked.needs_person, false)
  const { by, note: said, key } = looked.incidents[0].acknowledged
  assert.deepEqual([by, said], [operator, acknowledgement.note])
  assert.match(key, /^key_/)
  assert.equal(looked.amounts.refunded, 1500, "what is, is")
  assert.ok(!(await needing()).includes(broken.id))
  const { data } = ok(await api.call("GET", `/v1/payments/${broken.id}/events`))
  const told = data.filter(({ type }: Json) => type.includes("incident") || type.includes("invariant"))
  assert.deepEqual(
    told.map(({ type, data: { incident: about } }: Json) => [type, about.id, about.acknowledged?.by]),
    [
      ["payment.invariant_broken", incident.id, undefined],
      ["payment.incident_acknowledged", incident.id, operator],
    ],
  )
  const again = await post(where, acknowledgement, "looked")
  assert.deepEqual([again.headers["idempotent-replayed"], again.text], ["true", answer.text])
  const second = await post(where, acknowledgement)
  assert.deepEqual([second.status, second.body.code], [409, "resource.conflict"])
  assert.ok(second.body.detail.includes(operator))
})

test("an incident that a person knows of is not told again; another one is", async () => {
  const broken = await overRefunded()
  const [{ id }] = broken.incidents
  await tellRefund(broken, 20n)
  assert.equal((await get(broken.id)).incidents.length, 1)
  ok(await post(`/v1/payments/${broken.id}/incidents/${id}/acknowledge`, acknowledgement))
  await tellRefund(broken, 30n)
  assert.equal((await get(broken.id)).needs_person, false, "it is as broken as it was")
})

test("only who may operate acknowledges, with a name and a reason, and only what is there", async () => {
  const broken = await overRefunded()
  const where = `/v1/payments/${broken.id}/incidents/${broken.incidents[0].id}/acknowledge`
  const shop = await api.newKey({ scopes: ["payments:read", "payments:write"] })
  assert.equal((await post(where, acknowledgement, "shop-incident", shop.secret)).body.code, "auth.scope")
  for (const body of [{ operator }, { note }, { operator, note: "" }])
    assert.equal((await post(where, body)).body.code, "request.invalid")
  const other = `/v1/payments/${broken.id}/incidents/${api.id("inc")}/acknowledge`
  assert.equal((await post(other, acknowledgement)).body.code, "resource.not_found")
  const foreign = await api.newKey({ merchant: await api.newMerchant() })
  assert.equal((await post(where, acknowledgement, "foreign", foreign.secret)).status, 404)
})
