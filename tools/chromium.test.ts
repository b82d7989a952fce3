import assert from "node:assert/strict"
import { spawnSync, type SpawnSyncReturns } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"

const home = mkdtempSync(join(tmpdir(), "orchestra-chromium-"))
after(() => rmSync(home, { recursive: true }))
/** A Mac's browsers are found where they always are, which no test can take away. */
const skip = process.platform === "darwin" && "only where browsers are found by PATH"

test("prefers the browser that CHROMIUM_PATH names, then the first on PATH", { skip }, () => {
  const [named, onPath] = [program(folder(), "my-browser"), program(folder(), "google-chrome")]
  assert.equal(find({ CHROMIUM_PATH: named, PATH: join(onPath, "..") }).stdout.trim(), named)
  assert.equal(find({ PATH: join(onPath, "..") }).stdout.trim(), onPath)
})

test("says what to install where it cannot install anything", { skip }, () => {
  const { status, stderr } = find({ PATH: folder() })
  assert.equal(status, 1)
  assert.match(stderr, /The browser tests need Chromium or Chrome, and none is installed\. Install one \(.+\), or set/)
})

const root = process.geteuid?.() === 0
test("installs one as root, where there is apt-get", { skip: skip || (!root && "needs root") }, () => {
  const path = folder()
  const chromium = join(path, "chromium")
  const script = `case "$*" in *install*chromium*) /bin/cp "$0" ${chromium};; esac`
  program(path, "apt-get", script)
  assert.equal(find({ PATH: path }).stdout.trim(), chromium)
})

test("says why apt-get failed", { skip: skip || (!root && "needs root") }, () => {
  const path = folder()
  program(path, "apt-get", `[ "$1" = --version ] || { echo "E: no room left" >&2; exit 100; }`)
  assert.match(find({ PATH: path }).stderr, /apt-get could not install it \(E: no room left\)/)
})

function folder(): string {
  return mkdtempSync(join(home, "path-"))
}

function program(path: string, name: string, script = ""): string {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return join(path, name)
}

function find(env: Readonly<Record<string, string>>): SpawnSyncReturns<string> {
  const file = join(import.meta.dirname, "chromium.ts")
  return spawnSync(process.execPath, [file], { env: { HOME: home, ...env }, encoding: "utf8" })
}
