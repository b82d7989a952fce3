// `expand[]`: replaces ids by their objects, along paths such as `latest_charge.payment_method` or `data.customer`.
// https://docs.stripe.com/api/expanding_objects
import { renderCharge } from "./charges.ts"
import { renderCustomer } from "./customers.ts"
import { renderDispute } from "./disputes.ts"
import { invalid } from "./errors.ts"
import { renderMethod } from "./methods.ts"
import { renderRefund } from "./render-refund.ts"
import { renderIntent } from "./render-intent.ts"
import { renderSetupIntent } from "./setup-intents.ts"
import type { World } from "./world.ts"

const MAX_PATHS = 20
const MAX_DEPTH = 4

type Wire = Record<string, unknown>

export function expand(world: World, document: unknown, paths: readonly string[]): unknown {
  if (paths.length === 0) return document
  if (paths.length > MAX_PATHS) throw invalid(`You can expand at most ${MAX_PATHS} properties.`, { param: "expand" })
  const copy = structuredClone(document) as Wire
  for (const path of paths) {
    const steps = path.split(".")
    if (steps.length > MAX_DEPTH + (steps[0] === "data" ? 1 : 0))
      throw invalid(`You cannot expand more than ${MAX_DEPTH} levels of a property.`, { param: "expand" })
    expandAt(world, copy, steps, path)
  }
  return copy
}

function expandAt(world: World, at: Wire, [step = "", ...rest]: readonly string[], path: string): void {
  if (step === "refunds" && at["object"] === "charge") at["refunds"] ??= refundsOf(world, String(at["id"]))
  const value = at[step]
  if (value === undefined) throw invalid(`This property cannot be expanded (${path}).`, { param: "expand" })
  const whole = typeof value === "string" ? objectOf(world, value) : value
  if (typeof value === "string" && whole === undefined) {
    // Ids of things that the simulator does not keep (balance transactions, mandates) stay ids.
    if (/^[a-z]+_\w+$/.test(value)) return
    throw invalid(`This property cannot be expanded (${path}).`, { param: "expand" })
  }
  at[step] = whole
  if (rest.length === 0 || whole === null) return
  for (const each of Array.isArray(whole) ? whole : [whole]) expandAt(world, each as Wire, rest, path)
}

function objectOf(world: World, id: string): unknown {
  const [intent, charge, method] = [world.intents.get(id), world.charges.get(id), world.methods.get(id)]
  const [refund, dispute, setup] = [world.refunds.get(id), world.disputes.get(id), world.setupIntents.get(id)]
  const customer = world.customers.get(id)
  if (intent) return renderIntent(world, intent)
  if (charge) return renderCharge(world, charge)
  if (method) return renderMethod(method)
  if (refund) return renderRefund(world, refund)
  if (dispute) return renderDispute(world, dispute)
  if (setup) return renderSetupIntent(world, setup)
  return customer && renderCustomer(customer)
}

function refundsOf(world: World, charge: string): unknown {
  const refunds = world.charges.get(charge)?.refunds.toReversed() ?? []
  return {
    object: "list",
    data: refunds.map((refund) => renderRefund(world, refund)),
    has_more: false,
    url: `/v1/charges/${charge}/refunds`,
  }
}
