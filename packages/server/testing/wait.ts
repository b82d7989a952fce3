// Waiting for what other parts do in their own time. The limit is there against hanging alone: nothing here says how long
// something may take, and a machine that is busy with other things changes no result.

import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"

const WAIT_LIMIT_MS = 60_000
const LOOK_MS = 20

/** Waits until `look` gives something; a test that waits in vain fails. */
export async function eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let waitedMs = 0; waitedMs < WAIT_LIMIT_MS; waitedMs += LOOK_MS) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(LOOK_MS)
  }
  return assert.fail(`waited in vain: ${what}`)
}

/** Waits until it is so. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(what, async () => ((await holds()) ? true : undefined))
}
