// /v1/policies/{id}/shadow: a version that decides on live payments without acting, and how far it diverges from what is in force.

import { Type } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { makeId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import {
  NO_ATTEMPT,
  nothingShadowed,
  shadowReport,
  type Divergence,
  type ShadowReport,
  type ShadowTally,
} from "../routing/evidence.ts"
import type { PolicyRow } from "../storage/resources/policies.ts"
import { endShadow, latestShadowOf, startShadow, type ShadowRow } from "../storage/resources/shadows.ts"
import { callerOf, putInForce, type Api } from "./context.ts"
import { editedRow, IfMatch, ifMatch, tagged } from "./etag.ts"
import { loadPolicy } from "./policies.ts"
import type { Routes } from "./routes.ts"
import { Id } from "./schema.ts"
import { ShadowResource, ShadowStart } from "./shadow-schema.ts"

const tags = ["Policies"]
const Params = Type.Object({ id: Id("pol") })

export const shadows: Routes = (app, api, guard) => {
  app.post(
    "/policies/:id/shadow",
    {
      schema: {
        operationId: "startShadow",
        tags,
        summary: "Have a version decide on live payments without acting",
        description:
          "It decides after each payment was decided, from the same facts and readings, and changes nothing. One policy of a mode has a shadow " +
          "at a time; another version takes the place of the one before, and is counted anew. The ETag is the policy's.",
        params: Params,
        headers: IfMatch,
        body: ShadowStart,
        response: { 201: ShadowResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const { version, note = "" } = request.body
      const { clock, chance } = api.engine
      const shadow = { id: makeId("shd", clock.now(), chance.bytes(16)), version, tally: nothingShadowed }
      const started = await startShadow(api.database, policy, seen, shadow, { author: caller.id, note })
      if (started.kind === "taken")
        throw new Fault("resource.conflict", {
          detail: "Another policy of this mode has a shadow: end it first, with DELETE of its /shadow.",
        })
      await putInForce(api, caller.merchant)
      const row = editedRow(started, "version of the policy")
      void reply.code(201).header("location", `/v1/policies/${policy.id}/shadow`)
      return tagged(reply, row).send(shadowResource(await latest(api, row)))
    },
  )

  app.delete(
    "/policies/:id/shadow",
    {
      schema: {
        operationId: "endShadow",
        tags,
        summary: "End a policy's shadow",
        description: "What it has told stays. The ETag is the policy's.",
        params: Params,
        headers: IfMatch,
        response: { 200: ShadowResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const before = await latest(api, policy)
      // Ended before: nothing is left to change, and the answer is the same.
      if (before.ended !== undefined && policy.version === seen)
        return tagged(reply, policy).send(shadowResource(before))
      const ended = await endShadow(api.database, policy, seen, { author: caller.id, note: "" })
      await putInForce(api, caller.merchant)
      const row = editedRow(ended, "policy")
      return tagged(reply, row).send(shadowResource(await latest(api, row)))
    },
  )

  app.get(
    "/policies/:id/shadow",
    {
      schema: {
        operationId: "getShadow",
        tags,
        summary: "Retrieve how far a policy's shadow diverges",
        description:
          "Of the one that runs, or else of the last one. What nodes counted in the last two seconds may not be in it yet.",
        params: Params,
        response: { 200: ShadowResource },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const policy = await loadPolicy(api, callerOf(request), request.params.id)
      return shadowResource(await latest(api, policy))
    },
  )
}

async function latest({ database }: Api, { merchant, id }: PolicyRow): Promise<ShadowRow> {
  const row = await latestShadowOf(database, merchant, id)
  if (row === undefined) throw notFound("shadow")
  return row
}

function shadowResource(row: ShadowRow): ShadowResource {
  const tally = row.tally as ShadowTally
  const { agreement, rerouting, byLiveScores, byShadowScores } = shadowReport(tally)
  return {
    id: row.id,
    object: "shadow",
    mode: row.mode,
    policy: row.policy,
    version: row.policyVersion,
    state: row.ended === undefined ? "running" : "ended",
    started_by: row.author,
    started_at: rfc3339(row.startedAt),
    note: row.note,
    ended_by: row.ended?.by ?? null,
    ended_at: row.ended === undefined ? null : rfc3339(row.ended.at),
    payments: rerouting.payments,
    missed: tally.missed,
    agreement,
    moved: rerouting.moved,
    accounts: [...rerouting.accounts],
    flows: [...rerouting.flows],
    rules: [...rerouting.rules],
    segments: [...rerouting.segments],
    by_live_scores: expectedResource(byLiveScores),
    by_shadow_scores: expectedResource(byShadowScores),
    divergences: tally.divergences.map(divergenceResource).toReversed(),
  }
}

const expectedResource = ({ payments, unscored, perPayment }: ShadowReport["byLiveScores"]) => ({
  payments,
  unscored,
  per_payment: perPayment ?? null,
})

const divergenceResource = ({ payment, at, live, shadow }: Divergence) => ({
  payment,
  at: rfc3339(at),
  live: sideResource(live),
  shadow: sideResource(shadow),
})

const sideResource = ({ rule, account }: Divergence["live"]) => ({
  rule,
  account: account === NO_ATTEMPT ? null : account,
})
