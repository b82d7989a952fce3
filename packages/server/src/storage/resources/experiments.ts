// Experiments on the policy in force: planned, started, stopped, promoted. They are trials (trials.ts) that people begin and end; a running one
// excludes every other and a version that is published to a share, by one index. Promotion is publishing (policy-publication.ts).

import type { ExperimentId, MerchantId } from "../../core/id.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { encodeDocument } from "../document.ts"
import { change, noteChange } from "./changes.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"
import type { By } from "./policy-publication.ts"
import { findTrial, trialColumns, trialFrom, type StoredTrial, type TrialRow } from "./trials.ts"

/** Of a merchant, kept; the oldest go first, of those that were never started or ended days ago. */
export const MAX_EXPERIMENTS = 500
const KEPT_MS = 3 * 86_400_000

/** Undefined where the merchant has as many as may be, and none of them may go. */
export async function createExperiment(
  database: Database,
  row: Pick<TrialRow, "merchant" | "mode" | "name" | "policy" | "experiment" | "tally"> & { readonly id: ExperimentId },
  { author, note }: By,
): Promise<TrialRow | undefined> {
  const { merchant, id, mode, name, policy, experiment, tally } = row
  await database.query(prune, [merchant, MAX_EXPERIMENTS - 1, KEPT_MS])
  const documents = [encodeDocument(experiment), encodeDocument(tally)]
  const values = [merchant, id, mode, name, policy, ...documents, author, note, MAX_EXPERIMENTS]
  const [made] = await database.query<StoredTrial>(insert, values)
  return made === undefined ? undefined : trialFrom(made)
}

/** Newest first. */
export async function listExperiments(
  database: Database,
  merchant: MerchantId,
  mode: TrialRow["mode"],
  request: PageRequest,
): Promise<Page<TrialRow>> {
  const values = [merchant, mode, keyBelow(request), rowsWanted(request)]
  const rows = (await database.query<StoredTrial>(ofMerchant, values)).map(trialFrom)
  return pageOf(rows, request, ({ id }) => id)
}

/**
 * `refused`: it is not planned any more, or its control is not in force, alone. `taken`: another trial of this mode runs.
 */
export async function startExperiment(
  database: Database,
  { merchant, id }: Pick<TrialRow, "merchant"> & { readonly id: ExperimentId },
  control: number,
  { author, note }: By,
): Promise<"started" | "refused" | "taken"> {
  try {
    const rows = await change(database, "policies", merchant, start, [id, control, author, note])
    return rows.length === 1 ? "started" : "refused"
  } catch (error) {
    if (failureOf(error)?.constraint === "trials_running") return "taken"
    throw error
  }
}

export const findExperiment = (
  database: Database,
  merchant: MerchantId,
  id: ExperimentId,
): Promise<TrialRow | undefined> => findTrial(database, merchant, id)

const prune: Statement = {
  name: "experiments-prune",
  text: `delete from trials t using (
      select merchant_id, id from trials where merchant_id = $1 and kind = 'experiment' order by id desc offset $2) old
    where t.merchant_id = old.merchant_id and t.id = old.id
      and (t.started_ms is null or t.ended_ms < now_ms() - $3::bigint)
      and not exists (select from trial_payments p where p.merchant_id = t.merchant_id and p.trial_id = t.id)
      and not exists (select from trial_units u where u.merchant_id = t.merchant_id and u.trial_id = t.id)`,
}

const insert: Statement = {
  name: "experiment-insert",
  text: `insert into trials (merchant_id, id, kind, mode, name, policy_id, experiment, tally, author, note)
    select $1::text, $2::text, 'experiment', $3::text, $4::text, $5::text, $6::jsonb, $7::jsonb, $8::text, $9::text
    where (select count(*) from trials where merchant_id = $1 and kind = 'experiment') < $10::integer
    returning ${trialColumns}`,
}

const ofMerchant: Statement = {
  name: "experiments",
  text: `select ${trialColumns} from trials
    where merchant_id = $1 and mode = $2 and kind = 'experiment' and id < $3 order by id desc limit $4`,
}

// The policy's row first, as every act on it does.
const start: Statement = {
  name: "experiment-start",
  text: `with held as materialized (
      select p.merchant_id, p.id from policies p join trials t on t.merchant_id = p.merchant_id and t.policy_id = p.id
      where t.merchant_id = $1 and t.id = $2 and t.started_ms is null
        and p.active_version = $3::integer and p.candidate_version is null
      for no key update of p),
    begun as (
      update trials t set started_ms = now_ms(), started_by = $4, taken_transaction = ledger_transaction()
      from held h where t.merchant_id = h.merchant_id and t.id = $2 and t.started_ms is null returning t.policy_id),
    written as (
      update policies p set version = p.version + 1, updated_ms = now_ms()
      from begun b where p.merchant_id = $1 and p.id = b.policy_id returning p.*),
    kept as (
      insert into policy_history (merchant_id, policy_id, version, act, policy_version, author, note)
      select p.merchant_id, p.id, p.version, 'experiment_started', p.active_version, $4, $5 from written p),
    ${noteChange("policies")}
    select 1 from written`,
}
