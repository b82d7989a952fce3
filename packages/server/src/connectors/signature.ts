// Signatures of webhooks, as data: which header, which hash, what is signed, how it is written. Providers differ in
// little else. Hashing comes in as a function and comparing takes the same time for every wrong answer.

import type { Hmac, Verification, WebhookRequest } from "./connector.ts"

export type SignatureScheme = {
  /** Lower-case. */
  readonly header: string
  readonly algorithm: "sha1" | "sha256" | "sha512"
  /** How the secret that the merchant copied becomes the key. */
  readonly secret: "utf8" | "hex" | "base64"
  readonly encoding: "hex" | "base64"
  /**
   * `bare`: the header is the signature, after `prefix`. `pairs`: the header is `t=…,v1=…`, with as many signatures as
   * there are current secrets.
   */
  readonly layout:
    | { readonly kind: "bare"; readonly prefix?: string }
    | { readonly kind: "pairs"; readonly time: string; readonly signature: string }
  /** What is signed. `{time}` and `{body}` are filled in, e.g. `{time}.{body}`. */
  readonly signed: string
  /** Signed times are in seconds; older than this is stale. */
  readonly toleranceMs?: number
}

/** No provider signs with more secrets at once; more is an attempt to make us hash. */
const maxSignatures = 16

export function verifySignature(
  scheme: SignatureScheme,
  request: WebhookRequest,
  secrets: readonly string[],
  nowMs: number,
  hmac: Hmac,
): Verification {
  const header = request.headers[scheme.header]
  if (header === undefined || header === "") return { kind: "forged", why: `no ${scheme.header} header` }
  const { time, signatures } = readHeader(scheme, header)
  if (signatures.length === 0) return { kind: "forged", why: "no signature in the header" }
  if (scheme.layout.kind === "pairs" && time === undefined) return { kind: "forged", why: "no time in the header" }
  const parts: Readonly<Record<string, string>> = { time: time ?? "", body: request.body }
  const data = scheme.signed.replaceAll(/\{(time|body)\}/g, (_all, name: string) => parts[name]!)
  if (!isSignedBy(scheme, data, signatures, secrets, hmac))
    return { kind: "forged", why: "no secret made this signature" }
  if (time !== undefined && scheme.toleranceMs !== undefined && nowMs - Number(time) * 1_000 > scheme.toleranceMs)
    return { kind: "stale", why: `signed at ${time}, more than ${scheme.toleranceMs} ms ago` }
  return { kind: "genuine" }
}

/** Whether any of the secrets made any of the signatures over the data. For providers that sign fields, not the body. */
export function isSignedBy(
  scheme: Pick<SignatureScheme, "algorithm" | "secret" | "encoding">,
  data: string,
  signatures: readonly string[],
  secrets: readonly string[],
  hmac: Hmac,
): boolean {
  let found = false
  for (const secret of secrets) {
    const key = keyOf(scheme.secret, secret)
    // Without a secret anybody could sign.
    if (key === undefined || key.length === 0) continue
    const expected = encode(scheme.encoding, hmac(scheme.algorithm, key, data))
    for (const signature of signatures) {
      const given = scheme.encoding === "hex" ? signature.toLowerCase() : signature
      if (equalTexts(expected, given)) found = true
    }
  }
  return found
}

/** Equal, in a time that depends on the first text's length only. */
export function equalTexts(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let place = 0; place < expected.length; place++)
    difference |= expected.charCodeAt(place) ^ (place < given.length ? given.charCodeAt(place) : 0x1_0000)
  return difference === 0
}

function readHeader(
  { layout }: SignatureScheme,
  header: string,
): { readonly time?: string; readonly signatures: readonly string[] } {
  if (layout.kind === "bare") {
    const { prefix = "" } = layout
    return { signatures: header.startsWith(prefix) ? [header.slice(prefix.length)] : [] }
  }
  let time: string | undefined
  const signatures: string[] = []
  for (const pair of header.split(",")) {
    const equals = pair.indexOf("=")
    const [name, value] = [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
    if (name === layout.time && /^\d{1,12}$/.test(value)) time = value
    if (name === layout.signature && value !== "" && signatures.length < maxSignatures) signatures.push(value)
  }
  return time === undefined ? { signatures } : { time, signatures }
}

function keyOf(form: SignatureScheme["secret"], secret: string): Uint8Array | undefined {
  switch (form) {
    case "utf8":
      return new TextEncoder().encode(secret)
    case "hex":
      if (!/^(?:[\da-f]{2})+$/i.test(secret)) return undefined
      return Uint8Array.from(secret.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    case "base64":
      if (!/^[\w+/-]+={0,2}$/.test(secret)) return undefined
      return decodeBase64(secret)
    default:
      return form satisfies never
  }
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

function encode(form: SignatureScheme["encoding"], bytes: Uint8Array): string {
  if (form === "base64") return btoa(String.fromCharCode(...bytes))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
