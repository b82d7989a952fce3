// Signature vectors, official or made with the provider's own library, against what the connectors verify.

import type { Verification } from "../../packages/server/src/connectors/connector.ts"
import { nodeHmac } from "../../packages/server/src/connectors/contract-webhook.ts"
import { at, isObject, listAt, textAt } from "../../packages/server/src/connectors/json.ts"
import type { Case, Rule, Verdict } from "./case.ts"
import type { DataFolder } from "./data-folder.ts"
import type { Provider } from "./providers.ts"

export const signatureRules: readonly Rule[] = [
  {
    key: "adyen platform webhooks",
    reason:
      "signatures over the whole body in a header belong to Adyen's platform and management webhooks, which the connector does not receive",
    source: "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures (2026-05)",
  },
]

export function checkSignatures(provider: Provider, data: DataFolder): readonly Case[] {
  switch (provider.id) {
    case "stripe":
      return stripeVectors(provider, data.json("webhooks/stripe.json"))
    case "adyen":
      return adyenVectors(provider, data.json("webhooks/adyen.json"))
    case "checkout":
      return [] // There are no official vectors: see psp.md.
    default:
      return provider.id satisfies never
  }
}

function stripeVectors({ connector }: Provider, file: unknown): readonly Case[] {
  const core = listAt(file, "core_hmac_vectors").map((vector): Case => {
    const key = new TextEncoder().encode(textAt(vector, "secret"))
    const payload = at(vector, "payload")
    const mac = nodeHmac("sha256", key, typeof payload === "string" ? payload : "")
    const hex = Buffer.from(mac).toString("hex")
    return made("stripe", `hmac of ${JSON.stringify(payload)}`, hex === at(vector, "hmac_sha256_hex"), hex)
  })
  const signed = listAt(file, "vectors").map((vector): Case => {
    const seconds = at(vector, "now") ?? at(vector, "valid_at")
    const request = { headers: { "stripe-signature": text(vector, "header") }, body: text(vector, "payload") }
    const said = connector.webhook.verify(request, [text(vector, "secret")], Number(seconds) * 1_000, nodeHmac)
    const wanted = expectation(text(vector, "expect"))
    return made("stripe", text(vector, "name"), said.kind === wanted, `${inWords(said)}, expected ${wanted}`)
  })
  return [...core, ...signed]
}

function expectation(expect: string): Verification["kind"] {
  if (expect.startsWith("valid")) return "genuine"
  return expect.includes("timestamp outside") ? "stale" : "forged"
}

function adyenVectors({ connector }: Provider, file: unknown): readonly Case[] {
  const fields = listAt(file, "vectors").flatMap((vector): readonly Case[] => {
    const item = at(vector, "notification")
    const key = text(vector, "hmac_key_hex")
    const verify = (hmacSignature: string, change: object = {}): Verification => {
      const additionalData = { ...(at(item, "additionalData") as object | undefined), hmacSignature }
      const notification = { ...(isObject(item) ? item : {}), additionalData, ...change }
      const body = JSON.stringify({ live: "false", notificationItems: [{ NotificationRequestItem: notification }] })
      return connector.webhook.verify({ headers: {}, body }, [key], 0, nodeHmac)
    }
    const name = text(vector, "name")
    const right = verify(text(vector, "expected_hmac_base64"))
    const wrong = verify(text(vector, "expected_hmac_base64"), { merchantReference: "changed" })
    return [
      made("adyen", name, right.kind === "genuine", inWords(right)),
      made("adyen", `${name}, with another reference`, wrong.kind === "forged", inWords(wrong)),
    ]
  })
  const bodies = listAt(file, "raw_body_vectors").map((vector): Case => ({
    provider: "adyen",
    part: "signatures",
    name: text(vector, "name"),
    verdict: { kind: "explained", rules: [signatureRules[0]!.key] },
  }))
  return [...fields, ...bodies]
}

function made(provider: string, name: string, agrees: boolean, detail: string): Case {
  const verdict: Verdict = agrees ? { kind: "agree" } : { kind: "unexplained", detail }
  return { provider, part: "signatures", name, verdict }
}

const inWords = (said: Verification): string => (said.kind === "genuine" ? said.kind : `${said.kind}: ${said.why}`)
function text(value: unknown, field: string): string {
  const found = at(value, field)
  return typeof found === "string" ? found : ""
}
