// Which kinds of payment method an intent takes. The simulator knows cards only; what differs by API version is how a
// merchant says so, and whether methods of the dashboard, which may redirect, come in unasked.
import { invalid } from "./errors.ts"
import type { Fields } from "./params.ts"

export type MethodTypes = {
  readonly types: readonly string[]
  readonly allowed: readonly string[] | null
  readonly automatic: { readonly enabled: boolean; readonly allow_redirects: "always" | "never" } | null
}

/** Dashboard-managed payment methods are the default since 2023-08-16. https://docs.stripe.com/upgrades#2023-08-16 */
const AUTOMATIC_SINCE = "2023-08-16"
/** `payment_method_types` is gone since endive; `allowed_payment_method_types` came two months before (stripe-node 22.4, 23.0). */
const TYPES_UNTIL = "2026-09-30"
const ALLOWED_SINCE = "2026-07-29"

export function readMethodTypes(fields: Fields, version: string): MethodTypes {
  refuseByVersion(fields, version)
  const types = fields.list("payment_method_types")
  const allowed = fields.list("allowed_payment_method_types")
  const automatic = fields.within("automatic_payment_methods")
  const enabled = automatic.bool("enabled") ?? (types.length === 0 && version >= AUTOMATIC_SINCE)
  if (enabled && types.length)
    throw invalid("You may only specify one of these parameters: automatic_payment_methods, payment_method_types.", {
      code: "parameters_exclusive",
    })
  const unknown = [...types, ...allowed].find((type) => type !== "card" && type !== "link")
  if (unknown !== undefined) throw invalid(`The simulator knows payment methods of type card only, not ${unknown}`)
  // Nothing that redirects is left when only cards are allowed.
  const redirects = allowed.length ? "never" : "always"
  return {
    types: types.length ? types : ["card"],
    allowed: allowed.length ? allowed : null,
    automatic: enabled
      ? { enabled, allow_redirects: automatic.oneOf("allow_redirects", ["always", "never"]) ?? redirects }
      : null,
  }
}

export function refuseByVersion(fields: Fields, version: string): void {
  const refuse = (name: string): void => {
    if (fields.has(name))
      throw invalid(`Received unknown parameter: ${name}`, { param: name, code: "parameter_unknown" })
  }
  if (version >= TYPES_UNTIL) refuse("payment_method_types")
  if (version < ALLOWED_SINCE) refuse("allowed_payment_method_types")
}
