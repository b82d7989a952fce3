// `npm test` itself: it must not be able to pass by mistake.

import assert from "node:assert/strict"
import { spawnSync, type SpawnSyncReturns } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"

const home = mkdtempSync(join(tmpdir(), "orchestra-check-"))
after(() => rmSync(home, { recursive: true }))

test("counts what passed and what failed, shows the failure, and ends with 1", () => {
  const file = testFile("mixed", `test("holds", () => {})\ntest("breaks", () => { throw new Error("the reason") })`)
  const { status, stdout } = check(file)
  assert.equal(status, 1)
  assert.match(stdout, /^tests +FAILED .+ 1 tests in 1 files$/m)
  assert.match(stdout, /the reason/)
  assert.match(stdout, /\n1 passed, 1 failed \(.+\)\n$/)
})

test("shows what a file wrote that broke before its first test", () => {
  const { status, stdout } = check(testFile("broken", `throw new Error("the reason")`))
  assert.equal(status, 1)
  assert.match(stdout, /the reason/)
  assert.match(stdout, /\n0 passed, 1 failed/)
})

test("ends with 0 when everything passes, and says how many were skipped", () => {
  const file = testFile("fine", `test("holds", () => {})\ntest("not here", { skip: "no reason" }, () => {})`)
  const { status, stdout } = check(file)
  assert.equal(status, 0)
  assert.match(stdout, /1 tests in 1 files, 1 skipped/)
  assert.match(stdout, /\n1 passed, 0 failed/)
})

test("gives test files a PostgreSQL that answers", () => {
  const code = `
    const host = process.env.ORCHESTRA_TEST_POSTGRES
    test("answers", () => new Promise((resolve, reject) => {
      const socket = connect(host + "/.s.PGSQL.5432", () => { socket.destroy(); resolve() })
      socket.on("error", reject)
    }))`
  assert.equal(check(testFile("database", `import { connect } from "node:net"\n${code}`)).status, 0)
})

test("does not pass when there is nothing to run, or no such stage", () => {
  assert.equal(check(join(home, "nowhere.test.ts")).status, 1)
  const unknown = check("--only", "tests,nonsense")
  assert.equal(unknown.status, 2)
  assert.match(unknown.stderr, /There is no stage nonsense: format, lint, types/)
})

function testFile(name: string, code: string): string {
  const path = join(home, `${name}.test.ts`)
  writeFileSync(path, `import { test } from "node:test"\n${code}\n`)
  return path
}

function check(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(import.meta.dirname, "check.ts"), ...args], { encoding: "utf8" })
}
