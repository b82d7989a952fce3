import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { systemPorts } from "../ports.ts"
import { loadOrCreateKeyFile } from "./key-file.ts"
import { newKeyRingText, parseKeyRing } from "./key-ring.ts"
import { VaultFault } from "./vault-fault.ts"

const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const { chance } = systemPorts(() => 0, silent)
const home = mkdtempSync(join(tmpdir(), "orchestra-keys-"))
after(() => rmSync(home, { recursive: true, force: true }))

test("the first encryption key is the current one, wherever the fingerprint key stands", () => {
  const ring = parseKeyRing(`fingerprint:${key(1)}, new:${key(2)},old:${key(3)}`)
  assert.equal(ring.current, "new")
  assert.deepEqual([...ring.keys.keys()], ["new", "old"])
  assert.deepEqual(ring.keys.get("old")?.export(), Buffer.alloc(32, 3))
  assert.deepEqual(ring.fingerprint.export(), Buffer.alloc(32, 1))
})

test("a key ring may be a file with comments, one key a line", () => {
  const ring = parseKeyRing(`# note: not a key\n\nk1:${key(1)}\n  # another\nfingerprint:${key(2)}\n`)
  assert.equal(ring.current, "k1")
})

const broken: readonly (readonly [why: string, text: string])[] = [
  ["no encryption key", `fingerprint:${key(1)}`],
  ["no key named fingerprint", `a:${key(1)}`],
  ["two keys are named a", `a:${key(1)},a:${key(2)},fingerprint:${key(3)}`],
  ["a and fingerprint are the same key", `a:${key(1)},fingerprint:${key(1)}`],
  ["a is not 32 bytes in base64", `a:${Buffer.alloc(31, 1).toString("base64")},fingerprint:${key(2)}`],
  ["a is not 32 bytes in base64", `a:${key(9).slice(0, 40)}!!!=,fingerprint:${key(2)}`],
  ["entry 1 does not start with a name and a colon", `${key(7)},fingerprint:${key(2)}`],
  ["more than 32 keys", Array.from({ length: 33 }, (_, n) => `k${n}:${key(n)}`).join(",")],
]
for (const [why, text] of broken)
  test(`a key ring is refused because of ${why}, and the fault shows no key`, () => {
    assert.throws(
      () => parseKeyRing(text),
      (error: unknown) => {
        assert(error instanceof VaultFault)
        assert.equal(error.code, "key_ring_invalid")
        assert.ok(error.message.includes(why), error.message)
        for (const entry of text.split(",")) assert.ok(!error.message.includes(entry.split(":").at(-1) ?? entry))
        return true
      },
    )
  })

test("a fresh key ring reads back as the random bytes it was made of", () => {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, n) => n))
  const ring = parseKeyRing(newKeyRingText("k1", bytes))
  assert.deepEqual(ring.keys.get("k1")?.export(), bytes.subarray(0, 32))
  assert.deepEqual(ring.fingerprint.export(), bytes.subarray(32))
})

test("a first start makes a key file that only its owner reads; later starts read the same keys", () => {
  const path = join(home, "first", "keys")
  const text = loadOrCreateKeyFile(path, "k1", chance)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(parseKeyRing(text).current, "k1")
  assert.equal(loadOrCreateKeyFile(path, "other", chance), text)
  assert.equal(readFileSync(path, "utf8"), text)
  assert.deepEqual(readdirSync(join(home, "first")), ["keys"], "no draft stays behind")
})

test("a key file that others can read is refused, and so is a folder in its place", () => {
  const path = join(home, "open")
  writeFileSync(path, newKeyRingText("k1", chance.bytes(64)))
  chmodSync(path, 0o644)
  assert.throws(() => loadOrCreateKeyFile(path, "k1", chance), /chmod 600/)
  assert.throws(() => loadOrCreateKeyFile(home, "k1", chance), /not a key file/)
})
