// Broken engines: what a merchant, a customer or a person asks for afterwards.

import type { Mutant } from "./mutants.ts"

export const followUpMutants: readonly Mutant[] = [
  {
    name: "one's own follow-up not known after a lost commit",
    file: "engine/follow-up.ts",
    find: `operationOf(known, own.id) !== undefined || (command`,
    replace: `(command`,
    quick: false,
  },
  {
    name: "one's own cancel not known after a lost commit",
    file: "engine/follow-up.ts",
    find: `|| (command.type === "cancel" && known.ending?.by === own.id)`,
    replace: ``,
    quick: false,
  },
]
