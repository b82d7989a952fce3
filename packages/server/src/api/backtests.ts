// /v1/policies/{id}/backtest and /v1/backtests: a version of a policy against the merchant's own stored decisions. The job is
// a row; a worker does it, and says how far it is.

import { Type } from "typebox"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { isId, type BacktestId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { StoredReport } from "../engine/backtests.ts"
import { type MetricEstimate, whyNot } from "../routing/evidence.ts"
import {
  cancelBacktest,
  createBacktest,
  findBacktest,
  listBacktests,
  MAX_OPEN_BACKTESTS,
  type BacktestRow,
} from "../storage/resources/backtests.ts"
import { findPolicy, findPolicyVersion } from "../storage/resources/policies.ts"
import { BacktestCreate, BacktestResource, recordsAsked } from "./backtest-schema.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat } from "./creation.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { noVersion } from "./policies.ts"
import type { Routes } from "./routes.ts"
import { closed, Id, Page } from "./schema.ts"
import { readTime } from "./time.ts"

const tags = ["Policies"]
const Params = Type.Object({ id: Id("bkt") })

export const backtests: Routes = (app, api, guard) => {
  app.post(
    "/policies/:id/backtest",
    {
      schema: {
        operationId: "backtestPolicy",
        tags,
        summary: "Hold a version of a policy against your own stored decisions",
        description:
          "Says exactly what would have been sent elsewhere, and estimates what that would have been worth, or that the " +
          "records cannot tell. Poll the backtest until its state is `done`.",
        params: Type.Object({ id: Id("pol") }),
        headers: MayRepeat,
        body: BacktestCreate,
        response: { 201: BacktestResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const { id: policyId } = request.params
      const from = readTime("#/from", body.from)
      const until = readTime("#/until", body.until)
      if (until <= from) throw invalid("#/until", "is not after `from`")
      const policy = isId("pol", policyId) ? await findPolicy(api.database, caller.merchant, policyId) : undefined
      if (policy === undefined || policy.mode !== caller.mode) throw notFound("policy")
      if ((await findPolicyVersion(api.database, caller.merchant, policy.id, body.version)) === undefined)
        throw noVersion(body.version)
      const made = (row: BacktestRow) => ({ body: backtestResource(row), location: `/v1/backtests/${row.id}` })
      const answer = await createOnce(api, request, reply, {
        prefix: "bkt",
        create: async (id) => {
          const row = await createBacktest(api.database, {
            id,
            merchant: caller.merchant,
            mode: caller.mode,
            policy: policy.id,
            policyVersion: body.version,
            from,
            until,
            maxRecords: recordsAsked(body),
          })
          if (row === undefined)
            throw new Fault("resource.conflict", {
              detail: `${MAX_OPEN_BACKTESTS} backtests are open already: wait for one, or cancel it.`,
            })
          return made(row)
        },
        find: async (id) => {
          const row = await findBacktest(api.database, caller.merchant, id)
          return row === undefined ? undefined : made(row)
        },
      })
      return reply.send(answer)
    },
  )

  app.get(
    "/backtests",
    {
      schema: {
        operationId: "listBacktests",
        tags,
        summary: "List backtests, newest first",
        querystring: closed(pageQuery),
        response: { 200: Page(BacktestResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const page = await listBacktests(api.database, merchant, mode, pageRequest(request.query, "bkt"))
      return pageResource(page, backtestResource)
    },
  )

  app.get(
    "/backtests/:id",
    {
      schema: {
        operationId: "getBacktest",
        tags,
        summary: "How far a backtest is, and its report",
        params: Params,
        response: { 200: BacktestResource },
      },
      ...guard("config:read"),
    },
    async (request) => backtestResource(await load(api, callerOf(request), request.params.id)),
  )

  app.post(
    "/backtests/:id/cancel",
    {
      schema: {
        operationId: "cancelBacktest",
        tags,
        summary: "Cancel a backtest",
        description: "One that has ended stays as it is.",
        params: Params,
        response: { 200: BacktestResource },
      },
      ...guard("config:write"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { id, merchant } = await load(api, caller, request.params.id)
      const row = await cancelBacktest(api.database, merchant, id)
      if (row === undefined) throw notFound("backtest")
      return backtestResource(row)
    },
  )
}

/** Somebody else's, and one of the other mode, is not there. */
async function load(api: Api, caller: Key, id: string): Promise<BacktestRow> {
  const row = isId("bkt", id) ? await findBacktest(api.database, caller.merchant, id as BacktestId) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("backtest")
  return row
}

function backtestResource(row: BacktestRow): BacktestResource {
  return {
    id: row.id,
    object: "backtest",
    mode: row.mode,
    policy: row.policy,
    version: row.policyVersion,
    from: rfc3339(row.from),
    until: rfc3339(row.until),
    max_records: row.maxRecords,
    state: row.state,
    records: row.records,
    error: row.error ?? null,
    report: row.report === undefined ? null : reportResource(row.report as StoredReport),
    created_at: rfc3339(row.createdAt),
    ended_at: row.endedAt === undefined ? null : rfc3339(row.endedAt),
  }
}

function reportResource({
  records,
  isTruncated,
  skipped,
  impossible,
  rerouting,
  offPolicy,
}: StoredReport): NonNullable<BacktestResource["report"]> {
  const { overlap, estimates, approvalBounds } = offPolicy
  return {
    records,
    truncated: isTruncated,
    skipped: { ...skipped, ...impossible },
    moved: rounded(rerouting.moved),
    accounts: rerouting.accounts.map(roundedRow),
    flows: rerouting.flows.map(roundedRow),
    rules: rerouting.rules.map(roundedRow),
    segments: rerouting.segments.map(roundedRow),
    overlap: {
      moved: overlap.moved,
      never_logged: overlap.neverLogged,
      declined_early: overlap.declinedEarly,
      effective_sample: overlap.effectiveSample,
      moved_sample: overlap.movedSample,
      largest_weight: overlap.largestWeight,
    },
    estimates: Object.fromEntries(
      Object.entries(estimates).map(([metric, estimate]) => [metric, estimateResource(estimate)]),
    ),
    approval_bounds: approvalBounds,
  }
}

/** Sums of chances: what lies behind the hundredths of a payment is noise. */
const rounded = (payments: number): number => Math.round(payments * 100) / 100
const roundedRow = <T extends { readonly name: string }>(row: T): T =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === "number" ? rounded(value) : (value as string),
    ]),
  ) as T

function estimateResource(estimate: MetricEstimate) {
  const { records } = estimate
  return estimate.kind === "estimate"
    ? {
        told: true,
        why_not: null,
        records,
        logged: estimate.logged,
        draft: estimate.target,
        draft_interval: estimate.targetInterval,
        difference: estimate.difference,
        difference_interval: estimate.differenceInterval,
      }
    : {
        told: false,
        why_not: whyNot[estimate.why],
        records,
        logged: estimate.logged ?? null,
        draft: null,
        draft_interval: null,
        difference: null,
        difference_interval: null,
      }
}
