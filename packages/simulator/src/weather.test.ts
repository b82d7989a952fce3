import assert from "node:assert/strict"
import { test } from "node:test"
import { seededRandom } from "./chance.ts"
import { factsOf } from "./operation.ts"
import {
  type Fault,
  forecast,
  forecastWebhook,
  issuerProfile,
  listenerWeather,
  nextListenerChange,
  type Weather,
} from "./weather.ts"
import { readWeather } from "./weather-document.ts"

const authorize = { operation: "authorize", pan: "4242424242424242" } as const
const always = (fault: Partial<Fault> & { type: Fault["type"] }): Weather => ({
  faults: [{ probability: 1, ...fault } as Fault],
})

test("clear weather answers at once with the provider's own answer", () => {
  const plan = forecast({}, authorize, seededRandom("s"), 0)
  assert.deepEqual(plan, { beforeMs: 0, afterMs: 0, handle: { when: "at_once" }, answer: { type: "own" } })
})

test("latency is log-normal through the given median and 99th percentile", () => {
  const random = seededRandom("latency")
  const weather: Weather = { latency: { medianMs: 200, p99Ms: 1500 } }
  const drawn = Array.from({ length: 5000 }, () => {
    const plan = forecast(weather, authorize, random, 0)
    return plan.beforeMs + plan.afterMs
  }).sort((a, b) => a - b)
  assert.ok(Math.abs((drawn[2500] as number) - 200) < 12, `median ${drawn[2500]}`)
  assert.ok(Math.abs((drawn[4950] as number) - 1500) < 300, `p99 ${drawn[4950]}`)
})

test("a fault happens only within its window, to its operations and to its cards", () => {
  const weather = always({
    type: "reset_before",
    from: 100,
    until: 200,
    match: { operation: ["authorize"], cardBin: "4242" },
  })
  const answer = (facts: Parameters<typeof forecast>[1], sinceMs: number): string =>
    forecast(weather, facts, () => 0.5, sinceMs).answer.type
  assert.equal(answer(authorize, 100), "reset")
  assert.equal(answer(authorize, 99), "own")
  assert.equal(answer(authorize, 200), "own")
  assert.equal(answer({ operation: "capture", pan: authorize.pan }, 150), "own")
  assert.equal(answer({ operation: "authorize", pan: "5555555555554444" }, 150), "own")
  assert.equal(answer({ operation: "authorize" }, 150), "own")
})

test("a fault's probability is its share of the requests", () => {
  const random = seededRandom("share")
  const weather: Weather = { faults: [{ type: "error_after", probability: 0.2 }] }
  const hit = Array.from({ length: 5000 }, () => forecast(weather, authorize, random, 0)).filter(
    (plan) => plan.answer.type === "trouble",
  ).length
  assert.ok(Math.abs(hit - 1000) < 120, `${hit} of 5000`)
})

test("each fault says truthfully whether the provider handles the request", () => {
  const handled = (fault: Partial<Fault> & { type: Fault["type"] }): string =>
    forecast(always(fault), authorize, () => 0, 0).handle.when
  for (const type of ["error_before", "hang_before", "reset_before", "rate_limited", "foreign"] as const)
    assert.equal(handled({ type }), "never", type)
  for (const type of ["error_after", "hang_after", "reset_after", "truncated"] as const)
    assert.equal(handled({ type }), "at_once", type)
  assert.equal(handled({ type: "foreign", handled: true }), "at_once")
  assert.equal(handled({ type: "late", delayMs: 5 } as Fault), "late")
})

test("a brown-out slows every request and fails a share of them", () => {
  const random = seededRandom("brown")
  const weather: Weather = {
    latency: { medianMs: 100, p99Ms: 100 },
    faults: [{ type: "brown_out", probability: 1, slowdown: 10, errorShare: 0.3 }],
  }
  const plans = Array.from({ length: 2000 }, () => forecast(weather, authorize, random, 0))
  assert.ok(plans.every((plan) => plan.beforeMs + plan.afterMs === 1000))
  const failed = plans.filter((plan) => plan.answer.type === "trouble").length
  assert.ok(Math.abs(failed - 600) < 80, `${failed} of 2000`)
})

test("the listener closes for the window of refused connections and knows when that changes", () => {
  const weather = always({ type: "refused", from: 10, until: 20 })
  assert.deepEqual(
    [9, 10, 19, 20].map((at) => listenerWeather(weather, at).open),
    [true, false, false, true],
  )
  assert.deepEqual(
    [0, 10, 20].map((at) => nextListenerChange(weather, at)),
    [10, 20, undefined],
  )
  assert.equal(forecast(weather, authorize, () => 0, 15).answer.type, "own")
})

test("webhook faults combine: lost once, then delivered late and twice", () => {
  const weather: Weather = {
    webhooks: [
      { type: "lost", probability: 1, retryMs: 1000 },
      { type: "duplicated", probability: 1 },
      { type: "late", probability: 1, delayMs: 50 },
    ],
  }
  assert.deepEqual(
    forecastWebhook(weather, () => 0, 0),
    [
      { afterMs: 50, lost: true },
      { afterMs: 1050, lost: false },
      { afterMs: 1050, lost: false },
    ],
  )
  assert.deepEqual(
    forecastWebhook({ webhooks: [{ type: "dropped", probability: 1 }] }, () => 0, 0),
    [],
  )
})

test("the issuer's rules count within their windows", () => {
  const weather: Weather = {
    issuer: { approvalRate: 0.9, rules: [{ match: { country: "FR" }, approvalRate: 0, from: 5 }] },
  }
  assert.equal(issuerProfile(weather, 4).rules.length, 0)
  assert.equal(issuerProfile(weather, 5).rules.length, 1)
  assert.equal(issuerProfile(weather, 5).approvalRate, 0.9)
})

test("a weather document that is wrong is refused with every mistake and its path", () => {
  const read = readWeather({
    latency: { medianMs: 100, p99Ms: 50 },
    issuer: { aprovalRate: 1 },
    faults: [
      { type: "late", probability: 2 },
      { type: "earthquake" },
      { type: "refused", probability: 1, match: { operation: ["pay"] } },
    ],
    webhooks: {},
  })
  assert.ok(!read.ok)
  assert.deepEqual(read.problems, [
    "weather.latency.p99Ms must not be below medianMs (100)",
    "weather.issuer.aprovalRate is not known; known are approvalRate, partialRate, standingShare, mistypedRate, rules, declines",
    "weather.faults[0].delayMs is missing",
    "weather.faults[0].probability must be a number from 0 to 1, not 2",
    'weather.faults[1].type must be one of error_before, error_after, hang_before, hang_after, reset_before, reset_after, late, truncated, foreign, rate_limited, brown_out, refused, reset_at_accept, reset_idle, not "earthquake"',
    'weather.faults[2].match.operation[0] must be one of authorize, capture, void, refund, increment, inquiry, other, not "pay"',
    "weather.webhooks must be a list, not {}",
  ])
})

test("a weather document with every field is accepted as it stands", () => {
  const document: Weather = {
    latency: { medianMs: 200, p99Ms: 900 },
    issuer: {
      approvalRate: 0.8,
      rules: [{ match: { bin: "4242", amountFrom: 1 }, approvalRate: 0.1, from: 0, until: 9 }],
      declines: [{ responseCode: "51", adviceCode: "02", weight: 1, standing: true }],
    },
    faults: [{ type: "foreign", probability: 0.1, handled: true, match: { operation: ["authorize"], cardBin: "42" } }],
    webhooks: [{ type: "reordered", probability: 1, withinMs: 100 }],
  }
  assert.deepEqual(readWeather(JSON.parse(JSON.stringify(document))), { ok: true, value: document })
})

test("operation and card are told from address and body, in form encoding and in JSON", () => {
  const request = (method: string, path: string, body = ""): Parameters<typeof factsOf>[1] => ({
    method,
    path,
    headers: {},
    body,
  })
  const form = "confirm=true&amount=100&payment_method_data%5Bcard%5D%5Bnumber%5D=4242424242424242&x=1"
  assert.deepEqual(factsOf("stripe", request("POST", "/v1/payment_intents", form)), authorize)
  // An intent that is only created authorizes nothing.
  const created = { ...authorize, operation: "other" }
  assert.deepEqual(
    factsOf("stripe", request("POST", "/v1/payment_intents", form.replace("confirm=true&", ""))),
    created,
  )
  assert.deepEqual(factsOf("stripe", request("POST", "/v1/payment_intents/pi_1/confirm", form)), authorize)
  assert.deepEqual(factsOf("stripe", request("POST", "/v1/payment_intents/pi_1/capture")), { operation: "capture" })
  assert.deepEqual(factsOf("stripe", request("GET", "/v1/payment_intents/pi_1?expand[]=x")), { operation: "inquiry" })
  const json = '{"paymentMethod":{"number":"4242 4242 4242 4242"}}'
  assert.deepEqual(factsOf("adyen", request("POST", "/v71/payments", json)), authorize)
  const encrypted = '{"paymentMethod":{"encryptedCardNumber":"test_4242424242424242"}}'
  assert.deepEqual(factsOf("adyen", request("POST", "/v72/payments", encrypted)), authorize)
  assert.deepEqual(factsOf("checkout", request("POST", "/payments/pay_1/voids")), { operation: "void" })
})
