// /v1/payment-methods: cards that customers agreed to have stored. The number goes to the vault and never comes back; its
// deletion takes the card with it.

import assert from "node:assert/strict"
import { Type, type Static } from "typebox"
import { cardFactsIn } from "../core/card-facts.ts"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, makeId, type PaymentMethodId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import { isNetworkTransactionId } from "../core/network-transaction-id.ts"
import { storedEvent } from "../engine/store-method.ts"
import {
  findByFingerprint,
  findPaymentMethod,
  listPaymentMethods,
  updatePaymentMethod,
  type PaymentMethodRow,
} from "../storage/resources/payment-methods.ts"
import { eraseMethod, storeMethod } from "../storage/resources/stored-cards.ts"
import { refuseCardData } from "./card-in-text.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { customerOf, loadCustomer } from "./customers.ts"
import { editedRow } from "./etag.ts"
import { readMethod } from "./method-input.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { StoredCardInput } from "./method-schema.ts"
import { reader } from "./payments.ts"
import { closed, Id, NetworkName, Page, Text, Time, words } from "./schema.ts"
import type { Routes } from "./routes.ts"
import { readTime } from "./time.ts"

const tags = ["Payment methods"]
const Params = Type.Object({ id: Id("pm") })

const Consent = closed(
  {
    purposes: Type.Array(words(["customer", "recurring", "installment", "unscheduled"]), {
      minItems: 1,
      uniqueItems: true,
      description: "What the customer agreed to: to pay with it again, or to be charged without being there.",
    }),
    given_at: Type.Optional(Time),
    reference: Type.Optional(Text(200, "Where your own record of it is found.")),
  },
  { description: "The customer's agreement, without which no card may be stored." },
)

export const PaymentMethodCreate = closed(
  {
    customer: Id("cus"),
    card: StoredCardInput,
    consent: Consent,
    network_transaction_id: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9]{1,64}$",
        description: "Of the payment in which the customer agreed, where that was made elsewhere.",
      }),
    ),
  },
  {
    $id: "PaymentMethodCreate",
    examples: [
      {
        customer: "cus_01k7m0c9qv3w8x5y2z4r6t8b1d",
        card: { number: "4242424242424242", expiry_month: 12, expiry_year: 2030 },
        consent: { purposes: ["customer", "unscheduled"] },
      },
    ],
  },
)

export const PaymentMethodResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("payment_method"),
    mode: words(["live", "test"]),
    customer: Type.String(),
    type: words(["card", "network_token", "provider_token"]),
    network: Type.Union([NetworkName, Type.Null()]),
    bin: Type.Union([Type.String(), Type.Null()]),
    last4: Type.Union([Type.String(), Type.Null()]),
    expiry_month: Type.Union([Type.Integer(), Type.Null()]),
    expiry_year: Type.Union([Type.Integer(), Type.Null()]),
    holder_name: Type.Union([Type.String(), Type.Null()]),
    country: Type.Union([Type.String(), Type.Null()], { description: "Of the card's issuer, where it is known." }),
    funding: Type.Union([Type.String(), Type.Null()]),
    issuer: Type.Union([Type.String(), Type.Null()]),
    product: Type.Union([Type.String(), Type.Null()]),
    fingerprint: Type.Union([Type.String(), Type.Null()], { description: "Equal for equal numbers." }),
    network_transaction_id: Type.Union([Type.String(), Type.Null()], {
      description: "Without it, only the account of the first payment can charge the card while the customer is away.",
    }),
    source_account: Type.Union([Type.String(), Type.Null()], { description: "The account of the first payment." }),
    token_accounts: Type.Array(Type.String(), { description: "Accounts whose provider issued a token for it." }),
    consent: Type.Unknown(),
    version: Type.Integer(),
    created_at: Time,
    updated_at: Time,
  },
  { $id: "PaymentMethod" },
)

export const paymentMethods: Routes = (app, api, guard) => {
  app.post(
    "/payment-methods",
    {
      schema: {
        operationId: "createPaymentMethod",
        tags,
        summary: "Store a card with the customer's consent",
        description:
          "The same number of the same customer stays one method: 200 instead of 201, with the new expiry date and " +
          "what you say anew of the card.",
        body: PaymentMethodCreate,
        response: { 200: PaymentMethodResource, 201: PaymentMethodResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { stored, row } = await store(api, caller, request.body)
      return reply.code(stored ? 201 : 200).send(methodResource(row))
    },
  )

  app.get(
    "/payment-methods",
    {
      schema: {
        operationId: "listPaymentMethods",
        tags,
        summary: "List a customer's payment methods, newest first",
        querystring: closed({ ...pageQuery, customer: Id("cus") }),
        response: { 200: Page(PaymentMethodResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { id } = await loadCustomer(api, caller, request.query.customer)
      const page = await listPaymentMethods(api.database, caller.merchant, id, pageRequest(request.query, "pm"))
      return pageResource(page, methodResource)
    },
  )

  app.get(
    "/payment-methods/:id",
    {
      schema: {
        operationId: "getPaymentMethod",
        tags,
        summary: "Retrieve a payment method",
        params: Params,
        response: { 200: PaymentMethodResource },
      },
      ...guard("payments:read"),
    },
    async (request) => methodResource(await load(api, callerOf(request), request.params.id)),
  )

  app.delete(
    "/payment-methods/:id",
    {
      schema: {
        operationId: "deletePaymentMethod",
        tags,
        summary: "Delete a payment method and its card",
        params: Params,
        response: { 204: Type.Null() },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const { merchant, id } = await load(api, callerOf(request), request.params.id)
      if (!(await eraseMethod(api.database, merchant, id))) throw notFound("payment method")
      return reply.code(204).send(null)
    },
  )
}

async function load(api: Api, caller: Key, id: string): Promise<PaymentMethodRow> {
  const row = isId("pm", id) ? await findPaymentMethod(api.database, caller.merchant, id as PaymentMethodId) : undefined
  if (row === undefined || row.mode !== caller.mode || row.erasedAt !== undefined) throw notFound("payment method")
  return row
}

async function store(
  api: Api,
  caller: Key,
  body: Static<typeof PaymentMethodCreate>,
): Promise<{ readonly stored: boolean; readonly row: PaymentMethodRow }> {
  refuseCardData(body)
  const customer = await customerOf(api, caller, body.customer)
  if (customer === undefined || customer.erasedAt !== undefined) throw invalid("#/customer", "no customer has this id")
  const now = api.engine.clock.now()
  const given_at = readTime("#/consent/given_at", body.consent.given_at) ?? now
  const { method, card } = await readMethod(reader(api), caller, undefined, { type: "card", card: body.card }, "#")
  assert(method.type === "card" && card !== undefined, "a card was read")
  const { token, network, bin, last4, expiryMonth, expiryYear, fingerprint, holderName } = method
  const transaction = body.network_transaction_id
  if (transaction !== undefined && !isNetworkTransactionId(network, transaction))
    throw invalid("#/network_transaction_id", `is none that ${network} gives out`)
  const { merchant, mode } = caller
  const known = await findByFingerprint(api.database, merchant, customer.id, fingerprint)
  if (known !== undefined) {
    // What is said now holds; the table only adds what nobody has said.
    const details = { ...cardFactsIn(method), ...known.details, ...cardFactsIn(body.card) }
    const edit = given({ expiryMonth, expiryYear, networkTransactionId: body.network_transaction_id, details })
    const edited = await updatePaymentMethod(api.database, merchant, known.id, known.version, edit)
    return { stored: false, row: editedRow(edited, "payment method") }
  }
  const id = makeId("pm", now, api.engine.chance.bytes(16))
  const added = given({
    id,
    merchant,
    mode,
    customer: customer.id,
    card: token,
    fingerprint,
    network,
    bin,
    last4,
    expiryMonth,
    expiryYear,
    networkTransactionId: body.network_transaction_id,
    providerTokens: {},
    consent: { ...body.consent, given_at },
    details: given({ type: method.type, holder_name: holderName, ...cardFactsIn(method) }),
  })
  if (!(await storeMethod(api.database, added, { kind: "new", card }, storedEvent(added, now))))
    throw new Fault("resource.conflict", { detail: "The customer was erased meanwhile." })
  return { stored: true, row: await load(api, caller, id) }
}

const methodResource = (row: PaymentMethodRow): Static<typeof PaymentMethodResource> => {
  const { type, holder_name, country, funding, issuer, product } = row.details as {
    readonly type?: "card" | "network_token" | "provider_token"
  } & Partial<Record<"holder_name" | "country" | "funding" | "issuer" | "product", string>>
  const { given_at, ...consent } = row.consent as { readonly given_at?: number }
  return {
    id: row.id,
    object: "payment_method",
    mode: row.mode,
    customer: row.customer,
    type: type ?? "card",
    network: (row.network ?? null) as Static<typeof PaymentMethodResource>["network"],
    bin: row.bin ?? null,
    last4: row.last4 ?? null,
    expiry_month: row.expiryMonth ?? null,
    expiry_year: row.expiryYear ?? null,
    holder_name: holder_name ?? null,
    country: country ?? null,
    funding: funding ?? null,
    issuer: issuer ?? null,
    product: product ?? null,
    fingerprint: row.fingerprint ?? null,
    network_transaction_id: row.networkTransactionId ?? null,
    source_account: row.source ?? null,
    token_accounts: Object.keys(row.providerTokens),
    consent: given({ ...consent, given_at: given_at === undefined ? undefined : rfc3339(given_at) }),
    version: row.version,
    created_at: rfc3339(row.createdAt),
    updated_at: rfc3339(row.updatedAt),
  }
}
