// The pipeline of facts as it runs: a server, its insight process as a process of its own, simulated providers, and a kill -9
// in the middle. What the log brought together must be what is built anew from the payments.

import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import type { Weather } from "@orchestra/simulator"
import { card, ok, simulate, startApi, type Json, type TestApi } from "../../testing/api.ts"
import { useOwnCluster } from "../../testing/database.ts"
import { until } from "../../testing/wait.ts"
import type { PaymentId } from "../core/id.ts"
import { isOpen } from "../core/payment.ts"
import { facts as columns, type Fact, type FactName } from "../insight/facts.ts"
import type { Facts } from "../insight/facts-of.ts"
import { openDuckFacts } from "../storage/facts/duckdb.ts"
import type { FactStore } from "../storage/facts/fact-store.ts"
import { rebuildFacts } from "./facts-rebuild.ts"
import { insightClient } from "./insight-client.ts"
import { runInsightProcess } from "./insight-process.ts"

useOwnCluster()

const folder = mkdtempSync(join(tmpdir(), "insight-"))
after(() => rmSync(folder, { recursive: true, force: true }))
const socket = join(folder, "s")
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

let made = 0
async function post(api: TestApi, path: string, body: Json = {}): Promise<Json> {
  const headers = { "idempotency-key": `insight-${(made += 1)}` }
  const answer = await api.call("POST", path, { body, headers })
  assert.ok(answer.status < 300, answer.text)
  return answer.body
}

/** Cards and amounts that the simulated issuers answer differently. */
async function pay(api: TestApi, index: number, more: Json = {}): Promise<Json> {
  const number = ["4242424242424242", "4242424242424242", "5555555555554444"][index % 3]
  return post(api, "/v1/payments", {
    amount: 1_000 + index,
    currency: ["EUR", "USD"][index % 2],
    capture_method: index % 4 === 0 ? "manual" : "automatic",
    payment_method: { type: "card", card: { ...card, number } },
    ...more,
  })
}

describe("the insight process", () => {
  test("makes of the log what is made of the payments, through captures, refunds, late outcomes and a kill", async () => {
    const client = insightClient(socket, quiet)
    const api = await startApi({ facts: client })
    const told = { database: api.place, dir: join(folder, "live"), socket, verbose: false }
    const insight = runInsightProcess(told, { clock: api.server.engine.clock, log: quiet })
    after(async () => {
      await insight.stop()
      await client.close()
    })
    const providers = await simulate(api, "adyen", "checkout", "stripe")
    for (const persona of ["adyen", "checkout", "stripe"] as const) await providers.connect(persona)
    const issuer = { rules: [{ approvalRate: 0, match: { network: "mastercard" } }] }
    for (const { id } of providers.simulator.accounts()) await providers.simulator.setWeather(id, { issuer })
    const payments: Json[] = []
    for (let i = 0; i < 12; i++) payments.push(await pay(api, i))
    await until("the first facts", async () => (await attemptsTold(api)) > 0)

    const first = insight.pid()
    assert.ok(first !== undefined)
    process.kill(first, "SIGKILL")
    // The answer is lost, and the webhook tells later.
    const weather: Weather = {
      issuer,
      faults: [{ type: "reset_after", probability: 1, match: { operation: ["authorize"] } }],
    }
    for (const { id } of providers.simulator.accounts()) await providers.simulator.setWeather(id, weather)
    const late = [12, 13, 14, 15, 16, 17].map((i) => pay(api, i, { answer_within_ms: 1_000 }))
    payments.push(...(await Promise.all(late)))
    assert.ok(payments.some(({ status }) => status === "processing"))
    for (const { id } of providers.simulator.accounts()) await providers.simulator.setWeather(id, { issuer })
    for (let i = 18; i < 24; i++) payments.push(await pay(api, i))
    for (const payment of payments) {
      const { status, id } = ok(await api.call("GET", `/v1/payments/${payment.id}`))
      if (status === "authorized") await post(api, `/v1/payments/${id}/capture`)
    }
    const captured = async (): Promise<Json[]> =>
      (await Promise.all(payments.map(async ({ id }) => ok(await api.call("GET", `/v1/payments/${id}`))))).filter(
        ({ amounts }: Json) => amounts.captured > 0,
      )
    const refundable = await captured()
    assert.ok(refundable.length > 0)
    for (const { id } of refundable.slice(0, 5)) await post(api, `/v1/payments/${id}/refund`, { amount: 500 })
    await until("the process to have been started anew", () => insight.starts() > 1 && insight.pid() !== undefined)
    const second = insight.pid()!
    await until("answers again", async () => (await attemptsTold(api)) > 0)
    process.kill(second, "SIGKILL")
    for (let i = 24; i < 30; i++) payments.push(await pay(api, i))
    await until("all payments to be counted", async () => {
      const answer = await ask(api, { metrics: ["payments"] })
      return answer.status === 200 && answer.body.data[0]?.values.payments.value === 30
    })
    // Captures and refunds are told by webhooks; then nothing more changes.
    const { clock, ledger } = api.server.engine
    await until("every operation to have ended", async () => {
      const stored = await Promise.all(payments.map(({ id }) => ledger.load(api.merchant, id)))
      return stored.every((payment) => payment !== undefined && !payment.operations.some(isOpen))
    })
    const rested = clock.now()
    await until("the facts to be complete", async () => {
      const answer = await ask(api, { metrics: ["payments"] })
      return answer.status === 200 && Date.parse(answer.body.freshness.complete_until) > rested
    })
    const counted = ok(await ask(api, { metrics: ["attempt_success", "payments"], group_by: ["provider"] }))
    assert.ok(counted.data.some(({ values }: Json) => values.attempt_success.value < 1))
    assert.ok(ok(await ask(api, { metrics: ["unknown_rate"] })).data[0].values.unknown_rate.value > 0)
    await insight.stop()
    assert.equal((await ask(api, { metrics: ["payments"] })).body.code, "insight.unavailable")

    const lines: string[] = []
    const { payments: read } = await rebuildFacts(api.place, join(folder, "anew"), (line) => lines.push(line))
    assert.equal(read, payments.length)
    assert.match(lines.at(-1)!, /the facts of 30 payments/)
    const [live, anew] = await Promise.all(["live", "anew"].map((name) => openDuckFacts({ dir: join(folder, name) })))
    const ids = payments.map(({ id }) => id as PaymentId)
    // A payment's version says which reading of it a row is of; a change that no column shows makes no row.
    const versionless = (facts: Facts) =>
      [...facts.attempts, facts.payment].map(({ version: _version, ...fact }: Fact<FactName>) => fact)
    const byId = async (store: FactStore) =>
      [...(await store.current(ids))]
        .map(([id, facts]) => [id, versionless(facts)] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    const [ofLog, ofPayments] = [await byId(live!), await byId(anew!)]
    assert.equal(ofPayments.length, payments.length)
    assert.deepEqual(ofLog, ofPayments)
    for (const fact of ["attempt", "payment"] as const)
      assert.deepEqual(await everything(live!, fact), await everything(anew!, fact))
    await live!.close()
    await anew!.close()
  })
})

const ask = (api: TestApi, body: Json) => api.call("POST", "/v1/metrics/query", { body })

async function attemptsTold(api: TestApi): Promise<number> {
  const answer = await ask(api, { metrics: ["attempts"] })
  return answer.status === 200 ? (answer.body.data[0]?.values.attempts.value ?? 0) : 0
}

/** Every sum and every bucket, by what tells payments apart. */
async function everything(store: FactStore, fact: FactName) {
  const { measures, times } = columns[fact]
  return store.sums({
    fact,
    sums: Object.keys(measures),
    times: Object.keys(times),
    groupBy: ["provider", "currency", "network", "fault"],
    filter: [],
    from: 0,
    to: 100_000_000,
    step: 1,
  })
}
