// GET /v1/payments: lists and searches, by what people have in their hands.

import { Type, type Static } from "typebox"
import { networks } from "../core/card.ts"
import { given } from "../core/given.ts"
import type { AccountId, CustomerId } from "../core/id.ts"
import { searchPayments, type PaymentFilter } from "../storage/resources/payments.ts"
import { callerOf, type Key } from "./context.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { paymentResource } from "./payment-resource.ts"
import { PaymentResource, statuses } from "./payment-schema.ts"
import { readTime } from "./time.ts"
import { Amount, closed, Currency, Id, Metadata, Page, Text, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

const Query = closed({
  ...pageQuery,
  status: Type.Optional(
    Type.Array(words(statuses), {
      minItems: 1,
      uniqueItems: true,
      style: "form",
      explode: false,
      description: "Any of these.",
    }),
  ),
  amount_min: Type.Optional(Amount),
  amount_max: Type.Optional(Amount),
  currency: Type.Optional(Currency),
  created_from: Type.Optional(Text(40, "RFC 3339; included.")),
  created_until: Type.Optional(Text(40, "RFC 3339; not included.")),
  customer: Type.Optional(Id("cus")),
  merchant_reference: Type.Optional(Text(80)),
  last4: Type.Optional(Type.String({ pattern: "^[0-9]{4}$" })),
  bin: Type.Optional(Type.String({ pattern: "^[0-9]{1,8}$", description: "The card's first digits." })),
  network: Type.Optional(words(Object.keys(networks))),
  provider: Type.Optional(Type.String({ pattern: "^[a-z0-9_-]{1,40}$", description: "Of any attempt." })),
  account: Type.Optional(Id("acc")),
  reason: Type.Optional(
    Type.String({
      pattern: "^[a-z_]{1,60}$",
      description: "Why it failed, or its last decline: see docs/outcomes.md.",
    }),
  ),
  needs_person: Type.Optional(
    Type.Boolean({
      description:
        "true: those that somebody has to look at, because we could not find out their outcome or their books do not " +
        "add up. false: all others.",
    }),
  ),
  metadata: Type.Optional({
    ...Metadata,
    style: "deepObject",
    explode: true,
    description: "`metadata[key]=value`; all pairs must be there.",
  } as typeof Metadata),
})

export const paymentList: Routes = (app, api, guard) => {
  app.get(
    "/payments",
    {
      schema: {
        operationId: "listPayments",
        tags: ["Payments"],
        summary: "List and search payments, newest first",
        description:
          "Customer, reference and last four digits are found at once. Everything else is looked for along the newest " +
          "payments, a bounded number per page: a page may hold few payments or none and still have a `next`.",
        querystring: Query,
        response: { 200: Page(PaymentResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const filter = readFilter(callerOf(request), request.query)
      return pageResource(
        await searchPayments(api.database, filter, pageRequest(request.query, "pay")),
        paymentResource,
      )
    },
  )
}

function readFilter({ merchant, mode }: Key, query: Static<typeof Query>): PaymentFilter {
  return given({
    merchant,
    mode,
    statuses: query.status,
    currency: query.currency,
    minAmount: query.amount_min === undefined ? undefined : BigInt(query.amount_min),
    maxAmount: query.amount_max === undefined ? undefined : BigInt(query.amount_max),
    createdFrom: readTime("query/created_from", query.created_from),
    createdUntil: readTime("query/created_until", query.created_until),
    customer: query.customer as CustomerId | undefined,
    merchantReference: query.merchant_reference,
    last4: query.last4,
    bin: query.bin,
    network: query.network,
    connector: query.provider,
    account: query.account as AccountId | undefined,
    reason: query.reason,
    needsPerson: query.needs_person,
    metadata: query.metadata,
  })
}
