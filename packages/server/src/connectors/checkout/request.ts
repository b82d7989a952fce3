// How every request to Checkout.com looks: the secret key as bearer, JSON, and the idempotency key.

import assert from "node:assert/strict"
import type { AccountConfig, HttpRequest } from "../connector.ts"
import { isReference, writeJson } from "../json.ts"

export function post(path: string, key: string, body: object, account: AccountConfig): HttpRequest {
  return {
    method: "POST",
    path,
    headers: {
      authorization: bearer(account),
      accept: "application/json",
      "content-type": "application/json",
      "cko-idempotency-key": key,
    },
    body: writeJson(body),
  }
}

export function get(path: string, account: AccountConfig): HttpRequest {
  return { method: "GET", path, headers: { authorization: bearer(account), accept: "application/json" } }
}

/** A payment's path. Ids come out of answers and webhooks: one of another form is refused, not escaped. */
export function paymentPath(reference: string | undefined, action = ""): string {
  assert(reference !== undefined && isReference(reference), "not an id of a payment")
  return `/payments/${reference}${action}`
}

function bearer({ credentials }: AccountConfig): string {
  const key = credentials["secret_key"]
  assert(key !== undefined, "the account has no secret key")
  return `Bearer ${key.reveal()}`
}
