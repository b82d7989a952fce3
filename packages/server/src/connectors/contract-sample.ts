// Samples: answers of a provider as they come over the wire, each with the outcome that must be read from it. They stand
// in a connector's `samples/*.json`, one list a file, and serve three ways: as examples, as the material that the
// contract suite mutates, and as documentation. Test support, not part of the server.
//
//   { "name": "approves with a hold", "operation": "authorize", "input": { "capture": "manual" },
//     "response": { "status": 200, "body": { ... } }, "outcome": { "kind": "approved", "amount": "1999", ... },
//     "request": { "method": "POST", "path": "/v1/...", "body": { ... } } }
//
// `input` overrides fields of the standard input (see contract-input.ts). Amounts of money are strings of minor units.
// A `body` that is a string is sent as it is. `request`, where given, is what encode must make of the input.

import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { parseCurrency } from "../core/currency.ts"
import { money } from "../core/money.ts"
import type { OperationKind } from "../core/payment.ts"
import { secret } from "../core/secret.ts"
import type { HttpResponse } from "./connector.ts"

export type SampleOperation = OperationKind | "inquire"

export type Sample = {
  readonly name: string
  readonly operation: SampleOperation
  /** Fields that differ from the standard input of the operation. */
  readonly input?: Readonly<Record<string, unknown>>
  readonly response: HttpResponse
  /** In JSON terms: bigints as strings. */
  readonly outcome: unknown
  readonly request?: {
    readonly method?: string
    readonly path?: string
    readonly headers?: Readonly<Record<string, string>>
    /** JSON bodies as JSON, form bodies as an object of their decoded fields. */
    readonly body?: unknown
  }
}

export type WebhookSample = {
  readonly name: string
  /** Extra headers beside those that signing adds. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** In JSON terms: bigints as strings. */
  readonly notices: readonly unknown[]
}

const operations: readonly string[] = [
  "prepare",
  "authorize",
  "complete",
  "capture",
  "void",
  "refund",
  "increment",
  "reverse",
  "inquire",
] satisfies readonly SampleOperation[]

type JsonSample = Omit<Sample, "response" | "input"> & {
  readonly input?: unknown
  readonly response: { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown }
}

/** All samples of a folder's `*.json`, except those in `webhooks.json`. Call with `new URL("./samples/", import.meta.url)`. */
export function readSamples(folder: URL): readonly Sample[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json") && name !== "webhooks.json")
    .sort()
  return files.flatMap((file) => read<JsonSample>(folder, file).map((sample) => toSample(sample, file)))
}

/** `webhooks.json`: a list of `{ name, headers?, body, notices }`; a body that is not a string is written as JSON. */
export function readWebhookSamples(folder: URL): readonly WebhookSample[] {
  return read<Omit<WebhookSample, "body"> & { readonly body: unknown }>(folder, "webhooks.json").map((sample) => {
    assert.ok(Array.isArray(sample.notices), `webhooks.json: "${sample.name}" needs a list of notices`)
    return { ...sample, body: bodyText(sample.body) }
  })
}

/** The value as JSON would hold it, with bigints as strings: how outcomes and notices are compared with samples. */
export function inJson(value: unknown): unknown {
  if (value === undefined) return undefined
  return JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part)))
}

/** Every text and number in a value, keys aside. */
export function leavesOf(value: unknown): readonly string[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leavesOf)
  return typeof value === "string" ? [value] : value === undefined || value === null ? [] : [JSON.stringify(value)]
}

function read<T>(folder: URL, file: string): readonly T[] {
  const list: unknown = JSON.parse(readFileSync(new URL(file, folder), "utf8"))
  assert.ok(Array.isArray(list), `${file} is not a list`)
  return list as T[]
}

function toSample(sample: JsonSample, file: string): Sample {
  const where = `${file}: "${sample.name}"`
  assert.ok(operations.includes(sample.operation), `${where} has no known operation`)
  assert.ok(sample.outcome !== undefined, `${where} has no outcome`)
  const { status, headers = {}, body } = sample.response
  assert.ok(Number.isInteger(status), `${where} has no status`)
  const input = sample.input === undefined ? {} : { input: revive(sample.input) as Record<string, unknown> }
  return { ...sample, ...input, response: { status, headers, body: bodyText(body) } } as Sample
}

const bodyText = (body: unknown): string => (typeof body === "string" ? body : JSON.stringify(body))

const secretFields = new Set(["number", "cvc", "cryptogram"])

// {"minor": "1999", "currency": "EUR"} becomes money, card fields become secrets.
function revive(value: unknown, key = ""): unknown {
  if (typeof value === "string" && secretFields.has(key)) return secret(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((part) => revive(part))
  const { minor, currency } = value as { readonly minor?: unknown; readonly currency?: unknown }
  if (typeof minor === "string" && typeof currency === "string") {
    const known = parseCurrency(currency)
    assert.ok(known !== undefined, `${currency} is not a currency`)
    return money(BigInt(minor), known)
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, revive(part, name)]))
}
