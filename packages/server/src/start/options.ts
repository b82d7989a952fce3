// What can be said on the command line and in the environment. Everything has a default; what is wrong ends with a
// sentence that says what would be right.

import { parseArgs } from "node:util"
import { defaultRetention, type Retention } from "../storage/ledger/retention.ts"

export type Role = "all" | "api" | "worker" | "insight"

export type Options = {
  readonly port: number
  readonly host: string
  readonly publicUrl: string | undefined
  readonly role: Role
  /** Where /metrics is served without a key, by any role; undefined: only at the API, with one. */
  readonly metrics: { readonly port: number; readonly host: string } | undefined
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined
  /** Holds the embedded database, its keys, and what the demo remembers. */
  readonly dataDir: string
  /** The key ring's text; undefined: a file in the data folder. */
  readonly masterKeys: string | undefined
  /** A file that says what the first digits of cards tell. */
  readonly binTable: string | undefined
  /** Days that things are kept. */
  readonly retention: Retention
  /** Whether role all starts the insight process. */
  readonly insight: boolean
  readonly simulator: boolean
  readonly traffic: boolean
  readonly json: boolean
  readonly verbose: boolean
}

export const DEFAULT_PORT = 4000

export const help = `Orchestra: one payment over many providers, never twice, never lost.

  npm start                       embedded PostgreSQL, API and worker, simulated providers with sample traffic
  npm start -- --no-traffic       without sample traffic
  npm start -- --json             prints {"url", "api_key", "simulator"} as one line when ready

Options
  --port N            port of the API (default ${DEFAULT_PORT}; 0 takes a free one)
  --host H            address to listen on (default 127.0.0.1)
  --role R            all (default), api, worker or insight; api asks the insight process of the same data folder
  --metrics-port N    port of /metrics without a key, for any role (default: only at the API, with a key)
  --metrics-host H    address that it listens on (default 127.0.0.1)
  --data DIR          folder of the embedded database and keys (default .orchestra)
  --bin-table FILE    CSV of what the first digits of cards tell: bin,country,funding,issuer,product
  --no-insight        no insight process: no facts are kept, and metrics are not answered
  --no-simulator      do not start simulated providers
  --no-traffic        no sample traffic at the simulated providers
  --json              machine-readable: one JSON line when ready, nothing else on standard output
  --verbose           log everything, not only warnings
  --help              this text

Environment
  DATABASE_URL               a PostgreSQL (15 or later) instead of the embedded one
  ORCHESTRA_MASTER_KEYS      the key ring that opens card numbers and credentials (default: a file in the data folder)
  ORCHESTRA_PUBLIC_URL       where customers and providers reach this server
  ORCHESTRA_BIN_TABLE        as --bin-table
  ORCHESTRA_RETENTION_DAYS   how long things are kept, as in transcripts=30,deliveries=30 (SECURITY.md lists them)`

/** What may be kept longer or shorter, and the least that its purpose needs: retries, redeliveries, a replay of 30 days. */
const retained = {
  events: ["events", 31],
  deliveries: ["deliveries", 7],
  transcripts: ["transcripts", 7],
  inbound_webhooks: ["inboundWebhooks", 7],
  one_off_cards: ["oneOffCards", 1],
} as const satisfies Readonly<Record<string, readonly [keyof Retention, number]>>
const MAX_RETENTION_DAYS = 36_500

export class Usage extends Error {}

export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options | "help" {
  const values = parse(args)
  if (values["help"] === true) return "help"
  const role = text(values["role"]) ?? "all"
  if (role !== "all" && role !== "api" && role !== "worker" && role !== "insight")
    throw new Usage(`--role must be all, api, worker or insight, not "${role}".`)
  const port = text(values["port"]) ?? environment["PORT"]
  const metricsPort = text(values["metrics-port"])
  const publicUrl = environment["ORCHESTRA_PUBLIC_URL"]
  if (publicUrl !== undefined && !/^https?:\/\/[^\s/]+$/.test(publicUrl))
    throw new Usage(`ORCHESTRA_PUBLIC_URL must be an origin such as https://pay.example.com, not "${publicUrl}".`)
  const databaseUrl = environment["DATABASE_URL"] === "" ? undefined : environment["DATABASE_URL"]
  if (databaseUrl !== undefined && !/^postgres(?:ql)?:\/\/\S+$/.test(databaseUrl))
    throw new Usage("DATABASE_URL must begin with postgres:// or postgresql://.")
  return {
    port: port === undefined ? DEFAULT_PORT : portOf(port),
    host: text(values["host"]) ?? "127.0.0.1",
    publicUrl,
    role,
    metrics:
      metricsPort === undefined
        ? undefined
        : { port: portOf(metricsPort), host: text(values["metrics-host"]) ?? "127.0.0.1" },
    databaseUrl,
    dataDir: text(values["data"]) ?? ".orchestra",
    masterKeys: environment["ORCHESTRA_MASTER_KEYS"],
    binTable: text(values["bin-table"]) ?? (environment["ORCHESTRA_BIN_TABLE"] || undefined),
    retention: retentionOf(environment["ORCHESTRA_RETENTION_DAYS"] ?? ""),
    insight: values["no-insight"] !== true,
    simulator: values["no-simulator"] !== true,
    traffic: values["no-traffic"] !== true,
    json: values["json"] === true,
    verbose: values["verbose"] === true,
  }
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const flag = { type: "boolean" } as const
  const value = { type: "string" } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: value,
        host: value,
        role: value,
        "metrics-port": value,
        "metrics-host": value,
        data: value,
        "bin-table": value,
        "no-insight": flag,
        "no-simulator": flag,
        "no-traffic": flag,
        json: flag,
        verbose: flag,
        help: flag,
      },
    }).values
  } catch (error) {
    throw new Usage(`${error instanceof Error ? error.message.split(". To ")[0] : String(error)}. See --help.`)
  }
}

const text = (value: string | boolean | undefined): string | undefined =>
  typeof value === "string" ? value : undefined

function portOf(word: string): number {
  const port = Number(word)
  if (!/^\d+$/.test(word) || port > 65_535) throw new Usage(`The port must be a number from 0 to 65535, not "${word}".`)
  return port
}

function retentionOf(text: string): Retention {
  const days: Record<keyof Retention, number> = { ...defaultRetention }
  for (const part of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name = "", count = ""] = /^\s*([a-z_]+)=(\d{1,5})\s*$/.exec(part) ?? []
    if (!Object.hasOwn(retained, name))
      throw new Usage(
        `ORCHESTRA_RETENTION_DAYS must read like transcripts=30,deliveries=30, with ${Object.keys(retained).join(", ")}; not "${part}".`,
      )
    const [field, least] = retained[name as keyof typeof retained]
    if (Number(count) < least || Number(count) > MAX_RETENTION_DAYS)
      throw new Usage(`ORCHESTRA_RETENTION_DAYS: ${name} must be ${least} to ${MAX_RETENTION_DAYS} days, not ${count}.`)
    days[field] = Number(count)
  }
  return days
}
