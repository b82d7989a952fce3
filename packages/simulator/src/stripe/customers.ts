// Customers: as much of them as saving cards needs.
import type { Stripe } from "stripe"
import { missing } from "./errors.ts"
import type { Fields } from "./params.ts"
import type { Customer, Metadata, World } from "./world.ts"

export function createCustomer(world: World, fields: Fields): Customer {
  const customer: Customer = {
    id: world.id("cus", 14),
    created: world.seconds(),
    name: null,
    email: null,
    phone: null,
    description: null,
    metadata: {},
  }
  changeCustomer(customer, fields)
  return world.customers.put(customer.id, customer)
}

export function changeCustomer(customer: Customer, fields: Fields): void {
  const take = (name: "name" | "email" | "phone" | "description"): void => {
    const value = fields.text(name)
    if (value !== undefined) customer[name] = value || null
  }
  take("name")
  take("email")
  take("phone")
  take("description")
  customer.metadata = mergeMetadata(customer.metadata, fields.map("metadata"))
}

/** Customers named in another object's parameters are 400 when unknown; in the address they are 404. */
export function readCustomer(world: World, id: string, status = 400): Customer {
  const customer = world.customers.get(id)
  if (!customer) throw missing("customer", id, status === 400 ? "customer" : "id", status)
  return customer
}

/** Keys that are given replace, empty values remove, the rest stays. */
export function mergeMetadata(old: Metadata, change: Metadata | undefined): Metadata {
  if (!change) return old
  return Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== ""))
}

export function renderCustomer(customer: Customer): Stripe.Customer {
  return {
    id: customer.id,
    object: "customer",
    address: null,
    balance: 0,
    created: customer.created,
    currency: null,
    default_source: null,
    delinquent: false,
    description: customer.description,
    discount: null,
    email: customer.email,
    invoice_prefix: customer.id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: customer.metadata,
    name: customer.name,
    next_invoice_sequence: 1,
    phone: customer.phone,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  }
}
