// From what is stored of an account to what the engine calls its provider with: credentials opened, address made, limits
// filled in. What cannot be made into a whole account is refused with its reason; half an account would send nonsense.

import type { Connector, InquiryStrength, OperationSupport } from "../connectors/connector.ts"
import { given } from "../core/given.ts"
import type { AccountId, MerchantId } from "../core/id.ts"
import type { OnUnknown } from "../core/intent.ts"
import type { OperationKind } from "../core/payment.ts"
import { secret, type Secret } from "../core/secret.ts"
import { readFeeModel, type FeeModel } from "../routing/cost.ts"
import type { AccountRow } from "../storage/resources/accounts.ts"
import { checkUrl, TEST_RULES } from "./address-guard.ts"
import type { Account } from "./engine.ts"

/** What stands in `accounts.settings`. */
export type AccountSettings = {
  /** By the names of the manifest's `settings`. */
  readonly values: Readonly<Record<string, string>>
  readonly onUnknown?: OnUnknown
  /** Test mode only: a simulator's address instead of the provider's. */
  readonly baseUrl?: string
  /** What the provider calls the account, as far as the present credentials have proven it. */
  readonly identity?: string
  /** How often credentials or address were changed without that proof: what was sent before may be another account's. */
  readonly generation?: number
  /** Test mode only: this provider's clock runs 1/s times as fast (0 < s ≤ 1), so that a test need not wait for days. */
  readonly timeScale?: number
  /** The contract's fees, as the JSON of routing/cost: amounts as text, which every store keeps exactly. */
  readonly fees?: unknown
}

/** What is sealed into `accounts.sealed`. */
export type AccountSecrets = {
  /** By the names of the manifest's `credentials`. */
  readonly credentials: Readonly<Record<string, string>>
  /** All that may be current during a rotation. */
  readonly webhookSecrets: readonly string[]
}

export const accountSecretsBytes = ({ credentials, webhookSecrets }: AccountSecrets): Secret<Uint8Array> =>
  secret(Buffer.from(JSON.stringify({ credentials, webhookSecrets }), "utf8"))

/** The vault's `open` for accounts; throws for what is not authentic or has no key. */
export type OpenAccount = (merchant: MerchantId, account: AccountId, sealed: Uint8Array) => Secret<Uint8Array>

/** Why an account cannot be used; names fields, never shows their values. */
export class AccountUnusable extends Error {}

export function accountOf(row: AccountRow, connector: Connector | undefined, open: OpenAccount): Account {
  if (connector === undefined) throw new AccountUnusable(`there is no connector ${row.connector}`)
  const { id, merchant, mode, state } = row
  const { manifest } = connector
  const settings = settingsOf(row)
  const secrets = secretsOf(open(merchant, id, row.sealed))
  const scale = timeScale(mode, settings)
  return {
    id,
    merchant,
    state,
    connector: scale === 1 ? connector : { ...connector, manifest: fastManifest(connector, scale) },
    config: {
      mode,
      credentials: credentialsOf(connector, secrets),
      settings: valuesOf(connector, settings),
    },
    origin: originOf(connector, mode, settings),
    ...(settings.baseUrl === undefined ? {} : { guarded: true }),
    limits: {
      ...manifest.limits,
      inFlightMs: Math.ceil(manifest.limits.inFlightMs * scale),
      settleWithinMs: Math.ceil(manifest.webhooks.settleWithinMs * scale),
      actionMs: Math.ceil(manifest.actionMs * scale),
      replayWindowFactor: scale,
    },
    ...given({ generation: settings.generation, fees: feesOf(settings) }),
    webhookSecrets: secrets.webhookSecrets,
    onUnknown: settings.onUnknown ?? "wait",
  }
}

function settingsOf({ settings }: AccountRow): AccountSettings {
  const { values = {}, onUnknown, baseUrl, timeScale: scale, generation, fees } = settings
  if (!isTexts(values)) throw new AccountUnusable("settings.values are no texts by name")
  if (onUnknown !== undefined && onUnknown !== "wait" && onUnknown !== "reverse_then_reroute")
    throw new AccountUnusable("settings.onUnknown is not known")
  if (baseUrl !== undefined && typeof baseUrl !== "string") throw new AccountUnusable("settings.baseUrl is no text")
  if (scale !== undefined && typeof scale !== "number") throw new AccountUnusable("settings.timeScale is no number")
  if (generation !== undefined && typeof generation !== "number")
    throw new AccountUnusable("settings.generation is no number")
  return {
    values,
    ...given({ generation, fees }),
    ...(onUnknown === undefined ? {} : { onUnknown }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(scale === undefined ? {} : { timeScale: scale }),
  }
}

function feesOf({ fees }: AccountSettings): FeeModel | undefined {
  if (fees === undefined) return undefined
  const read = readFeeModel(fees)
  if (read.kind === "model") return read.model
  const [first] = read.problems
  throw new AccountUnusable(`settings.fees${first?.at} ${first?.detail}`)
}

function secretsOf(bytes: Secret<Uint8Array>): AccountSecrets {
  const { credentials, webhookSecrets } = parse(bytes)
  if (!isTexts(credentials)) throw new AccountUnusable("credentials are no texts by name")
  if (!Array.isArray(webhookSecrets) || !webhookSecrets.every((one) => typeof one === "string"))
    throw new AccountUnusable("webhook secrets are no list of texts")
  return { credentials, webhookSecrets }
}

function parse(bytes: Secret<Uint8Array>): Partial<Record<keyof AccountSecrets, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.reveal()).toString("utf8"))
    if (typeof value === "object" && value !== null) return value
  } catch {
    // JSON.parse would quote what it could not read.
  }
  throw new AccountUnusable("secrets are no JSON object")
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string")

function credentialsOf(
  { manifest }: Connector,
  { credentials }: AccountSecrets,
): Readonly<Record<string, Secret<string>>> {
  const opened: Record<string, Secret<string>> = {}
  for (const { name, optional } of manifest.credentials) {
    const value = Object.hasOwn(credentials, name) ? credentials[name] : undefined
    if (value !== undefined) opened[name] = secret(value)
    else if (optional !== true) throw new AccountUnusable(`credential ${name} is missing`)
  }
  return opened
}

// What only makes up the provider's address is not missed where another address stands in its place.
function valuesOf({ manifest }: Connector, { values, baseUrl }: AccountSettings): Readonly<Record<string, string>> {
  const missing = manifest.settings.find(
    ({ name, optional }) =>
      optional !== true &&
      !Object.hasOwn(values, name) &&
      !(baseUrl !== undefined && Object.values(manifest.baseUrl).some((url) => url.includes(`{${name}}`))),
  )
  if (missing !== undefined) throw new AccountUnusable(`setting ${missing.name} is missing`)
  return values
}

/** The provider's address, or in test mode the one that was set in its place. */
export function originOf({ manifest }: Connector, mode: "live" | "test", settings: AccountSettings): string {
  const { baseUrl, values } = settings
  if (baseUrl !== undefined) {
    if (mode === "live") throw new AccountUnusable("a live account calls its provider, at no other address")
    const checked = checkUrl(baseUrl, TEST_RULES)
    if ("refused" in checked) throw new AccountUnusable(`baseUrl is refused: ${checked.refused}`)
    return baseUrl
  }
  return manifest.baseUrl[mode].replace(PLACEHOLDER, (_whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new AccountUnusable(`setting ${name} is missing`)
    // A value with a dot, slash or at sign could send the credentials to another host.
    if (!LABEL.test(value)) throw new AccountUnusable(`setting ${name} does not fit into an address`)
    return value
  })
}
const PLACEHOLDER = /\{([A-Za-z0-9_]+)\}/g
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

function timeScale(mode: "live" | "test", { timeScale: scale }: AccountSettings): number {
  if (scale === undefined) return 1
  if (mode === "live") throw new AccountUnusable("a live account runs on real time")
  if (!(scale > 0 && scale <= 1)) throw new AccountUnusable("timeScale is above 0 and at most 1")
  return scale
}

/** The manifest with its inquiry lags scaled; the other times stand in the account's limits. */
function fastManifest({ manifest }: Connector, scale: number): Connector["manifest"] {
  const fast = (strength: InquiryStrength): InquiryStrength =>
    typeof strength === "string" ? strength : { eventualMs: Math.ceil(strength.eventualMs * scale) }
  const operations = Object.entries(manifest.operations) as [OperationKind, OperationSupport][]
  return {
    ...manifest,
    operations: Object.fromEntries(
      operations.map(([kind, support]) => [
        kind,
        {
          ...support,
          inquiry: { byReference: fast(support.inquiry.byReference), byAttempt: fast(support.inquiry.byAttempt) },
        },
      ]),
    ),
  }
}
