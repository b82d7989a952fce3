// What was done to a policy: which version came into force or went out of it, by whom and why. Written by the acts themselves
// (policy-publication.ts).

import type { MerchantId, PolicyId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument } from "../document.ts"

/**
 * `activated`: for all payments; `published`: for a share; `promoted`: from its share to all; `withdrawn`: by a person;
 * `stopped`: by its guardrails; `retired`: another policy came into force; `shadowed`: it decides without acting, `shadow_ended`: no more.
 * `experiment_started`, `experiment_stopped`: its versions are the arms of one.
 */
export const policyActs = [
  "activated",
  "published",
  "promoted",
  "withdrawn",
  "stopped",
  "retired",
  "shadowed",
  "shadow_ended",
  "experiment_started",
  "experiment_stopped",
] as const
type PolicyAct = (typeof policyActs)[number]

export type PolicyHistoryLine = {
  /** The ETag that it made. */
  readonly version: number
  readonly act: PolicyAct
  readonly policyVersion?: number
  readonly shareBps?: number
  /** An API key; absent where nobody acted but guardrails. */
  readonly author?: string
  readonly note: string
  readonly reason?: unknown
  readonly at: number
}

export const MAX_HISTORY = 200

/** The latest, newest first. */
export async function listPolicyHistory(
  database: Database,
  merchant: MerchantId,
  policy: PolicyId,
): Promise<readonly PolicyHistoryLine[]> {
  return (await database.query<Row>(ofPolicy, [merchant, policy, MAX_HISTORY])).map(lineFrom)
}

type Row = {
  version: number
  act: PolicyAct
  policy_version: number | null
  share_bps: number | null
  author: string
  note: string
  reason: unknown
  at_ms: bigint
}

const lineFrom = (row: Row): PolicyHistoryLine => ({
  version: row.version,
  act: row.act,
  ...(row.policy_version === null ? {} : { policyVersion: row.policy_version }),
  ...(row.share_bps === null ? {} : { shareBps: row.share_bps }),
  ...(row.author === "" ? {} : { author: row.author }),
  note: row.note,
  ...(row.reason === null ? {} : { reason: decodeDocument(row.reason) }),
  at: Number(row.at_ms),
})

const ofPolicy: Statement = {
  name: "policy-history",
  text: `select version, act, policy_version, share_bps, author, note, reason, at_ms from policy_history
    where merchant_id = $1 and policy_id = $2 order by version desc limit $3`,
}
