// Stripe's dashboard: what somebody does there to a payment, in the same steps as the API and without its references.
import type { ByHand } from "../persona.ts"
import { StripeError } from "./errors.ts"
import { cancelIntent, captureIntent, findIntent } from "./intents.ts"
import { readForm } from "./params.ts"
import { createRefund } from "./refunds.ts"
import type { World } from "./world.ts"

/** False where the dashboard would say no. */
export function workByHand(world: World, id: string, deed: ByHand): boolean {
  try {
    return done(world, id, deed)
  } catch (error) {
    if (error instanceof StripeError) return false
    throw error
  }
}

function done(world: World, id: string, deed: ByHand): boolean {
  const intent = findIntent(world, id)
  const amount = "amount" in deed && deed.amount !== undefined ? String(deed.amount) : undefined
  switch (deed.type) {
    case "capture": {
      const fields = { ...(amount !== undefined && { amount_to_capture: amount }), final_capture: deed.final ?? true }
      captureIntent(world, intent, readForm(formOf(fields)))
      return true
    }
    case "refund":
      createRefund(world, readForm(formOf({ payment_intent: id, ...(amount !== undefined && { amount }) })))
      return true
    case "void":
      cancelIntent(world, intent, "requested_by_customer")
      return true
    case "cancel_or_refund":
      return false
    default:
      return deed satisfies never
  }
}

const formOf = (fields: Readonly<Record<string, string | boolean>>): string =>
  new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()
