// From a merchant's words about an account to what is stored of it: every field checked against the connector's manifest
// and named where it is wrong. No message ever repeats a value, since it may be a secret.

import { isDeepStrictEqual } from "node:util"
import type { Connector, Field } from "../connectors/connector.ts"
import { findConnector } from "../connectors/registry.ts"
import { Fault, invalid, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import type { AccountSecrets, AccountSettings } from "../engine/account.ts"
import { checkUrl, TEST_RULES } from "../engine/address-guard.ts"
import { feeModelToJson } from "../routing/cost.ts"
import { readFees } from "./account-fees-schema.ts"
import type { AccountCreate, AccountUpdate } from "./account-schema.ts"
import { refusals } from "./url-refusal.ts"

type Mode = "live" | "test"
export type ReadAccount = { readonly settings: AccountSettings; readonly secrets: AccountSecrets }

export function connectorOf(id: string): Connector {
  const connector = findConnector(id)
  if (connector === undefined) throw invalid("#/connector", "is no connector of the catalogue (GET /v1/connectors)")
  return connector
}

export function readCreate(connector: Connector, mode: Mode, body: AccountCreate): ReadAccount {
  return checked(connector, mode, {
    settings: given({
      values: { ...body.settings },
      onUnknown: body.on_unknown,
      baseUrl: body.base_url,
      timeScale: body.time_scale,
      fees: feesAsStored(body.fee_model) ?? undefined,
    }),
    secrets: { credentials: { ...body.credentials }, webhookSecrets: body.webhook_secrets ?? [] },
  })
}

/**
 * The stored account with what the update says: fields that are absent stay, null removes. What names the account at the
 * provider stays for good: payments point to it.
 */
export function readUpdate(connector: Connector, mode: Mode, stored: ReadAccount, body: AccountUpdate): ReadAccount {
  const { values, onUnknown, baseUrl, timeScale, fees, identity, generation } = stored.settings
  const changed = merged(values, body.settings)
  const others = connector.manifest.settings.filter(
    ({ name, identifies }) => identifies === true && changed[name] !== values[name],
  )
  if (others.length > 0) throw anotherAccount(others.map(({ name }) => `#/settings/${name}`))
  return checked(connector, mode, {
    settings: given({
      identity,
      generation,
      values: changed,
      onUnknown: body.on_unknown ?? onUnknown,
      baseUrl: updated(baseUrl, body.base_url),
      timeScale: updated(timeScale, body.time_scale),
      fees: updated(fees, feesAsStored(body.fee_model)),
    }),
    secrets: { ...stored.secrets, credentials: merged(stored.secrets.credentials, body.credentials) },
  })
}

/** Written anew, so that what is stored is what was understood. */
const feesAsStored = (json: AccountUpdate["fee_model"]): unknown =>
  json === undefined || json === null ? json : feeModelToJson(readFees("#/fee_model", json))

/** The change would make it another account of the provider. */
export const anotherAccount = (pointers: readonly string[]): Fault =>
  new Fault("account.identity_fixed", {
    errors: pointers.map((pointer) => ({ pointer, detail: "would make it another account at the provider" })),
  })

/** Who the account is once the change is saved. `proven`: what the provider calls it, if it was asked and says so. */
export function identified(before: ReadAccount, after: ReadAccount, proven: string | undefined): AccountSettings {
  const moved = before.settings.baseUrl !== after.settings.baseUrl
  const keyed = !isDeepStrictEqual(before.secrets.credentials, after.secrets.credentials)
  const { identity: known, generation = 0, ...settings } = after.settings
  if (!moved && !keyed) return given({ ...settings, identity: proven ?? known, generation: after.settings.generation })
  if (keyed && !moved && proven !== undefined && known !== undefined && proven !== known)
    throw anotherAccount(["#/credentials"])
  const isSame = !moved && proven !== undefined && proven === known
  return given({ ...settings, identity: proven, generation: isSame ? after.settings.generation : generation + 1 })
}

const updated = <T>(stored: T | undefined, change: T | null | undefined): T | undefined =>
  change === undefined ? stored : (change ?? undefined)

function merged(
  stored: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const entries = Object.entries({ ...stored, ...changes })
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null))
}

function checked(connector: Connector, mode: Mode, account: ReadAccount): ReadAccount {
  const { manifest } = connector
  const { values, baseUrl, timeScale } = account.settings
  const errors = [
    ...fieldErrors("#/credentials", manifest.name, manifest.credentials, account.secrets.credentials),
    ...fieldErrors("#/settings", manifest.name, settingsFor(connector, mode, baseUrl), values),
    ...(baseUrl === undefined ? [] : baseUrlErrors(mode, baseUrl)),
    ...(timeScale !== undefined && mode === "live"
      ? [{ pointer: "#/time_scale", detail: "is for test mode: a live account runs on real time" }]
      : []),
  ]
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
  return account
}

/** What only makes up the provider's address is needed where it does, and not where another address stands in its place. */
function settingsFor({ manifest }: Connector, mode: Mode, baseUrl: string | undefined): readonly Field[] {
  return manifest.settings.map((field) => {
    const inAddress = Object.values(manifest.baseUrl).some((url) => url.includes(`{${field.name}}`))
    if (!inAddress) return field
    if (baseUrl !== undefined) return { ...field, optional: true }
    return manifest.baseUrl[mode].includes(`{${field.name}}`) ? { ...field, optional: false } : field
  })
}

function fieldErrors(
  at: string,
  provider: string,
  fields: readonly Field[],
  values: Readonly<Record<string, string>>,
): readonly FieldError[] {
  const unknown = Object.keys(values)
    .filter((name) => !fields.some((field) => field.name === name))
    .map((name) => ({ pointer: `${at}/${name}`, detail: `is no field of ${provider}; it has ${namesOf(fields)}` }))
  const wrong = fields.flatMap(({ name, title, pattern, optional }) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    const pointer = `${at}/${name}`
    if (value === undefined) return optional === true ? [] : [{ pointer, detail: `is required: ${title}` }]
    return pattern === undefined || new RegExp(pattern).test(value)
      ? []
      : [{ pointer, detail: `does not look like a ${title} of ${provider}` }]
  })
  return [...unknown, ...wrong]
}

const namesOf = (fields: readonly Field[]): string =>
  fields.length === 0 ? "none" : fields.map(({ name }) => name).join(", ")

function baseUrlErrors(mode: Mode, url: string): readonly FieldError[] {
  const pointer = "#/base_url"
  if (mode === "live") return [{ pointer, detail: "is for test mode: a live account calls its provider" }]
  const checkedUrl = checkUrl(url, TEST_RULES)
  return "refused" in checkedUrl ? [{ pointer, detail: refusals[checkedUrl.refused] }] : []
}
