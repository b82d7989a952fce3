// What a merchant may say about a PaymentIntent, and how it is read into our record.
import { readAmount, readCurrency } from "./currencies.ts"
import { mergeMetadata, readCustomer } from "./customers.ts"
import { invalid } from "./errors.ts"
import { createMethod, findMethod } from "./methods.ts"
import { merchantReferenceOf } from "./merchant-reference.ts"
import { readMethodTypes } from "./method-types.ts"
import type { Fields } from "./params.ts"
import type { Intent, MethodOptions, World } from "./world.ts"

// oxfmt-ignore
const SHARED = [
  "allowed_payment_method_types", "amount_details", "capture_method", "excluded_payment_method_types", "expand",
  "hooks", "payment_details", "payment_method", "payment_method_data", "payment_method_options",
  "payment_method_types", "receipt_email", "setup_future_usage", "shipping",
] as const
// oxfmt-ignore
const CONFIRMING = [
  "confirmation_token", "error_on_requires_action", "mandate", "mandate_data", "off_session", "radar_options",
  "return_url", "use_stripe_sdk",
] as const
// oxfmt-ignore
const DESCRIBING = [
  "amount", "application_fee_amount", "currency", "customer", "customer_account", "description", "metadata",
  "payment_method_configuration", "statement_descriptor", "statement_descriptor_suffix", "transfer_data",
  "transfer_group",
] as const

export const CREATE_FIELDS: readonly string[] = [
  ...SHARED,
  ...CONFIRMING,
  ...DESCRIBING,
  "automatic_payment_methods",
  "confirm",
  "confirmation_method",
  "on_behalf_of",
]
export const CONFIRM_FIELDS: readonly string[] = [...SHARED, ...CONFIRMING, "amount_to_confirm"]
export const UPDATE_FIELDS: readonly string[] = [...SHARED, ...DESCRIBING]

/** Since this version, captures that Stripe makes by itself are asynchronous by default. */
const ASYNC_CAPTURE_SINCE = "2024-04-10"

export function createIntent(world: World, fields: Fields, version: string): Intent {
  const currency = readCurrency(fields.needText("currency"))
  const amount = readAmount(fields.needInteger("amount"), currency)
  const methodTypes = readMethodTypes(fields, version)
  const id = world.id("pi")
  const intent: Intent = {
    id,
    clientSecret: world.id(`${id}_secret`, 25),
    created: world.seconds(),
    amount,
    currency,
    status: "requires_payment_method",
    captureMethod: version >= ASYNC_CAPTURE_SINCE ? "automatic_async" : "automatic",
    confirmationMethod: fields.oneOf("confirmation_method", ["automatic", "manual"]) ?? "automatic",
    methodTypes,
    methodOptions: readOptions(fields),
    method: null,
    customer: null,
    metadata: {},
    description: null,
    receiptEmail: null,
    statementDescriptor: null,
    statementDescriptorSuffix: null,
    setupFutureUsage: null,
    shipping: null,
    returnUrl: null,
    latestCharge: null,
    lastError: null,
    canceledAt: null,
    cancellationReason: null,
    changedAt: world.ports.now(),
  }
  // Everything is read before anything is kept: a request that is wrong leaves no trace.
  changeIntent(world, intent, fields)
  world.ledger.open({ reference: intent.id, merchantReference: merchantReferenceOf(intent.metadata), currency })
  return world.intents.put(intent.id, intent)
}

/** Takes what the fields say, for create, update and confirm alike. */
export function changeIntent(world: World, intent: Intent, fields: Fields): void {
  const customer = fields.text("customer")
  if (customer) intent.customer = readCustomer(world, customer).id
  if (fields.has("payment_method_data")) intent.method = createMethod(world, fields.within("payment_method_data")).id
  const method = fields.text("payment_method")
  if (method) intent.method = findMethod(world, method).id
  refuseOthersMethod(world, intent)
  if (fields.has("payment_method_options")) intent.methodOptions = readOptions(fields)
  const cardCapture = fields.within("payment_method_options").within("card").oneOf("capture_method", ["manual"])
  const capture = cardCapture ?? fields.oneOf("capture_method", ["automatic", "automatic_async", "manual"])
  if (capture) intent.captureMethod = capture
  const setUp = fields.oneOf("setup_future_usage", ["off_session", "on_session"])
  if (setUp) intent.setupFutureUsage = setUp
  const take = (name: string): string | null | undefined => {
    const value = fields.text(name)
    return value === undefined ? undefined : value || null
  }
  intent.description = take("description") ?? intent.description
  intent.receiptEmail = take("receipt_email") ?? intent.receiptEmail
  intent.statementDescriptor = take("statement_descriptor") ?? intent.statementDescriptor
  intent.statementDescriptorSuffix = take("statement_descriptor_suffix") ?? intent.statementDescriptorSuffix
  intent.returnUrl = readReturnUrl(fields) ?? intent.returnUrl
  intent.metadata = mergeMetadata(intent.metadata, fields.map("metadata"))
  if (fields.has("shipping")) intent.shipping = readShipping(fields.within("shipping"))
  if (intent.status === "requires_payment_method" && intent.method !== null) intent.status = "requires_confirmation"
  intent.changedAt = world.ports.now()
}

export function readOptions(fields: Fields): MethodOptions {
  const card = fields.within("payment_method_options").within("card")
  const ifAvailable = (name: string): boolean => card.oneOf(name, ["if_available", "never", "none"]) === "if_available"
  const exemption = card.within("mit_exemption")
  return {
    request_three_d_secure: card.oneOf("request_three_d_secure", ["automatic", "any", "challenge"]) ?? "automatic",
    features: {
      incremental: ifAvailable("request_incremental_authorization"),
      multicapture: ifAvailable("request_multicapture"),
      partial: ifAvailable("request_partial_authorization"),
      extended: ifAvailable("request_extended_authorization"),
    },
    authenticatedElsewhere: card.has("three_d_secure"),
    networkTransactionId: exemption.text("network_transaction_id") || undefined,
    moto: card.bool("moto") ?? false,
  }
}

function refuseOthersMethod(world: World, intent: Intent): void {
  const owner = intent.method === null ? null : (world.methods.get(intent.method)?.customer ?? null)
  if (owner === null || owner === intent.customer) return
  if (intent.customer === null)
    throw invalid(
      `The payment method supplied (${intent.method}) belongs to a customer. Please include the customer in the customer parameter on the PaymentIntent.`,
    )
  throw invalid("The provided PaymentMethod cannot be attached. It belongs to another customer.")
}

function readReturnUrl(fields: Fields): string | undefined {
  const url = fields.text("return_url")
  if (url && !URL.canParse(url)) throw invalid("Not a valid URL", { param: "return_url", code: "url_invalid" })
  return url || undefined
}

function readShipping(fields: Fields): unknown {
  const address = fields.within("address")
  const names = ["city", "country", "line1", "line2", "postal_code", "state"]
  return {
    address: Object.fromEntries(names.map((name) => [name, address.text(name) || null])),
    carrier: fields.text("carrier") || null,
    name: fields.text("name") || null,
    phone: fields.text("phone") || null,
    tracking_number: fields.text("tracking_number") || null,
  }
}
