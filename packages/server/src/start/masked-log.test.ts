import assert from "node:assert/strict"
import { test } from "node:test"
import { maskedLog } from "./masked-log.ts"

test("no card number reaches the log, wherever in a line it stands, and all else does", () => {
  const lines: string[] = []
  const note = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]))
  const log = maskedLog({ info: note, warn: note, error: note })
  const number = "4242 4242 4242 4242"
  const fields = {
    error: new Error(`no ${number}`),
    deep: { list: [`a ${number} b`, 7, undefined] },
    count: 3,
    ok: true,
  }
  for (const level of ["info", "warn", "error"] as const) log[level](fields, `about ${number}`)
  assert.equal(lines.length, 3)
  for (const line of lines) {
    assert.doesNotMatch(line, /4242 4242/)
    assert.match(line, /"count":3,"ok":true/)
    assert.match(line, /a 424242\*{6}4242 b/)
  }
})
