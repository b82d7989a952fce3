// What befalls the house while it works: kill -9 of servers and of PostgreSQL, each started again after a moment, servers
// that stand still and then go on with what others have taken over, changing weather at every provider, and people at the
// providers' dashboards. `calm` ends it.

import { setTimeout as sleep } from "node:timers/promises"
import type { Simulator } from "@orchestra/simulator"
import type { Cluster } from "./cluster.ts"
import { dice, type Dice } from "./dice.ts"
import { isWorkedByHand, workByHand, type Deed } from "./people.ts"
import type { ServerProcess } from "./server-process.ts"
import { calm, DAY_MS, drawWeather } from "./weather-dice.ts"

export type Misfortunes = {
  readonly kills: { servers: number; database: number }
  freezes(): number
  /** What people did by hand at the providers. */
  readonly deeds: readonly Deed[]
  /** No further misfortune; resolves when the last one is over. */
  stop(): Promise<void>
  /** The same, and everything runs again under a clear sky. */
  calm(): Promise<void>
}

/** Between two kills (ms), shortest and longest. A killed server needs some seconds to be back on a busy machine. */
const KILL_EVERY_MS = [3_000, 9_000] as const
/** How long a killed server stays down (ms). */
const DOWN_MS = [100, 2_500] as const
/** A frozen server outlives its lease of the outbox, and requests that it was about to send (ms). */
const FREEZE_MS = [3_000, 20_000] as const
/** Between two looks at whether a server runs that should (ms). */
const LOOK_MS = 500

export function befall(
  seed: string,
  {
    simulator,
    cluster,
    servers,
  }: { simulator: Simulator; cluster: Cluster; servers: readonly [ServerProcess, ...ServerProcess[]] },
  tell: (text: string) => void,
): Misfortunes {
  const kills = { servers: 0, database: 0 }
  const stopping = new AbortController()
  const { signal } = stopping
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {})
  const between = (own: Dice, [low, high]: readonly [number, number]): number => own.int(low, high)
  const down = new Set<ServerProcess>()

  const weather = async (id: string, persona: Parameters<typeof drawWeather>[1]): Promise<void> => {
    const own = dice(seed, `weather of ${id}`)
    while (!signal.aborted) {
      await simulator.setWeather(id, drawWeather(own, persona, !isWorkedByHand(id)))
      await rest(between(own, DAY_MS))
    }
  }

  /** Starts what is down and should not be: killed by us, or ended by itself. */
  const keep = async (server: ServerProcess): Promise<void> => {
    while (!signal.aborted) {
      if (!server.ready() && !down.has(server)) await server.start().catch((error: unknown) => tell(String(error)))
      await rest(LOOK_MS)
    }
  }

  const strike = async (server: ServerProcess, own: Dice): Promise<void> => {
    if (!server.ready() || down.has(server)) return
    down.add(server)
    // Now and then somebody restarts it politely: what is under way is finished first.
    const polite = own.chance(0.1)
    if (!polite) kills.servers += 1
    const downMs = between(own, DOWN_MS)
    await server.kill(polite ? "SIGTERM" : "SIGKILL")
    await rest(downMs)
    down.delete(server)
  }

  let freezes = 0
  const freeze = async (server: ServerProcess, own: Dice): Promise<void> => {
    const ms = between(own, FREEZE_MS)
    if (!server.ready() || down.has(server)) return
    freezes += 1
    const thaw = server.freeze()
    await rest(ms)
    thaw()
  }

  const violence = async (): Promise<void> => {
    const own = dice(seed, "kills")
    const blows: Promise<void>[] = []
    while (!signal.aborted) {
      await rest(between(own, KILL_EVERY_MS))
      if (signal.aborted) break
      const victim = own.weighted([
        [3, "first"],
        [3, "second"],
        [1, "both"],
        [2, "database"],
        [1, "frozen"],
      ] as const)
      const aimed = victim === "both" ? servers : victim === "first" ? servers.slice(0, 1) : servers.slice(1, 2)
      if (victim === "frozen") blows.push(freeze(own.pick(servers), own))
      else if (victim !== "database") blows.push(...aimed.map((server) => strike(server, own)))
      else {
        await cluster.answers().catch((error: unknown) => tell(String(error)))
        cluster.kill()
        kills.database += 1
      }
    }
    await Promise.all(blows)
  }

  const deeds: Deed[] = []
  const all = Promise.all([
    workByHand(seed, simulator, signal, (deed) => deeds.push(deed)),
    ...simulator.accounts().map(({ id, persona }) => weather(id, persona)),
    ...servers.map(keep),
    violence(),
  ])
  const stop = async (): Promise<void> => {
    stopping.abort()
    await all
  }
  return {
    kills,
    freezes: () => freezes,
    deeds,
    stop,
    calm: async () => {
      await stop()
      for (const { id } of simulator.accounts()) await simulator.setWeather(id, calm)
      await cluster.answers()
      for (const server of servers) if (!server.ready()) await server.start()
    },
  }
}
