// Stripe: PaymentIntents for payments, SetupIntents for verifications, Refunds. An attempt is prepared (an intent that
// cannot charge), then confirmed; a redirect is completed by looking at the intent. See NOTES.md for the choices.

import type { Outcome } from "../../core/outcome.ts"
import { type Connector, defineConnector, type HttpResponse, type Input } from "../connector.ts"
import { booleanAt, isObject, parseJson, textAt } from "../json.ts"
import { scrubber } from "../scrub.ts"
import { verifySignature } from "../signature.ts"
import {
  cancelOutcome,
  captureOutcome,
  decodeAnswer,
  incrementOutcome,
  intentOutcome,
  refundOutcome,
} from "./answer.ts"
import { inquiryOutcome } from "./inquiry.ts"
import { manifest } from "./manifest.ts"
import * as request from "./request.ts"
import { decodeWebhook, scheme } from "./webhook.ts"
import { type Intent, readIntent, readRefund } from "./wire.ts"

export const stripe: Connector = defineConnector({
  manifest,
  codecs: {
    prepare: {
      encode: request.prepare,
      decode: (response, input) =>
        harmless(
          decodeIntent(response, { ...input, about: "prepare" }, (intent) =>
            only(["prepared"], intentOutcome(intent, input, "prepared")),
          ),
        ),
    },
    authorize: {
      encode: request.authorize,
      decode: (response, input) =>
        decodeIntent(response, { ...input, about: "authorize" }, (intent) =>
          only(["authorized", "captured", "verified"], intentOutcome(intent, input, "unknown")),
        ),
    },
    capture: {
      encode: request.capture,
      decode: (response, input) =>
        decodeIntent(response, { ...input, about: "capture" }, (intent) => captureOutcome(intent, input)),
    },
    void: {
      encode: request.cancel,
      decode: (response, input) => decodeIntent(response, { ...input, about: "void" }, cancelOutcome),
    },
    refund: {
      encode: request.refund,
      decode: (response, input) => decodeRefund(response, input),
    },
    increment: {
      encode: request.increment,
      decode: (response, input) =>
        decodeIntent(response, { ...input, about: "increment" }, (intent) => incrementOutcome(intent, input.amount)),
    },
    reverse: {
      encode: request.reverse,
      decode: (response, input) =>
        decodeAnswer(response, { ...input, about: "reverse" }, (body) => {
          const intent = readIntent(body)
          const refund = readRefund(body)
          return intent ? cancelOutcome(intent) : refund && refundOutcome(refund, input.amount.currency)
        }),
    },
  },
  inquire: {
    encode: request.inquire,
    decode: (response, input) =>
      decodeAnswer(response, { ...input, about: input.about }, (body) => inquiryOutcome(body, input)),
  },
  verifyCredentials: {
    encode: (account) => request.get("/v1/account", account, []),
    decode: (response) => decodeAccount(response),
    account: ({ body }) => textAt(parseJson(body), "id"),
  },
  webhook: {
    verify: (webhook, secrets, nowMs, hmac) => verifySignature(scheme, webhook, secrets, nowMs, hmac),
    decode: decodeWebhook,
    acknowledgement: { status: 200, body: "" },
  },
  scrub: scrubber({
    fields: ["number", "cvc", "cryptogram", "client_secret", "authorization"],
    patterns: [/\b(?:sk|rk)_(?:live|test)_\w+/g, /\bwhsec_\w+/g],
  }),
})

type Asked = Parameters<typeof decodeAnswer>[1]

function decodeIntent(response: HttpResponse, asked: Asked, read: (intent: Intent) => Outcome): Outcome {
  return decodeAnswer(response, asked, (body) => {
    const intent = readIntent(body)
    return intent && read(intent)
  })
}

function decodeRefund(response: HttpResponse, input: Input["refund"]): Outcome {
  return decodeAnswer(response, { ...input, about: "refund" }, (body) => {
    const refund = readRefund(body)
    return refund && refundOutcome(refund, input.amount)
  })
}

// An intent that is already further than this operation could bring it answers somebody else's request.
function only(effects: readonly string[], outcome: Outcome): Outcome {
  if (outcome.kind !== "approved" || effects.includes(outcome.effect)) return outcome
  return { kind: "unknown", raw: outcome.raw, evidence: outcome.evidence }
}

// An intent that was created and never confirmed cannot charge: whatever a refusal leaves open, no money moved.
const harmless = (outcome: Outcome): Outcome => (outcome.kind === "rejected" ? { ...outcome, executed: "no" } : outcome)

function decodeAccount({ status, body }: HttpResponse): { readonly ok: boolean; readonly detail: string } {
  const account = parseJson(body)
  if (status === 200 && isObject(account) && textAt(account, "object") === "account") {
    const charges = booleanAt(account, "charges_enabled") === true ? "may charge" : "may not charge yet"
    return { ok: true, detail: `${textAt(account, "id") ?? "account"} ${charges}` }
  }
  return { ok: false, detail: textAt(account, "error", "message") ?? `http ${status}` }
}
