// A small world for the engine's tests: the real engine, the real connectors, the memory ledger, simulated time, and a
// provider that answers what the test says. For histories that a test wants to tell step by step; the simulation
// (sim/) is for those that nobody would think of.

import assert from "node:assert/strict"
import type { Connector } from "../src/connectors/connector.ts"
import { connectors } from "../src/connectors/registry.ts"
import { parseCurrency } from "../src/core/currency.ts"
import { makeId, type AccountId, type CardId, type MerchantId, type PaymentId } from "../src/core/id.ts"
import type { Intent } from "../src/core/intent.ts"
import type { Payment } from "../src/core/payment.ts"
import { secret } from "../src/core/secret.ts"
import type { Request } from "../src/engine/change.ts"
import type { Account, Directory, Engine, Secrets } from "../src/engine/engine.ts"
import { createErrorRates } from "../src/engine/error-rates.ts"
import { create, type Executed } from "../src/engine/execute.ts"
import { follow, type Command, type Followed } from "../src/engine/follow-up.ts"
import { recoverOnce } from "../src/engine/recover.ts"
import { createShadows } from "../src/engine/shadows.ts"
import { createRoutingSignals } from "../src/engine/signals.ts"
import type { Clock, Log } from "../src/ports.ts"
import type { HttpRequest } from "../src/connectors/connector.ts"
import type { Policy } from "../src/routing/policy.ts"
import { createMemoryLedger } from "../src/storage/ledger/memory.ts"
import { World } from "../sim/world.ts"

export const MERCHANT = "mer_0" as MerchantId

const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  stripe: { secret_key: `sk_test_${"a".repeat(24)}` },
  adyen: { api_key: `AQE${"x".repeat(40)}` },
  checkout: { secret_key: `sk_sbox_${"a".repeat(26)}=` },
}
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  adyen: { merchant_account: "Shop" },
  checkout: { prefix: "abcd1234" },
}

export function accountAt(id: string, connector: Connector = connectors.adyen, more: Partial<Account> = {}): Account {
  const { manifest } = connector
  return {
    id: id as AccountId,
    merchant: MERCHANT,
    state: "enabled",
    connector,
    config: {
      mode: "test",
      credentials: Object.fromEntries(
        Object.entries(credentials[manifest.id] ?? {}).map(([name, value]) => [name, secret(value)]),
      ),
      settings: settings[manifest.id] ?? {},
    },
    origin: `https://${id}.invalid`,
    limits: {
      ...manifest.limits,
      settleWithinMs: manifest.webhooks.settleWithinMs,
      actionMs: manifest.actionMs,
      replayWindowFactor: 1,
    },
    webhookSecrets: ["x"],
    onUnknown: "wait",
    ...more,
  }
}

/** `silence`: sent, and no answer. `refused`: it never left. An undefined body is an empty one. */
export type Reply =
  | { readonly status?: number; readonly body: unknown; readonly afterMs?: number }
  | "silence"
  | "refused"
export type Call = { readonly account: string; readonly path: string; readonly method: string; readonly body: string }

export function scripted(
  accounts: readonly Account[],
  reply: (call: Call, calls: readonly Call[]) => Reply,
  policy?: Policy,
) {
  const world = new World(1)
  const ledger = createMemoryLedger({
    now: () => world.now,
    random: world.random,
    sleep: (ms) => world.sleep(ms),
  })
  const calls: Call[] = []
  const errors: string[] = []
  const clock: Clock = {
    now: () => Math.round(world.now),
    sleep: (ms) => world.sleep(ms),
    after: (ms, then) => world.after(ms, then),
  }
  const log: Log = {
    info: () => {},
    warn: () => {},
    error: (_fields, message) => errors.push(message),
  }
  const directory: Directory = {
    account: (id) => accounts.find((account) => account.id === id),
    accounts: () => accounts,
    policy: () => policy,
    activePolicy: () => policy,
    shadow: () => undefined,
  }
  const signals = createRoutingSignals({ clock, log, directory })
  const engine: Engine = {
    node: "node",
    clock,
    chance: { random: world.random, bytes: (count) => world.bytes(count) },
    log,
    signals,
    shadows: createShadows({ clock, log, directory, signals }),
    ledger,
    transport: {
      async send(origin, request: HttpRequest, limits) {
        await world.sleep(100)
        if (world.now > limits.notAfter) return { kind: "not_sent", code: "TOO_LATE" }
        const call = {
          account: new URL(origin).hostname.replace(".invalid", ""),
          path: request.path,
          method: request.method,
          body: request.body ?? "",
        }
        const said = reply(call, calls)
        if (said === "refused") return { kind: "not_sent", code: "ECONNREFUSED" }
        calls.push(call)
        if (said === "silence") {
          await world.sleep(limits.totalMs)
          return { kind: "sent", code: "TOTAL_TIMEOUT" }
        }
        await world.sleep(said.afterMs ?? 0)
        return {
          kind: "answered",
          response: {
            status: said.status ?? 200,
            headers: {},
            body: said.body === undefined ? "" : JSON.stringify(said.body),
          },
        }
      },
      close: () => Promise.resolve(),
    },
    directory,
    cards: { read: () => Promise.resolve(secret("4111111111111111")) },
    errorRates: createErrorRates({ now: () => world.now }),
    background: (work) => void work,
    returnUrl: () => "https://orchestra.invalid/return",
  }

  const pay = (intent: Partial<Intent> = {}, secrets: Secrets = {}, request?: Request) => {
    const amount = intent.amount ?? { minor: 1_000n, currency: parseCurrency("EUR")! }
    const payment: Payment = {
      id: makeId("pay", engine.clock.now(), world.bytes(16)),
      merchant: MERCHANT,
      mode: "test",
      version: 0,
      intent: {
        amount,
        capture: "manual",
        method: {
          type: "card",
          token: "card_0" as CardId,
          network: "visa",
          bin: "411111",
          last4: "1111",
          expiryMonth: 12,
          expiryYear: 2099,
          fingerprint: "f",
        },
        store: false,
        initiator: { by: "customer", stored: "none" },
        threeDs: { mode: "automatic" },
        allowPartial: false,
        answerWithinMs: 25_000,
        metadata: {},
        ...intent,
      },
      requested: amount.minor,
      attempts: [],
      operations: [],
      disputes: [],
      plan: { state: "idle" },
      createdAt: engine.clock.now(),
      updatedAt: engine.clock.now(),
    }
    const answer = create(engine, { payment, confirm: true, secrets, ...(request === undefined ? {} : { request }) })
    return { id: payment.id, answer }
  }

  return {
    engine,
    ledger,
    calls,
    errors,
    world,
    /** Creates and confirms; the answer comes as time passes. */
    pay,
    follow: (id: PaymentId, command: Command): Promise<Followed> => follow(engine, MERCHANT, id, command, undefined),
    stored: (id: PaymentId): Payment => {
      const payment = ledger.contents.payments().find((known) => known.id === id)
      assert.ok(payment !== undefined)
      return payment
    },
    /** Lets time pass, with recovery going round at least every `everyMs`. */
    pass: async (ms: number, everyMs = 500): Promise<void> => {
      const until = world.now + ms
      let going = true
      const recover = async (): Promise<void> => {
        while (going) {
          await recoverOnce(engine)
          const next = Math.min(...ledger.contents.wakes().map((wake) => wake.wakeAt))
          await world.sleep(Math.max(everyMs, Math.min(next - world.now, 3_600_000)))
        }
      }
      const recovering = recover()
      await world.run(until)
      going = false
      void recovering
    },
  }
}

export type Scripted = ReturnType<typeof scripted>
export type { Executed }
