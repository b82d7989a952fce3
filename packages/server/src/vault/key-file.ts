// The key ring of the embedded start: a file beside the database, not in it, that only its owner reads. It is made once
// and never overwritten: whoever loses it has lost every card and every credential.

import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import type { Chance } from "../ports.ts"
import { KEY_BYTES, newKeyRingText } from "./key-ring.ts"
import { VaultFault } from "./vault-fault.ts"

const MODE = 0o600
const MAX_FILE_BYTES = 16_384
const NOTE = `# Orchestra's keys. Keep a copy where the database's backups are not: without this file they cannot be opened.\n`

/** The key ring's text, made on the first call. Two first starts at once end with one file and the same keys. */
export function loadOrCreateKeyFile(path: string, keyName: string, chance: Chance): string {
  return read(path) ?? create(path, keyName, chance)
}

function read(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (!stat.isFile() || stat.size > MAX_FILE_BYTES)
    throw new VaultFault("key_ring_invalid", `${path} is not a key file.`)
  if ((stat.mode & 0o077) !== 0)
    throw new VaultFault("key_ring_invalid", `${path} can be read by others: run chmod 600 on it.`)
  return readFileSync(path, "utf8")
}

function create(path: string, keyName: string, chance: Chance): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const text = NOTE + newKeyRingText(keyName, chance.bytes(2 * KEY_BYTES))
  const draft = `${path}.${Buffer.from(chance.bytes(8)).toString("hex")}`
  withFile(openSync(draft, "wx", MODE), (file) => {
    writeSync(file, text)
    fsyncSync(file)
  })
  try {
    // A link fails where a rename would replace: the first one stands, and a reader never sees half a file.
    linkSync(draft, path)
    // The name too must outlive a power cut, or the database would be all that is left.
    withFile(openSync(dirname(path), "r"), fsyncSync)
    return text
  } catch (error) {
    const known = (error as NodeJS.ErrnoException).code === "EEXIST" ? read(path) : undefined
    if (known === undefined) throw error
    return known
  } finally {
    rmSync(draft, { force: true })
  }
}

function withFile(file: number, use: (file: number) => void): void {
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
