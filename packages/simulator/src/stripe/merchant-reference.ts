// The merchant's own reference has no fixed place at Stripe: it is metadata. The usual names are tried, then whatever
// stands first.
import type { Metadata } from "./world.ts"

const NAMES = ["orchestra_attempt", "reference", "merchant_reference", "order_id"] as const

export function merchantReferenceOf(metadata: Metadata): string {
  const named = NAMES.find((name) => metadata[name] !== undefined)
  return (named ? metadata[named] : Object.values(metadata)[0]) ?? ""
}
