// Where customers come back to after a redirect: /r/:merchant/:payment/:tag, without a key. The tag is a keyed hash, so
// that nobody can probe for payments or complete one that is not theirs. What the browser brings is completed at the
// provider, then the customer goes on to the merchant's own address.

import { timingSafeEqual } from "node:crypto"
import type { FastifyInstance, FastifyReply } from "fastify"
import { isId } from "../core/id.ts"
import type { Payment, PaymentStatus } from "../core/payment.ts"
import { statusOf } from "../core/payment.ts"
import type { Request } from "../engine/change.ts"
import { follow, FOLLOW_UP_ANSWER_MS } from "../engine/follow-up.ts"
import { LEASE_MARGIN_MS } from "../engine/idempotency.ts"
import type { Vault } from "../vault/vault.ts"
import type { Api } from "./context.ts"

const TAG_CHARS = 32
/** What a browser may bring: authentication results are a few kilobytes. */
export const MAX_RETURN_BYTES = 128 * 1024
const MAX_FIELDS = 50
const MAX_FIELD_CHARS = 20_000

export const returnTag = (vault: Vault, payment: Pick<Payment, "id" | "merchant">): string =>
  vault.hmac("return", payment.id, payment.merchant).slice(0, TAG_CHARS)

export const returnUrl = (vault: Vault, publicUrl: string, payment: Pick<Payment, "id" | "merchant">): string =>
  `${publicUrl}/r/${payment.merchant}/${payment.id}/${returnTag(vault, payment)}`

/** Below the root. Providers send the browser with GET or with a form. */
export function returns(app: FastifyInstance, api: Api): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string", bodyLimit: MAX_RETURN_BYTES },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  app.setErrorHandler((error, request, reply) => {
    const { statusCode = 500 } = error as { readonly statusCode?: number }
    if (statusCode >= 500)
      api.engine.log.error({ request: request.id, error: String(error) }, "a customer's return could not be completed")
    return page(reply, statusCode >= 500 ? 503 : statusCode, statusCode >= 500 ? "later" : "unknown")
  })
  app.route<{ Params: { merchant: string; payment: string; tag: string } }>({
    method: ["GET", "POST"],
    url: "/r/:merchant/:payment/:tag",
    bodyLimit: MAX_RETURN_BYTES,
    schema: { hide: true },
    handler: async (request, reply) => {
      const payment = await find(api, request.params)
      if (payment === undefined) return page(reply, 404, "unknown")
      const fields = fieldsOf({ ...(request.query as object), ...(request.body as object | undefined) })
      const after = statusOf(payment) === "requires_action" ? await complete(api, payment, fields) : payment
      const status = statusOf(after)
      const { returnUrl: onward } = after.intent
      if (onward === undefined) return page(reply, 200, meaning[status])
      const url = new URL(onward)
      url.searchParams.set("payment", after.id)
      url.searchParams.set("status", status)
      return reply.header("referrer-policy", "no-referrer").redirect(url.href, 303)
    },
  })
}

async function find(
  { vault, engine }: Api,
  { merchant, payment: id, tag }: { readonly merchant: string; readonly payment: string; readonly tag: string },
): Promise<Payment | undefined> {
  if (!isId("mer", merchant) || !isId("pay", id)) return undefined
  const expected = Buffer.from(returnTag(vault, { id, merchant }))
  const told = Buffer.from(tag)
  if (told.length !== expected.length || !timingSafeEqual(told, expected)) return undefined
  return engine.ledger.load(merchant, id)
}

function fieldsOf(brought: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const texts = Object.entries(brought).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1].length <= MAX_FIELD_CHARS,
  )
  return Object.fromEntries(texts.slice(0, MAX_FIELDS))
}

/** A browser that comes twice at once completes once: the key is made of the payment as both have found it. */
async function complete(
  { vault, engine }: Api,
  payment: Payment,
  fields: Readonly<Record<string, string>>,
): Promise<Payment> {
  const { merchant, mode, id, version } = payment
  const request: Request = {
    row: {
      merchant,
      mode,
      method: "GET",
      path: `/r/${id}`,
      key: `return-${version}`,
      fingerprint: vault.requestFingerprint(merchant, fields),
    },
    leaseMs: FOLLOW_UP_ANSWER_MS + LEASE_MARGIN_MS,
    render: (completed) => ({ status: 303, body: JSON.stringify({ status: statusOf(completed) }) }),
  }
  const followed = await follow(engine, merchant, id, { type: "complete", fields }, request)
  // Refused or taken: somebody else completed it, or is at it.
  return followed.kind === "payment" ? followed.payment : ((await engine.ledger.load(merchant, id)) ?? payment)
}

type Meaning = "done" | "failed" | "checking" | "unknown" | "later"

const meaning: Readonly<Record<PaymentStatus, Meaning>> = {
  requires_confirmation: "checking",
  requires_action: "checking",
  processing: "checking",
  authorized: "done",
  partially_captured: "done",
  captured: "done",
  canceled: "failed",
  failed: "failed",
  expired: "failed",
}

const sentences: Readonly<Record<Meaning, readonly [title: string, text: string]>> = {
  done: ["Thank you", "Your payment was received. You can close this window."],
  failed: ["The payment was not made", "Nothing was charged. Please go back to the shop and try again."],
  checking: ["One moment", "Your payment is being checked. You can close this window: the shop will be told."],
  unknown: ["Not found", "This address belongs to no payment."],
  later: ["Not now", "Your payment could not be checked at this moment. Please reload this page shortly."],
}

function page(reply: FastifyReply, status: number, what: Meaning): FastifyReply {
  const [title, text] = sentences[what]
  return reply
    .code(status)
    .header("content-type", "text/html; charset=utf-8")
    .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
    .header("referrer-policy", "no-referrer")
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        `<title>${title}</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:26rem;padding:0 1rem}</style>` +
        `<h1>${title}</h1><p>${text}</p></html>`,
    )
}
