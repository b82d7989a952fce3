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
  {
    name: "an authorization that the provider let go still stands",
    file: "engine/found-at-provider.ts",
    find: `return ended(finding, "expired", "the provider says that the authorization has expired")`,
    replace: `return []`,
    quick: false,
  },
  {
    name: "booked twice because told by two events",
    file: "engine/found-at-provider.ts",
    find: `reference: notice.operationReference ?? notice.eventId,`,
    replace: `reference: notice.eventId,`,
    quick: false,
  },
  {
    name: "a refund by hand booked on the operation whose id it carries",
    file: "engine/receive.ts",
    find: `(fits(o, notice.about) || o.origin === "provider") &&`,
    replace: ``,
    quick: false,
  },
  {
    name: "a part refunded by hand taken for the whole reversal",
    file: "engine/receive.ts",
    find: `outcome.kind === "approved" && outcome.amount >= all`,
    replace: `outcome.kind === "approved"`,
    quick: false,
  },
]
