// One Orchestra per data directory. The lock is the kernel's, taken through SQLite's own file locking: it ends with the
// process, however that dies, so there is no stale lock to heal and no race in healing it.

import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** SQLite's answer when another process holds the lock. */
const SQLITE_BUSY = 5

/**
 * Two that come at the same moment each hold a part of the lock for an instant and would both give up. This long one of
 * them tries again, while the other, on a machine that is busy, gets round to giving up; a refusal takes as long.
 */
const BUSY_LIMIT_MS = 2_000

/** The garbage collector closes a database that nobody refers to, and with it would go the lock. */
const held = new Set<DatabaseSync>()

export type InstanceLock = { release(): void }

/** Whoever holds it, is named by its process id where that is known. */
export type Taken = { readonly taken: true; readonly by: string }

/** `pid` is ours: it is written beside the lock, so that the loser can say who won. */
export function lockInstance(dir: string, pid: number): InstanceLock | Taken {
  const name = join(dir, "instance.pid")
  const database = new DatabaseSync(join(dir, "instance.lock"), { timeout: BUSY_LIMIT_MS })
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive")
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    return { taken: true, by: readOr(name, "unknown process") }
  }
  writeFileSync(name, `process ${pid}`)
  held.add(database)
  return {
    release: () => {
      held.delete(database)
      database.close()
    },
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return otherwise // the winner has not written it yet
  }
}
