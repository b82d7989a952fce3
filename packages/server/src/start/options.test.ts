import assert from "node:assert/strict"
import { test } from "node:test"
import { defaultRetention } from "../storage/ledger/retention.ts"
import { readOptions, Usage } from "./options.ts"

const retention = (text: string) => {
  const options = readOptions([], { ORCHESTRA_RETENTION_DAYS: text })
  return options === "help" ? assert.fail() : options.retention
}

test("what is kept, and how long, can be said for what needs no promise of ours", () => {
  assert.deepEqual(retention(""), defaultRetention)
  const said = retention("transcripts=30, inbound_webhooks=14,one_off_cards=2")
  assert.deepEqual(said, { ...defaultRetention, transcripts: 30, inboundWebhooks: 14, oneOffCards: 2 })
  // Idempotency keys are promised for thirty days.
  for (const wrong of [
    "idempotency=1",
    "transcripts",
    "transcripts=-1",
    "transcripts=6",
    "events=30",
    "toString=9",
    "x=9",
  ])
    assert.throws(() => retention(wrong), Usage, wrong)
})

test("what is wrong on the command line or in the environment is said with what would be right", () => {
  const refusal = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): string => {
    try {
      readOptions(args, environment)
    } catch (error) {
      assert.ok(error instanceof Usage)
      return error.message
    }
    return "it was taken"
  }
  assert.match(refusal(["--port", "99999"]), /from 0 to 65535, not "99999"/)
  assert.match(refusal(["--role", "boss"]), /all, api, worker or insight/)
  assert.match(refusal(["--nonsense"]), /^Unknown option '--nonsense'\. See --help\.$/)
  assert.match(refusal([], { DATABASE_URL: "mysql://x" }), /must begin with postgres:/)
  assert.match(refusal([], { ORCHESTRA_PUBLIC_URL: "https://a/b" }), /must be an origin/)
  assert.equal(refusal([], { DATABASE_URL: "" }), "it was taken")
})

test("a BIN table is named on the command line, else in the environment", () => {
  const tableOf = (args: readonly string[], environment: Readonly<Record<string, string>>) => {
    const options = readOptions(args, environment)
    return options === "help" ? assert.fail() : options.binTable
  }
  assert.equal(tableOf([], { ORCHESTRA_BIN_TABLE: "" }), undefined)
  assert.equal(tableOf([], { ORCHESTRA_BIN_TABLE: "bins.csv" }), "bins.csv")
  assert.equal(tableOf(["--bin-table", "mine.csv"], { ORCHESTRA_BIN_TABLE: "bins.csv" }), "mine.csv")
})
