// The fields of Stripe's objects that we read and write, and nothing else. Reading survives any JSON and several API
// versions: webhooks come in the version of their endpoint, not in ours.

import { amountFrom } from "../amount.ts"
import { at, booleanAt, browserUrlAt, integerAt, isObject, isReference, listAt, referenceAt, textAt } from "../json.ts"
import type { Money } from "../../core/money.ts"
import { manifest } from "./manifest.ts"

/** Our ids in Stripe's metadata (50 keys of 40 characters). Every operation also leaves its own key: see `hasOperation`. */
export const attemptKey = "orchestra_attempt"
export const operationKey = "orchestra_operation"

export type Intent = {
  readonly of: "payment_intent" | "setup_intent"
  readonly id: string
  readonly status: string
  /** Absent where the currency or a count makes no sense. All zero for a SetupIntent. */
  readonly amount?: Money
  readonly capturable?: Money
  readonly received?: Money
  readonly captureMethod?: string
  readonly cancellationReason?: string
  readonly attempt?: string
  readonly operation?: string
  readonly metadata: unknown
  readonly redirectUrl?: string
  readonly nextAction?: string
  /** `last_payment_error` or `last_setup_error`. */
  readonly error?: unknown
  /** The latest charge, where the answer or an old API version holds it. */
  readonly charge?: unknown
  readonly paymentMethod?: unknown
  readonly customer?: string
  /** The card is kept for later payments. */
  readonly stores: boolean
}

export function readIntent(value: unknown): Intent | undefined {
  const of = textAt(value, "object")
  const id = referenceAt(value, "id")
  const status = textAt(value, "status")
  if ((of !== "payment_intent" && of !== "setup_intent") || id === undefined || status === undefined) return undefined
  const currency = textAt(value, "currency")
  const money = (field: string): Money | undefined => amountFrom(manifest, integerAt(value, field), currency)
  return stripped<Intent>({
    of,
    id,
    status,
    amount: money("amount"),
    capturable: money("amount_capturable"),
    received: money("amount_received"),
    captureMethod: textAt(value, "capture_method"),
    cancellationReason: textAt(value, "cancellation_reason"),
    attempt: textAt(value, "metadata", attemptKey),
    operation: textAt(value, "metadata", operationKey),
    metadata: at(value, "metadata"),
    redirectUrl: browserUrlAt(value, "next_action", "redirect_to_url", "url"),
    nextAction: textAt(value, "next_action", "type"),
    error: objectAt(value, of === "payment_intent" ? "last_payment_error" : "last_setup_error"),
    // Since 2022-11-15 `latest_charge` is an id unless expanded; before, charges came as a list.
    charge: objectAt(value, "latest_charge") ?? listAt(value, "charges", "data").find(isObject),
    paymentMethod: objectAt(value, "payment_method"),
    customer: idAt(value, "customer"),
    stores: textAt(value, "setup_future_usage") !== undefined || of === "setup_intent",
  })
}

/** Whether the operation with this id left its key: the key is written by the same request that moves the money. */
export const hasOperation = (intent: Intent, operation: string): boolean =>
  textAt(intent.metadata, operation) !== undefined

/**
 * What a capture of ours leaves under its key: `capture 1500`, and ` final` where it released the rest. An intent shows
 * only sums, so that the marks tell which part of them is ours and which was captured by hand.
 */
export const captureMark = (count: bigint, final: boolean): string => `capture ${count}${final ? " final" : ""}`

export type OwnCapture = { readonly operation: string; readonly amount: Money; readonly isFinal: boolean }

/** Our captures of this intent; undefined where one of them, or the intent's currency, cannot be read. */
export function ownCaptures({ metadata, received }: Intent): readonly OwnCapture[] | undefined {
  if (!isObject(metadata) || received === undefined) return isObject(metadata) ? undefined : []
  const found: OwnCapture[] = []
  for (const [operation, mark] of Object.entries(metadata)) {
    if (!operation.startsWith("op_") || typeof mark !== "string" || !mark.startsWith("capture")) continue
    const [, count, final] = /^capture (\d{1,15})( final)?$/.exec(mark) ?? []
    const amount = count === undefined ? undefined : amountFrom(manifest, BigInt(count), received.currency)
    if (amount === undefined) return undefined
    found.push({ operation, amount, isFinal: final !== undefined })
  }
  return found
}

export type Refund = {
  readonly id: string
  readonly status: string
  readonly amount?: Money
  readonly attempt?: string
  readonly operation?: string
  readonly paymentIntent?: string
  readonly failureReason?: string
  /** Absent where no money moved: the release of an authorization is written as a refund, too. */
  readonly balanceTransaction?: string
}

export function readRefund(value: unknown): Refund | undefined {
  const id = referenceAt(value, "id")
  const status = textAt(value, "status")
  if (textAt(value, "object") !== "refund" || id === undefined || status === undefined) return undefined
  return stripped<Refund>({
    id,
    status,
    amount: amountFrom(manifest, integerAt(value, "amount"), textAt(value, "currency")),
    attempt: textAt(value, "metadata", attemptKey),
    operation: textAt(value, "metadata", operationKey),
    paymentIntent: idAt(value, "payment_intent"),
    failureReason: textAt(value, "failure_reason"),
    balanceTransaction: idAt(value, "balance_transaction"),
  })
}

export type Charge = {
  readonly id: string
  readonly captured: boolean
  readonly refunded: boolean
  readonly amountCaptured?: Money
  readonly amountRefunded?: Money
  readonly paymentIntent?: string
  readonly attempt?: string
}

export function readCharge(value: unknown): Charge | undefined {
  const id = referenceAt(value, "id")
  if (textAt(value, "object") !== "charge" || id === undefined) return undefined
  const currency = textAt(value, "currency")
  const money = (field: string): Money | undefined => amountFrom(manifest, integerAt(value, field), currency)
  return stripped<Charge>({
    id,
    captured: booleanAt(value, "captured") ?? false,
    refunded: booleanAt(value, "refunded") ?? false,
    amountCaptured: money("amount_captured"),
    amountRefunded: money("amount_refunded"),
    paymentIntent: idAt(value, "payment_intent"),
    attempt: textAt(value, "metadata", attemptKey),
  })
}

/** An id, whether the field holds it or the expanded object. */
export const idAt = (value: unknown, field: string): string | undefined =>
  referenceAt(value, field) ?? referenceAt(value, field, "id")

function objectAt(value: unknown, field: string): Readonly<Record<string, unknown>> | undefined {
  const found = at(value, field)
  return isObject(found) ? found : undefined
}

/** Fields without a value left out, as exact optional types want it. */
export function stripped<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/** A form body in Stripe's bracket notation; fields without a value are left out. */
export function form(fields: readonly (readonly [string, string | undefined])[]): string {
  const pairs = fields.filter((field): field is readonly [string, string] => field[1] !== undefined && field[1] !== "")
  return new URLSearchParams(pairs.map(([name, value]) => [name, value.toWellFormed()])).toString()
}

/** An id as one segment of a path. Stripe's ids are letters, digits and underscores: anything else is a bug of the caller. */
export function segment(id: string): string {
  if (!isReference(id)) throw new TypeError("not an id of Stripe's")
  return id
}
