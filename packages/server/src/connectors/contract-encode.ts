// What every encoder owes: the same request for the same input, the exact amount in the provider's own digits, the key,
// the version and our ids where the provider can keep them, and no secret where logs and proxies would see it.

import assert from "node:assert/strict"
import fc from "fast-check"
import { exponentOf } from "../core/currency.ts"
import { maxPaymentMinor, type Money, money } from "../core/money.ts"
import { isExact, providerAmount, providerExponent } from "./amount.ts"
import {
  type AccountConfig,
  type AuthorizeInput,
  type Codec,
  type Connector,
  type HttpRequest,
  type MethodInput,
  takesNetworkTransactionId,
} from "./connector.ts"
import { arbitraryInput } from "./contract-arbitrary.ts"
import { type AnyInput, currenciesOf, expressible, inputOf, standardInput } from "./contract-input.ts"
import type { Rule } from "./contract-rule.ts"
import { inJson, leavesOf, type Sample, type SampleOperation } from "./contract-sample.ts"

const runs = { numRuns: 150 }

export function encodeRules(connector: Connector, config: AccountConfig, samples: readonly Sample[]): readonly Rule[] {
  const rules: Rule[] = []
  for (const operation of operationsOf(connector)) {
    const encode = (input: AnyInput): HttpRequest => codecOf(connector, operation).encode(input, config)
    const each = (check: (input: AnyInput) => void): void =>
      fc.assert(fc.property(arbitraryInput(connector, operation), check), runs)
    const rule = (name: string, check: () => void): void => void rules.push({ name: `${operation}: ${name}`, check })

    rule("encodes the same input to the same request and leaves the input as it was", () =>
      each((input) => {
        const frozen = deepFreeze(input)
        assert.deepEqual(encode(frozen), encode(frozen))
      }),
    )
    rule("encodes a well-formed request, whatever the merchant's texts hold", () =>
      each((input) => assertWellFormed(encode(input))),
    )
    rule("keeps credentials in headers and card data in the body", () =>
      each((input) => assertSecretsInPlace(encode(input), input, config)),
    )
    rule("names its references so that they cannot change the path", () => assertSafePath(connector, operation, encode))
    if (operation !== "inquire") {
      rule("carries the idempotency key where the provider stores it", () => {
        if (connector.manifest.operations[operation]!.replay.stores !== "none")
          each((input) => assert.ok(allText(encode(input)).includes(input.key), "the key is not in the request"))
      })
      rule("tells who starts the payment, and links it to the first one where the account may", () =>
        assertInitiators(connector, operation, config),
      )
      rule("encodes every part of an amount that the provider can express", () =>
        assertParts(connector, operation, encode),
      )
      rule("carries our id of the attempt or operation", () => assertOurIds(operation, each, encode))
      rule("writes the amount exactly in the provider's own minor units, in every currency", () =>
        assertExactAmounts(connector, operation, encode),
      )
      rule("throws for an amount that the provider cannot express", () =>
        assertInexactAmountsThrow(connector, operation, encode),
      )
    }
    rule("carries the API version that the manifest declares", () => {
      const { api, baseUrl } = connector.manifest
      if (api.version === "unversioned") return
      const { path, headers } = encode(standardInput(connector, operation))
      assert.ok([path, baseUrl.live, ...Object.values(headers)].some((text) => text.includes(api.version)))
    })
  }
  for (const sample of samples) {
    const { request } = sample
    if (request === undefined) continue
    rules.push({
      name: `${sample.operation}: encodes the request of "${sample.name}"`,
      check: () => {
        const input = inputOf(connector, sample)
        const encoded = codecOf(connector, sample.operation).encode(input, config)
        if (request.method !== undefined) assert.equal(encoded.method, request.method)
        if (request.path !== undefined) assert.equal(encoded.path, request.path)
        for (const [name, value] of Object.entries(request.headers ?? {})) assert.equal(encoded.headers[name], value)
        if (request.body !== undefined) assert.deepEqual(inJson(readBody(encoded)), request.body)
      },
    })
  }
  return rules
}

export function operationsOf(connector: Connector): readonly SampleOperation[] {
  const declared = Object.keys(connector.codecs) as SampleOperation[]
  return connector.inquire === undefined ? declared : [...declared, "inquire"]
}

/** The codec of an operation, its input type put aside: the suite feeds each codec inputs of its own operation only. */
export function codecOf(connector: Connector, operation: SampleOperation): Codec<AnyInput> {
  const codec = operation === "inquire" ? connector.inquire : connector.codecs[operation]
  assert.ok(codec !== undefined, `no codec for ${operation}`)
  return codec as Codec<AnyInput>
}

/** The body's fields: parsed JSON, or the decoded pairs of a form (the last one wins, as ours never repeat). */
export function readBody(request: HttpRequest): unknown {
  if (request.body === undefined) return undefined
  const type = request.headers["content-type"] ?? ""
  if (type.startsWith("application/json")) return JSON.parse(request.body)
  assert.ok(type.startsWith("application/x-www-form-urlencoded"), `no content type that the suite can read: "${type}"`)
  return Object.fromEntries(new URLSearchParams(request.body))
}

const query = (path: string): URLSearchParams => new URL(path, "https://provider.example").searchParams
const leavesOfRequest = (request: HttpRequest): readonly string[] => [
  ...leavesOf(readBody(request)),
  ...query(request.path).values(),
]
const allText = (request: HttpRequest): string =>
  [request.path, ...Object.values(request.headers), ...leavesOfRequest(request)].join("\n")

function assertWellFormed(request: HttpRequest): void {
  assert.match(request.path, /^\/[!-~]*$/, "a path starts with a slash and is printable ASCII")
  for (const [name, value] of Object.entries(request.headers)) {
    assert.match(name, /^[a-z0-9-]+$/, "header names are lower-case")
    assert.match(value, /^[ -~]*$/, `header ${name} is not printable ASCII`)
  }
  assert.equal(request.body === undefined, request.headers["content-type"] === undefined, "a type where a body is")
  if (request.method === "GET") assert.equal(request.body, undefined, "GET has no body")
  if (request.body !== undefined) assert.ok(request.body.isWellFormed(), "the body is half a character short")
  for (const leaf of leavesOfRequest(request)) assert.ok(leaf.isWellFormed(), "a text ends in half a character")
  const text = allText(request)
  for (const slip of ["[secret]", "[object Object]", "undefined", "NaN"])
    assert.ok(!text.includes(slip), `the request holds ${slip}`)
}

/** Everything in an input that must never be seen outside of the body. */
export function cardSecretsOf(input: AnyInput): readonly string[] {
  const found: string[] = []
  if ("method" in input) found.push(...methodSecrets(input.method))
  if ("threeDs" in input && input.threeDs.mode === "external") found.push(input.threeDs.cryptogram.reveal())
  return found
}

function methodSecrets(method: MethodInput): readonly string[] {
  switch (method.type) {
    case "card":
      return [method.number.reveal(), ...(method.cvc ? [method.cvc.reveal()] : [])]
    case "network_token":
      return [method.number.reveal(), ...(method.cryptogram ? [method.cryptogram.reveal()] : [])]
    case "provider_token":
      return method.cvc ? [method.cvc.reveal()] : []
    default:
      return method satisfies never
  }
}

function assertSecretsInPlace(request: HttpRequest, input: AnyInput, config: AccountConfig): void {
  const headers = Object.values(request.headers)
  // A security code is three digits and may stand in any id by chance: only whole values count.
  const outside = [...request.path.split(/[/?&=]/), ...headers]
  for (const value of cardSecretsOf(input)) {
    assert.ok(!outside.includes(value), "card data outside of the body")
    if (value.length > 4) assert.ok(!outside.some((text) => text.includes(value)), "card data outside of the body")
  }
  for (const [name, credential] of Object.entries(config.credentials)) {
    const value = credential.reveal()
    assert.ok(!request.path.includes(value), `credential ${name} in the path`)
    assert.ok(!(request.body ?? "").includes(value), `credential ${name} in the body`)
  }
}

// References come from answers and webhooks: they are data, and data must not climb out of its place in the path.
const hostileReferences = ["a/../../b", "a?b=c", "a#b", "..", "a b", "a%2fb", "a\r\nb", "é\ud800"]

function assertSafePath(
  connector: Connector,
  operation: SampleOperation,
  encode: (input: AnyInput) => HttpRequest,
): void {
  const shape = (path: string): readonly unknown[] => {
    const url = new URL(path, "https://provider.example")
    return [url.host, url.pathname.split("/").length, [...url.searchParams.keys()], url.hash]
  }
  const plain = standardInput(connector, operation)
  const expected = shape(encode(plain).path)
  for (const hostile of hostileReferences)
    for (const name of ["reference", "operationReference"]) {
      if (!(name in plain)) continue
      let request: HttpRequest
      try {
        request = encode({ ...plain, [name]: hostile } as AnyInput)
      } catch {
        continue // refusing such a reference is as good
      }
      assert.deepEqual(shape(request.path), expected, `${JSON.stringify(hostile)} changes the path`)
      assertWellFormed(request)
    }
}

// What is repeatable must be told apart later, by webhook and inquiry: captures, refunds and increments by the
// operation's id, authorizations by the attempt's. A void or reversal is known by what it voids.
function assertOurIds(
  operation: SampleOperation,
  each: (check: (input: AnyInput) => void) => void,
  encode: (input: AnyInput) => HttpRequest,
): void {
  each((input) => {
    const leaves = leavesOfRequest(encode(input))
    const carries = (id: string): boolean => leaves.some((leaf) => leaf.includes(id))
    if (operation === "capture" || operation === "refund" || operation === "increment")
      assert.ok(carries((input as { operation: string }).operation), "the operation's id is not in the request")
    if (operation === "prepare") assert.ok(carries(input.attempt), "the attempt's id is not in the request")
    if (operation === "authorize" && (input as AuthorizeInput).reference === undefined)
      assert.ok(carries(input.attempt), "the attempt's id is not in the request")
  })
}

// A payment of the merchant must differ from one of the customer on the wire, the first of an agreement from a plain one,
// and the network's transaction id has to be there exactly where the account can send it.
function assertInitiators(connector: Connector, operation: SampleOperation, config: AccountConfig): void {
  const { manifest } = connector
  if (operation !== "authorize" || !manifest.features.merchantInitiated) return
  const { method, ...base } = standardInput(connector, operation) as AuthorizeInput
  const { cvc: _typed, ...stored } = { cvc: undefined, ...method }
  const id = "488341541494658"
  const body = (initiator: AuthorizeInput["initiator"], account = config): unknown => {
    const input = { ...base, method: stored as MethodInput, initiator, threeDs: { mode: "none" } } as const
    return readBody(codecOf(connector, operation).encode(input, account))
  }
  const plain = body({ by: "customer", stored: "none" })
  const purposes = ["recurring", "unscheduled"] as const
  for (const purpose of purposes) {
    const first = body({ by: "customer", stored: "first", purpose })
    const later = body({ by: "merchant", purpose })
    assert.notDeepEqual(later, plain, "a payment of the merchant looks like one of the customer")
    assert.notDeepEqual(first, plain, "the first payment of an agreement looks like a plain one")
    assert.notDeepEqual(later, first, "a later payment of an agreement looks like the first")
  }
  const [recurring, unscheduled] = purposes.map((purpose) => body({ by: "merchant", purpose }))
  assert.notDeepEqual(recurring, unscheduled, "the purpose is not told")
  const support = manifest.networkTransactionIds
  const setting = typeof support === "object" ? support.setting : undefined
  const withOut = (value: string | undefined): AccountConfig => {
    const { [setting ?? ""]: _own, ...settings } = config.settings
    return { ...config, settings: value === undefined ? settings : { ...settings, [setting ?? ""]: value } }
  }
  const accounts = setting === undefined ? [config] : [withOut(undefined), withOut("enabled")]
  for (const account of accounts) {
    const sent = leavesOf(body({ by: "merchant", purpose: "recurring", networkTransactionId: id }, account)).includes(
      id,
    )
    assert.equal(sent, takesNetworkTransactionId(manifest, account.settings), "the network's id, where it may be sent")
  }
  if (setting !== undefined)
    assert.ok(
      manifest.settings.some(({ name }) => name === setting),
      `${setting} is no setting`,
    )
}

// What `isExact` lets pass is encoded: whoever stores an operation with such an amount can send it.
function assertParts(connector: Connector, operation: SampleOperation, encode: (input: AnyInput) => HttpRequest): void {
  const { manifest } = connector
  if (!["capture", "refund", "increment", "reverse", "void"].includes(operation)) return
  const base = standardInput(connector, operation)
  const amounts = fc.constantFrom(...currenciesOf(manifest)).chain((currency) =>
    fc
      .array(
        fc.oneof(
          fc.bigInt({ min: 0n, max: maxPaymentMinor }),
          fc.bigInt({ min: 0n, max: maxPaymentMinor / 1_000n }).map((part) => part * 1_000n),
        ),
        { minLength: 3, maxLength: 3 },
      )
      .map((minors) => minors.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map((minor) => money(minor, currency))),
  )
  fc.assert(
    fc.property(amounts, ([low, middle, high]) => {
      const sums =
        operation === "increment"
          ? { amount: high!, authorized: middle!, captured: low! }
          : { amount: low!, authorized: high!, captured: middle! }
      if (Object.values(sums).every((sum) => isExact(manifest, sum))) encode({ ...base, ...sums } as AnyInput)
    }),
    { numRuns: 300 },
  )
}

// Distinctive counts, so that no id or date in a request looks like the amount in other digits.
const counts = [7_919n, 104_729n, 1_299_709n, 15_485_863n]

// An increment's amount is the new total. Some providers want that and some what is added: on top of nothing, both are one.
function withAmount(input: AnyInput, amount: Money, operation: SampleOperation): AnyInput {
  const nothing = money(0n, amount.currency)
  const authorized = operation === "increment" ? nothing : amount
  const sums = "authorized" in input ? { authorized, captured: nothing } : {}
  return { ...input, amount, ...sums } as AnyInput
}

const amountMustBeSent: ReadonlySet<SampleOperation> = new Set(["prepare", "capture", "refund", "increment"])

function assertExactAmounts(
  connector: Connector,
  operation: SampleOperation,
  encode: (input: AnyInput) => HttpRequest,
): void {
  const { manifest } = connector
  const mustSend = amountMustBeSent.has(operation) || (operation === "authorize" && !manifest.operations.prepare)
  const base = standardInput(connector, operation)
  for (const currency of currenciesOf(manifest))
    for (const count of counts) {
      const amount = expressible(manifest, count * 1_000n, currency)
      const request = encode(withAmount(base, amount, operation))
      const other = encode(withAmount(base, expressible(manifest, count * 2_000n, currency), operation))
      const sent = JSON.stringify(request) !== JSON.stringify(other)
      if (!sent) {
        assert.ok(!mustSend, `${operation} does not send the amount`)
        continue
      }
      assertAmountIn(leavesOfRequest(request), providerAmount(manifest, amount)!, providerExponent(manifest, currency))
    }
}

function assertAmountIn(leaves: readonly string[], count: bigint, exponent: number): void {
  const decimal = (places: number): string => {
    const digits = count.toString().padStart(places + 1, "0")
    return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  }
  const right = new Set([count.toString(), decimal(exponent)])
  assert.ok(
    leaves.some((leaf) => right.has(leaf)),
    `${count} (or ${decimal(exponent)}) is not in the request`,
  )
  for (const wrong of [count * 10n, count * 100n, count * 1_000n, count / 10n, count / 100n, count / 1_000n])
    assert.ok(!leaves.includes(wrong.toString()) || right.has(wrong.toString()), `${wrong} is in the request instead`)
}

function assertInexactAmountsThrow(
  connector: Connector,
  operation: SampleOperation,
  encode: (input: AnyInput) => HttpRequest,
): void {
  const { manifest } = connector
  const base = standardInput(connector, operation)
  for (const currency of currenciesOf(manifest)) {
    const inexact = money(10n ** BigInt(exponentOf(currency) + 3) + 1n, currency)
    if (providerAmount(manifest, inexact) !== undefined) continue
    const even = expressible(manifest, inexact.minor, currency)
    const sends =
      JSON.stringify(encode(withAmount(base, even, operation))) !==
      JSON.stringify(encode(withAmount(base, expressible(manifest, inexact.minor * 2n, currency), operation)))
    if (sends)
      assert.throws(() => encode(withAmount(base, inexact, operation)), `${inexact.minor} ${currency} was encoded`)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
