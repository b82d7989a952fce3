// What can be said on the command line of `npm run chaos`.

import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"

export type Options = {
  readonly payments: number
  readonly seed: string
  /** Longest wait for rest after the load (ms). */
  readonly restMs: number
  /** Customers at the same time. */
  readonly concurrency: number
  readonly keep: boolean
  readonly json: boolean
}

export const DEFAULT_PAYMENTS = 5_000
export const MAX_PAYMENTS = 100_000
export const DEFAULT_REST_MINUTES = 25
export const MAX_REST_MINUTES = 24 * 60
export const DEFAULT_CONCURRENCY = 64
export const MAX_CONCURRENCY = 500

export const help = `Two real servers on one real PostgreSQL, under load, while everything that can fail does: kill -9 of servers and
database, and simulated providers that refuse, hang, reset, lie and lose. Afterwards all money, every answer that a
client saw and every webhook are compared with the simulator's truth.

  npm run chaos                       ${DEFAULT_PAYMENTS.toLocaleString("en")} payments
  npm run chaos -- --payments 200     a short run

Options
  --payments N       payments to make (default ${DEFAULT_PAYMENTS})
  --seed S           the same customers, weather and kills; how they meet is the machine's (default: a random number)
  --minutes M        longest wait after the load until everything is at rest (default ${DEFAULT_REST_MINUTES})
  --concurrency N    customers at the same time (default ${DEFAULT_CONCURRENCY})
  --keep             keep the folder with database, logs and journal, and say where it is
  --json             only the last line
  --help             this text

The last line is JSON: {payments, kills, double_charges, lost, unsettled}. Ends with 1 unless the last three are 0; what
disagrees is listed before it with its ids.`

export class Usage extends Error {}

export function readOptions(args: readonly string[]): Options | "help" {
  const value = { type: "string" } as const
  const flag = { type: "boolean" } as const
  let values
  try {
    ;({ values } = parseArgs({
      args: [...args],
      options: {
        payments: value,
        seed: value,
        minutes: value,
        concurrency: value,
        keep: flag,
        json: flag,
        help: flag,
      },
    }))
  } catch (error) {
    throw new Usage(`${error instanceof Error ? error.message.split(". To ")[0] : String(error)} See --help.`)
  }
  if (values.help === true) return "help"
  return {
    payments: whole("payments", values.payments, DEFAULT_PAYMENTS, MAX_PAYMENTS),
    seed: values.seed ?? String(randomInt(1_000_000)),
    restMs: whole("minutes", values.minutes, DEFAULT_REST_MINUTES, MAX_REST_MINUTES) * 60_000,
    concurrency: whole("concurrency", values.concurrency, DEFAULT_CONCURRENCY, MAX_CONCURRENCY),
    keep: values.keep === true,
    json: values.json === true,
  }
}

function whole(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new Usage(`--${name} must be a whole number from 1 to ${most}, not "${text}".`)
  return value
}
