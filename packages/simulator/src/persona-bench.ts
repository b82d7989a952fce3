// For tests: a persona behind a real port, driven over HTTP by the provider's own SDK, on a clock that only the test
// moves. What would go to the merchant's webhook endpoint is collected.
import { createAccount } from "./account.ts"
import { openListener, PAGES } from "./listener.ts"
import type { Persona, PersonaKind } from "./persona.ts"
import { realPorts } from "./ports.ts"
import { createRequestLog } from "./request-log.ts"
import type { Weather } from "./weather.ts"

export type Bench = {
  readonly url: string
  readonly persona: Persona
  readonly credentials: Readonly<Record<string, string>>
  /** Runs everything that is due by then, in order of time. */
  advance(ms: number): void
  now(): number
  /** Webhooks since the last call. */
  webhooks(): readonly Delivered[]
  setWeather(weather: Weather): void
  close(): Promise<void>
}

export type Delivered = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

export const BENCH_START = Date.UTC(2027, 0, 15, 12)

export async function openBench(kind: PersonaKind, credentials: Readonly<Record<string, string>>): Promise<Bench> {
  const clock = createClock()
  let delivered: Delivered[] = []
  const post = (_url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> => {
    delivered.push({ headers, body })
    return Promise.resolve(200)
  }
  const listener = await openListener({ host: "127.0.0.1", port: 0 }, realPorts, createRequestLog())
  const settings = { id: "bench", persona: kind.id, credentials, publicUrl: `${listener.origin}${PAGES}` }
  const account = createAccount(settings, "bench", { ...clock, post }, kind.create, { webhookUrl: "http://merchant/" })
  await listener.serve(account)
  return {
    url: listener.origin,
    persona: account.persona,
    credentials,
    advance: (ms) => clock.advance(ms),
    now: () => clock.now(),
    webhooks() {
      const since = delivered
      delivered = []
      return since
    },
    setWeather: (weather) => account.setWeather(weather),
    close: () => listener.close(),
  }
}

function createClock() {
  let now = BENCH_START
  let timers: { readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => now,
    after(ms: number, run: () => void): () => void {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    advance(ms: number): void {
      const until = now + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
        if (!next) break
        timers = timers.filter((each) => each !== next)
        now = next.at
        next.run()
      }
      now = until
    },
  }
}
