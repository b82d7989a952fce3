// Delivers an account's webhooks as providers do: at least once, with retries that grow, given up in the end. The
// weather may lose, delay, shuffle or repeat them. Everything is bounded: tries, webhooks waiting, posts at a time.
import type { PersonaWebhook } from "./persona.ts"
import type { AccountPorts } from "./ports.ts"
import type { DeliveryPlan } from "./weather.ts"

export type WebhookDelivery = {
  readonly send: (webhook: PersonaWebhook, plan: DeliveryPlan) => void
  readonly counts: () => DeliveryCounts
  readonly close: () => void
}

export type DeliveryCounts = { delivered: number; failedTries: number; lost: number; givenUp: number; waiting: number }

/** Waits before each retry, in the growing manner of real providers but short enough to be watched. */
export const RETRY_DELAYS_MS = [250, 1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000] as const
export const MAX_WAITING = 10_000
const MAX_POSTS_AT_A_TIME = 8
const POST_TIMEOUT_MS = 10_000

export function createWebhookDelivery(url: () => string | undefined, ports: AccountPorts): WebhookDelivery {
  const counts = { delivered: 0, failedTries: 0, lost: 0, givenUp: 0 }
  const timers = new Set<() => void>()
  const queue: { webhook: PersonaWebhook; tries: number }[] = []
  let posting = 0
  let closed = false

  return {
    send(webhook, plan) {
      for (const { afterMs, lost } of plan) {
        if (lost) later(afterMs, () => counts.lost++)
        else later(afterMs, () => enqueue(webhook, 0))
      }
    },
    counts: () => ({ ...counts, waiting: queue.length + timers.size }),
    close() {
      closed = true
      for (const cancel of timers) cancel()
      queue.length = 0
    },
  }

  function later(ms: number, run: () => void): void {
    if (closed) return
    if (ms === 0) return run()
    if (timers.size >= MAX_WAITING) {
      counts.givenUp++
      return
    }
    const cancel = ports.after(ms, () => {
      timers.delete(cancel)
      run()
    })
    timers.add(cancel)
  }

  function enqueue(webhook: PersonaWebhook, tries: number): void {
    // Accounts without an endpoint send nothing, and keep nothing for one that comes later.
    if (closed || url() === undefined) return
    if (queue.length >= MAX_WAITING) {
      counts.givenUp++
      return
    }
    queue.push({ webhook, tries })
    pump()
  }

  function pump(): void {
    while (posting < MAX_POSTS_AT_A_TIME) {
      const next = queue.shift()
      if (!next) return
      posting++
      void post(next.webhook, next.tries)
    }
  }

  async function post(webhook: PersonaWebhook, tries: number): Promise<void> {
    const target = url()
    const headers = webhook.freshHeaders?.() ?? webhook.headers
    const status = target === undefined ? undefined : await ports.post(target, headers, webhook.body, POST_TIMEOUT_MS)
    posting--
    if (closed) return
    if (status !== undefined && status >= 200 && status < 300) counts.delivered++
    else {
      counts.failedTries++
      const waitMs = RETRY_DELAYS_MS[tries]
      if (waitMs === undefined) counts.givenUp++
      else later(waitMs, () => enqueue(webhook, tries + 1))
    }
    pump()
  }
}
