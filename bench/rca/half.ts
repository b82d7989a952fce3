// One half of the groups for tuning, the other for reporting: by a hash of the group's name, so that nobody chose it.

import { createHash } from "node:crypto"

export const isInHalf = (group: string, half: "dev" | "test"): boolean =>
  (createHash("sha256").update(group).digest()[0]! % 2 === 0) === (half === "dev")
