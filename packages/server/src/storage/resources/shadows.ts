// Versions of policies that decide without acting. Starting and ending are acts on the policy, with its ETag and a line of its history; what
// was counted is added to by every node.

import type { MerchantId, PolicyId, ShadowId } from "../../core/id.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { change, noteChange } from "./changes.ts"
import { edited, type Edited } from "./edit.ts"
import {
  findPolicy,
  findPolicyVersion,
  policyColumns,
  policyFrom,
  type PolicyRow,
  type StoredPolicy,
} from "./policies.ts"
import type { By } from "./policy-publication.ts"

export type ShadowRow = {
  readonly id: ShadowId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly policy: PolicyId
  readonly policyVersion: number
  readonly tally: unknown
  /** Counts the writings of the tally. */
  readonly revision: number
  readonly author: string
  readonly note: string
  readonly startedAt: number
  readonly ended?: { readonly at: number; readonly by: string }
}

/** One that runs, with the document that it decides by. */
export type RunningShadow = Pick<ShadowRow, "id" | "merchant" | "mode" | "policy" | "policyVersion"> & {
  readonly document: unknown
}

export const MAX_RUNNING_SHADOWS = 10_000

/** In the place of the one of this policy that runs. `taken`: another policy's runs. */
export async function startShadow(
  database: Database,
  policy: Pick<PolicyRow, "merchant" | "id">,
  etag: number,
  shadow: { readonly id: ShadowId; readonly version: number; readonly tally: unknown },
  { author, note }: By,
): Promise<Edited<PolicyRow> | { readonly kind: "taken" }> {
  const { merchant, id } = policy
  const values = [id, etag, shadow.version, author, note, shadow.id, encodeDocument(shadow.tally)]
  try {
    const [row] = await change<StoredPolicy>(database, "policies", merchant, start, values)
    if (row === undefined && (await findPolicyVersion(database, merchant, id, shadow.version)) === undefined)
      return { kind: "missing" }
    return await edited(row === undefined ? undefined : policyFrom(row), () => findPolicy(database, merchant, id))
  } catch (error) {
    if (failureOf(error)?.constraint === "shadows_running") return { kind: "taken" }
    throw error
  }
}

/** `missing` where none runs. */
export async function endShadow(
  database: Database,
  { merchant, id }: Pick<PolicyRow, "merchant" | "id">,
  etag: number,
  { author, note }: By,
): Promise<Edited<PolicyRow>> {
  const [row] = await change<StoredPolicy>(database, "policies", merchant, end, [id, etag, author, note])
  return edited(row === undefined ? undefined : policyFrom(row), () => findPolicy(database, merchant, id))
}

/** Of one merchant or of all: what nodes keep in memory. */
export async function listRunningShadows(database: Database, merchant?: MerchantId): Promise<readonly RunningShadow[]> {
  const rows = await database.query<Row & { document: unknown }>(running, [merchant ?? null, MAX_RUNNING_SHADOWS])
  return rows.map((row) => {
    const { id, merchant: owner, mode, policy, policyVersion } = shadowFrom(row)
    return { id, merchant: owner, mode, policy, policyVersion, document: decodeDocument(row.document) }
  })
}

export async function findShadow(
  database: Database,
  merchant: MerchantId,
  id: ShadowId,
): Promise<ShadowRow | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : shadowFrom(row)
}

/** The one that runs, or else the last one that did. */
export async function latestShadowOf(
  database: Database,
  merchant: MerchantId,
  policy: PolicyId,
): Promise<ShadowRow | undefined> {
  const [row] = await database.query<Row>(latest, [merchant, policy])
  return row === undefined ? undefined : shadowFrom(row)
}

/** Replaces the tally that was read; false where another node has written it meanwhile. */
export async function writeShadowTally(
  database: Database,
  { merchant, id, revision }: Pick<ShadowRow, "merchant" | "id" | "revision">,
  tally: unknown,
): Promise<boolean> {
  const rows = await database.query(write, [merchant, id, revision, encodeDocument(tally)])
  return rows.length === 1
}

type Row = {
  merchant_id: MerchantId
  id: ShadowId
  mode: ShadowRow["mode"]
  policy_id: PolicyId
  policy_version: number
  tally: unknown
  revision: number
  author: string
  note: string
  started_ms: bigint
  ended_ms: bigint | null
  ended_by: string | null
}

const shadowFrom = (row: Row): ShadowRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  policy: row.policy_id,
  policyVersion: row.policy_version,
  tally: decodeDocument(row.tally),
  revision: row.revision,
  author: row.author,
  note: row.note,
  startedAt: Number(row.started_ms),
  ...(row.ended_ms === null ? {} : { ended: { at: Number(row.ended_ms), by: row.ended_by ?? "" } }),
})

const columns =
  "merchant_id, id, mode, policy_id, policy_version, tally, revision, author, note, started_ms, ended_ms, ended_by"

const start: Statement = {
  name: "shadow-start",
  text: `with written as (
      update policies p set version = p.version + 1, updated_ms = now_ms()
      where p.merchant_id = $1 and p.id = $2 and p.version = $3 and exists (
        select from policy_versions v where v.merchant_id = $1 and v.policy_id = $2 and v.version = $4)
      returning p.*),
    ended as (
      update shadows s set ended_ms = now_ms(), ended_by = $5 from written p
      where s.merchant_id = p.merchant_id and s.policy_id = p.id and s.ended_ms is null returning 1),
    begun as (
      insert into shadows (merchant_id, id, mode, policy_id, policy_version, tally, author, note)
      select p.merchant_id, $7::text, p.mode, p.id, $4, $8::jsonb, $5, $6 from written p
      where (select count(*) from ended) >= 0),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, author, note)
      select p.merchant_id, p.id, p.version, 'shadowed', $4, $5, $6 from written p),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}

const end: Statement = {
  name: "shadow-end",
  text: `with written as (
      update policies p set version = p.version + 1, updated_ms = now_ms()
      where p.merchant_id = $1 and p.id = $2 and p.version = $3 and exists (
        select from shadows s where s.merchant_id = $1 and s.policy_id = $2 and s.ended_ms is null)
      returning p.*),
    ended as (
      update shadows s set ended_ms = now_ms(), ended_by = $4 from written p
      where s.merchant_id = p.merchant_id and s.policy_id = p.id and s.ended_ms is null returning s.policy_version),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, author, note)
      select p.merchant_id, p.id, p.version, 'shadow_ended', e.policy_version, $4, $5 from written p cross join ended e),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}

const running: Statement = {
  name: "shadows-running",
  text: `select ${columns.replaceAll(/\w+/g, "s.$&")}, v.document from shadows s
    join policy_versions v
      on v.merchant_id = s.merchant_id and v.policy_id = s.policy_id and v.version = s.policy_version
    where s.ended_ms is null and ($1::text is null or s.merchant_id = $1)
    order by s.merchant_id, s.mode limit $2`,
}

const byId: Statement = {
  name: "shadow-by-id",
  text: `select ${columns} from shadows where merchant_id = $1 and id = $2`,
}

const latest: Statement = {
  name: "shadow-of-policy",
  text: `select ${columns} from shadows where merchant_id = $1 and policy_id = $2 order by id desc limit 1`,
}

const write: Statement = {
  name: "shadow-write",
  text: `update shadows set tally = $4::jsonb, revision = revision + 1
    where merchant_id = $1 and id = $2 and revision = $3 returning 1`,
}
