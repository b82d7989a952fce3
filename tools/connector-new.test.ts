import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { connectorsFolder } from "./generate/connector-folders.ts"
import { temporaryCheckout } from "./temporary-checkout.ts"

const folder = `${connectorsFolder}/acme_pay`
const { path, run } = temporaryCheckout()
const begun = run("node", "tools/connector-new.ts", "acme_pay")

test("begins a connector, lists it and says how to go on", () => {
  assert.equal(begun.status, 0, begun.output)
  assert.match(begun.output, /npm test -- \S+acme_pay$/m)
  assert.match(readFileSync(join(path, connectorsFolder, "registry.ts"), "utf8"), /acme_pay: acmePay/)
  assert.match(readFileSync(join(path, "docs/connectors.md"), "utf8"), /## Acme Pay/)
})

test("what it writes compiles, keeps the law of the house and its format", () => {
  const compiled = run("tsc", "-p", ".")
  const own = compiled.output.split("\n").filter((line) => line.startsWith(folder) || line.includes("registry.ts"))
  assert.deepEqual(own, [])
  const linted = run("oxlint", folder)
  assert.equal(linted.status, 0, linted.output)
  assert.equal(run("oxfmt", "--check", folder).status, 0)
})

test("its tests fail with what is to be filled in, and none of them crashes", () => {
  const { status, output } = run("node", "--test", "--test-reporter=tap", `${folder}/acme_pay.test.ts`)
  assert.equal(status, 1)
  const lines = output.split("\n")
  for (const place of [
    /^not ok .*to fill in, manifest\.ts:\d+: the page about idempotency/,
    /^not ok .*to fill in, tables\.ts:\d+: every decline code/,
    /^not ok .*to fill in, wire\.ts:\d+:/,
    /^not ok .*to fill in, index\.ts:\d+:/,
    /^not ok .*to fill in, webhook\.ts:\d+:/,
    /^not ok .*to fill in, samples\/authorize\.json:\d+:/,
    /^not ok .*to fill in, NOTES\.md:\d+:/,
    /^not ok .*the tables hold the provider's codes/,
    /not ok .*manifest: every claim has its source and date/,
    /tables\.ts: \w+ is empty/,
    /no sample that goes well/,
    // Much of the contract is kept from the beginning.
    /^ +ok .*authorize: writes the amount exactly/,
  ])
    assert.ok(
      lines.some((line) => place.test(line)),
      `${place} in none of ${lines.filter((line) => line.includes("not ok")).join("\n")}`,
    )
  // What fails, fails by a sentence of the suite or of the template: never by a slip of the skeleton.
  assert.doesNotMatch(output, /TypeError|ReferenceError|SyntaxError|ERR_MODULE_NOT_FOUND|Cannot read/)
})

test("a folder that is there is left as it is", () => {
  const file = join(path, folder, "manifest.ts")
  writeFileSync(file, "// the work of days\n")
  const again = run("node", "tools/connector-new.ts", "acme_pay")
  assert.equal(again.status, 1)
  assert.match(again.output, /is there already/)
  assert.equal(readFileSync(file, "utf8"), "// the work of days\n")
})

for (const args of [
  [],
  ["Acme"],
  ["acme-pay"],
  ["../acme"],
  ["1acme"],
  ["acme__pay"],
  ["default"],
  ["a", "b"],
  ["--no"],
])
  test(`refuses ${JSON.stringify(args)} and says what it takes`, () => {
    const refused = run("node", "tools/connector-new.ts", ...args)
    assert.equal(refused.status, 1)
    assert.match(refused.output, /npm run connector:new -- <id>/)
  })

test("a name that could end a comment or a text is refused", () => {
  assert.equal(run("node", "tools/connector-new.ts", "acme_two", "--name", 'Ac"me').status, 1)
  assert.equal(run("node", "tools/connector-new.ts", "acme_two", "--name", "Acme\n// x").status, 1)
})

test("--help says what it does and does nothing", () => {
  const { status, output } = run("node", "tools/connector-new.ts", "--help")
  assert.equal(status, 0)
  assert.match(output, /npm run connector:new/)
})
