// Where the insight process listens: always the same place for the same data, so that roles that are started apart find each
// other. A socket's path is short on every system; where the data folder is too deep, it stands in the temporary folder.

import { createHash } from "node:crypto"
import { lstatSync, mkdirSync, realpathSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"

export const factsFolder = (dataDir: string): string => join(dataDir, "facts")

const NAME = "insight.sock"
/** macOS allows 103 bytes. */
const MAX_PATH_BYTES = 100

export function insightSocket(dataDir: string): string {
  const folder = factsFolder(dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const real = realpathSync(folder)
  const direct = join(real, NAME)
  if (Buffer.byteLength(direct) <= MAX_PATH_BYTES) return direct
  const hash = createHash("sha256").update(real).digest("hex").slice(0, 12)
  const aside = join(Buffer.byteLength(tmpdir()) <= 60 ? tmpdir() : "/tmp", `orchestra-insight-${hash}`)
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  // Never followed, and nobody else's: anybody may put something of this name into a shared folder.
  const found = lstatSync(aside)
  if (!found.isDirectory() || (found.mode & 0o077) !== 0 || found.uid !== userInfo().uid)
    throw new Error(`${aside} is not a folder of ours alone: the insight process cannot listen there.`)
  return join(aside, NAME)
}
