// The suite is only worth what it catches: the example connector keeps every rule, and each way of breaking one is named.

import assert from "node:assert/strict"
import { test } from "node:test"
import type { Outcome } from "../core/outcome.ts"
import type { AccountConfig, AuthorizeInput, Codec, Connector, HttpRequest } from "./connector.ts"
import { connectorContract, contractRules, type Material } from "./contract.ts"
import { example, exampleMaterial } from "./contract-example.ts"
import { parseJson, textAt } from "./json.ts"
import { isSignedBy } from "./signature.ts"

connectorContract(example, exampleMaterial)

/** The names of the rules that the connector breaks, of those that the pattern asks for. */
function broken(rules: RegExp, connector: Connector, material: Material = exampleMaterial): readonly string[] {
  const asked = contractRules(connector, material).filter(({ name }) => rules.test(name))
  assert.ok(asked.length > 0, `no rule is called ${rules}`)
  return asked.flatMap(({ name, check }) => {
    try {
      check()
      return []
    } catch {
      return [name]
    }
  })
}

const authorize = example.codecs.authorize!
const capture = example.codecs.capture!
const withAuthorize = (codec: Partial<Codec<AuthorizeInput>>): Connector => ({
  ...example,
  codecs: { ...example.codecs, authorize: { ...authorize, ...codec } },
})
const encodingWith = (
  change: (request: HttpRequest, input: AuthorizeInput, account: AccountConfig) => HttpRequest,
): Connector => withAuthorize({ encode: (input, account) => change(authorize.encode(input, account), input, account) })
const decodingWith = (
  change: (outcome: Outcome, status: number, body: unknown, input: AuthorizeInput) => Outcome,
): Connector =>
  withAuthorize({
    decode: (response, input) =>
      change(authorize.decode(response, input), response.status, parseJson(response.body), input),
  })
const withManifest = (change: Partial<Connector["manifest"]>): Connector => ({
  ...example,
  manifest: { ...example.manifest, ...change },
})
const bodyWith = (request: HttpRequest, change: object): HttpRequest => ({
  ...request,
  body: JSON.stringify({ ...JSON.parse(request.body!), ...change }),
})

const approval = (amount: bigint): Outcome => ({
  kind: "approved",
  effect: "authorized",
  amount,
  raw: { code: "held" },
  evidence: {},
})

let calls = 0

const mistakes: readonly (readonly [string, Connector, RegExp])[] = [
  [
    "an encoder with a memory",
    encodingWith((request) => bodyWith(request, { nonce: ++calls })),
    /authorize: encodes the same input to the same request/,
  ],
  [
    "a merchant's text in a header",
    encodingWith((request, { description = "" }) => ({
      ...request,
      headers: { ...request.headers, "x-note": description },
    })),
    /authorize: encodes a well-formed request/,
  ],
  [
    "half a surrogate pair in the body",
    encodingWith((request, { description = "" }) => ({
      ...request,
      body: `${request.body}${description.slice(0, 0)}\ud800`,
    })),
    /authorize: encodes a well-formed request/,
  ],
  [
    "a secret written as text instead of revealed",
    encodingWith((request, { method }) => bodyWith(request, { card: method })),
    /authorize: encodes a well-formed request/,
  ],
  [
    "a card number in the path",
    encodingWith((request, { method }) =>
      "number" in method ? { ...request, path: `${request.path}?card=${method.number.reveal()}` } : request,
    ),
    /authorize: keeps credentials in headers and card data in the body/,
  ],
  [
    "a credential in the body",
    encodingWith((request, _input, { credentials }) => bodyWith(request, { key: credentials["apiKey"]!.reveal() })),
    /authorize: keeps credentials in headers/,
  ],
  [
    "a payment of the merchant that looks like the customer's",
    withAuthorize({
      encode: (input, account) =>
        authorize.encode({ ...input, initiator: { ...input.initiator, by: "customer", stored: "used" } }, account),
    }),
    /authorize: tells who starts the payment/,
  ],
  [
    "a first payment that is not named",
    withAuthorize({
      encode: (input, account) => {
        const { networkTransactionId: _id, ...initiator } = input.initiator
        return authorize.encode({ ...input, initiator }, account)
      },
    }),
    /authorize: tells who starts the payment/,
  ],
  [
    "a part of an amount that cannot be sent",
    {
      ...example,
      codecs: {
        ...example.codecs,
        capture: {
          ...capture,
          encode: (input, account) => {
            if (input.amount.minor * 2n < input.authorized.minor) throw new RangeError("too little")
            return capture.encode(input, account)
          },
        },
      },
    },
    /capture: encodes every part of an amount/,
  ],
  [
    "an id that no later request can name",
    decodingWith((outcome, status, body) => ({
      ...outcome,
      evidence: status === 200 ? { reference: textAt(body, "id") ?? "" } : outcome.evidence,
    })),
    /authorize: survives samples with any field missing/,
  ],
  ["an approval without an id", decodingWith((outcome) => ({ ...outcome, evidence: {} })), /authorize: decodes "/],
  [
    "no idempotency key",
    encodingWith((request) => {
      const { "idempotency-key": _key, ...headers } = request.headers
      return { ...request, headers }
    }),
    /authorize: carries the idempotency key/,
  ],
  [
    "no reference of ours",
    encodingWith((request) => bodyWith(request, { reference: undefined })),
    /authorize: carries our id/,
  ],
  [
    "amounts in ISO's digits where the provider has others",
    encodingWith((request, { amount }) => bodyWith(request, { amount: Number(amount.minor) })),
    /authorize: writes the amount exactly/,
  ],
  [
    "amounts that are rounded",
    withAuthorize({
      encode: (input, account) =>
        authorize.encode({ ...input, amount: { ...input.amount, minor: (input.amount.minor / 10n) * 10n } }, account),
    }),
    /authorize: throws for an amount that the provider cannot express/,
  ],
  [
    "a path that a reference can change",
    {
      ...example,
      codecs: {
        ...example.codecs,
        capture: {
          ...capture,
          encode: (input, account) => ({
            ...capture.encode({ ...input, reference: "np_1" }, account),
            path: `/v2/payments/${input.reference}/capture`,
          }),
        },
      },
    },
    /capture: names its references so that they cannot change the path/,
  ],
  [
    "a version that no request carries",
    withManifest({ api: { ...example.manifest.api, version: "2026-01-01" } }),
    /carries the API version/,
  ],
  [
    "a decoder that throws",
    withAuthorize({
      decode: (response) => (JSON.parse(response.body).status === "held" ? approval(1n) : approval(1n)),
    }),
    /authorize: reads any text at any status without throwing/,
  ],
  [
    "a good status that is taken for an approval",
    decodingWith((outcome, status, _body, { amount }) =>
      status === 200 && outcome.kind === "unknown" ? approval(amount.minor) : outcome,
    ),
    /authorize: makes nothing of/,
  ],
  [
    "an error of the server that is taken for a decline",
    decodingWith((outcome, status) =>
      status >= 500 ? { kind: "declined", reason: "provider_error", raw: outcome.raw, evidence: {} } : outcome,
    ),
    /authorize: makes nothing of/,
  ],
  [
    "a status that defaults to an approval",
    decodingWith((outcome, _status, body, { amount }) =>
      outcome.kind === "unknown" && textAt(body, "id") !== undefined ? approval(amount.minor) : outcome,
    ),
    /authorize: survives several such changes|authorize: never approves in a currency/,
  ],
  [
    "an amount that is not compared with what was asked",
    decodingWith((outcome, _status, body) =>
      outcome.kind === "unknown" && textAt(body, "status") === "held" ? approval(BigInt(1_000_000)) : outcome,
    ),
    /authorize: never approves/,
  ],
  [
    "a table that answers for what every object has",
    decodingWith((outcome) => {
      if (outcome.kind !== "declined") return outcome
      const table: Record<string, "insufficient_funds"> = { poor: "insufficient_funds" }
      const reason = outcome.raw.code in table ? "insufficient_funds" : "unmapped"
      return { ...outcome, reason }
    }),
    /authorize: reads a name that every object has/,
  ],
  [
    "an authorization that knows of absence",
    decodingWith((outcome) => (outcome.kind === "unknown" ? { ...outcome, kind: "absent" } : outcome)),
    /authorize: makes nothing of/,
  ],
  [
    "an operation without a codec",
    withManifest({ operations: { ...example.manifest.operations, increment: example.manifest.operations.void! } }),
    /manifest: every declared operation has a codec/,
  ],
  [
    "a claim without a source",
    withManifest({ api: { version: "v2", source: "somebody said so" } }),
    /manifest: every claim has its source/,
  ],
  [
    "an address without TLS",
    withManifest({ baseUrl: { live: "http://api.northpay.example", test: "https://x.example" } }),
    /manifest: every address is https/,
  ],
  [
    "hanging up early",
    withManifest({ limits: { ...example.manifest.limits, listenMs: 30_000 } }),
    /manifest: limits are named and bounded/,
  ],
  ["digits that are ISO's anyway", withManifest({ exponents: { EUR: 2 } }), /manifest: currencies and digits/],
  [
    "a signature that nobody checks",
    { ...example, webhook: { ...example.webhook, verify: () => ({ kind: "genuine" }) } },
    /webhook: verifies "a refund is done", and refuses it with any byte changed/,
  ],
  [
    "a signature over the time alone",
    {
      ...example,
      webhook: {
        ...example.webhook,
        verify: ({ headers, body }, secrets, nowMs, hmac) => {
          const whole = example.webhook.verify({ headers, body }, secrets, nowMs, hmac)
          return headers["x-signature"]?.length === 80 ? { kind: "genuine" } : whole
        },
      },
    },
    /webhook: verifies "a refund is done", and refuses it with any byte changed/,
  ],
  [
    "an empty secret that signs",
    {
      ...example,
      webhook: {
        ...example.webhook,
        verify: (request, secrets, nowMs, hmac) => {
          const [, time = "", given = ""] = /^t=(\d+),v1=(\w+)$/.exec(request.headers["x-signature"] ?? "") ?? []
          const signed = Buffer.from(hmac("sha256", new Uint8Array(), `${time}.${request.body}`)).toString("hex")
          if (secrets.includes("") && signed === given) return { kind: "genuine" }
          return example.webhook.verify(request, secrets, nowMs, hmac)
        },
      },
    },
    /webhook: accepts nothing where no secret is known or a secret is empty/,
  ],
  [
    "a time that is signed but never looked at",
    {
      ...example,
      webhook: {
        ...example.webhook,
        verify: (request, secrets, _nowMs, hmac) => {
          const [, time = "", given = ""] = /^t=(\d+),v1=(\w+)$/.exec(request.headers["x-signature"] ?? "") ?? []
          const scheme = { algorithm: "sha256", secret: "utf8", encoding: "hex" } as const
          return isSignedBy(scheme, `${time}.${request.body}`, [given], secrets, hmac)
            ? { kind: "genuine" }
            : { kind: "forged", why: "no secret made this signature" }
        },
      },
    },
    /webhook: refuses an old signature as stale/,
  ],
  [
    "a webhook reader that throws",
    { ...example, webhook: { ...example.webhook, decode: ({ body }) => (JSON.parse(body) === null ? [] : []) } },
    /webhook: reads any body without throwing/,
  ],
  [
    "an event id that changes with every delivery",
    {
      ...example,
      webhook: {
        ...example.webhook,
        decode: (request) =>
          example.webhook
            .decode(request)
            .map((notice) => ({ ...notice, eventId: request.headers["x-signature"] ?? "none" })),
      },
    },
    /webhook: tells the same notices at every redelivery/,
  ],
  ["a scrubber that does nothing", { ...example, scrub: (text) => text }, /scrub: authorize: nothing secret is left/],
  ["a scrubber that leaves nothing", { ...example, scrub: () => "" }, /scrub: what is not secret is left/],
  [
    "a scrubber that knows numbers but not security codes",
    { ...example, scrub: (text) => text.replaceAll(/\d{13,19}|np_[a-z0-9]{20}|"cryptogram":"[^"]*"/g, "***") },
    /scrub: authorize: nothing secret is left/,
  ],
]

for (const [name, connector, rule] of mistakes)
  test(`the suite notices ${name}`, () => assert.notDeepEqual(broken(rule, connector), []))

test("the suite notices tables that are not covered, rows that no answer reaches and codes that are guessed", () => {
  const { tables, tableModule } = exampleMaterial
  const [reasons, ...rest] = tables
  const notices = (rule: RegExp, change: Partial<Material>): void =>
    assert.notDeepEqual(broken(rule, example, { ...exampleMaterial, ...change }), [])
  const unreached = { ...reasons!, table: { ...reasons!.table, never: "lost_card" } }
  notices(/every row is reached/, { tables: [unreached, ...rest] })
  notices(/never guessed/, { tables: [{ ...reasons!, reach: () => "insufficient_funds" }, ...rest] })
  notices(/no table is left out/, { tableModule: { ...tableModule, more: { a: "b" } } })
})

test("the suite notices samples that are missing or wrong", () => {
  const samples = exampleMaterial.samples.filter(({ operation }) => operation !== "void")
  assert.notDeepEqual(broken(/void: has samples/, example, { ...exampleMaterial, samples }), [])
  const wrong = exampleMaterial.samples.map((sample) => ({ ...sample, outcome: { kind: "unknown" } }))
  assert.notDeepEqual(broken(/authorize: decodes "holds"/, example, { ...exampleMaterial, samples: wrong }), [])
})
