// The browser that the dashboard's tests drive: a Chromium or Chrome of the machine's own. On Debian and its kin, as root
// (a container, a CI machine), it is installed; elsewhere people are told what to install. `node tools/chromium.ts` prints
// its path.

import { spawnSync } from "node:child_process"
import { accessSync, constants, globSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"

const PACKAGES = ["chromium", "fonts-dejavu-core"]
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
]
/** What Playwright has downloaded for other projects. */
const DOWNLOADED = [".cache/ms-playwright/chromium-*/chrome-linux*/chrome"]
const INSTALL_LIMIT_MS = 5 * 60_000

/** `CHROMIUM_PATH` first, then what a shell would find. */
export function findChromium(): string | undefined {
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  const downloaded = DOWNLOADED.flatMap((pattern) => globSync(pattern, { cwd: homedir() })).map((path) =>
    join(homedir(), path),
  )
  const named = process.env["CHROMIUM_PATH"]
  return [...(named ? [named] : []), ...onPath, ...ELSEWHERE, ...downloaded].find(isExecutable)
}

/** Finds it, or installs it, or throws with the sentence that says what to do. */
export function requireChromium(): string {
  const found = findChromium()
  if (found !== undefined) return found
  const canInstall = process.geteuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0
  const problem = canInstall ? install() : "none is installed"
  const installed = findChromium()
  if (installed !== undefined) return installed
  const how = process.platform === "darwin" ? "brew install --cask chromium" : `apt-get install ${PACKAGES.join(" ")}`
  throw new Error(
    `The browser tests need Chromium or Chrome, and ${problem}. Install one (${how}), or set CHROMIUM_PATH to its program.`,
  )
}

/** What went wrong, in a few words; nobody reads it when Chromium is there afterwards. */
function install(): string {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const options = { env, encoding: "utf8", timeout: INSTALL_LIMIT_MS } as const
  const wait = ["-o", "DPkg::Lock::Timeout=120"]
  spawnSync("apt-get", [...wait, "update"], options) // stale lists may still do
  const result = spawnSync("apt-get", [...wait, "install", "-y", "--no-install-recommends", ...PACKAGES], options)
  return `apt-get could not install it (${result.stderr?.trim().split("\n").at(-1) ?? "it did not run"})`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (import.meta.main) console.log(requireChromium())
