// The seam between conditions and live signals: whoever routes brings the readings of the accounts that the policy asks about,
// and the decision's record keeps them.

import type { AccountId } from "../../core/id.ts"
import type { Policy } from "../policy.ts"
import { readsOf } from "./reads.ts"

export { type LiveReading, liveStates } from "./live-reading.ts"

/** The accounts about which some condition of the policy asks. */
export const liveAccountsOf = (policy: Pick<Policy, "rules" | "never">): readonly AccountId[] =>
  readsOf(policy).accounts
