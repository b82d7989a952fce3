// Charges, refunds and disputes over HTTP.
import { findCharge, renderCharge } from "./charges.ts"
import { answerDispute, closeDispute, findDispute, renderDispute } from "./disputes.ts"
import { LIST_FIELDS } from "./lists.ts"
import { createRefund, findRefund, updateRefund } from "./refunds.ts"
import { renderRefund } from "./render-refund.ts"
import { type Call, page, type Route } from "./route.ts"

export const MONEY_ROUTES: readonly Route[] = [
  ["GET", /^\/v1\/charges\/(\w+)$/, ({ world, id }) => renderCharge(world, findCharge(world, id))],
  ["GET", /^\/v1\/charges$/, listCharges],

  ["POST", /^\/v1\/refunds$/, postRefund],
  ["GET", /^\/v1\/refunds$/, listRefunds],
  ["GET", /^\/v1\/refunds\/(\w+)$/, ({ world, id }) => renderRefund(world, findRefund(world, id))],
  ["POST", /^\/v1\/refunds\/(\w+)$/, postRefundUpdate],

  ["GET", /^\/v1\/disputes$/, listDisputes],
  ["GET", /^\/v1\/disputes\/(\w+)$/, ({ world, id }) => renderDispute(world, findDispute(world, id))],
  ["POST", /^\/v1\/disputes\/(\w+)$/, postDispute],
  ["POST", /^\/v1\/disputes\/(\w+)\/close$/, postDisputeClose],
]

function listCharges({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "payment_intent", "customer")
  const intent = fields.text("payment_intent")
  const fitting = world.charges.newest().filter((charge) => !intent || charge.intent === intent)
  return page(fitting, fields, "/v1/charges", (charge) => renderCharge(world, charge))
}

function postRefund({ world, fields }: Call): unknown {
  fields.only(
    "payment_intent",
    "charge",
    "amount",
    "reason",
    "metadata",
    "expand",
    "refund_application_fee",
    "reverse_transfer",
    "instructions_email",
    "origin",
    "currency",
    "customer",
  )
  return renderRefund(world, createRefund(world, fields))
}

function listRefunds({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "payment_intent", "charge")
  const [intent, charge] = [fields.text("payment_intent"), fields.text("charge")]
  const fitting = world.refunds
    .newest()
    .filter((refund) => (!intent || refund.intent === intent) && (!charge || refund.charge === charge))
  return page(fitting, fields, "/v1/refunds", (refund) => renderRefund(world, refund))
}

function postRefundUpdate({ world, id, fields }: Call): unknown {
  const refund = findRefund(world, id)
  fields.only("metadata", "expand")
  updateRefund(refund, fields)
  return renderRefund(world, refund)
}

function listDisputes({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "payment_intent", "charge")
  const [intent, charge] = [fields.text("payment_intent"), fields.text("charge")]
  const fitting = world.disputes
    .newest()
    .filter((dispute) => (!intent || dispute.intent === intent) && (!charge || dispute.charge === charge))
  return page(fitting, fields, "/v1/disputes", (dispute) => renderDispute(world, dispute))
}

function postDispute({ world, id, fields }: Call): unknown {
  const dispute = findDispute(world, id)
  answerDispute(world, dispute, fields.only("evidence", "metadata", "submit", "expand"))
  return renderDispute(world, dispute)
}

function postDisputeClose({ world, id }: Call): unknown {
  const dispute = findDispute(world, id)
  closeDispute(world, dispute, "lost")
  return renderDispute(world, dispute)
}
