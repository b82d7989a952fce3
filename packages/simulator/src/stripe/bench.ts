// For tests: Stripe's persona on the bench, and the official SDK pointed at it.
import { Stripe } from "stripe"
import { type Bench, openBench } from "../persona-bench.ts"
import { stripe } from "./index.ts"

export const CREDENTIALS = {
  secretKey: "sk_test_bench000000",
  publishableKey: "pk_test_bench",
  webhookSecret: "whsec_bench",
} as const

export type StripeBench = Bench & { readonly sdk: Stripe }

export async function openStripeBench(): Promise<StripeBench> {
  const bench = await openBench(stripe, CREDENTIALS)
  return { ...bench, sdk: sdkAt(bench.url) }
}

/** No retries of its own: the tests are about single requests. */
export function sdkAt(url: string, key: string = CREDENTIALS.secretKey): Stripe {
  const { hostname, port } = new URL(url)
  return new Stripe(key, { protocol: "http", host: hostname, port, maxNetworkRetries: 0, telemetry: false })
}
