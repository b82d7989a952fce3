// Joins the parts: accounts behind their own ports, one control API, one log. What is in here is in memory only; a
// restart or a reset with the same seed begins the same history again.
import { type Account, createAccount } from "./account.ts"
import { seededRandom } from "./chance.ts"
import { openControl } from "./control.ts"
import { type Listener, openListener, PAGES } from "./listener.ts"
import type { Persona, TrueCharge } from "./persona.ts"
import { PERSONAS, webhookSecretOf } from "./personas.ts"
import { type HostPorts, realPorts } from "./ports.ts"
import { createRequestLog, type RequestLog } from "./request-log.ts"
import type { Weather } from "./weather.ts"

export type SimulatorOptions = {
  /** Same seed and same requests, same answers: ids, declines, weather. */
  readonly seed?: string
  /** Address to listen on; the simulator has no authentication, so only this machine by default. */
  readonly host?: string
  /** Port of the control API; accounts take the ports after it. 0, the default, takes any free ports. */
  readonly port?: number
  /** Default: one ready account per persona. */
  readonly accounts?: readonly NewAccount[]
}

export type NewAccount = {
  readonly id: string
  readonly persona: Persona["id"]
  /** Default: test keys made from the seed. */
  readonly credentials?: Readonly<Record<string, string>>
  readonly webhookUrl?: string
  readonly weather?: Weather
}

/** What a merchant needs to use a simulated account. */
export type ReadyAccount = {
  readonly id: string
  readonly persona: Persona["id"]
  readonly url: string
  readonly credentials: Readonly<Record<string, string>>
  /** The one of the credentials that signs webhooks. */
  readonly webhookSecret: string
}

export type Simulator = {
  readonly controlUrl: string
  readonly accounts: () => readonly ReadyAccount[]
  readonly account: (id: string) => Account | undefined
  readonly addAccount: (account: NewAccount) => Promise<ReadyAccount>
  /** Done once the weather is in force, the account's port included. */
  readonly setWeather: (id: string, weather: Weather) => Promise<boolean>
  readonly setWebhookUrl: (id: string, url: string | undefined) => boolean
  /** Ground truth of all money, of one account or all. */
  readonly truth: (id?: string) => readonly TrueCharge[]
  /** Forgets everything but the accounts, and begins again, with another seed if one is given. */
  readonly reset: (seed?: string) => Promise<void>
  readonly log: RequestLog
  readonly close: () => Promise<void>
}

export const DEFAULT_SEED = "orchestra"
export const MAX_ACCOUNTS = 100

export async function startSimulator(options: SimulatorOptions = {}, ports: HostPorts = realPorts): Promise<Simulator> {
  const { host = "127.0.0.1", port = 0 } = options
  let seed = options.seed ?? DEFAULT_SEED
  const log = createRequestLog()
  const served = new Map<string, { account: Account; listener: Listener }>()

  const simulator: Omit<Simulator, "controlUrl"> = {
    accounts: () => [...served.values()].map(ready),
    account: (id) => served.get(id)?.account,
    async addAccount(added) {
      if (served.has(added.id)) throw new Error(`account ${added.id} exists already`)
      if (served.size >= MAX_ACCOUNTS) throw new Error(`at most ${MAX_ACCOUNTS} accounts`)
      const listener = await openListener({ host, port: port && port + served.size + 1 }, ports, log)
      const credentials =
        added.credentials ?? PERSONAS[added.persona].credentials(seededRandom(`${seed}:keys:${added.id}`))
      const settings = { id: added.id, persona: added.persona, credentials, publicUrl: `${listener.origin}${PAGES}` }
      const account = createAccount(settings, seed, ports, PERSONAS[added.persona].create, added)
      served.set(added.id, { account, listener })
      await listener.serve(account)
      return ready({ account, listener })
    },
    async setWeather(id, weather) {
      const found = served.get(id)
      found?.account.setWeather(weather)
      await found?.listener.refresh()
      return found !== undefined
    },
    setWebhookUrl(id, url) {
      served.get(id)?.account.setWebhookUrl(url)
      return served.has(id)
    },
    truth: (id) =>
      [...served.values()]
        .filter(({ account }) => id === undefined || account.settings.id === id)
        .flatMap(({ account }) => account.persona.truth()),
    async reset(next = seed) {
      seed = next
      log.clear()
      for (const entry of served.values()) {
        const { settings } = entry.account
        entry.account.close()
        const webhookUrl = entry.account.webhookUrl()
        entry.account = createAccount(settings, seed, ports, PERSONAS[settings.persona].create, { webhookUrl })
        await entry.listener.serve(entry.account)
      }
    },
    log,
    async close() {
      for (const { account } of served.values()) account.close()
      await Promise.all([control.close(), ...[...served.values()].map(({ listener }) => listener.close())])
    },
  }
  const control = await openControl({ host, port }, simulator)
  const accounts = options.accounts ?? Object.values(PERSONAS).map(({ id }) => ({ id: `${id}_test`, persona: id }))
  for (const account of accounts) await simulator.addAccount(account)
  return { ...simulator, controlUrl: control.origin }
}

function ready({ account, listener }: { account: Account; listener: Listener }): ReadyAccount {
  const { id, persona, credentials } = account.settings
  return { id, persona, url: listener.origin, credentials, webhookSecret: webhookSecretOf(persona, credentials) }
}
