// The envelope of every request: JSON by POST, with the API key and the idempotency key in headers.

import type { AccountConfig, HttpRequest } from "../connector.ts"
import { isReference, writeJson } from "../json.ts"
import { manifest } from "./manifest.ts"

/** `path` below the version. Without a key it is a request that moves nothing. */
export function post(path: string, body: object, account: AccountConfig, key?: string): HttpRequest {
  return {
    method: "POST",
    path: `/${manifest.api.version}${path}`,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "x-api-key": account.credentials["api_key"]!.reveal(),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: writeJson(body),
  }
}

export const merchantAccount = (account: AccountConfig): string => account.settings["merchant_account"]!

/** A pspReference as part of a path. It comes from answers and webhooks, so what has not its form is refused. */
export function paymentPath(reference: string, rest: string): string {
  if (!isReference(reference)) throw new RangeError("not a pspReference")
  return `/payments/${reference}${rest}`
}
