// The bank's page for 3DS: the cardholder authenticates, fails or walks away, and is sent back to the merchant.
import { challengeOf, challengePage, noChallengePage, sendBack } from "../challenge-page.ts"
import type { Challenge, WireRequest, WireResponse } from "../persona.ts"
import { merchantReferenceOf } from "./merchant-reference.ts"
import type { Intent, SetupIntent, World } from "./world.ts"

type Challenged = Pick<Intent, "id" | "clientSecret" | "returnUrl">

const PATH = "/3d_secure_2/hosted"

/** Where a challenge sends the cardholder. Setup intents are told from payment intents by their id. */
export function challengeUrl(world: World, { id, clientSecret }: Challenged): string {
  const query = new URLSearchParams({ [nameOf(id)]: id, [`${nameOf(id)}_client_secret`]: clientSecret })
  return `${world.account.publicUrl}${PATH}?${query.toString()}`
}

export function answerChallenge(
  world: World,
  request: WireRequest,
  finish: (challenged: Intent | SetupIntent, challenge: Challenge) => void,
): WireResponse {
  const url = new URL(request.path, "http://bank")
  const id = url.searchParams.get("payment_intent") ?? url.searchParams.get("setup_intent") ?? ""
  const challenged = world.intents.get(id) ?? world.setupIntents.get(id)
  const secret = url.searchParams.get(`${nameOf(id)}_client_secret`)
  if (url.pathname !== PATH || !challenged || secret !== challenged.clientSecret) return noChallengePage()
  const challenge = request.method === "POST" ? challengeOf(request) : undefined
  if (challenged.status !== "requires_action" && !challenge) return noChallengePage()
  if (!challenge) return challengePage(factsOf(world, challenged))
  // Who posts the form again is sent back again; only the first deed counts.
  finish(challenged, challenge)
  return challenged.returnUrl === null ? noChallengePage() : sendBack(returnUrl(challenged, challenge))
}

function returnUrl({ id, clientSecret, returnUrl: base }: Challenged, challenge: Challenge): string {
  const url = new URL(base ?? "")
  url.searchParams.set(nameOf(id), id)
  url.searchParams.set(`${nameOf(id)}_client_secret`, clientSecret)
  url.searchParams.set("redirect_status", challenge === "authenticated" ? "succeeded" : "failed")
  url.searchParams.set("source_type", "card")
  return url.href
}

function factsOf(world: World, challenged: Intent | SetupIntent) {
  const method = challenged.method === null ? undefined : world.methods.get(challenged.method)
  return {
    provider: "Stripe",
    merchantReference: merchantReferenceOf(challenged.metadata) || challenged.id,
    amount: "amount" in challenged ? `${challenged.amount} ${challenged.currency} (minor units)` : "Nothing yet",
    last4: method?.pan.slice(-4) ?? "",
  }
}

function nameOf(id: string): "payment_intent" | "setup_intent" {
  return id.startsWith("seti_") ? "setup_intent" : "payment_intent"
}
