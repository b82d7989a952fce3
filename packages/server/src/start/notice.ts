// What a newcomer reads when the server is ready.

import type { Demo } from "./demo.ts"
import type { Options } from "./options.ts"

export const readyJson = (url: string, demo: Demo | undefined): string =>
  JSON.stringify({
    url,
    ...(demo === undefined ? {} : { api_key: demo.apiKey }),
    ...(demo?.simulator === undefined ? {} : { simulator: demo.simulator.controlUrl }),
  })

/** `word` is new at every start: a key that was used before would get its old answer again. */
export function ready(url: string, demo: Demo | undefined, options: Options, word: string): string {
  if (demo === undefined) return `Orchestra (${options.role}) is ready${url === "" ? "" : ` at ${url}`}.`
  const { apiKey, simulator } = demo
  return `
Orchestra is ready.

  API         ${url}/v1
  Reference   ${url}/docs
  Test key    ${apiKey}${simulator === undefined ? "" : `\n  Simulator   ${simulator.controlUrl} (Stripe, Adyen and Checkout.com, simulated${options.traffic ? ", with sample traffic" : ""})`}

Make a payment:

  curl -s ${url}/v1/payments \\
    -H "Authorization: Bearer ${apiKey}" \\
    -H "Idempotency-Key: order-${word}" \\
    -H "Content-Type: application/json" \\
    -d '{"amount": 1999, "currency": "EUR", "payment_method": {"type": "card",
         "card": {"number": "4242424242424242", "expiry_month": 3, "expiry_year": 2030, "cvc": "737"}}}'

Ctrl-C stops everything.
`
}
