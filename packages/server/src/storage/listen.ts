// Listening for notifications on a connection of its own, for as long as one wants to, through every loss of the connection.
// A notification is a hint and may be lost: whoever listens also polls.

import type { Clock, Log } from "../ports.ts"
import type { Database, Session } from "./database.ts"

/** Waits before listening again after the connection was lost (ms): the first, and the longest. */
export const RELISTEN_MS = 250
export const MAX_RELISTEN_MS = 5_000

export type Listening = { stop(): Promise<void> }

export function listen(
  database: Pick<Database, "session">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  channel: string,
  heard: (payload: string) => void,
): Listening {
  let stopped = false
  let session: Session | undefined
  let endPause = (): void => {}
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel()
        resolve()
      }
      const cancel = clock.after(ms, end)
      endPause = end
    })

  const listenForEver = async (): Promise<void> => {
    let wait = RELISTEN_MS
    while (!stopped) {
      try {
        session = await database.session()
        const ended = new Promise<void>((resolve) => session?.onEnd(resolve))
        session.onNotification((_channel, payload) => heard(payload))
        await session.run(`listen ${channel}`)
        wait = RELISTEN_MS
        if (!stopped) await ended
      } catch (error) {
        log.warn({ channel, error: String(error) }, "cannot listen for changes; polling until it works again")
      }
      await session?.close().catch(() => {})
      if (stopped) return
      await pause(wait)
      wait = Math.min(wait * 2, MAX_RELISTEN_MS)
    }
  }

  const listening = listenForEver()
  return {
    async stop() {
      stopped = true
      endPause()
      await session?.close().catch(() => {})
      await listening
    },
  }
}
