// /v1/experiments: versions of the policy in force against each other, on live payments. One runs per mode at a time, and not beside a
// version that is published to a share. It may stop by itself; that a version goes to everybody is a person's act.

import { Type } from "typebox"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { isId, type ExperimentId } from "../core/id.ts"
import { tallyOf } from "../engine/trials.ts"
import { checkExperiment, type Experiment } from "../routing/evidence.ts"
import {
  createExperiment,
  findExperiment,
  listExperiments,
  MAX_EXPERIMENTS,
  startExperiment,
} from "../storage/resources/experiments.ts"
import { findPolicyVersion } from "../storage/resources/policies.ts"
import { publishPolicy, stopTrial } from "../storage/resources/policy-publication.ts"
import type { TrialRow } from "../storage/resources/trials.ts"
import { callerOf, putInForce, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat } from "./creation.ts"
import { etagOf, IfMatch, ifMatch, stale, tagged } from "./etag.ts"
import { experimentResource, plannedExperiment } from "./experiment-resource.ts"
import { ExperimentAct, ExperimentCreate, ExperimentPromote, ExperimentResource } from "./experiment-schema.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { loadPolicy } from "./policies.ts"
import type { Routes } from "./routes.ts"
import { closed, Id, Page } from "./schema.ts"

const tags = ["Experiments"]
const Params = Type.Object({ id: Id("exp") })

export const experiments: Routes = (app, api, guard) => {
  app.post(
    "/experiments",
    {
      schema: {
        operationId: "createExperiment",
        tags,
        summary: "Plan an experiment",
        description: "Nothing is drawn until it is started.",
        headers: MayRepeat,
        body: ExperimentCreate,
        response: { 201: ExperimentResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const policy = await loadPolicy(api, caller, body.policy)
      await checkArms(api, caller, policy.id, body)
      const made = (row: TrialRow) => ({
        body: experimentResource(row),
        location: `/v1/experiments/${row.id}`,
        etag: etagOf(tagOf(row)),
      })
      const answer = await createOnce(api, request, reply, {
        prefix: "exp",
        create: async (id) => {
          const experiment = plannedExperiment(id, body)
          check(experiment)
          const row = await createExperiment(
            api.database,
            {
              id,
              merchant: caller.merchant,
              mode: caller.mode,
              name: body.name,
              policy: policy.id,
              experiment,
              tally: tallyOf(experiment),
            },
            { author: caller.id, note: body.note ?? "" },
          )
          if (row === undefined)
            throw conflict(`There are ${MAX_EXPERIMENTS} experiments already, and none of them is old enough to go.`)
          return made(row)
        },
        find: async (id) => {
          const row = await findExperiment(api.database, caller.merchant, id)
          return row === undefined ? undefined : made(row)
        },
      })
      return reply.send(answer)
    },
  )

  app.get(
    "/experiments",
    {
      schema: {
        operationId: "listExperiments",
        tags,
        summary: "List experiments, newest first",
        querystring: closed(pageQuery),
        response: { 200: Page(ExperimentResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const page = await listExperiments(api.database, merchant, mode, pageRequest(request.query, "exp"))
      return pageResource(page, experimentResource)
    },
  )

  app.get(
    "/experiments/:id",
    {
      schema: {
        operationId: "getExperiment",
        tags,
        summary: "Retrieve an experiment with its results",
        params: Params,
        response: { 200: ExperimentResource },
      },
      ...guard("config:read"),
    },
    async (request, reply) => {
      const row = await load(api, callerOf(request), request.params.id)
      return tagged(reply, tagOf(row)).send(experimentResource(row))
    },
  )

  app.post(
    "/experiments/:id/start",
    {
      schema: {
        operationId: "startExperiment",
        tags,
        summary: "Start an experiment",
        description:
          "Its control has to be the version in force, with no other published to a share beside it, and no other experiment running in this mode.",
        params: Params,
        headers: IfMatch,
        body: ExperimentAct,
        response: { 200: ExperimentResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const row = await seen(api, caller, request.params.id, ifMatch(request))
      if (row.startedAt !== undefined) throw conflict("It was started before: an experiment runs once.")
      const { policyVersion: control } = (row.experiment as Experiment).arms[0]!
      const by = { author: caller.id, note: request.body.note ?? "" }
      const started = await startExperiment(api.database, row, control, by)
      if (started === "taken") throw conflict(OTHER_RUNS)
      if (started === "refused") {
        const policy = await loadPolicy(api, caller, row.policy)
        if (policy.candidate !== undefined)
          throw conflict(`Version ${policy.candidate.version} is published to a share: promote or withdraw it first.`)
        if (policy.active !== control)
          throw conflict(`The control is version ${control}, which is not the version in force.`)
        throw conflict("It was changed meanwhile: read it again.")
      }
      await putInForce(api, caller.merchant)
      return shown(api, caller, row.id, reply)
    },
  )

  app.post(
    "/experiments/:id/stop",
    {
      schema: {
        operationId: "stopExperiment",
        tags,
        summary: "Stop an experiment",
        description:
          "All payments are routed by the version in force again. Outcomes of what was drawn before still count.",
        params: Params,
        headers: IfMatch,
        body: ExperimentAct,
        response: { 200: ExperimentResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const row = await seen(api, caller, request.params.id, ifMatch(request))
      if (row.startedAt === undefined) throw conflict("It was not started.")
      const note = request.body.note ?? ""
      if (row.ended === undefined) {
        const reason = { kind: "person", by: caller.id, note }
        await stopTrial(api.database, caller.merchant, row.id, { reason, note, author: caller.id })
        await putInForce(api, caller.merchant)
      }
      return shown(api, caller, row.id, reply)
    },
  )

  app.post(
    "/experiments/:id/promote",
    {
      schema: {
        operationId: "promoteExperiment",
        tags,
        summary: "Put the version of an arm in force for all payments",
        description: "Of an experiment that has stopped, while its policy is in force.",
        params: Params,
        headers: IfMatch,
        body: ExperimentPromote,
        response: { 200: ExperimentResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const row = await seen(api, caller, request.params.id, ifMatch(request))
      if (row.ended === undefined) throw conflict("Only an experiment that has stopped is promoted: stop it first.")
      if (row.promoted !== undefined) throw conflict("It was promoted before.")
      const { arms } = row.experiment as Experiment
      const arm = arms.findIndex(({ name }) => name === request.body.arm)
      if (arm === -1) throw invalid("#/arm", "is no arm of this experiment")
      const policy = await loadPolicy(api, caller, row.policy)
      if (policy.active === undefined) throw conflict("Its policy is no longer in force: activate it first.")
      const by = { author: caller.id, note: request.body.note ?? "" }
      const { policyVersion: version } = arms[arm]!
      const promotes = { experiment: row.id, arm }
      const done = await publishPolicy(api.database, caller.merchant, policy.id, policy.version, version, by, promotes)
      if (done.kind !== "edited") throw conflict("The policy was changed meanwhile: read it and the experiment again.")
      await putInForce(api, caller.merchant)
      return shown(api, caller, row.id, reply)
    },
  )
}

const OTHER_RUNS = "Another experiment runs in this mode, or a version is published to a share: end it first."
const conflict = (detail: string): Fault => new Fault("resource.conflict", { detail })

type ExperimentRow = TrialRow & { readonly id: ExperimentId }

async function load(api: Api, caller: Key, id: string): Promise<ExperimentRow> {
  const row = isId("exp", id) ? await findExperiment(api.database, caller.merchant, id) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("experiment")
  return row as ExperimentRow
}

async function seen(api: Api, caller: Key, id: string, version: number): Promise<ExperimentRow> {
  const row = await load(api, caller, id)
  const now = tagOf(row)
  if (now.version !== version) throw stale(now)
  return row
}

/** It changes with each step of its life, which it takes once. */
const tagOf = ({ startedAt, ended, promoted }: TrialRow): { readonly version: number } => ({
  version: 1 + [startedAt, ended, promoted].filter((step) => step !== undefined).length,
})

async function shown(api: Api, caller: Key, id: string, reply: Parameters<typeof tagged>[0]) {
  const row = await load(api, caller, id)
  return tagged(reply, tagOf(row)).send(experimentResource(row))
}

async function checkArms(
  api: Api,
  { merchant }: Key,
  policy: Parameters<typeof findPolicyVersion>[2],
  { arms }: ExperimentCreate,
): Promise<void> {
  for (const [index, { version }] of arms.entries()) {
    if (arms.findIndex((other) => other.version === version) !== index)
      throw invalid(`#/arms/${index}/version`, "is another arm's version: they would not differ")
    if ((await findPolicyVersion(api.database, merchant, policy, version)) === undefined)
      throw invalid(`#/arms/${index}/version`, "is no version of this policy")
  }
}

function check(experiment: Experiment): void {
  const problems = checkExperiment(experiment)
  if (problems.length > 0)
    throw new Fault("request.invalid", {
      errors: problems.map(({ at, detail }) => ({ pointer: `#${at}`, detail })),
    })
}
