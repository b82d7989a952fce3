// The personas that can be simulated.
import { adyen } from "./adyen/index.ts"
import { checkout } from "./checkout/index.ts"
import type { Persona, PersonaKind } from "./persona.ts"
import { stripe } from "./stripe/index.ts"

export const PERSONAS: Readonly<Record<Persona["id"], PersonaKind>> = { stripe, adyen, checkout }

/** Which of a persona's credentials signs its webhooks. */
const WEBHOOK_SECRETS: Readonly<Record<Persona["id"], string>> = {
  stripe: "webhookSecret",
  adyen: "hmacKey",
  checkout: "webhookSecret",
}

export function webhookSecretOf(persona: Persona["id"], credentials: Readonly<Record<string, string>>): string {
  return credentials[WEBHOOK_SECRETS[persona]] ?? ""
}
