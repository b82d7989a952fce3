// Routing policies: documents whose versions never change. One version of one policy is in force per mode; a candidate version
// may get part of the traffic beside it. How they come into force is in policy-publication.ts.

import type { ExperimentId, MerchantId, PolicyId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { change, noteChange } from "./changes.ts"

export type PolicyRow = {
  readonly id: PolicyId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly name: string
  /** In force, of all policies of this merchant and mode. */
  readonly active?: number
  /** `bps` of 10,000 payments are routed by this version instead. */
  readonly candidate?: { readonly version: number; readonly bps: number }
  /** The ETag of the policy; counts publications and edits, not the versions of the document. */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export type PolicyVersion = {
  readonly policy: PolicyId
  readonly merchant: MerchantId
  readonly version: number
  /** As routing reads it; checked before it comes here. */
  readonly document: unknown
  readonly author: string
  readonly note: string
  readonly createdAt: number
  /** When it first came into force. */
  readonly publishedAt?: number
}

/** What routing needs of a policy in force. */
export type PolicyInForce = {
  readonly policy: PolicyRow
  readonly active: PolicyVersion
  readonly candidate?: PolicyVersion
  /** One that runs on this policy, and the versions that its arms may be. */
  readonly experiment?: { readonly id: ExperimentId; readonly plan: unknown }
  readonly arms: readonly PolicyVersion[]
}

export const MAX_POLICIES = 10_000
/** Versions that a list shows; older ones are read by their number. */
export const MAX_POLICY_VERSIONS = 200

export async function createPolicy(
  database: Database,
  { id, merchant, mode, name }: Pick<PolicyRow, "id" | "merchant" | "mode" | "name">,
): Promise<PolicyRow> {
  const [row] = await change<StoredPolicy>(database, "policies", merchant, insert, [id, mode, name])
  return policyFrom(row as StoredPolicy)
}

export async function findPolicy(
  database: Database,
  merchant: MerchantId,
  id: PolicyId,
): Promise<PolicyRow | undefined> {
  const [row] = await database.query<StoredPolicy>(byId, [merchant, id])
  return row === undefined ? undefined : policyFrom(row)
}

export async function listPolicies(database: Database, merchant: MerchantId): Promise<readonly PolicyRow[]> {
  return (await database.query<StoredPolicy>(ofMerchant, [merchant, MAX_POLICIES])).map(policyFrom)
}

/** Adds the next version of the document. Undefined when there is no such policy. */
export async function addPolicyVersion(
  database: Database,
  version: Pick<PolicyVersion, "policy" | "merchant" | "document" | "author" | "note">,
): Promise<PolicyVersion | undefined> {
  const { policy, merchant, document, author, note } = version
  const [row] = await database.query<VersionRow>(insertVersion, [
    merchant,
    policy,
    encodeDocument(document),
    author,
    note,
  ])
  return row === undefined ? undefined : versionFrom(row)
}

export async function findPolicyVersion(
  database: Database,
  merchant: MerchantId,
  policy: PolicyId,
  version: number,
): Promise<PolicyVersion | undefined> {
  const [row] = await database.query<VersionRow>(versionByNumber, [merchant, policy, version])
  return row === undefined ? undefined : versionFrom(row)
}

/** Newest first. */
export async function listPolicyVersions(
  database: Database,
  merchant: MerchantId,
  policy: PolicyId,
): Promise<readonly PolicyVersion[]> {
  return (await database.query<VersionRow>(versionsOfPolicy, [merchant, policy, MAX_POLICY_VERSIONS])).map(versionFrom)
}

/** Everything in force, of one merchant or of all: what nodes keep in memory. */
export async function listPoliciesInForce(
  database: Database,
  merchant?: MerchantId,
): Promise<readonly PolicyInForce[]> {
  const rows = await database.query<InForceRow>(inForce, [merchant ?? null, MAX_POLICIES])
  return rows.map((row) => ({
    policy: policyFrom(row),
    active: versionFrom(row.active),
    ...(row.candidate === null ? {} : { candidate: versionFrom(row.candidate) }),
    ...(row.experiment_id === null
      ? {}
      : { experiment: { id: row.experiment_id, plan: decodeDocument(row.experiment) } }),
    arms: (row.arms ?? []).map(versionFrom),
  }))
}

/** A row of `policies` as statements return it, with `policyColumns`. */
export type StoredPolicy = {
  merchant_id: MerchantId
  id: PolicyId
  mode: PolicyRow["mode"]
  name: string
  active_version: number | null
  candidate_version: number | null
  candidate_bps: number
  version: number
  created_ms: bigint
  updated_ms: bigint
}
type VersionRow = {
  merchant_id: MerchantId
  policy_id: PolicyId
  version: number
  document: unknown
  author: string
  note: string
  created_ms: bigint | number
  published_ms: bigint | number | null
}
type InForceRow = StoredPolicy & {
  active: VersionRow
  candidate: VersionRow | null
  experiment_id: ExperimentId | null
  experiment: unknown
  arms: readonly VersionRow[] | null
}

export const policyFrom = (row: StoredPolicy): PolicyRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  name: row.name,
  ...(row.active_version === null ? {} : { active: row.active_version }),
  ...(row.candidate_version === null ? {} : { candidate: { version: row.candidate_version, bps: row.candidate_bps } }),
  version: row.version,
  createdAt: Number(row.created_ms),
  updatedAt: Number(row.updated_ms),
})

const versionFrom = (row: VersionRow): PolicyVersion => ({
  policy: row.policy_id,
  merchant: row.merchant_id,
  version: row.version,
  document: decodeDocument(row.document),
  author: row.author,
  note: row.note,
  createdAt: Number(row.created_ms),
  ...(row.published_ms === null ? {} : { publishedAt: Number(row.published_ms) }),
})

export const policyColumns =
  "merchant_id, id, mode, name, active_version, candidate_version, candidate_bps, version, created_ms, updated_ms"
const versionColumns = "merchant_id, policy_id, version, document, author, note, created_ms, published_ms"

const byId: Statement = {
  name: "policy-by-id",
  text: `select ${policyColumns} from policies where merchant_id = $1 and id = $2`,
}

const ofMerchant: Statement = {
  name: "policies",
  text: `select ${policyColumns} from policies where merchant_id = $1 order by id limit $2`,
}

const insert: Statement = {
  name: "policy-insert",
  text: `with written as (
      insert into policies (merchant_id, id, mode, name) values ($1, $2, $3, $4) returning ${policyColumns}),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}

// The number comes from the policy's own row: two authors at once wait for each other there, and both count on.
const insertVersion: Statement = {
  name: "policy-version-insert",
  text: `with policy as (
      update policies set last_version = last_version + 1, updated_ms = now_ms() where merchant_id = $1 and id = $2
      returning merchant_id, id, last_version)
    insert into policy_versions (merchant_id, policy_id, version, document, author, note)
    select merchant_id, id, last_version, $3, $4, $5 from policy returning ${versionColumns}`,
}

const versionByNumber: Statement = {
  name: "policy-version",
  text: `select ${versionColumns} from policy_versions where merchant_id = $1 and policy_id = $2 and version = $3`,
}

const versionsOfPolicy: Statement = {
  name: "policy-versions",
  text: `select ${versionColumns} from policy_versions where merchant_id = $1 and policy_id = $2
    order by version desc limit $3`,
}

const inForce: Statement = {
  name: "policies-in-force",
  text: `select ${policyColumns.replaceAll(/\w+/g, "p.$&")}, to_json(a) as active, to_json(c) as candidate,
      e.id as experiment_id, e.experiment, (
        select json_agg(v) from jsonb_array_elements(e.experiment -> 'arms') arm
        join policy_versions v on v.merchant_id = p.merchant_id and v.policy_id = p.id
          and v.version = (arm ->> 'policyVersion')::integer) as arms
    from policies p
    join policy_versions a on a.merchant_id = p.merchant_id and a.policy_id = p.id and a.version = p.active_version
    left join policy_versions c
      on c.merchant_id = p.merchant_id and c.policy_id = p.id and c.version = p.candidate_version
    left join trials e
      on e.merchant_id = p.merchant_id and e.policy_id = p.id and e.mode = p.mode and e.kind = 'experiment'
        and e.started_ms is not null and e.ended_ms is null
    where $1::text is null or p.merchant_id = $1
    order by p.merchant_id, p.mode limit $2`,
}
