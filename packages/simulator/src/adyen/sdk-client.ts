// For tests: Adyen's Node SDK against the bench. The SDK speaks https to adyen.com only, so its requests are opened
// anew towards the bench; writing the request and reading answer and error stay the SDK's own work.
import { request as httpRequest } from "node:http"
import { CheckoutAPI, Client, EnvironmentEnum, HttpURLConnectionClient } from "@adyen/api-library"
import type { Bench } from "../persona-bench.ts"

export function checkoutApi(bench: Bench, apiKey = bench.credentials["apiKey"] ?? ""): CheckoutAPI {
  const client = new Client({ apiKey, environment: EnvironmentEnum.TEST })
  const reader = new HttpURLConnectionClient()
  client.httpClient = {
    request(endpoint, body, { apiKey: key = "" }, _isApiRequired, options = {}) {
      const { idempotencyKey } = options
      const headers = {
        "content-type": "application/json",
        "x-api-key": key,
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      }
      const { pathname } = new URL(endpoint)
      const opened = httpRequest(`${bench.url}${pathname}`, { method: options.method ?? "POST", headers, agent: false })
      return reader["doRequest"](opened, body, false)
    },
  }
  return new CheckoutAPI(client)
}
