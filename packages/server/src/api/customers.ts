// /v1/customers: whom payments and stored payment methods belong to. Deleting one erases the person everywhere and keeps
// the empty row, so that what points to it does not break.

import { Type, type Static } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, type CustomerId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import {
  createCustomer,
  findCustomer,
  listCustomers,
  updateCustomer,
  type CustomerRow,
} from "../storage/resources/customers.ts"
import { eraseCustomer } from "../storage/resources/erasure.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { createOnce, forgetCreation, MayRepeat } from "./creation.ts"
import { editedRow, etagOf, mayMatch, MayMatch, stale, tagged } from "./etag.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { checkAddress } from "./payment-input.ts"
import { Address, closed, Email, Id, Metadata, nullable, Page, Text, Time, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Customers"]
const Params = Type.Object({ id: Id("cus") })

const Reference = Text(100, "Your own name for the customer; no two have the same.")

export const CustomerCreate = closed(
  {
    reference: Type.Optional(Reference),
    email: Type.Optional(Email),
    name: Type.Optional(Text(200)),
    phone: Type.Optional(Text(30)),
    address: Type.Optional(Address),
    metadata: Type.Optional(Metadata),
  },
  { $id: "CustomerCreate", examples: [{ reference: "user-1042", email: "ada@example.com", name: "Ada Lovelace" }] },
)
export const CustomerUpdate = closed(
  {
    reference: Type.Optional(nullable(Reference)),
    email: Type.Optional(nullable(Email)),
    name: Type.Optional(nullable(Text(200))),
    phone: Type.Optional(nullable(Text(30))),
    address: Type.Optional(nullable(Address)),
    metadata: Type.Optional(nullable(Metadata)),
  },
  {
    $id: "CustomerUpdate",
    description: "Fields that are absent stay; null empties one. `metadata` is replaced as a whole.",
  },
)

export const CustomerResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("customer"),
    mode: words(["live", "test"]),
    reference: Type.Union([Type.String(), Type.Null()]),
    email: Type.Union([Type.String(), Type.Null()]),
    name: Type.Union([Type.String(), Type.Null()]),
    phone: Type.Union([Type.String(), Type.Null()]),
    address: Type.Union([Address, Type.Null()]),
    metadata: Metadata,
    version: Type.Integer(),
    created_at: Time,
    updated_at: Time,
    erased_at: Type.Union([Time, Type.Null()], { description: "Nothing is known of an erased customer any more." }),
  },
  { $id: "Customer" },
)

export const customers: Routes = (app, api, guard) => {
  app.post(
    "/customers",
    {
      schema: {
        operationId: "createCustomer",
        tags,
        summary: "Create a customer",
        headers: MayRepeat,
        body: CustomerCreate,
        response: { 201: CustomerResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const { merchant, mode } = callerOf(request)
      const made = (row: CustomerRow) => ({
        body: customerResource(row),
        location: `/v1/customers/${row.id}`,
        etag: etagOf(row),
      })
      const body = await createOnce(api, request, reply, {
        prefix: "cus",
        create: async (id) => {
          const { reference, email, ...details } = request.body
          checkAddress("#/address", details.address)
          const row = await createCustomer(api.database, given({ id, merchant, mode, reference, email, details }))
          if (row === undefined) throw taken()
          return made(row)
        },
        find: async (id) => {
          const row = await findCustomer(api.database, merchant, id)
          return row === undefined ? undefined : made(row)
        },
      })
      return reply.send(body)
    },
  )

  app.get(
    "/customers",
    {
      schema: {
        operationId: "listCustomers",
        tags,
        summary: "List customers, newest first",
        querystring: closed({ ...pageQuery, email: Type.Optional(Email), reference: Type.Optional(Text(100)) }),
        response: { 200: Page(CustomerResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const { email, reference } = request.query
      const filter = given({ merchant, mode, email, reference })
      return pageResource(
        await listCustomers(api.database, filter, pageRequest(request.query, "cus")),
        customerResource,
      )
    },
  )

  app.get(
    "/customers/:id",
    {
      schema: {
        operationId: "getCustomer",
        tags,
        summary: "Retrieve a customer",
        params: Params,
        response: { 200: CustomerResource },
      },
      ...guard("payments:read"),
    },
    async (request, reply) => {
      const row = await loadCustomer(api, callerOf(request), request.params.id)
      return tagged(reply, row).send(customerResource(row))
    },
  )

  app.patch(
    "/customers/:id",
    {
      schema: {
        operationId: "updateCustomer",
        tags,
        summary: "Change a customer",
        params: Params,
        headers: MayMatch,
        body: CustomerUpdate,
        response: { 200: CustomerResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const seen = mayMatch(request)
      const row = await loadCustomer(api, caller, request.params.id)
      if (row.erasedAt !== undefined) throw new Fault("resource.conflict", { detail: "This customer was erased." })
      if (seen !== undefined && seen !== row.version) throw stale(row)
      const { reference, email, ...changes } = request.body
      checkAddress("#/address", changes.address ?? undefined)
      const details = Object.fromEntries(
        Object.entries({ ...row.details, ...changes }).filter(([, value]) => value !== null),
      )
      const edited = await updateCustomer(
        api.database,
        caller.merchant,
        row.id,
        row.version,
        given({ reference, email, details }),
      )
      if (edited.kind === "taken") throw taken()
      const saved = editedRow(edited, "customer")
      return tagged(reply, saved).send(customerResource(saved))
    },
  )

  app.delete(
    "/customers/:id",
    {
      schema: {
        operationId: "eraseCustomer",
        tags,
        summary: "Erase a customer",
        description:
          "Everything that is known of the person is deleted: the customer, stored payment methods with their cards, " +
          "names and addresses in payments, and what was said to providers. Amounts, outcomes, your references and " +
          "metadata stay; webhooks that providers sent go with their retention. It may be repeated.",
        params: Params,
        response: {
          200: Type.Object({
            id: Type.String(),
            object: Type.Literal("customer_erasure"),
            payment_methods: Type.Integer(),
            payments: Type.Integer(),
          }),
        },
      },
      ...guard("payments:write"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { id } = await loadCustomer(api, caller, request.params.id)
      const erased = await eraseCustomer(api.database, api.engine.ledger, caller.merchant, id)
      if (erased === undefined) throw notFound("customer")
      await forgetCreation(api, caller.merchant, id)
      const { paymentMethods, payments } = erased
      return { id, object: "customer_erasure" as const, payment_methods: paymentMethods, payments }
    },
  )
}

/** Somebody else's customer, and one of the other mode, is not there. */
export async function loadCustomer(api: Api, caller: Key, id: string): Promise<CustomerRow> {
  const row = await customerOf(api, caller, id)
  if (row === undefined) throw notFound("customer")
  return row
}

export async function customerOf(api: Api, caller: Key, id: string): Promise<CustomerRow | undefined> {
  const row = isId("cus", id) ? await findCustomer(api.database, caller.merchant, id as CustomerId) : undefined
  return row?.mode === caller.mode ? row : undefined
}

const taken = (): Fault =>
  new Fault("resource.conflict", {
    detail: "Another customer has this reference.",
    errors: [{ pointer: "#/reference", detail: "is taken" }],
  })

function customerResource(row: CustomerRow): Static<typeof CustomerResource> {
  const { name, phone, address, metadata } = row.details as Static<typeof CustomerCreate>
  return {
    id: row.id,
    object: "customer",
    mode: row.mode,
    reference: row.reference ?? null,
    email: row.email ?? null,
    name: name ?? null,
    phone: phone ?? null,
    address: address ?? null,
    metadata: metadata ?? {},
    version: row.version,
    created_at: rfc3339(row.createdAt),
    updated_at: rfc3339(row.updatedAt),
    erased_at: row.erasedAt === undefined ? null : rfc3339(row.erasedAt),
  }
}
