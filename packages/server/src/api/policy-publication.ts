// Putting a version of a policy in force, at once or beside the one in force for a share of the payments, and taking the share
// back. Rolling back is putting an older version in force. Who did it and why is kept, and what guardrails did by themselves.

import { Type } from "typebox"
import { Fault, invalid } from "../core/fault.ts"
import { rfc3339 } from "../core/instant.ts"
import { makeId } from "../core/id.ts"
import { tallyOf } from "../engine/trials.ts"
import { checkExperiment, stagedPublish, type Experiment } from "../routing/evidence.ts"
import { ALL_BPS } from "../routing/policy-share.ts"
import type { PolicyRow } from "../storage/resources/policies.ts"
import { listPolicyHistory, type PolicyHistoryLine } from "../storage/resources/policy-history.ts"
import { publishPolicy, setCandidate, type By } from "../storage/resources/policy-publication.ts"
import { callerOf, putInForce, type Key } from "./context.ts"
import { editedRow, IfMatch, ifMatch, tagged } from "./etag.ts"
import { pageResource } from "./pages.ts"
import { loadPolicy } from "./policies.ts"
import {
  PolicyActivate,
  PolicyPublish,
  PolicyResource,
  PolicyWithdraw,
  type PolicyPublishBody,
} from "./policy-schema.ts"
import { policyWithPublication } from "./policy-resource.ts"
import { PolicyHistoryLineResource } from "./publication-schema.ts"
import type { Routes } from "./routes.ts"
import { Id, Page } from "./schema.ts"

const tags = ["Policies"]
const Params = Type.Object({ id: Id("pol") })

export const policyPublication: Routes = (app, api, guard) => {
  app.post(
    "/policies/:id/activate",
    {
      schema: {
        operationId: "activatePolicy",
        tags,
        summary: "Put a version in force, or roll back to an older one",
        description:
          "Whatever policy was in force in this mode no longer is. The next payment is routed by the new one.",
        params: Params,
        headers: IfMatch,
        body: PolicyActivate,
        response: { 200: PolicyResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { merchant } = caller
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const { version, note } = request.body
      const published = await publishPolicy(api.database, merchant, policy.id, seen, version, by(caller, note))
      await putInForce(api, merchant)
      const row = editedRow(published, "version of the policy")
      return tagged(reply, row).send(await policyWithPublication(api, row))
    },
  )

  app.post(
    "/policies/:id/publish",
    {
      schema: {
        operationId: "publishPolicy",
        tags,
        summary: "Publish a version, to all payments or to a share of them",
        description:
          "With `share_bps`, so many of 10,000 payments are routed by this version and the others by the one in force; " +
          "which is decided by the payment's hash, and stands in the record of every decision. A greater share keeps the " +
          "payments of a smaller one. The version is withdrawn by itself when its payments go worse than those of the version in force " +
          "beyond a guardrail's margin, with certainty; `publication` shows what is known. Without a share, the version comes into force " +
          "for all: that is how a share is promoted, and only a person does it.",
        params: Params,
        headers: IfMatch,
        body: PolicyPublish,
        response: { 200: PolicyResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { merchant } = caller
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const { version, share_bps: bps, note } = request.body
      const experiment = experimentOf(policy, request.body)
      const who = by(caller, note)
      const { clock, chance } = api.engine
      const published =
        bps === undefined || experiment === undefined
          ? await publishPolicy(api.database, merchant, policy.id, seen, version, who)
          : await setCandidate(
              api.database,
              merchant,
              policy.id,
              seen,
              {
                version,
                bps,
                trial: { id: makeId("trl", clock.now(), chance.bytes(16)), experiment, tally: tallyOf(experiment) },
              },
              who,
            )
      await putInForce(api, merchant)
      if (published.kind === "taken") throw experimentRuns()
      const row = editedRow(published, "version of the policy")
      return tagged(reply, row).send(await policyWithPublication(api, row))
    },
  )

  app.post(
    "/policies/:id/withdraw",
    {
      schema: {
        operationId: "withdrawPolicy",
        tags,
        summary: "Take back the version that is published to a share",
        description: "All payments are routed by the version in force again.",
        params: Params,
        headers: IfMatch,
        body: PolicyWithdraw,
        response: { 200: PolicyResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { merchant } = caller
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      // Withdrawn before: nothing is left to change, and the answer is the same.
      if (policy.candidate === undefined && policy.version === seen)
        return tagged(reply, policy).send(await policyWithPublication(api, policy))
      const who = by(caller, request.body.note)
      const withdrawn = await setCandidate(api.database, merchant, policy.id, seen, undefined, who)
      await putInForce(api, merchant)
      if (withdrawn.kind === "taken") throw experimentRuns()
      const row = editedRow(withdrawn, "policy")
      return tagged(reply, row).send(await policyWithPublication(api, row))
    },
  )

  app.get(
    "/policies/:id/history",
    {
      schema: {
        operationId: "listPolicyHistory",
        tags,
        summary: "List what was done to a policy, by whom and why, newest first",
        description: "The latest 200 acts.",
        params: Params,
        response: { 200: Page(PolicyHistoryLineResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const rows = await listPolicyHistory(api.database, caller.merchant, policy.id)
      return pageResource({ rows }, historyResource)
    },
  )
}

const experimentRuns = (): Fault =>
  new Fault("resource.conflict", {
    detail: "An experiment runs in this mode, and no version is published to a share beside it: stop it first.",
  })

const by = ({ id }: Key, note: string = ""): By => ({ author: id, note })

/** What a publication to a share is judged by; undefined where it is to all payments. */
function experimentOf(
  { id, active }: PolicyRow,
  { version, share_bps: bps, guardrails }: PolicyPublishBody,
): Experiment | undefined {
  if (bps === undefined) {
    if (guardrails !== undefined)
      throw invalid("#/guardrails", "compare a share of the payments with the others: say share_bps")
    return undefined
  }
  if (active === undefined)
    throw invalid("#/share_bps", "no version of this policy is in force: publish one to all payments first")
  if (active === version) throw invalid("#/version", "is in force for all payments already")
  const experiment = stagedPublish({
    salt: `${id} ${version}`,
    current: active,
    candidate: version,
    share: bps / ALL_BPS,
    ...(guardrails === undefined ? {} : { guardrails }),
  })
  // Any share may be published; one that is very small is compared with very little, and says so by its intervals.
  const [problem] = checkExperiment(experiment).filter(({ at }) => at.startsWith("/guardrails"))
  if (problem !== undefined) throw invalid(`#${problem.at}`, problem.detail)
  return experiment
}

const historyResource = (line: PolicyHistoryLine): PolicyHistoryLineResource => ({
  object: "policy_history_line",
  version: line.version,
  act: line.act,
  policy_version: line.policyVersion ?? null,
  share_bps: line.shareBps ?? null,
  by: line.author ?? null,
  note: line.note,
  reason: line.reason ?? null,
  at: rfc3339(line.at),
})
