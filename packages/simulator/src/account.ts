// One account at one simulated provider: its persona, its weather, the issuer behind its cards, and its webhooks. It
// answers requests with a plan and with the persona's answer; sockets are the listener's business.
import { seededRandom } from "./chance.ts"
import { createIssuer } from "./issuer.ts"
import { factsOf } from "./operation.ts"
import type { CreatePersona, Persona, WireRequest, WireResponse } from "./persona.ts"
import type { AccountPorts } from "./ports.ts"
import { createWebhookDelivery, type DeliveryCounts } from "./webhook-delivery.ts"
import {
  CLEAR,
  forecast,
  forecastWebhook,
  issuerProfile,
  listenerWeather,
  type ListenerWeather,
  nextListenerChange,
  type Plan,
  type Weather,
} from "./weather.ts"

export type AccountSettings = {
  readonly id: string
  readonly persona: Persona["id"]
  readonly credentials: Readonly<Record<string, string>>
  readonly publicUrl: string
}

export type Account = {
  readonly settings: AccountSettings
  readonly persona: Persona
  readonly weather: () => Weather
  readonly setWeather: (weather: Weather) => void
  readonly webhookUrl: () => string | undefined
  readonly setWebhookUrl: (url: string | undefined) => void
  readonly deliveries: () => DeliveryCounts
  readonly plan: (request: WireRequest) => Plan
  readonly listener: () => ListenerWeather & { readonly changesInMs: number | undefined }
  /** The provider's trouble in its own words; `stored` answers are kept under the request's idempotency key. */
  readonly trouble: (status: number, request: WireRequest, stored: boolean) => WireResponse
  /** A draw from the weather's dice, for what happens below the level of requests. */
  readonly draw: () => number
  readonly close: () => void
}

export function createAccount(
  settings: AccountSettings,
  seed: string,
  ports: AccountPorts,
  createPersona: CreatePersona,
  initial: { readonly weather?: Weather | undefined; readonly webhookUrl?: string | undefined } = {},
): Account {
  // Separate streams, so that weather never shifts the persona's ids, nor one account another's.
  const dice = seededRandom(`${seed}:weather:${settings.id}`)
  const timers = new Set<() => void>()
  let weather = initial.weather ?? CLEAR
  let weatherSetAt = ports.now()
  let webhookUrl = initial.webhookUrl
  const sinceMs = (): number => ports.now() - weatherSetAt

  const issuer = createIssuer({
    seed: `${seed}:issuer`, // shared: the cardholder's bank is the same behind every provider
    random: seededRandom(`${seed}:issuer:${settings.id}`),
    now: ports.now,
    profileOf: () => issuerProfile(weather, sinceMs()),
  })
  const persona = createPersona(
    settings,
    { now: ports.now, random: seededRandom(`${seed}:persona:${settings.id}`), after },
    issuer,
  )
  const delivery = createWebhookDelivery(() => webhookUrl, ports)
  persona.onWebhook((webhook) => delivery.send(webhook, forecastWebhook(weather, dice, sinceMs())))

  return {
    settings,
    persona,
    weather: () => weather,
    setWeather(next) {
      weather = next
      weatherSetAt = ports.now()
    },
    webhookUrl: () => webhookUrl,
    setWebhookUrl(url) {
      webhookUrl = url
    },
    deliveries: () => delivery.counts(),
    plan: (request) => forecast(weather, factsOf(settings.persona, request), dice, sinceMs()),
    listener() {
      const change = nextListenerChange(weather, sinceMs())
      return {
        ...listenerWeather(weather, sinceMs()),
        changesInMs: change === undefined ? undefined : change - sinceMs(),
      }
    },
    trouble(status, request, stored) {
      const response = persona.trouble(status, request)
      if (stored) persona.replaceStored(request, response)
      return response
    },
    draw: dice,
    close() {
      delivery.close()
      for (const cancel of timers) cancel()
    },
  }

  function after(ms: number, run: () => void): void {
    const cancel = ports.after(ms, () => {
      timers.delete(cancel)
      run()
    })
    timers.add(cancel)
  }
}
