// Adyen's stand-in. Its credentials: `apiKey` (header x-api-key), `merchantAccount`, `hmacKey` (hex, signs webhooks).
// `multiplePartialCaptures: "true"` is the account setting of that name, off at Adyen unless asked for.
import { DIGITS, HEX, randomText } from "../chance.ts"
import type { PersonaKind } from "../persona.ts"
import { createAdyen } from "./persona.ts"

export const adyen: PersonaKind = {
  id: "adyen",
  create: createAdyen,
  credentials: (random) => ({
    apiKey: `AQE${randomText(random, 40)}`,
    merchantAccount: `Orchestra${randomText(random, 4, DIGITS)}ECOM`,
    hmacKey: randomText(random, 64, HEX.toUpperCase()),
  }),
}
