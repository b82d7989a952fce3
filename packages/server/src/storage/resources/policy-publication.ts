// Putting versions of a policy in force, and taking them out of it. Each act is one statement that writes all of it: the policy, the trial
// that begins or ends with it, its line in the policy's history, and the note that tells the nodes. The policy's row is locked before
// any trial's, here and where guardrails stop a trial.

import type { EventId, ExperimentId, MerchantId, PolicyId, TrialId } from "../../core/id.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { encodeDocument } from "../document.ts"
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

/** Who does it, and why. */
export type By = { readonly author: string; readonly note: string }
const THE_SERVER: By = { author: "server", note: "" }

/**
 * Puts a version in force, also an older one (a roll-back), and ends any candidate. `etag` is the policy's version that
 * the caller has seen. `missing` also where the policy has no such version of the document.
 */
export async function publishPolicy(
  database: Database,
  merchant: MerchantId,
  id: PolicyId,
  etag: number,
  version: number,
  { author, note }: By = THE_SERVER,
  /** The experiment that has shown it to be the better one. */
  promotes?: { readonly experiment: ExperimentId; readonly arm: number },
): Promise<Edited<PolicyRow>> {
  const values = [id, etag, version, author, note, promotes?.experiment ?? null, promotes?.arm ?? null]
  const [row] = await change<StoredPolicy>(database, "policies", merchant, publish, values).catch(
    (error: unknown): StoredPolicy[] => {
      // Another policy of this mode came into force at the same moment.
      if (failureOf(error)?.constraint === "policies_in_force") return []
      throw error
    },
  )
  if (row === undefined && (await findPolicyVersion(database, merchant, id, version)) === undefined)
    return { kind: "missing" }
  return edited(row === undefined ? undefined : policyFrom(row), () => findPolicy(database, merchant, id))
}

type NewCandidate = {
  readonly version: number
  readonly bps: number
  /** What it is judged by; storage does not look into it. */
  readonly trial: { readonly id: TrialId; readonly experiment: unknown; readonly tally: unknown }
}

/** Gives part of the traffic to another version, or with `undefined` to none. `taken`: an experiment runs. */
export async function setCandidate(
  database: Database,
  merchant: MerchantId,
  id: PolicyId,
  etag: number,
  candidate: NewCandidate | undefined,
  { author, note }: By = THE_SERVER,
): Promise<Edited<PolicyRow> | { readonly kind: "taken" }> {
  const trial = candidate?.trial
  const values = [
    id,
    etag,
    candidate?.version ?? null,
    candidate?.bps ?? 0,
    author,
    note,
    trial?.id ?? null,
    trial === undefined ? null : encodeDocument(trial.experiment),
    trial === undefined ? null : encodeDocument(trial.tally),
  ]
  let row: StoredPolicy | undefined
  try {
    ;[row] = await change<StoredPolicy>(database, "policies", merchant, updateCandidate, values)
  } catch (error) {
    if (failureOf(error)?.constraint === "trials_running") return { kind: "taken" }
    throw error
  }
  if (
    row === undefined &&
    candidate !== undefined &&
    (await findPolicyVersion(database, merchant, id, candidate.version)) === undefined
  )
    return { kind: "missing" }
  return edited(row === undefined ? undefined : policyFrom(row), () => findPolicy(database, merchant, id))
}

export type Stop = {
  readonly reason: unknown
  readonly note: string
  /** Absent: by itself. */
  readonly author?: string
  readonly event?: { readonly id: EventId; readonly type: string; readonly data: unknown }
}

/** Ends a trial and its candidate's share, unless somebody has ended it before: undefined then. */
export async function stopTrial(
  database: Database,
  merchant: MerchantId,
  trial: TrialId,
  { reason, note, author, event }: Stop,
): Promise<PolicyRow | undefined> {
  const told = event === undefined ? [null, null, null] : [event.id, event.type, encodeDocument(event.data)]
  const values = [trial, encodeDocument(reason), note, ...told, author ?? null]
  const [row] = await change<StoredPolicy>(database, "policies", merchant, stop, values)
  return row === undefined ? undefined : policyFrom(row)
}

const publish: Statement = {
  name: "policy-publish",
  text: `with wanted as materialized (
      select p.merchant_id, p.id, p.mode, p.candidate_version from policies p
      join policy_versions v on v.merchant_id = p.merchant_id and v.policy_id = p.id and v.version = $4
      where p.merchant_id = $1 and p.id = $2 and p.version = $3 for no key update of p),
    retired as (
      update policies p set active_version = null, candidate_version = null, candidate_bps = 0,
        version = p.version + 1, updated_ms = now_ms()
      from wanted w where p.merchant_id = w.merchant_id and p.mode = w.mode and p.id <> w.id
        and p.active_version is not null returning p.*),
    written as (
      update policies p set active_version = $4, candidate_version = null, candidate_bps = 0,
        version = p.version + 1, updated_ms = now_ms()
      from wanted w where p.merchant_id = w.merchant_id and p.id = w.id and (select count(*) from retired) >= 0
      returning p.*),
    published as (
      update policy_versions set published_ms = now_ms()
      where merchant_id = $1 and policy_id = $2 and version = $4 and published_ms is null
        and exists (select from written)),
    ended as (
      update trials t set ended_ms = now_ms(), ended_by = $5,
        ended_as = case when t.policy_id <> w.id then 'retired' when w.candidate_version = $4 then 'promoted' else 'withdrawn' end
      from wanted w where t.merchant_id = w.merchant_id and t.mode = w.mode and t.started_ms is not null
        and t.ended_ms is null and exists (select from written)),
    shown as (
      update trials t set promoted_ms = now_ms(), promoted_by = $5, promoted_arm = $8::smallint
      where t.merchant_id = $1 and t.id = $7::text and t.ended_ms is not null and exists (select from written)),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, author, note)
      select p.merchant_id, p.id, p.version, case when w.candidate_version = $4 or $7 is not null then 'promoted' else 'activated' end, $4, $5, $6
      from written p join wanted w on w.id = p.id
      union all select p.merchant_id, p.id, p.version, 'retired', null, $5, $6 from retired p),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}

const updateCandidate: Statement = {
  name: "policy-candidate",
  text: `with written as (
      update policies p set candidate_version = $4::integer, candidate_bps = $5, version = p.version + 1,
        updated_ms = now_ms()
      where p.merchant_id = $1 and p.id = $2 and p.version = $3 and p.active_version is not null
        and ($4::integer is null or exists (
          select from policy_versions v where v.merchant_id = $1 and v.policy_id = $2 and v.version = $4::integer))
      returning p.*),
    ended as (
      update trials t set ended_ms = now_ms(), ended_by = $6,
        ended_as = case when $4::integer is null then 'withdrawn' else 'replaced' end
      from written p where t.merchant_id = p.merchant_id and t.policy_id = p.id and t.kind = 'publication'
        and t.ended_ms is null returning 1),
    begun as (
      insert into trials
        (merchant_id, id, kind, mode, policy_id, experiment, tally, author, note, started_ms, started_by)
      select p.merchant_id, $8::text, 'publication', p.mode, p.id, $9::jsonb, $10::jsonb, $6, $7, now_ms(), $6 from written p
      where $4::integer is not null and (select count(*) from ended) >= 0),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, share_bps, author, note)
      select p.merchant_id, p.id, p.version, case when $4::integer is null then 'withdrawn' else 'published' end,
        p.candidate_version, nullif(p.candidate_bps, 0), $6, $7 from written p),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}

const stop: Statement = {
  name: "trial-stop",
  text: `with held as materialized (
      select p.merchant_id, p.id, p.candidate_version, p.candidate_bps from policies p
      join trials t on t.merchant_id = p.merchant_id and t.policy_id = p.id
      where t.merchant_id = $1 and t.id = $2 and t.started_ms is not null and t.ended_ms is null for no key update of p),
    ended as (
      update trials t set ended_ms = now_ms(), ended_as = 'stopped', ended_by = $8::text, reason = $3::jsonb from held h
      where t.merchant_id = h.merchant_id and t.id = $2 and t.ended_ms is null returning t.policy_id, t.kind),
    written as (
      update policies p set candidate_version = null, candidate_bps = 0, version = p.version + 1, updated_ms = now_ms()
      from ended e where p.merchant_id = $1 and p.id = e.policy_id returning p.*),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, share_bps, author, note, reason)
      select p.merchant_id, p.id, p.version, case e.kind when 'experiment' then 'experiment_stopped' else 'stopped' end,
        h.candidate_version, nullif(h.candidate_bps, 0), coalesce($8::text, ''), $4, $3::jsonb
      from written p join held h on h.id = p.id join ended e on e.policy_id = p.id),
    told as (
      insert into events (merchant_id, id, sequence, type, at_ms, data)
      select p.merchant_id, $5::text, 0, $6::text, now_ms(), $7::jsonb from written p where $5::text is not null),
    ${noteChange("policies")}
    select ${policyColumns} from written`,
}
