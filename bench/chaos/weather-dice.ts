// The weather of one account after another: fair days with a little of everything, and storms in which one thing goes
// wrong a lot. Drawn from the seed.

import type { Fault, Weather, WebhookFault } from "@orchestra/simulator"
import type { Dice } from "./dice.ts"
import { LATEST_MS, type Provider } from "./providers.ts"

/** A day lasts this long (ms), shortest and longest. */
export const DAY_MS = [4_000, 12_000] as const
/** Part of the days that are storms. */
const STORMS = 0.55

/** Slow enough to be a network, fast enough that no slowness outlives a scaled in-flight time. */
const latency = { medianMs: 40, p99Ms: 160 }

/** Nothing goes wrong any more. */
export const calm: Weather = { latency: { medianMs: 20, p99Ms: 80 } }

/** `mayDrop`: webhooks may vanish for ever. */
export function drawWeather(dice: Dice, provider: Provider, mayDrop: boolean): Weather {
  const stormy = dice.chance(STORMS)
  return {
    latency,
    issuer: {
      approvalRate: dice.weighted([
        [6, 0.92],
        [2, 0.75],
        [1, 1],
      ]),
      partialRate: dice.chance(0.2) ? 0.1 : 0,
      standingShare: 0.5,
    },
    faults: [...(stormy ? storm(dice) : []), ...drizzle],
    webhooks: drawWebhookFaults(dice, provider, mayDrop),
  }
}

const drizzle: readonly Fault[] = [
  { type: "reset_before", probability: 0.005 },
  { type: "reset_after", probability: 0.005 },
  { type: "error_after", probability: 0.005 },
  { type: "truncated", probability: 0.005 },
  { type: "foreign", probability: 0.005, handled: true },
  { type: "hang_after", probability: 0.003, holdMs: 8_000 },
  { type: "rate_limited", probability: 0.005 },
]

function storm(dice: Dice): readonly Fault[] {
  const probability = dice.pick([0.1, 0.25, 0.5])
  const match = dice.weighted<Pick<Fault, "match">>([
    [4, {}],
    [2, { match: { operation: ["authorize"] } }],
    [2, { match: { operation: ["capture", "refund", "void"] } }],
    [1, { match: { operation: ["inquiry", "other"] } }],
  ])
  const hang = { probability: Math.min(probability, 0.25), holdMs: dice.pick([500, 3_000, 15_000, 40_000]), ...match }
  return dice.weighted<readonly Fault[]>([
    [2, [{ type: "refused", probability: 1, from: 0, until: dice.int(500, 4_000) }]],
    [1, [{ type: "reset_at_accept", probability }]],
    [1, [{ type: "reset_idle", probability: 1, idleMs: dice.int(20, 500) }]],
    [2, [{ type: "reset_before", probability, ...match }]],
    [3, [{ type: "reset_after", probability, ...match }]],
    [2, [{ type: "hang_before", ...hang }]],
    [3, [{ type: "hang_after", ...hang }]],
    [2, [{ type: "error_before", probability, ...match }]],
    [3, [{ type: "error_after", probability, ...match }]],
    [3, [{ type: "late", probability, ...drawLateness(dice), ...match }]],
    [2, [{ type: "truncated", probability, keep: dice.pick([0, 0.3, 0.9, 0.999]), ...match }]],
    [
      2,
      [{ type: "foreign", probability, handled: dice.chance(0.5), status: dice.pick([502, 504, 403, 404]), ...match }],
    ],
    [1, [{ type: "rate_limited", probability, ...match }]],
    [1, [{ type: "brown_out", probability: 1, slowdown: 4, errorShare: 0.2 }]],
    [
      1,
      [
        { type: "reset_after", probability: 0.1 },
        { type: "error_after", probability: 0.1 },
        { type: "hang_after", probability: 0.1, holdMs: 5_000 },
        { type: "late", probability: 0.1, ...drawLateness(dice) },
      ],
    ],
  ])
}

/** Held back, and handled some time after we gave up: together within LATEST_MS. */
function drawLateness(dice: Dice): { readonly delayMs: number; readonly holdMs: number } {
  const holdMs = dice.int(100, LATEST_MS / 2)
  return { holdMs, delayMs: dice.int(50, LATEST_MS / 2) }
}

function drawWebhookFaults(dice: Dice, provider: Provider, mayDrop: boolean): readonly WebhookFault[] {
  const faults: WebhookFault[] = []
  if (dice.chance(0.3)) faults.push({ type: "duplicated", probability: 0.4, copies: dice.int(1, 3) })
  if (dice.chance(0.3)) faults.push({ type: "reordered", probability: 1, withinMs: dice.int(200, 5_000) })
  if (dice.chance(0.2)) faults.push({ type: "late", probability: 0.3, delayMs: dice.int(1_000, 8_000) })
  if (dice.chance(0.3)) faults.push({ type: "lost", probability: 0.4, retryMs: dice.int(1_000, 15_000) })
  // Never told at all is only for those who can be asked: what Adyen accepts and never tells, nobody can know.
  if (mayDrop && provider !== "adyen" && dice.chance(0.2)) faults.push({ type: "dropped", probability: 0.3 })
  return faults
}
