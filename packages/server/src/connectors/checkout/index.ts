// The connector of Checkout.com: cards over the Unified Payments API of its current platform. See NOTES.md.

import { defineConnector } from "../connector.ts"
import { isObject, parseJson } from "../json.ts"
import { scrubber } from "../scrub.ts"
import { authorize } from "./authorize.ts"
import { capture, increment, refund, reverse, voidPayment } from "./follow-up.ts"
import { inquire } from "./inquire.ts"
import { manifest } from "./manifest.ts"
import { get } from "./request.ts"
import { webhook } from "./webhook.ts"

export const checkout = defineConnector({
  manifest,
  codecs: { authorize, capture, void: voidPayment, refund, increment, reverse },
  inquire,
  verifyCredentials: {
    // Reads what nobody has: it needs the same permission as inquiries and shows nothing.
    encode: (account) => get("/payments?limit=1&skip=0&reference=orchestra_credentials_check", account),
    decode: ({ status, body }) => {
      const answer = parseJson(body)
      if (status === 200 && isObject(answer) && Array.isArray(answer["data"]))
        return { ok: true, detail: "The key is accepted and may read payments." }
      if (status === 401) return { ok: false, detail: "The secret key is not accepted." }
      if (status === 403) return { ok: false, detail: "The key lacks the permission to read payments." }
      return { ok: false, detail: `No clear answer: http ${status}.` }
    },
  },
  webhook,
  scrub: scrubber({
    fields: ["authorization", "number", "token", "cvv", "cryptogram"],
    patterns: [/\bsk_(?:sbox_)?[a-z0-9*#$=]{20,}/g],
  }),
})
