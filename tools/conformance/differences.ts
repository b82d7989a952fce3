// Where our requests differ from the official description on purpose, because the description is older than the API that
// we speak, or leaves something out that the provider takes. Each difference is one field or one operation, with the place
// where the newer fact can be read. One that no request needs any more is reported, so that this list cannot rot.

import type { Rule } from "./case.ts"
import type { Finding } from "./specification.ts"

export type Difference = Rule & {
  /** `POST /v1/refunds`, as the description writes it; `{id}` where it does not know the path. */
  readonly operations: readonly string[]
  readonly place: string
  readonly rule: string
  /** Only where the value shown in the finding is one of these. */
  readonly only?: RegExp
  /** A declaration in an installed SDK of the provider that shows the field. Checked at every run. */
  readonly declared?: { readonly file: string; readonly text: string }
}

const create = "POST /v1/payment_intents"
const confirm = "POST /v1/payment_intents/{intent}/confirm"
const capture = "POST /v1/payment_intents/{intent}/capture"
const createSetup = "POST /v1/setup_intents"
const confirmSetup = "POST /v1/setup_intents/{intent}/confirm"
const cardOptions = "body/payment_method_options/card"

const paymentIntents = "stripe/esm/resources/PaymentIntents.d.ts"
const setupIntents = "stripe/esm/resources/SetupIntents.d.ts"
const stripeTypes = "stripe-node 23.1.0 (2026-10-29), API version 2026-10-28.endive; the description is of 2023-08-16"

/** A field of Stripe's that came after the description, as the official SDK declares it. */
const newer = (
  field: string,
  place: string,
  operations: readonly string[],
  file = paymentIntents,
  text = `${field}?:`,
): Difference => ({
  key: `stripe ${field}`,
  operations,
  place: `${place}/${field}`,
  rule: "field",
  reason: `${field} is newer than the description`,
  source: stripeTypes,
  declared: { file, text },
})

const rawCards = {
  reason:
    "card numbers inside a confirmation are left out of the public description; accounts may be allowed to send them",
  source: "https://support.stripe.com/questions/enabling-access-to-raw-card-data-apis (2026-10)",
}

const payments = "POST /payments"
const checkoutSdk = "checkout-sdk-java 7.16.0 (2026-08), package com.checkout.payments; the description is of 2022-07"

export const differences: Readonly<Record<"stripe" | "adyen" | "checkout", readonly Difference[]>> = {
  stripe: [
    newer("allowed_payment_method_types", "body", [create]),
    {
      ...newer("allowed_payment_method_types", "body", [createSetup], setupIntents),
      key: "stripe setup allowed types",
    },
    newer("final_capture", "body", [capture]),
    newer("request_incremental_authorization", cardOptions, [confirm]),
    newer("request_multicapture", cardOptions, [confirm]),
    newer("setup_credential_usage", cardOptions, [confirm]),
    { ...newer("setup_credential_usage", cardOptions, [confirmSetup], setupIntents), key: "stripe setup usage" },
    newer("stored_credential_usage", cardOptions, [confirm]),
    newer("three_d_secure", cardOptions, [confirm]),
    { ...newer("three_d_secure", cardOptions, [confirmSetup], setupIntents), key: "stripe setup three_d_secure" },
    {
      key: "stripe raw card",
      operations: [confirm, confirmSetup],
      place: "body/payment_method_data/card",
      rule: "field",
      ...rawCards,
    },
    {
      key: "stripe raw card type",
      operations: [confirm, confirmSetup],
      place: "body/payment_method_data/type",
      rule: "enum",
      ...rawCards,
    },
    {
      key: "stripe request_partial_authorization",
      operations: [confirm],
      place: `${cardOptions}/request_partial_authorization`,
      rule: "field",
      reason:
        "documented for accounts with IC+ pricing and declared in beta SDKs only; accounts with that setting send it",
      source: "https://docs.stripe.com/payments/partial-authorization (2026-10)",
    },
    {
      key: "stripe mit_exemption",
      operations: [confirm],
      place: `${cardOptions}/mit_exemption`,
      rule: "field",
      reason: "in no public reference: Stripe switches it on per account, and only accounts with that setting send it",
      source: "sent by ActiveMerchant 1.137.0 in its recorded requests, and named in stripe/NOTES.md (2026-10)",
    },
  ],
  adyen: [],
  checkout: [
    {
      key: "checkout allow_upgrade",
      operations: [payments],
      place: "body/3ds/allow_upgrade",
      rule: "field",
      reason: "3ds.allow_upgrade is newer than the description",
      source: `ThreeDSRequest of ${checkoutSdk}`,
    },
    {
      key: "checkout partial_authorization",
      operations: [payments],
      place: "body/partial_authorization",
      rule: "field",
      reason: "partial_authorization is newer than the description",
      source: `request/PaymentRequest of ${checkoutSdk}`,
    },
    {
      key: "checkout unscheduled",
      operations: [payments],
      place: "body/payment_type",
      rule: "enum",
      reason: "the payment type Unscheduled is newer than the description",
      source: `PaymentType of ${checkoutSdk}`,
    },
    {
      key: "checkout billing address of stored cards",
      operations: [payments],
      place: "body/source/billing_address",
      rule: "field",
      reason: "a stored card may come with an address since",
      source: `request/source/RequestIdSource and RequestCustomerSource of ${checkoutSdk}`,
    },
    {
      key: "checkout customer as source",
      operations: [payments],
      place: "body/source/id",
      rule: "field",
      only: /"type":"customer"/,
      reason: "a customer's default card may be charged by the customer's id since",
      source: `request/source/RequestCustomerSource of ${checkoutSdk}`,
    },
    {
      key: "checkout store_for_future_use of tokens",
      operations: [payments],
      place: "body/source/store_for_future_use",
      rule: "field",
      reason: "network tokens and tokens of the browser may be kept since",
      source: `request/source/RequestNetworkTokenSource and RequestTokenSource of ${checkoutSdk}`,
    },
    {
      key: "checkout token without cryptogram",
      operations: [payments],
      place: "body/source/cryptogram",
      rule: "required",
      reason: "a network token without the customer has no cryptogram; the field is optional since",
      source: `request/source/RequestNetworkTokenSource of ${checkoutSdk}`,
    },
    {
      key: "checkout token without eci",
      operations: [payments],
      place: "body/source/eci",
      rule: "required",
      reason: "a network token may come without an ECI; the field is optional since",
      source: `request/source/RequestNetworkTokenSource of ${checkoutSdk}`,
    },
    {
      key: "checkout reversals",
      operations: ["POST /payments/{id}/reversals"],
      place: "path",
      rule: "path",
      reason: "the operation is newer than the description",
      source: `https://www.checkout.com/docs/payments/manage-payments/reverse-a-payment (2024-04); PaymentsClientImpl of ${checkoutSdk}`,
    },
  ],
}

export function differenceOf(finding: Finding, known: readonly Difference[]): Difference | undefined {
  return known.find(
    ({ operations, place, rule, only }) =>
      operations.includes(finding.operation) &&
      place === finding.place &&
      rule === finding.rule &&
      (only === undefined || only.test(finding.detail)),
  )
}
