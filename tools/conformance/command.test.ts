import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { conformance } from "./command.ts"

const root = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), "orchestra-conformance-"))
after(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: readonly string[]): { readonly status: number; readonly out: string; readonly err: string } {
  const [out, err]: [string[], string[]] = [[], []]
  const status = conformance(args, { report: (text) => void out.push(text), progress: (text) => void err.push(text) })
  return { status, out: out.join("\n"), err: err.join("\n") }
}

function writeData(files: Readonly<Record<string, string>>): string {
  const data = mkdtempSync(join(folder, "data-"))
  for (const name of ["specs", "recorded", "webhooks", "codes"]) mkdirSync(join(data, name))
  for (const [file, content] of Object.entries(files)) writeFileSync(join(data, file), content)
  return data
}

test("says what is missing or wrong about the folder, and how to call it", () => {
  for (const [args, complaint] of [
    [[], /--data is missing/],
    [["--data", join(folder, "nowhere")], /does not exist/],
    [["--data", root], /is not the data folder: it has no specs\//],
    [["--data", writeData({})], /cannot be read/],
    [["--data", writeData({ "recorded/stripe.jsonl": "{" }), "--psp", "stripe"], /stripe\.jsonl:1 is not JSON/],
    [["--data", writeData({}), "--psp", "acme"], /none of stripe, adyen, checkout/],
    [["--data", writeData({}), "--inputs", "0"], /whole number from 1/],
    [["--dta", "x"], /Unknown option/],
  ] as const) {
    const { status, err } = run(...args)
    assert.equal(status, 2, err)
    assert.match(err, complaint)
    assert.match(err, /npm run conformance -- --data/)
  }
})

// A description that knows one operation and one field of it, one code, one recording.
const amounts = {
  openapi: "3.0.0",
  paths: {
    "/payments/{id}/voids": {
      post: {
        requestBody: {
          content: { "application/json": { schema: { type: "object", properties: { metadata: { type: "object" } } } } },
        },
      },
    },
  },
}
const reply = {
  method: "post",
  path: "/payments",
  http_status: 201,
  body: { id: "pay_1", amount: 100, currency: "USD", approved: false, status: "Authorized" },
}

test("a disagreement is shown, counted in the last line, and fails the run", () => {
  const data = writeData({
    "specs/checkout-nas-2022-07.json": JSON.stringify(amounts),
    "recorded/checkout.jsonl": "",
    "recorded/checkout_sdk.jsonl": JSON.stringify(reply),
    "codes/checkout.json": JSON.stringify([
      { field: "response_code", code: "20051" },
      { field: "response_code", code: "99999" },
    ]),
  })
  const { status, out, err } = run("--data", data, "--psp", "checkout", "--inputs", "3", "--verbose")
  assert.equal(status, 1, err)
  assert.match(err, /checkout: encoded requests \.\.\./)
  assert.match(out, /void 1 of seed \d+\n +POST \/payments\/\{id\}\/voids body\/reference \(field\)/)
  assert.match(out, /authorize 1 of seed \d+\n +POST \/payments path \(path\): no such operation/)
  assert.match(out, /checkout_sdk\.jsonl:1 POST \/payments 201\n +kinds: expected \["declined"\], read unknown/)
  assert.match(out, /response_code 99999\n +in no table/)
  assert.doesNotMatch(out, /20051/)
  const last = JSON.parse(out.trim().split("\n").at(-1)!) as Record<string, number>
  assert.equal(last["cases"], last["agree"]! + last["explained"]! + last["unexplained"]!)
  assert.ok(last["unexplained"]! > 3)
})

test("--json is one line of everything, and then the tally", () => {
  const data = writeData({
    "specs/checkout-nas-2022-07.json": JSON.stringify(amounts),
    "recorded/checkout.jsonl": "",
    "recorded/checkout_sdk.jsonl": JSON.stringify({ ...reply, path: "/tokens" }),
    "codes/checkout.json": "[]",
  })
  const { out } = run("--data", data, "--psp", "checkout", "--inputs", "1", "--json")
  const [report, counts, ...rest] = out.trim().split("\n")
  assert.deepEqual(rest, [])
  const { providers, explained, unexplained } = JSON.parse(report!) as Record<string, readonly { key?: string }[]>
  assert.equal(providers?.length, 1)
  assert.ok(explained?.some(({ key }) => key === "checkout not a payment"))
  assert.equal(unexplained?.length, (JSON.parse(counts!) as { unexplained: number }).unexplained)
})

test("--help says what it does", () => {
  const { status, out } = run("--help")
  assert.equal(status, 0)
  assert.match(out, /--verbose/)
})
