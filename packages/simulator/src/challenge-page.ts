// The cardholder's 3DS page: plain HTML with one button per deed, so that a person, a browser test or a POST from a
// script can play the cardholder. It posts to its own address; `persona.ts` has the contract.
import type { Challenge, WireRequest, WireResponse } from "./persona.ts"

export type ChallengeFacts = {
  readonly provider: string
  readonly merchantReference: string
  /** In words, e.g. "12.50 EUR". */
  readonly amount: string
  readonly last4: string
}

const CHALLENGES: readonly Challenge[] = ["authenticated", "failed", "abandoned"]

export function challengePage(facts: ChallengeFacts): WireResponse {
  const { provider, merchantReference, amount, last4 } = facts
  return html(
    200,
    `<h1>Confirm your payment</h1>
<p>${escape(amount)} with the card ending in ${escape(last4)}, order ${escape(merchantReference)}.</p>
<p>This page stands in for the card issuer's 3-D Secure challenge at ${escape(provider)}. No money moves.</p>
<form method="post">
<button name="challenge" value="authenticated">Authenticate</button>
<button name="challenge" value="failed">Fail authentication</button>
<button name="challenge" value="abandoned">Cancel</button>
</form>`,
  )
}

/** For addresses that were never given out, and for challenges that are over. */
export function noChallengePage(): WireResponse {
  return html(404, "<h1>Nothing to confirm</h1><p>This payment does not wait for a confirmation.</p>")
}

/** What the cardholder did, from the posted form; undefined when the form says nothing that we know. */
export function challengeOf(request: WireRequest): Challenge | undefined {
  const deed = new URLSearchParams(request.body).get("challenge")
  return CHALLENGES.find((challenge) => challenge === deed)
}

export function sendBack(location: string): WireResponse {
  return { status: 303, headers: { location }, body: "" }
}

/** The merchant's address with one more query parameter; what the merchant wrote there stays. */
export function withParameter(url: string, name: string, value: string): string {
  const [address = "", fragment] = url.split("#", 2)
  const joined = `${address}${address.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(value)}`
  return fragment === undefined ? joined : `${joined}#${fragment}`
}

function html(status: number, content: string): WireResponse {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>3-D Secure (simulated)</title>\n${content}\n</html>\n`,
  }
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
