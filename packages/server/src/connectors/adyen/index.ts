// Adyen, cards, through Checkout API v72. Start with NOTES.md for what is peculiar; the manifest says what it can do, and
// each codec stands in the file of what it speaks about.

import { isObject, listAt, parseJson, textAt } from "../json.ts"
import { type AccountConfig, defineConnector, type HttpRequest, type HttpResponse } from "../connector.ts"
import { scrubber } from "../scrub.ts"
import { authorize } from "./authorize.ts"
import { cancel, capture, complete, increment, refund, reverse } from "./follow-up.ts"
import { manifest } from "./manifest.ts"
import { merchantAccount, post } from "./request.ts"
import { decode, verify } from "./webhook.ts"

export const adyen = defineConnector({
  manifest,
  codecs: { authorize, complete, capture, void: cancel, refund, increment, reverse },

  /** The list of payment methods: needs the key and the merchant account, moves nothing. */
  verifyCredentials: {
    encode(account: AccountConfig): HttpRequest {
      return post("/paymentMethods", { merchantAccount: merchantAccount(account) }, account)
    },
    decode(response: HttpResponse): { readonly ok: boolean; readonly detail: string } {
      const body = parseJson(response.body)
      const ok = response.status === 200 && isObject(body) && Array.isArray(body["paymentMethods"])
      const detail = ok
        ? `${listAt(body, "paymentMethods").length} payment methods`
        : (textAt(body, "message") ?? `http ${response.status}`)
      return { ok, detail }
    },
    /** The request names it, and only a key that may use it gets an answer. */
    account: (_response, account) => merchantAccount(account),
  },

  webhook: { verify, decode, acknowledgement: { status: 200, body: "[accepted]" } },

  scrub: scrubber({
    fields: [
      "number",
      "cvc",
      "cavv",
      "tokenAuthenticationVerificationValue",
      "encryptedCardNumber",
      "encryptedSecurityCode",
      "x-api-key",
    ],
    // API keys begin with AQE and hold two parts in base64.
    patterns: [/AQE[\w+/]{10,}={0,2}-[\w+/]{10,}={0,2}-[^\s"'\\&,]{6,}/g],
  }),
})
