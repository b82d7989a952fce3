// A copy of the checkout in a temporary folder, for tests of tools that write into it. Test support.

import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after } from "node:test"

const root = join(import.meta.dirname, "..")

/** What the tools read: themselves, the server's sources, the generated documents, the configurations. */
const copied = ["tools", "docs", "packages/server/src", "packages/server/package.json", "package.json", "tsconfig.json"]
const configurations = [".oxlintrc.json", ".oxfmtrc.json"]

export type Checkout = {
  readonly path: string
  /** Runs a program of the checkout: `run("node", "tools/generate.ts")`. */
  readonly run: (
    program: string,
    ...args: readonly string[]
  ) => { readonly status: number | null; readonly output: string }
}

/** Removed when the file's tests are over. */
export function temporaryCheckout(): Checkout {
  const path = mkdtempSync(join(tmpdir(), "orchestra-checkout-"))
  after(() => rmSync(path, { recursive: true, force: true }))
  for (const name of [...copied, ...configurations]) cpSync(join(root, name), join(path, name), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"))
  // A test run inside of a test run would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return {
    path,
    run: (program, ...args) => {
      const file = program === "node" ? process.execPath : join(path, "node_modules/.bin", program)
      const { status, stdout, stderr } = spawnSync(file, args, { cwd: path, encoding: "utf8", env })
      return { status, output: `${stdout}${stderr}` }
    },
  }
}
