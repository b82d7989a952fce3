// Putting a version of a policy in force, at once or beside the one in force for a share of the payments, and taking the share
// back. Rolling back is putting an older version in force.

import { Type } from "typebox"
import { Fault } from "../core/fault.ts"
import { publishPolicy, setCandidate } from "../storage/resources/policies.ts"
import { callerOf, putInForce } from "./context.ts"
import { editedRow, IfMatch, ifMatch, tagged } from "./etag.ts"
import { loadPolicy, policyResource } from "./policies.ts"
import { PolicyActivate, PolicyPublish, PolicyResource } from "./policy-schema.ts"
import type { Routes } from "./routes.ts"
import { Id } from "./schema.ts"

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
      const { merchant } = callerOf(request)
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, callerOf(request), request.params.id)
      const published = await publishPolicy(api.database, merchant, policy.id, seen, request.body.version)
      await putInForce(api, merchant)
      const row = editedRow(published, "version of the policy")
      return tagged(reply, row).send(policyResource(row))
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
          "payments of a smaller one. Without it, the version comes into force for all: that is how a share is promoted.",
        params: Params,
        headers: IfMatch,
        body: PolicyPublish,
        response: { 200: PolicyResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant } = callerOf(request)
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, callerOf(request), request.params.id)
      const { version, share_bps: bps } = request.body
      if (bps !== undefined && policy.active === undefined)
        throw invalid("#/share_bps", "no version of this policy is in force: publish one to all payments first")
      if (bps !== undefined && policy.active === version)
        throw invalid("#/version", "is in force for all payments already")
      const published =
        bps === undefined
          ? await publishPolicy(api.database, merchant, policy.id, seen, version)
          : await setCandidate(api.database, merchant, policy.id, seen, { version, bps })
      await putInForce(api, merchant)
      const row = editedRow(published, "version of the policy")
      return tagged(reply, row).send(policyResource(row))
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
        response: { 200: PolicyResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant } = callerOf(request)
      const seen = ifMatch(request)
      const policy = await loadPolicy(api, callerOf(request), request.params.id)
      // Withdrawn before: nothing is left to change, and the answer is the same.
      if (policy.candidate === undefined && policy.version === seen)
        return tagged(reply, policy).send(policyResource(policy))
      const withdrawn = await setCandidate(api.database, merchant, policy.id, seen, undefined)
      await putInForce(api, merchant)
      const row = editedRow(withdrawn, "policy")
      return tagged(reply, row).send(policyResource(row))
    },
  )
}

const invalid = (pointer: string, detail: string): Fault =>
  new Fault("request.invalid", { errors: [{ pointer, detail }] })
