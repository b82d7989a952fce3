import assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import fc from "fast-check"
import type { CardId, MerchantId } from "../core/id.ts"
import { makeId } from "../core/id.ts"
import { secret } from "../core/secret.ts"
import type { CardReader } from "../engine/engine.ts"
import { systemPorts } from "../ports.ts"
import type { SealedCard } from "../storage/ledger/ledger.ts"
import { createCardReader } from "./card-reader.ts"
import { parseKeyRing } from "./key-ring.ts"
import { createVault, type Vault, type VaultCard } from "./vault.ts"
import { VaultFault, type VaultFaultCode } from "./vault-fault.ts"

const ports = systemPorts(() => 0, { info: () => {}, warn: () => {}, error: () => {} })
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const hash = `fingerprint:${key(250)}`
const vaultOf = (...keys: readonly string[]): Vault => createVault(parseKeyRing([...keys, hash].join(",")), ports)
const vault = vaultOf(`k1:${key(1)}`)

const merchant = makeId("mer", 1, Buffer.alloc(16, 1))
const stranger = makeId("mer", 1, Buffer.alloc(16, 2))
const PAN = "4242424242424242"

const pans = fc.stringMatching(/^[1-9][0-9]{11,18}$/)
const values = fc.uint8Array({ maxLength: 300 })
const merchants = fc.constantFrom(merchant, stranger)

const refused =
  (...codes: readonly VaultFaultCode[]) =>
  (error: unknown): boolean => {
    assert(error instanceof VaultFault, String(error))
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`)
    return true
  }

test("every card number comes back as it was, under its own token", () => {
  fc.assert(
    fc.property(pans, merchants, (pan, owner) => {
      const card = vault.sealCard(owner, { number: secret(pan) })
      assert.equal(vault.openCard(card).reveal(), pan)
    }),
    { numRuns: 50 },
  )
})

test("every value comes back as it was, and never twice the same bytes", () => {
  fc.assert(
    fc.property(values, (value) => {
      const one = vault.seal("accounts", merchant, "acc_1", secret(value))
      const two = vault.seal("accounts", merchant, "acc_1", secret(value))
      assert.deepEqual(Buffer.from(vault.open("accounts", merchant, "acc_1", one.sealed).reveal()), Buffer.from(value))
      assert.notDeepEqual(one.sealed, two.sealed)
      assert.equal(one.keyId, "k1")
    }),
    { numRuns: 50 },
  )
})

test("every flipped bit and every cut is refused", () => {
  const { id, sealed } = vault.sealCard(merchant, { number: secret(PAN) })
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(
      () => vault.openCard({ id, merchant, sealed: changed }),
      refused("malformed", "not_authentic", "key_missing"),
    )
  }
  for (let length = 0; length < sealed.length; length++)
    assert.throws(
      () => vault.openCard({ id, merchant, sealed: sealed.subarray(0, length) }),
      refused("malformed", "not_authentic", "key_missing"),
    )
  assert.throws(
    () => vault.openCard({ id, merchant, sealed: Buffer.concat([sealed, Buffer.of(0)]) }),
    refused("not_authentic"),
  )
})

test("a value moved to another merchant, table or row does not open", () => {
  const value = secret(Buffer.from("secret"))
  const { sealed } = vault.seal("accounts", merchant, "acc_1", value)
  assert.throws(() => vault.open("accounts", stranger, "acc_1", sealed), refused("not_authentic"))
  assert.throws(() => vault.open("webhook_endpoints", merchant, "acc_1", sealed), refused("not_authentic"))
  assert.throws(() => vault.open("accounts", merchant, "acc_2", sealed), refused("not_authentic"))
})

test("the halves of two values of one row cannot be joined", () => {
  const one = vault.seal("accounts", merchant, "acc_1", secret(Buffer.from("old password"))).sealed
  const two = vault.seal("accounts", merchant, "acc_1", secret(Buffer.from("new password"))).sealed
  for (let cut = 0; cut <= one.length; cut++) {
    const joined = Buffer.concat([one.subarray(0, cut), two.subarray(cut)])
    if (!joined.equals(one) && !joined.equals(two))
      assert.throws(() => vault.open("accounts", merchant, "acc_1", joined), refused("not_authentic"))
  }
})

test("what an old key sealed still opens after rotation, and is new after a rewrap", () => {
  fc.assert(
    fc.property(values, (value) => {
      const old = vault.seal("accounts", merchant, "acc_1", secret(value))
      const rotated = vaultOf(`k2:${key(2)}`, `k1:${key(1)}`)
      assert.deepEqual(
        Buffer.from(rotated.open("accounts", merchant, "acc_1", old.sealed).reveal()),
        Buffer.from(value),
      )
      const next = rotated.rewrap("accounts", merchant, "acc_1", old.sealed)
      const alone = vaultOf(`k2:${key(2)}`)
      assert.deepEqual(Buffer.from(alone.open("accounts", merchant, "acc_1", next).reveal()), Buffer.from(value))
      assert.throws(() => alone.open("accounts", stranger, "acc_1", next), refused("not_authentic"))
    }),
    { numRuns: 30 },
  )
})

test("a removed key is named by the fault, with the row that needs it", () => {
  const { id, sealed } = vault.sealCard(merchant, { number: secret(PAN) })
  assert.throws(
    () => vaultOf(`k2:${key(2)}`).openCard({ id, merchant, sealed }),
    (error: unknown) => {
      refused("key_missing")(error)
      const { message } = error as VaultFault
      assert.ok(message.includes("k1") && message.includes(id) && message.includes(merchant), message)
      return true
    },
  )
})

test("another key under the same name does not open", () => {
  const { id, sealed } = vault.sealCard(merchant, { number: secret(PAN) })
  assert.throws(() => vaultOf(`k1:${key(9)}`).openCard({ id, merchant, sealed }), refused("not_authentic"))
})

test("a value beyond the limit is refused before anything is sealed", () => {
  assert.throws(() => vault.seal("accounts", merchant, "acc_1", secret(Buffer.alloc(65_537))), refused("too_large"))
})

test("fingerprints are equal exactly for the same merchant and number", () => {
  fc.assert(
    fc.property(pans, pans, merchants, merchants, (a, b, one, two) => {
      assert.equal(vault.fingerprint(one, secret(a)) === vault.fingerprint(two, secret(b)), one === two && a === b)
      assert.equal(vault.fingerprint(one, secret(a)), vault.fingerprint(one, secret(a)))
    }),
    { numRuns: 50 },
  )
})

test("fingerprints stay as they are when the master keys rotate, and change with their own key", () => {
  const print = vault.fingerprint(merchant, secret(PAN))
  assert.equal(vaultOf(`k2:${key(2)}`, `k1:${key(1)}`).fingerprint(merchant, secret(PAN)), print)
  assert.equal(vault.sealCard(merchant, { number: secret(PAN) }).fingerprint, print)
  const other = createVault(parseKeyRing(`k1:${key(1)},fingerprint:${key(3)}`), ports)
  assert.notEqual(other.fingerprint(merchant, secret(PAN)), print)
})

test("hashes of one text differ by purpose and merchant, also from fingerprints", () => {
  const all = [
    vault.fingerprint(merchant, secret(PAN)),
    vault.hmac("card", PAN, merchant),
    vault.hmac("card", PAN, stranger),
    vault.hmac("card", PAN),
    vault.hmac("api_key", PAN),
    vault.requestFingerprint(merchant, PAN),
  ]
  assert.equal(new Set(all).size, all.length)
  for (const one of all) assert.match(one, /^[A-Za-z0-9_-]{43}$/)
})

test("the same request has one fingerprint, whatever the order of its fields and its CVC", () => {
  const print = (body: unknown): string => vault.requestFingerprint(merchant, body)
  const body = { amount: { amount: 1000, currency: "EUR" }, card: { number: PAN, cvc: "123" }, list: [1, 2] }
  assert.equal(
    print(body),
    print({ list: [1, 2], card: { cvc: "999", number: PAN }, amount: { currency: "EUR", amount: 1000 } }),
  )
  assert.equal(print(body), print({ ...body, card: { number: PAN }, note: undefined }))
  for (const other of [
    { ...body, card: { number: "4000000000000002", cvc: "123" } },
    { ...body, amount: { amount: 1001, currency: "EUR" } },
    { ...body, list: [2, 1] },
    { ...body, list: ["1", 2] },
    { ...body, list: [[1], 2] },
    { ...body, extra: null },
  ])
    assert.notEqual(print(body), print(other), JSON.stringify(other))
  assert.notEqual(print(body), vault.requestFingerprint(stranger, body))
})

test("a body nested deeper than any request is refused rather than overflowing the stack", () => {
  let deep: unknown = 1
  for (let depth = 0; depth < 100; depth++) deep = [deep]
  assert.throws(() => vault.requestFingerprint(merchant, deep), RangeError)
})

test("what goes to the database never contains the card number", () => {
  fc.assert(
    fc.property(pans, merchants, (pan, owner) => {
      const { sealed, ...rest } = vault.sealCard(owner, { number: secret(pan) })
      const bytes = Buffer.from(sealed)
      for (const encoding of ["latin1", "hex", "base64"] as const) {
        const digits = Buffer.from(pan).toString(encoding).slice(0, 12)
        assert.ok(!bytes.toString(encoding).includes(digits))
      }
      assert.ok(!JSON.stringify(rest).includes(pan))
    }),
    { numRuns: 50 },
  )
})

test("nothing that can be printed shows a number or a key", () => {
  const ring = parseKeyRing(`k1:${key(77)},${hash}`)
  const printed = createVault(ring, ports)
  const opened = printed.openCard(printed.sealCard(merchant, { number: secret(PAN) }))
  const bytes = printed.open(
    "accounts",
    merchant,
    "acc_1",
    printed.seal("accounts", merchant, "acc_1", secret(Buffer.from(PAN))).sealed,
  )
  const shown = [ring, printed, opened, bytes, { opened, list: [bytes] }].flatMap((value) => [
    JSON.stringify(value),
    inspect(value, { depth: 10, showHidden: true }),
    inspect(value, { depth: 10, showHidden: true, customInspect: false }),
  ])
  shown.push(opened.toString(), bytes.toString())
  const key77 = Buffer.alloc(32, 77)
  const leaks = [PAN, key77.toString("base64"), key77.toString("hex"), "4d 4d 4d 4d", "34 32 34 32", "52,50,52,50"]
  for (const text of shown) for (const leak of leaks) assert.ok(!text?.includes(leak), `${leak} in ${text}`)
})

test("what is sealed fits the ledger's row, and the reader fits the engine", async () => {
  const rows = new Map<CardId, VaultCard>()
  const reader: CardReader = createCardReader(vault, { card: async (_merchant, token) => rows.get(token) })
  const card: SealedCard = vault.sealCard(merchant, { number: secret(PAN) })
  rows.set(card.id, card)
  const method = {
    type: "card",
    token: card.id,
    network: "visa",
    bin: "42424242",
    last4: "4242",
    expiryMonth: 12,
    expiryYear: 2030,
    fingerprint: card.fingerprint,
  } as const
  assert.equal((await reader.read(merchant, method))?.reveal(), PAN)
  rows.delete(card.id)
  assert.equal(await reader.read(merchant, method), undefined)
})

test("a row that storage returns for another token or merchant does not open", async () => {
  const card = vault.sealCard(merchant, { number: secret(PAN) })
  const reader = createCardReader(vault, { card: async () => card })
  const asked = (owner: MerchantId, token: CardId): Promise<unknown> => reader.read(owner, { token })
  await assert.rejects(asked(stranger, card.id), refused("not_authentic"))
  await assert.rejects(asked(merchant, makeId("tok", 2, Buffer.alloc(16, 3))), refused("not_authentic"))
})
