// The simulated providers: several accounts per persona, all behind one simulator that is never killed, because its books
// are the truth. Each provider's clock is fast where a real one would have us wait for hours.

import { startSimulator, type NewAccount, type Persona, type Simulator } from "@orchestra/simulator"
import { realPorts, type HostPorts } from "../../packages/simulator/src/ports.ts"
import type { Ground } from "./ground.ts"

export type Provider = Persona["id"]

export const ACCOUNTS_PER_PROVIDER = 3

/**
 * How much faster a provider's clock runs for the server (accounts' `time_scale`). In-flight times become 3 to 6 s, the
 * wait for an Adyen webhook 9 s. Not smaller, because the simulator's own delays run in real time: its Checkout.com lists
 * payments 3 s late (declared: 2 minutes), its Stripe searches 20 s late (declared: 1 hour).
 */
export const timeScale: Readonly<Record<Provider, number>> = { stripe: 0.02, adyen: 0.01, checkout: 0.05 }
/** A request that the weather holds back takes effect within this time (ms): less than every scaled in-flight time. */
export const LATEST_MS = 2_500

/** The simulator's own long waits (a customer who never comes back: 15 minutes to an hour) pass this much faster. */
const LONG_MS = 600_000
const LONG_SCALE = 0.05
const ports: HostPorts = {
  ...realPorts,
  after: (ms, run) => realPorts.after(ms >= LONG_MS ? ms * LONG_SCALE : ms, run),
}

export const providers = ["stripe", "adyen", "checkout"] as const satisfies readonly Provider[]

export async function openProviders(ground: Ground, seed: string): Promise<Simulator> {
  const accounts = providers.flatMap((persona) =>
    Array.from({ length: ACCOUNTS_PER_PROVIDER }, (_, i): NewAccount => ({ id: `${persona}_${i + 1}`, persona })),
  )
  const simulator = await startSimulator({ seed, accounts }, ports)
  ground.stopLater("the simulator", () => simulator.close())
  return simulator
}
