// Checkout.com's stand-in. Its credentials: `secretKey` (Bearer, for everything), `publicKey` (Bearer, for /tokens),
// `processingChannelId`, `webhookSecret` (signs webhooks).
import { randomText } from "../chance.ts"
import type { PersonaKind } from "../persona.ts"
import { createCheckout } from "./persona.ts"

const BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"

export const checkout: PersonaKind = {
  id: "checkout",
  create: createCheckout,
  credentials: (random) => ({
    secretKey: `sk_sbox_${randomText(random, 27, BASE_32)}`,
    publicKey: `pk_sbox_${randomText(random, 27, BASE_32)}`,
    processingChannelId: `pc_${randomText(random, 26, BASE_32)}`,
    webhookSecret: randomText(random, 32),
  }),
}
