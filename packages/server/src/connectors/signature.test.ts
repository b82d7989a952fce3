import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { nodeHmac } from "./contract-webhook.ts"
import { equalTexts, isSignedBy, type SignatureScheme, verifySignature } from "./signature.ts"

const bare: SignatureScheme = {
  header: "x-signature",
  algorithm: "sha256",
  secret: "utf8",
  encoding: "hex",
  layout: { kind: "bare" },
  signed: "{body}",
}
const body = '{"a":"{time}"}'
const sign = (algorithm: string, key: string | Uint8Array, data: string, encoding: "hex" | "base64"): string =>
  createHmac(algorithm, key).update(data).digest(encoding)
const verdict = (scheme: SignatureScheme, signature: string, secrets: readonly string[], nowMs = 0): string =>
  verifySignature(scheme, { headers: { "x-signature": signature }, body }, secrets, nowMs, nodeHmac).kind

test("the published HMAC-SHA256 vectors verify", () => {
  // RFC 4231, cases 1 and 2
  const cases = [
    ["0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      Buffer.from("Jefe").toString("hex"),
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
  ] as const
  for (const [key, data, signature] of cases)
    assert.ok(isSignedBy({ algorithm: "sha256", secret: "hex", encoding: "hex" }, data, [signature], [key], nodeHmac))
})

test("every combination of hash, key form and encoding that a scheme can name works", () => {
  const key = new Uint8Array([1, 2, 250, 251, 63])
  for (const algorithm of ["sha1", "sha256", "sha512"] as const)
    for (const encoding of ["hex", "base64"] as const)
      for (const secret of ["hex", "base64"] as const) {
        const scheme = { ...bare, algorithm, encoding, secret }
        const given = sign(algorithm, key, body, encoding)
        assert.equal(verdict(scheme, given, [Buffer.from(key).toString(secret)]), "genuine")
        assert.equal(verdict(scheme, given, [Buffer.from([...key, 9]).toString(secret)]), "forged")
      }
})

test("hex is read in either case, base64 is not", () => {
  const hex = sign("sha256", "key", body, "hex")
  assert.equal(verdict(bare, hex.toUpperCase(), ["key"]), "genuine")
  const base64 = sign("sha256", "key", body, "base64")
  assert.equal(verdict({ ...bare, encoding: "base64" }, base64, ["key"]), "genuine")
  assert.equal(verdict({ ...bare, encoding: "base64" }, base64.toLowerCase(), ["key"]), "forged")
})

test("a prefix is required where the scheme names one", () => {
  const scheme: SignatureScheme = { ...bare, layout: { kind: "bare", prefix: "sha256=" } }
  const hex = sign("sha256", "key", body, "hex")
  assert.equal(verdict(scheme, `sha256=${hex}`, ["key"]), "genuine")
  assert.equal(verdict(scheme, hex, ["key"]), "forged")
})

test("secrets that cannot be keys sign nothing", () => {
  for (const secret of ["", "abc", "zz"])
    assert.equal(verdict({ ...bare, secret: "hex" }, sign("sha256", "", body, "hex"), [secret]), "forged")
  for (const secret of ["", "====", "*"])
    assert.equal(verdict({ ...bare, secret: "base64" }, sign("sha256", "", body, "hex"), [secret]), "forged")
})

const timed: SignatureScheme = {
  ...bare,
  layout: { kind: "pairs", time: "t", signature: "v1" },
  signed: "{time}.{body}",
  toleranceMs: 300_000,
}

test("one right signature among several is enough, the first sixteen are tried, and the body's braces are no placeholders", () => {
  const good = `v1=${sign("sha256", "key", `100.${body}`, "hex")}`
  const bad = `v1=${"0".repeat(64)}`
  assert.equal(verdict(timed, `t=100,${bad},v0=x,${good}`, ["other", "key"], 100_000), "genuine")
  assert.equal(verdict(timed, ["t=100", ...Array<string>(16).fill(bad), good].join(), ["key"], 100_000), "forged")
  assert.equal(verdict(timed, `t=100,${good.replace("v1", "v0")}`, ["key"], 100_000), "forged")
})

test("a signed time must be there, be a number and be recent", () => {
  const signature = (time: string): string => `t=${time},v1=${sign("sha256", "key", `${time}.${body}`, "hex")}`
  assert.equal(verdict(timed, signature("100"), ["key"], 400_000), "genuine")
  assert.equal(verdict(timed, signature("100"), ["key"], 400_001), "stale")
  assert.equal(verdict(timed, signature("1e2"), ["key"], 100_000), "forged")
  assert.equal(verdict(timed, `v1=${sign("sha256", "key", `.${body}`, "hex")}`, ["key"], 0), "forged")
})

test("texts are equal exactly when they are the same", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => assert.equal(equalTexts(a, b), a === b)))
  fc.assert(
    fc.property(fc.string(), (a) =>
      assert.ok(equalTexts(a, a) && !equalTexts(a, `${a}\0`) && !equalTexts(`${a}\0`, a)),
    ),
  )
})
