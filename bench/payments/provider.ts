// The simulated providers in a process of their own, without added latency. It notes how long each request took here,
// from its arrival to the end of its answer, by the request's idempotency key: what is left of a payment's time is ours.

import diagnostics from "node:diagnostics_channel"
import type { IncomingMessage, ServerResponse } from "node:http"
import { startSimulator, type Simulator } from "@orchestra/simulator"
import { serve } from "./worker.ts"

/** More than one measured stretch makes. */
const MAX_NOTED = 200_000

let simulator: Simulator | undefined
let resets = 0
const arrived = new WeakMap<IncomingMessage, number>()
let tookMs = new Map<string, number>()

diagnostics.subscribe("http.server.request.start", (message) => {
  const { request } = message as { readonly request: IncomingMessage }
  arrived.set(request, performance.now())
})
diagnostics.subscribe("http.server.response.finish", (message) => {
  const { request } = message as { readonly request: IncomingMessage; readonly response: ServerResponse }
  const key = request.headers["idempotency-key"] ?? request.headers["cko-idempotency-key"]
  const start = arrived.get(request)
  if (typeof key === "string" && start !== undefined && tookMs.size < MAX_NOTED)
    tookMs.set(key, performance.now() - start)
})

const commands = {
  start: async () => {
    simulator = await startSimulator()
    return { accounts: simulator.accounts() }
  },
  /** The times noted since the last question, by idempotency key (ms). */
  times: () => {
    const noted = tookMs
    tookMs = new Map()
    return noted
  },
  /** Forgets all charges: a simulator that remembers millions would be slow for reasons of its own. */
  forget: async () => {
    tookMs.clear()
    // Another seed, or the references of what is forgotten would come again.
    await simulator?.reset(`bench ${(resets += 1)}`)
  },
}
export type ProviderCommands = typeof commands
serve(commands)
