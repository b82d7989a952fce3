// The bank's page for 3DS: shown to the cardholder, who authenticates, fails or walks away, and is sent back.
import type { Challenge, WireRequest, WireResponse } from "../persona.ts"
import type { Intent, SetupIntent, World } from "./world.ts"

type Challenged = Pick<Intent, "id" | "clientSecret" | "returnUrl">

const PATH = "/3d_secure_2/hosted"

/** Where a challenge sends the cardholder; setup intents are told from payment intents by their id. */
export function challengeUrl(world: World, { id, clientSecret }: Challenged): string {
  const query = new URLSearchParams({ [nameOf(id)]: id, [`${nameOf(id)}_client_secret`]: clientSecret })
  return `${world.account.publicUrl}${PATH}?${query.toString()}`
}

export function challengePage(
  world: World,
  request: WireRequest,
  finish: (challenged: Intent | SetupIntent, challenge: Challenge) => void,
): WireResponse {
  const url = new URL(request.path, "http://bank")
  const id = url.searchParams.get("payment_intent") ?? url.searchParams.get("setup_intent") ?? ""
  const challenged = world.intents.get(id) ?? world.setupIntents.get(id)
  const secret = url.searchParams.get(`${nameOf(id)}_client_secret`)
  if (url.pathname !== PATH || !challenged || secret !== challenged.clientSecret)
    return html(404, "<h1>There is no such authentication</h1>")
  const waits = challenged.status === "requires_action"
  if (request.method === "GET") return html(200, waits ? form(challenged) : "<h1>This authentication is over</h1>")
  if (request.method !== "POST") return html(405, "<h1>GET or POST</h1>")
  const challenge = new URLSearchParams(request.body).get("challenge")
  if (challenge !== "authenticated" && challenge !== "failed" && challenge !== "abandoned")
    return html(400, "<h1>challenge must be authenticated, failed or abandoned</h1>")
  if (waits) finish(challenged, challenge)
  return challenged.returnUrl === null
    ? html(200, "<h1>Thank you. You may close this page.</h1>")
    : { status: 303, headers: { location: returnUrl(challenged, challenged.returnUrl, challenge) }, body: "" }
}

function returnUrl({ id, clientSecret }: Challenged, base: string, challenge: Challenge): string {
  const url = new URL(base)
  url.searchParams.set(nameOf(id), id)
  url.searchParams.set(`${nameOf(id)}_client_secret`, clientSecret)
  url.searchParams.set("redirect_status", challenge === "authenticated" ? "succeeded" : "failed")
  url.searchParams.set("source_type", "card")
  return url.href
}

function form(challenged: Intent | SetupIntent): string {
  const amount =
    "amount" in challenged ? `<p>Amount: ${challenged.amount} ${escape(challenged.currency)} (minor units)</p>` : ""
  const button = (challenge: Challenge, label: string): string =>
    `<button name="challenge" value="${challenge}">${label}</button>`
  return `<h1>3D Secure test page</h1>
<p>The bank of this simulated card wants to know that it is you. ${escape(challenged.id)}</p>${amount}
<form method="post">
${button("authenticated", "Complete authentication")}
${button("failed", "Fail authentication")}
${button("abandoned", "Go back without authenticating")}
</form>`
}

function html(status: number, body: string): WireResponse {
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>3D Secure</title><meta name="viewport" content="width=device-width">
<style>body{font:16px system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}button{display:block;width:100%;font:inherit;padding:.6rem;margin:.5rem 0}</style></head>
<body>${body}</body></html>`
  return { status, headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }, body: page }
}

function nameOf(id: string): "payment_intent" | "setup_intent" {
  return id.startsWith("seti_") ? "setup_intent" : "payment_intent"
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
