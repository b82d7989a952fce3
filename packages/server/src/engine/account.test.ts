import assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import { checkout } from "../connectors/checkout/index.ts"
import type { Connector } from "../connectors/connector.ts"
import { makeId } from "../core/id.ts"
import { secret } from "../core/secret.ts"
import { systemPorts } from "../ports.ts"
import { parseKeyRing } from "../vault/key-ring.ts"
import { createVault } from "../vault/vault.ts"
import type { AccountRow } from "../storage/resources/accounts.ts"
import { accountOf, accountSecretsBytes, AccountUnusable, type AccountSecrets, type OpenAccount } from "./account.ts"

const ports = systemPorts(() => 0, { info: () => {}, warn: () => {}, error: () => {} })
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const vault = createVault(parseKeyRing(`k1:${key(1)},fingerprint:${key(2)}`), ports)
const merchant = makeId("mer", 1, Buffer.alloc(16, 1))
const id = makeId("acc", 1, Buffer.alloc(16, 2))
const SECRET_KEY = "sk_sbox_aaaaaaaaaaaaaaaaaaaaaaaaaa2"

const seal = (secrets: AccountSecrets): Pick<AccountRow, "keyId" | "sealed"> =>
  vault.seal("accounts", merchant, id, accountSecretsBytes(secrets))
const open: OpenAccount = (owner, account, sealed) => vault.open("accounts", owner, account, sealed)

const row = (change: Partial<AccountRow> = {}): AccountRow => ({
  id,
  merchant,
  mode: "test",
  connector: "checkout",
  name: "Checkout.com, Europe",
  state: "enabled",
  settings: { values: { prefix: "ab12cd34" } },
  ...seal({ credentials: { secret_key: SECRET_KEY }, webhookSecrets: ["one", "two"] }),
  version: 1,
  createdAt: 1,
  updatedAt: 1,
  ...change,
})
const made = (change: Partial<AccountRow> = {}, connector: Connector | undefined = checkout) =>
  accountOf(row(change), connector, open)

const unusable =
  (why: string) =>
  (error: unknown): boolean => {
    assert(error instanceof AccountUnusable, String(error))
    assert.ok(error.message.includes(why), error.message)
    assert.ok(!error.message.includes(SECRET_KEY))
    return true
  }

test("an account has its credentials open, its address filled in and its manifest's limits", () => {
  const account = made()
  assert.equal(account.origin, "https://ab12cd34.api.sandbox.checkout.com")
  assert.equal(account.config.credentials["secret_key"]?.reveal(), SECRET_KEY)
  assert.deepEqual(account.webhookSecrets, ["one", "two"])
  assert.equal(account.onUnknown, "wait")
  assert.equal(account.connector, checkout)
  assert.deepEqual(account.limits, {
    ...checkout.manifest.limits,
    settleWithinMs: checkout.manifest.webhooks.settleWithinMs,
    actionMs: checkout.manifest.actionMs,
    replayWindowFactor: 1,
  })
  assert.equal(made({ mode: "live" }).origin, "https://ab12cd34.api.checkout.com")
})

test("credentials do not show when an account is printed", () => {
  const account = made()
  assert.ok(!inspect(account.config, { depth: 9, showHidden: true }).includes(SECRET_KEY))
  assert.ok(!JSON.stringify(account.config).includes(SECRET_KEY))
})

test("a test account may call another address, which needs no address settings; a live one may not", () => {
  const settings = { values: {}, baseUrl: "http://127.0.0.1:4010/checkout" }
  assert.equal(made({ settings }).origin, "http://127.0.0.1:4010/checkout")
  assert.deepEqual([made({ settings }).guarded, made({ mode: "live" }).guarded], [true, undefined])
  assert.throws(() => made({ settings, mode: "live" }), unusable("at no other address"))
  const inside = { values: {}, baseUrl: "http://169.254.169.254/" }
  assert.throws(() => made({ settings: inside }), unusable("baseUrl is refused: address"))
})

test("a test account may run a faster clock; a live one may not", () => {
  const settings = { values: { prefix: "ab12cd34" }, timeScale: 0.01 }
  const { limits, connector } = made({ settings })
  const { manifest } = checkout
  assert.equal(limits.inFlightMs, manifest.limits.inFlightMs / 100)
  assert.equal(limits.settleWithinMs, manifest.webhooks.settleWithinMs / 100)
  assert.equal(limits.actionMs, manifest.actionMs / 100)
  assert.equal(limits.replayWindowFactor, 0.01)
  assert.equal(limits.listenMs, manifest.limits.listenMs)
  assert.deepEqual(connector.manifest.operations.authorize?.inquiry, {
    byReference: "strong",
    byAttempt: { eventualMs: 1_200 },
  })
  assert.equal(connector.codecs, checkout.codecs)
  assert.throws(() => made({ settings, mode: "live" }), unusable("real time"))
  for (const timeScale of [0, -1, 1.5, Number.NaN])
    assert.throws(() => made({ settings: { ...settings, timeScale } }), unusable("timeScale"))
})

for (const prefix of ["evil.example/", "a.b", "user@host", "host:8443", "", "-a", "a#", "a?b"])
  test(`an address setting "${prefix}" cannot send credentials elsewhere`, () => {
    assert.throws(() => made({ settings: { values: { prefix } } }), unusable("does not fit into an address"))
  })

test("what is missing is named", () => {
  const without = (credentials: Record<string, string>) => seal({ credentials, webhookSecrets: [] })
  assert.throws(() => accountOf(row({ connector: "nobody" }), undefined, open), unusable("no connector nobody"))
  assert.throws(() => made({ settings: { values: {} } }), unusable("setting prefix is missing"))
  assert.throws(() => made({ settings: {} }), unusable("setting prefix is missing"))
  assert.throws(() => made(without({})), unusable("credential secret_key is missing"))
  assert.throws(() => made(without({ toString: "x" })), unusable("credential secret_key is missing"))
})

test("stored values of another shape are refused without quoting them", () => {
  const sealed = (text: string) => vault.seal("accounts", merchant, id, secret(Buffer.from(text)))
  assert.throws(() => made(sealed(SECRET_KEY)), unusable("secrets are no JSON object"))
  assert.throws(
    () => made(sealed(JSON.stringify({ credentials: { secret_key: 1 }, webhookSecrets: [] }))),
    unusable("credentials"),
  )
  assert.throws(
    () => made(sealed(JSON.stringify({ credentials: {}, webhookSecrets: SECRET_KEY }))),
    unusable("webhook"),
  )
  for (const settings of [{ values: { prefix: 1 } }, { onUnknown: "guess" }, { baseUrl: 1 }, { timeScale: "fast" }])
    assert.throws(() => made({ settings }), unusable("settings."))
  const fees = { currency: "EUR", country: "DE", pricing: { kind: "blended", rates: [] } }
  assert.throws(
    () => made({ settings: { values: { prefix: "ab12cd34" }, fees } }),
    unusable("settings.fees/pricing/rates"),
  )
})

test("secrets that were sealed for another account do not open", () => {
  const other = makeId("acc", 1, Buffer.alloc(16, 9))
  const moved = vault.seal("accounts", merchant, other, accountSecretsBytes({ credentials: {}, webhookSecrets: [] }))
  assert.throws(() => made(moved), /changed, or was sealed for another place/)
})
