// What every decoder owes: an honest outcome for any status and any body. It never throws, never approves what the
// provider did not clearly approve, never declines on a failure of machines, and never reads a code it does not know as
// something it does.

import assert from "node:assert/strict"
import fc from "fast-check"
import type { Outcome } from "../core/outcome.ts"
import type { AccountConfig, Connector, HttpResponse, InquiryInput } from "./connector.ts"
import { codecOf, operationsOf } from "./contract-encode.ts"
import { arbitraryInput } from "./contract-arbitrary.ts"
import { type AnyInput, inputOf, standardInput } from "./contract-input.ts"
import {
  arbitraryStatus,
  foreignBodies,
  mapTexts,
  placesOf,
  replaceAt,
  shapelessBodies,
  strangeCodes,
  valueAt,
  withNewFields,
  wrongValues,
} from "./contract-mutation.ts"
import { assertOutcome } from "./contract-outcome.ts"
import type { Rule } from "./contract-rule.ts"
import { inJson, type Sample, type SampleOperation } from "./contract-sample.ts"
import { parseJson } from "./json.ts"

const runs = { numRuns: 150 }

export function decodeRules(connector: Connector, config: AccountConfig, samples: readonly Sample[]): readonly Rule[] {
  const rules: Rule[] = []
  const nameable = createNameable(connector, config)
  for (const operation of operationsOf(connector)) {
    const own = samples.filter((sample) => sample.operation === operation)
    const decode = (response: HttpResponse, input: AnyInput): Outcome => {
      const outcome = codecOf(connector, operation).decode(response, input)
      assertOutcome(outcome, operation, input)
      nameable(outcome.evidence.reference, operation, input)
      if (response.status >= 400) assert.notEqual(outcome.kind, "approved", `approved at status ${response.status}`)
      if (response.status >= 500)
        assert.ok(["unknown", "rejected"].includes(outcome.kind), `${outcome.kind} at status ${response.status}`)
      return outcome
    }
    const rule = (name: string, check: () => void): void => void rules.push({ name: `${operation}: ${name}`, check })

    for (const sample of own)
      rule(`decodes "${sample.name}"`, () =>
        assert.deepEqual(inJson(decode(sample.response, inputOf(connector, sample))), sample.outcome),
      )
    rule("has samples of what goes well and of what does not", () => assertSampleKinds(connector, operation, own))
    rule("makes nothing of bodies that the provider's API did not write", () =>
      assertForeign(connector, operation, decode, bodylessOf(own)),
    )
    rule("makes nothing of JSON without a meaning", () => {
      fc.assert(
        fc.property(arbitraryStatus, fc.jsonValue(), arbitraryInput(connector, operation), (status, body, input) =>
          assertUndecided(decode({ status, headers: {}, body: JSON.stringify(body) }, input), status),
        ),
        runs,
      )
    })
    rule("reads any text at any status without throwing", () => {
      fc.assert(
        fc.property(
          arbitraryStatus,
          fc.oneof(fc.string(), fc.string({ unit: "binary" })),
          fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
          arbitraryInput(connector, operation),
          (status, body, headers, input) => void decode({ status, headers, body }, input),
        ),
        runs,
      )
    })
    rule("reads samples that were cut anywhere as unknown, or as a refusal where the status says so", () => {
      for (const sample of own.filter(({ response }) => response.body !== ""))
        for (const cut of cutsOf(sample.response.body))
          if (parseJson(cut) === undefined) {
            const outcome = decode({ ...sample.response, body: cut }, inputOf(connector, sample))
            assertUndecided(outcome, sample.response.status)
          }
    })
    rule("survives samples with any field missing, of another type or of an unheard-of value", () => {
      for (const sample of own) assertMutations(sample, inputOf(connector, sample), decode)
    })
    rule("survives several such changes at once, at any status", () => {
      if (own.length === 0) return
      const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...wrongValues)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(fc.constantFrom(...own), changes, arbitraryStatus, (sample, list, status) => {
          let body = parseJson(sample.response.body)
          for (const [pick, value] of list) {
            const places = placesOf(body)
            if (places.length > 0) body = replaceAt(body, places[pick % places.length]!, value)
          }
          decode({ ...sample.response, status, body: JSON.stringify(body) ?? "" }, inputOf(connector, sample))
        }),
        { numRuns: 400 },
      )
    })
    rule("reads a name that every object has as it reads any code it never heard of", () => {
      for (const sample of own) assertNoInheritedNames(sample, inputOf(connector, sample), decode)
    })
    rule("ignores fields that the provider may add, and their order", () => {
      for (const sample of own) {
        const body = parseJson(sample.response.body)
        if (body === undefined) continue
        const outcome = decode(
          { ...sample.response, body: JSON.stringify(withNewFields(body)) },
          inputOf(connector, sample),
        )
        assert.deepEqual(inJson(outcome), sample.outcome, sample.name)
      }
    })
    rule("reads a replayed answer as it read the original", () => {
      for (const sample of own) {
        const headers = {
          ...sample.response.headers,
          "idempotent-replayed": "true",
          "original-request": "req_1",
          age: "7",
        }
        assert.deepEqual(
          inJson(decode({ ...sample.response, headers }, inputOf(connector, sample))),
          sample.outcome,
          sample.name,
        )
      }
    })
    rule("never approves in a currency that was not asked for", () => {
      for (const sample of own) assertOtherCurrency(sample, inputOf(connector, sample), decode)
    })
    rule("never approves more than was asked for", () => {
      for (const sample of own) assertOtherAmount(sample, inputOf(connector, sample), decode)
    })
  }
  return rules
}

/**
 * A reference that a decoder gives must be one that encoders take: a payment whose id cannot stand in a request could
 * neither be captured nor reversed nor asked about. Looked at once for each text.
 */
export function createNameable(connector: Connector, config: AccountConfig) {
  const seen = new Set<string>()
  const operations = operationsOf(connector).filter((operation) => operation !== "prepare" && operation !== "authorize")
  return (reference: string | undefined, operation: SampleOperation, input: AnyInput): void => {
    const asked = operation === "inquire" ? (input as InquiryInput).about : operation
    const role = ["prepare", "authorize", "complete"].includes(asked) ? "reference" : "operationReference"
    if (reference === undefined || seen.has(`${role} ${reference}`)) return
    seen.add(`${role} ${reference}`)
    for (const next of operations)
      for (const about of next === "inquire" ? (["authorize", "capture", "refund"] as const) : [undefined])
        codecOf(connector, next).encode(
          { ...standardInput(connector, next), ...(about && { about }), [role]: reference } as AnyInput,
          config,
        )
  }
}

type Decode = (response: HttpResponse, input: AnyInput) => Outcome

const good: ReadonlySet<string> = new Set(["approved", "pending"])
const bad: ReadonlySet<string> = new Set(["declined", "rejected"])

function assertSampleKinds(connector: Connector, operation: SampleOperation, own: readonly Sample[]): void {
  const kinds = new Set(own.map((sample) => (sample.outcome as Outcome).kind))
  const has = (wanted: ReadonlySet<string>): boolean => [...kinds].some((kind) => wanted.has(kind))
  assert.ok(has(good), "no sample that goes well")
  if (operation === "inquire") {
    const strengths = Object.values(connector.manifest.operations).flatMap(({ inquiry }) => [
      inquiry.byReference,
      inquiry.byAttempt,
    ])
    if (strengths.some((strength) => strength !== "none")) assert.ok(kinds.has("absent"), "no sample of absence")
    return
  }
  assert.ok(has(bad), "no sample that is refused")
  if (operation === "authorize") assert.ok(kinds.has("declined"), "no declined sample")
}

/** Statuses of success that the provider documents to come without a body, and that a sample shows. 200 is none. */
const bodylessOf = (own: readonly Sample[]): ReadonlySet<number> =>
  new Set(
    own.flatMap(({ response: { status, body } }) => (body === "" && (status === 204 || status === 205) ? status : [])),
  )

// 401, 403 and 429 may come without a body; a page from somebody else's proxy never tells anything.
function assertForeign(
  connector: Connector,
  operation: SampleOperation,
  decode: Decode,
  bodyless: ReadonlySet<number>,
): void {
  const input = standardInput(connector, operation)
  for (let status = 100; status <= 599; status++) {
    const pages = status % 7 === 0 || [200, 201, 400, 401, 402, 403, 404, 409, 422, 429].includes(status)
    if (pages)
      for (const body of foreignBodies)
        assert.equal(
          decode({ status, headers: { "content-type": "text/html" }, body }, input).kind,
          "unknown",
          `${status} ${body}`,
        )
    for (const body of pages ? ["", ...shapelessBodies] : [""])
      if (body !== "" || !bodyless.has(status)) assertUndecided(decode({ status, headers: {}, body }, input), status)
  }
}

function assertUndecided(outcome: Outcome, status: number): void {
  const allowed = status >= 400 && status < 500 ? ["unknown", "rejected"] : ["unknown"]
  assert.ok(allowed.includes(outcome.kind), `${outcome.kind} out of nothing at status ${status}`)
}

const cutsOf = (body: string): readonly string[] =>
  [0.1, 0.25, 0.5, 0.75, 0.9, 0.99].map((share) => body.slice(0, Math.floor(body.length * share)))

// One change can take an approval away but never make one. (An answer that contradicts what was asked is unknown, and may
// be an approval once the contradiction is gone.)
function assertMutations(sample: Sample, input: AnyInput, decode: Decode): void {
  const body = parseJson(sample.response.body)
  const { kind } = sample.outcome as Outcome
  const mayBeApproved = kind === "approved" || kind === "unknown"
  for (const place of placesOf(body))
    for (const value of wrongValues) {
      const changed = JSON.stringify(replaceAt(body, place, value))
      const outcome = decode({ ...sample.response, body: changed }, input)
      if (!mayBeApproved)
        assert.ok(!movesMoney(outcome), `"${sample.name}" is approved with ${place.join(".")} = ${String(value)}`)
    }
}

function assertNoInheritedNames(sample: Sample, input: AnyInput, decode: Decode): void {
  const body = parseJson(sample.response.body)
  const [unheard, ...inherited] = strangeCodes
  for (const place of placesOf(body)) {
    if (typeof valueAt(body, place) !== "string") continue
    const read = (code: string): unknown => {
      const outcome = decode({ ...sample.response, body: JSON.stringify(replaceAt(body, place, code)) }, input)
      return mapTexts(inJson(outcome), (text) => text.replaceAll(code, "(code)"))
    }
    const expected = read(unheard)
    for (const name of inherited)
      assert.deepEqual(read(name), expected, `"${sample.name}": ${place.join(".")} = ${name}`)
  }
}

function assertOtherCurrency(sample: Sample, input: AnyInput, decode: Decode): void {
  const body = parseJson(sample.response.body)
  const asked = input.amount.currency
  const swap = (text: string): string => (text === asked ? "CHF" : text === asked.toLowerCase() ? "chf" : text)
  const changed = JSON.stringify(mapTexts(body, swap))
  if (asked === "CHF" || changed === JSON.stringify(body)) return
  const outcome = decode({ ...sample.response, body: changed }, input)
  assert.ok(!movesMoney(outcome), `"${sample.name}" is approved in another currency`)
}

const movesMoney = (outcome: Outcome): boolean =>
  outcome.kind === "approved" && !["prepared", "verified", "voided"].includes(outcome.effect)

// `decode` itself checks that no approval is above what was asked; here every number is raised at once.
function assertOtherAmount(sample: Sample, input: AnyInput, decode: Decode): void {
  const body = parseJson(sample.response.body)
  for (const factor of [2, 10, 100, 1_000]) {
    const raise = (value: unknown): unknown => {
      if (typeof value === "number") return value * factor
      if (typeof value !== "object" || value === null) return value
      if (Array.isArray(value)) return value.map(raise)
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, raise(part)]))
    }
    decode({ ...sample.response, body: JSON.stringify(raise(body)) ?? "" }, input)
  }
}
