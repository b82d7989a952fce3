// What every scrubber owes: after it, no card number, security code, cryptogram or credential is left, in whatever
// encoding it travelled. Test support.

import assert from "node:assert/strict"
import fc from "fast-check"
import type { AccountConfig, Connector, HttpRequest } from "./connector.ts"
import { cardSecretsOf, codecOf, operationsOf, readBody } from "./contract-encode.ts"
import { arbitraryInput } from "./contract-arbitrary.ts"
import type { AnyInput } from "./contract-input.ts"
import type { Rule } from "./contract-rule.ts"
import { leavesOf, type Sample } from "./contract-sample.ts"
import { parseJson } from "./json.ts"

const runs = { numRuns: 150 }

export function scrubRules(connector: Connector, config: AccountConfig, samples: readonly Sample[]): readonly Rule[] {
  const rules: Rule[] = []
  const rule = (name: string, check: () => void): void => void rules.push({ name: `scrub: ${name}`, check })
  const scrub = (text: string): string => {
    const clean = connector.scrub(text)
    assert.equal(connector.scrub(clean), clean, "scrubbing twice changes nothing more")
    return clean
  }
  for (const operation of operationsOf(connector)) {
    rule(`${operation}: nothing secret is left of a request, however it is wrapped`, () => {
      fc.assert(
        fc.property(arbitraryInput(connector, operation), (input) => {
          const request = codecOf(connector, operation).encode(input, config)
          for (const [wrapping, text] of wrappingsOf(request)) assertClean(scrub(text), input, config, wrapping)
          assertBodyClean(request, scrub, input)
        }),
        runs,
      )
    })
  }
  rule("a card number is found with spaces and dashes, and in a sentence", () => {
    for (const written of ["4242 4242 4242 4242", "4242-4242-4242-4242", "4242424242424242", "3782 822463 10005"])
      for (const text of [
        `card ${written} was declined`,
        `"message":"${written}"`,
        `x=${written.replaceAll(" ", "+")}&y`,
        `x=${written.replaceAll(" ", "%20")}&y`,
      ])
        assert.ok(!/4242\D*4242\D*4242|822463/.test(scrub(text).replaceAll(/%20|\+/g, " ")), text)
  })
  rule("any text is scrubbed without throwing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => void scrub(text)),
      { numRuns: 200 },
    )
  })
  rule("what is not secret is left: answers without card data keep their words, and JSON stays JSON", () => {
    for (const { response, name } of samples) {
      const clean = scrub(response.body)
      if (parseJson(response.body) === undefined) continue
      const before = leavesOf(parseJson(response.body))
      const after = leavesOf(parseJson(clean))
      assert.equal(after.length, before.length, `"${name}" is not the same JSON any more`)
      const lost = before.filter((leaf, index) => leaf !== after[index])
      assert.ok(lost.length <= Math.max(1, before.length / 10), `"${name}" lost ${lost.join(", ")}`)
    }
  })
  return rules
}

// A transcript may hold the body itself, a log line around it, or one encoding inside another.
function wrappingsOf(request: HttpRequest): readonly (readonly [string, string])[] {
  const body = request.body ?? ""
  const parsed = parseJson(body)
  return [
    ["body", body],
    ["JSON in a JSON text", JSON.stringify({ request: body })],
    ["JSON in a JSON text, twice", JSON.stringify({ log: JSON.stringify({ request: body }) })],
    ["form around it", new URLSearchParams({ payload: body }).toString()],
    ["headers as JSON", JSON.stringify(request.headers)],
    [
      "headers as lines",
      Object.entries(request.headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\r\n"),
    ],
    ["the whole request as JSON", JSON.stringify(request)],
    ...(parsed === undefined ? [] : ([["pretty JSON", JSON.stringify(parsed, null, 2)]] as const)),
  ]
}

function assertClean(text: string, input: AnyInput, config: AccountConfig, wrapping: string): void {
  for (const value of cardSecretsOf(input)) {
    if (value.length <= 4) continue // judged by `assertBodyClean`: three digits stand in many an id
    for (const form of [
      value,
      encodeURIComponent(value),
      encodeURIComponent(encodeURIComponent(value)),
      value.replaceAll("/", "\\/"),
    ])
      assert.ok(!text.includes(form), `card data left in ${wrapping}`)
  }
  for (const [name, credential] of Object.entries(config.credentials)) {
    const value = credential.reveal()
    for (const form of [
      value,
      encodeURIComponent(value),
      Buffer.from(value).toString("base64"),
      Buffer.from(`${value}:`).toString("base64"),
    ])
      assert.ok(!text.includes(form), `credential ${name} left in ${wrapping}`)
  }
}

function assertBodyClean(request: HttpRequest, scrub: (text: string) => string, input: AnyInput): void {
  const secrets = cardSecretsOf(input)
  if (request.body === undefined || secrets.length === 0) return
  const before = leavesOf(readBody(request))
  const after = leavesOf(readBody({ ...request, body: scrub(request.body) }))
  assert.equal(after.length, before.length, "the scrubbed body is still of its kind")
  for (const value of secrets) {
    const places = before.flatMap((leaf, index) => (leaf === value ? [index] : []))
    const fields = fieldsOf(readBody(request))
    for (const place of places)
      if (!/month|year|date/i.test(fields[place] ?? ""))
        assert.notEqual(after[place], value, `${fields[place]} is left`)
  }
}

function fieldsOf(value: unknown, name = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return value === undefined || value === null ? [] : [name]
  return Object.entries(value).flatMap(([key, part]) => fieldsOf(part, key))
}
