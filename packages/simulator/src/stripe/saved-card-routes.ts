// SetupIntents, PaymentMethods and customers over HTTP: all that saving cards takes.
import { changeCustomer, createCustomer, mergeMetadata, readCustomer, renderCustomer } from "./customers.ts"
import { LIST_FIELDS } from "./lists.ts"
import { attachMethod, createMethod, findMethod, readBilling, renderMethod } from "./methods.ts"
import { refuseByVersion } from "./method-types.ts"
import type { Fields } from "./params.ts"
import { type Call, page, type Route } from "./route.ts"
import {
  cancelSetupIntent,
  changeSetupIntent,
  confirmSetupIntent,
  createSetupIntent,
  findSetupIntent,
  renderSetupIntent,
  SETUP_FIELDS,
} from "./setup-intents.ts"
import type { World } from "./world.ts"

export const SAVED_CARD_ROUTES: readonly Route[] = [
  ["POST", /^\/v1\/setup_intents$/, postSetupIntent],
  ["GET", /^\/v1\/setup_intents\/(\w+)$/, ({ world, id }) => renderSetupIntent(world, findSetupIntent(world, id))],
  ["POST", /^\/v1\/setup_intents\/(\w+)$/, postSetupIntentUpdate],
  ["POST", /^\/v1\/setup_intents\/(\w+)\/confirm$/, postSetupIntentConfirm],
  ["POST", /^\/v1\/setup_intents\/(\w+)\/cancel$/, postSetupIntentCancel],

  ["POST", /^\/v1\/payment_methods$/, ({ world, fields }) => renderMethod(createMethod(world, fields))],
  ["GET", /^\/v1\/payment_methods$/, listMethods],
  ["GET", /^\/v1\/payment_methods\/(\w+)$/, ({ world, id }) => renderMethod(findMethod(world, id, "id"))],
  ["POST", /^\/v1\/payment_methods\/(\w+)$/, postMethodUpdate],
  ["POST", /^\/v1\/payment_methods\/(\w+)\/attach$/, postMethodAttach],
  ["POST", /^\/v1\/payment_methods\/(\w+)\/detach$/, postMethodDetach],

  ["POST", /^\/v1\/customers$/, ({ world, fields }) => renderCustomer(createCustomer(world, fields))],
  [
    "GET",
    /^\/v1\/customers$/,
    ({ world, fields }) => page(world.customers.newest(), fields, "/v1/customers", renderCustomer),
  ],
  ["GET", /^\/v1\/customers\/(\w+)$/, ({ world, id }) => renderCustomer(readCustomer(world, id, 404))],
  ["POST", /^\/v1\/customers\/(\w+)$/, postCustomerUpdate],
  ["DELETE", /^\/v1\/customers\/(\w+)$/, deleteCustomer],
  ["GET", /^\/v1\/customers\/(\w+)\/payment_methods$/, listCustomerMethods],
]

function postSetupIntent({ world, fields, version }: Call): unknown {
  fields.only(...SETUP_FIELDS)
  const setup = createSetupIntent(world, fields, version)
  world.events.emit("setup_intent.created", renderSetupIntent(world, setup))
  if (fields.bool("confirm")) confirmSetupIntent(world, setup, fields)
  return renderSetupIntent(world, setup)
}

function postSetupIntentUpdate({ world, id, fields, version }: Call): unknown {
  refuseByVersion(fields, version)
  const setup = findSetupIntent(world, id)
  changeSetupIntent(world, setup, fields.only(...SETUP_FIELDS))
  return renderSetupIntent(world, setup)
}

function postSetupIntentConfirm({ world, id, fields, version }: Call): unknown {
  refuseByVersion(fields, version)
  const setup = findSetupIntent(world, id)
  confirmSetupIntent(world, setup, fields.only(...SETUP_FIELDS))
  return renderSetupIntent(world, setup)
}

function postSetupIntentCancel({ world, id, fields }: Call): unknown {
  const setup = findSetupIntent(world, id)
  fields.only("cancellation_reason", "expand")
  cancelSetupIntent(world, setup, fields.text("cancellation_reason") || null)
  return renderSetupIntent(world, setup)
}

function listMethods({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "customer", "type")
  const customer = fields.text("customer")
  return methodsPage(world, fields, "/v1/payment_methods", customer)
}

function listCustomerMethods({ world, id, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "type")
  return methodsPage(world, fields, `/v1/customers/${id}/payment_methods`, readCustomer(world, id, 404).id)
}

function methodsPage(world: World, fields: Fields, url: string, customer: string | undefined): unknown {
  const fitting = world.methods.newest().filter((method) => customer !== undefined && method.customer === customer)
  return page(fitting, fields, url, renderMethod)
}

function postMethodUpdate({ world, id, fields }: Call): unknown {
  const method = findMethod(world, id, "id")
  fields.only("billing_details", "card", "metadata", "expand", "allow_redisplay")
  if (fields.has("billing_details")) method.billing = readBilling(fields.within("billing_details"))
  method.metadata = mergeMetadata(method.metadata, fields.map("metadata"))
  return renderMethod(method)
}

function postMethodAttach({ world, id, fields }: Call): unknown {
  const method = findMethod(world, id, "id")
  attachMethod(world, method, fields.only("customer", "expand").needText("customer"))
  world.events.emit("payment_method.attached", renderMethod(method))
  return renderMethod(method)
}

function postMethodDetach({ world, id }: Call): unknown {
  const method = findMethod(world, id, "id")
  method.customer = null
  method.spent = true
  world.events.emit("payment_method.detached", renderMethod(method))
  return renderMethod(method)
}

function postCustomerUpdate({ world, id, fields }: Call): unknown {
  const customer = readCustomer(world, id, 404)
  changeCustomer(customer, fields)
  return renderCustomer(customer)
}

function deleteCustomer({ world, id }: Call): unknown {
  world.customers.delete(readCustomer(world, id, 404).id)
  return { id, object: "customer", deleted: true }
}
