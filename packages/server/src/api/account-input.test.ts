// Who an account is at its provider after its credentials have changed.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Fault } from "../core/fault.ts"
import { identified, type ReadAccount } from "./account-input.ts"

const account = (secret_key: string, settings: Partial<ReadAccount["settings"]> = {}): ReadAccount => ({
  settings: { values: {}, ...settings },
  secrets: { credentials: { secret_key }, webhookSecrets: [] },
})
const known = account("old", { identity: "acct_1" })
const next = (changed: Partial<ReadAccount["settings"]> = {}): ReadAccount =>
  account("new", { identity: "acct_1", ...changed })

test("a key of the same account leaves it as it is", () => {
  assert.deepEqual(identified(known, next(), "acct_1"), { values: {}, identity: "acct_1" })
})

test("a key of another account is refused", () => {
  assert.throws(
    () => identified(known, next(), "acct_2"),
    (error) => error instanceof Fault && error.code === "account.identity_fixed",
  )
})

test("a key that may be another account's begins a new generation, as does another address", () => {
  assert.deepEqual(identified(known, next(), undefined), { values: {}, generation: 1 })
  assert.deepEqual(identified(account("old"), account("new"), "acct_1"), {
    values: {},
    identity: "acct_1",
    generation: 1,
  })
  const moved = account("old", { identity: "acct_1", generation: 1, baseUrl: "http://127.0.0.1:1" })
  assert.equal(identified(known, moved, "acct_2").generation, 2)
})

test("what changes neither leaves the generation", () => {
  assert.deepEqual(identified(known, known, undefined), { values: {}, identity: "acct_1" })
})
