// Broken engines: what webhooks tell, and what is told to the world.

import type { Mutant } from "./mutants.ts"

export const inboundMutants: readonly Mutant[] = [
  {
    name: "an unsigned hint taken for a fact",
    file: "engine/receive.ts",
    find: `notice.trust === "hint" ||
`,
    replace: `
`,
    quick: false,
  },
  {
    name: "what was done at the provider ignored",
    file: "engine/receive.ts",
    find: `return foundAtProvider({`,
    replace: `return payment !== null ? [] : foundAtProvider({`,
    quick: true,
  },
  {
    name: "a webhook that came too early forgotten",
    file: "engine/receive.ts",
    find: `result === "unmatched" || result === "failed" ? REMATCH_DELAYS_MS[inbound.tries] : undefined`,
    replace: `undefined`,
    quick: false,
  },
  {
    name: "the relay moves past a sink that failed",
    file: "engine/relay.ts",
    find: `if (result.status === "rejected") throw`,
    replace: `if (result === null) throw`,
    quick: true,
  },
]
