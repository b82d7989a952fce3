// Customers: what the merchant told about a person. Erasing (erasure.ts) empties the row and keeps it, as a proof and so
// that nothing that points to it breaks.

import type { CustomerId, MerchantId } from "../../core/id.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { edited, type Edited } from "./edit.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export type CustomerRow = {
  readonly id: CustomerId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  /** The merchant's own name for the person; one customer per reference. */
  readonly reference?: string
  readonly email?: string
  /** Name, phone, addresses, metadata: whatever the API knows. */
  readonly details: Readonly<Record<string, unknown>>
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly erasedAt?: number
}

export type CustomerFilter = {
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly email?: string
  readonly reference?: string
}

/** Undefined when the reference is taken. */
export async function createCustomer(
  database: Database,
  customer: Pick<CustomerRow, "id" | "merchant" | "mode" | "reference" | "email" | "details">,
): Promise<CustomerRow | undefined> {
  const { id, merchant, mode, reference, email, details } = customer
  const values = [merchant, id, mode, reference ?? null, email ?? null, encodeDocument(details)]
  return database.query<Row>(insert, values).then(([row]) => customerFrom(row as Row), refuseTakenReference)
}

export async function findCustomer(
  database: Database,
  merchant: MerchantId,
  id: CustomerId,
): Promise<CustomerRow | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : customerFrom(row)
}

/** Newest first; email without regard to case. Erased ones are not listed. */
export async function listCustomers(
  database: Database,
  { merchant, mode, email, reference }: CustomerFilter,
  request: PageRequest,
): Promise<Page<CustomerRow>> {
  const statement = reference !== undefined ? byReference : email !== undefined ? byEmail : ofMode
  const values = [merchant, mode, keyBelow(request), rowsWanted(request)]
  const rows = await database.query<Row>(statement, statement === ofMode ? values : [...values, reference ?? email])
  return pageOf(
    rows.map(customerFrom).filter((row) => email === undefined || row.email?.toLowerCase() === email.toLowerCase()),
    request,
    (row) => row.id,
  )
}

/** `undefined` in the edit leaves a field as it is, `null` empties it. `taken`: another customer has the reference. */
export async function updateCustomer(
  database: Database,
  merchant: MerchantId,
  id: CustomerId,
  version: number,
  edit: {
    readonly reference?: string | null
    readonly email?: string | null
    readonly details?: CustomerRow["details"]
  },
): Promise<Edited<CustomerRow> | { readonly kind: "taken" }> {
  const values = [
    merchant,
    id,
    version,
    edit.reference !== undefined,
    edit.reference ?? null,
    edit.email !== undefined,
    edit.email ?? null,
    edit.details === undefined ? null : encodeDocument(edit.details),
  ]
  const rows = await database.query<Row>(update, values).catch((error: unknown) => refuseTakenReference(error))
  if (rows === undefined) return { kind: "taken" }
  const [row] = rows
  return edited(row === undefined ? undefined : customerFrom(row), () => findCustomer(database, merchant, id))
}

function refuseTakenReference(error: unknown): undefined {
  if (failureOf(error)?.constraint !== "customers_by_reference") throw error
}

type Row = {
  merchant_id: MerchantId
  id: CustomerId
  mode: CustomerRow["mode"]
  reference: string | null
  email: string | null
  details: unknown
  version: number
  created_ms: bigint
  updated_ms: bigint
  erased_ms: bigint | null
}

const customerFrom = (row: Row): CustomerRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  ...(row.reference === null ? {} : { reference: row.reference }),
  ...(row.email === null ? {} : { email: row.email }),
  details: decodeDocument(row.details) as CustomerRow["details"],
  version: row.version,
  createdAt: Number(row.created_ms),
  updatedAt: Number(row.updated_ms),
  ...(row.erased_ms === null ? {} : { erasedAt: Number(row.erased_ms) }),
})

const columns = "merchant_id, id, mode, reference, email, details, version, created_ms, updated_ms, erased_ms"

const byId: Statement = {
  name: "customer-by-id",
  text: `select ${columns} from customers where merchant_id = $1 and id = $2`,
}

const listed = (name: string, condition: string): Statement => ({
  name,
  text: `select ${columns} from customers
    where merchant_id = $1 and mode = $2 and id < $3 and erased_ms is null ${condition}
    order by id desc limit $4`,
})
const ofMode = listed("customers", "")
const byReference = listed("customers-by-reference", "and reference = $5")
const byEmail = listed("customers-by-email", "and lower(email) = lower($5)")

const insert: Statement = {
  name: "customer-insert",
  text: `insert into customers (merchant_id, id, mode, reference, email, details) values ($1, $2, $3, $4, $5, $6)
    returning ${columns}`,
}

const update: Statement = {
  name: "customer-update",
  text: `update customers set
      reference = case when $4::boolean then $5::text else reference end,
      email = case when $6::boolean then $7::text else email end,
      details = coalesce($8, details), version = version + 1, updated_ms = now_ms()
    where merchant_id = $1 and id = $2 and version = $3 and erased_ms is null
    returning ${columns}`,
}
