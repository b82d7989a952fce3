// The personas that can be simulated.
import type { Persona, PersonaKind } from "./persona.ts"
import { stripe } from "./stripe/index.ts"

export const PERSONAS: Readonly<Partial<Record<Persona["id"], PersonaKind>>> = { stripe }
