// Work that is never done: relay, deliverer, directory. One step at a time; at once again while there is more, else after
// a rest, or when woken. A step that fails is logged and tried again, later each time.

import type { Ports } from "../ports.ts"

export type Loop = {
  /** There is work: do not rest. A hint, which may come at any time and any number of times. */
  wake(): void
  /** Resolves when the step under way has ended; no other follows. */
  stop(): Promise<void>
}

export type LoopTimes = {
  /** Rest when a step found nothing more to do (ms). */
  readonly idleMs: number
  /** Longest rest after failures in a row (ms). */
  readonly backoffMs: number
}

/** `step` answers whether it should run again at once. */
export function runLoop(ports: Ports, name: string, times: LoopTimes, step: () => Promise<boolean>): Loop {
  const { clock, log } = ports
  let stopped = false
  let woken = false
  let failures = 0
  let interrupt = (): void => {}
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel()
        interrupt = () => {}
        resolve()
      }
      const cancel = clock.after(ms, end)
      interrupt = end
    })
  const run = async (): Promise<void> => {
    while (!stopped) {
      woken = false
      let restMs = 0
      try {
        restMs = (await step()) ? 0 : times.idleMs
        failures = 0
      } catch (error) {
        failures += 1
        restMs = backoff(times, failures)
        log.error({ loop: name, failures, error: String(error) }, "a background step failed; it is tried again")
      }
      if (restMs > 0 && !(woken && failures === 0) && !stopped) await rest(restMs)
    }
  }
  const running = run()
  return {
    wake: () => {
      woken = true
      // A hint does not cut the rest after a failure short: it may come with every change, and what failed needs time.
      if (failures === 0) interrupt()
    },
    stop: () => {
      stopped = true
      interrupt()
      return running
    },
  }
}

const backoff = ({ idleMs, backoffMs }: LoopTimes, failures: number): number =>
  Math.min(backoffMs, Math.max(idleMs, 1) * 2 ** Math.min(failures, 20))
