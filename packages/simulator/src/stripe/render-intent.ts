// How a PaymentIntent looks on the wire.
import type { Stripe } from "stripe"
import { moneyOf } from "./charges.ts"
import { renderMethod } from "./methods.ts"
import { challengeUrl } from "./three-ds.ts"
import type { Intent, IntentError, World } from "./world.ts"

export function renderIntent(world: World, intent: Intent): Stripe.PaymentIntent {
  const charge = intent.latestCharge === null ? undefined : world.charges.get(intent.latestCharge)
  const money = charge?.approved ? moneyOf(world, charge) : undefined
  const features = intent.methodOptions.features
  const ifAsked = (asked: boolean, name: string): Record<string, "if_available"> =>
    asked ? { [name]: "if_available" } : {}
  return {
    id: intent.id,
    object: "payment_intent",
    allowed_payment_method_types: intent.methodTypes.allowed && [...intent.methodTypes.allowed],
    amount: Number(intent.amount),
    amount_capturable: Number(intent.status === "requires_capture" ? (money?.capturable ?? 0n) : 0n),
    amount_details: { tip: {} },
    amount_received: Number(money?.captured ?? 0n),
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: intent.methodTypes.automatic,
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.cancellationReason,
    capture_method: intent.captureMethod,
    client_secret: intent.clientSecret,
    confirmation_method: intent.confirmationMethod,
    created: intent.created,
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    description: intent.description,
    excluded_payment_method_types: null,
    last_payment_error: intent.lastError && renderIntentError(world, intent.lastError),
    latest_charge: intent.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: intent.metadata,
    next_action: intent.status === "requires_action" ? renderAction(world, intent) : null,
    on_behalf_of: null,
    payment_method: intent.method,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: {
        installments: null,
        mandate_options: null,
        network: null,
        ...ifAsked(features.incremental, "request_incremental_authorization"),
        ...ifAsked(features.multicapture, "request_multicapture"),
        ...ifAsked(features.extended, "request_extended_authorization"),
        request_three_d_secure: intent.methodOptions.request_three_d_secure,
      },
    },
    payment_method_types: [...intent.methodTypes.types],
    payment_record: null,
    processing: null,
    receipt_email: intent.receiptEmail,
    review: null,
    setup_future_usage: intent.setupFutureUsage,
    shipping: intent.shipping as Stripe.PaymentIntent.Shipping | null,
    source: null,
    statement_descriptor: intent.statementDescriptor,
    statement_descriptor_suffix: intent.statementDescriptorSuffix,
    status: intent.status,
    transfer_data: null,
    transfer_group: null,
  }
}

/** The error of the last try, as it stands in the intent and, with more around it, in the answer to that try. */
export function renderIntentError(world: World, error: IntentError): Stripe.PaymentIntent.LastPaymentError {
  const method = world.methods.get(error.method)
  const { decline } = error
  return {
    type: error.type,
    code: error.code,
    message: error.message,
    doc_url: `https://docs.stripe.com/error-codes/${error.code.replaceAll("_", "-")}`,
    ...(error.charge && { charge: error.charge }),
    ...(decline && { decline_code: decline.declineCode }),
    ...(decline?.adviceCode && { advice_code: decline.adviceCode }),
    ...(decline?.networkDeclineCode && { network_decline_code: decline.networkDeclineCode }),
    ...(decline?.networkAdviceCode && { network_advice_code: decline.networkAdviceCode }),
    ...(method && { payment_method: renderMethod(method) }),
  }
}

/** Without a return URL there is nowhere to redirect back from: Stripe then leaves the challenge to its own script. */
function renderAction(world: World, intent: Intent): Stripe.PaymentIntent.NextAction {
  const url = challengeUrl(world, intent)
  return intent.returnUrl === null
    ? { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: url } }
    : { type: "redirect_to_url", redirect_to_url: { return_url: intent.returnUrl, url } }
}
