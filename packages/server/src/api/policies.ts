// /v1/policies: which account is tried for which payment. Versions of a policy never change; one version of one policy is
// in force per mode. Taking effect and rolling back are the same: activating a version.

import { Type } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { isId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import { candidateOf } from "../engine/attempt.ts"
import { checkPolicy, type Finding } from "../routing/policy-check.ts"
import type { Rule } from "../routing/policy.ts"
import {
  addPolicyVersion,
  createPolicy,
  findPolicy,
  findPolicyVersion,
  listPolicies,
  listPoliciesInForce,
  listPolicyVersions,
  publishPolicy,
  type PolicyRow,
  type PolicyVersion,
} from "../storage/resources/policies.ts"
import { callerOf, putInForce, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat } from "./creation.ts"
import { editedRow, etagOf, IfMatch, ifMatch, tagged } from "./etag.ts"
import { pageAlong, pageQuery, pageRequest, pageResource } from "./pages.ts"
import {
  PolicyActivate,
  PolicyCreate,
  PolicyResource,
  PolicyVersionCreate,
  PolicyVersionResource,
  readRules,
  ruleResource,
} from "./policy-schema.ts"
import { closed, Id, Page } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Policies"]
const Params = Type.Object({ id: Id("pol") })

export const policies: Routes = (app, api, guard) => {
  app.post(
    "/policies",
    {
      schema: {
        operationId: "createPolicy",
        tags,
        summary: "Create a policy with its first version",
        description: "It is not in force until a version is activated.",
        headers: MayRepeat,
        body: PolicyCreate,
        response: { 201: Type.Object({ policy: PolicyResource, version: PolicyVersionResource }) },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { name, rules, note } = request.body
      const made = (policy: PolicyRow, version: PolicyVersion) => ({
        body: { policy: policyResource(policy), version: versionResource(api, caller, version) },
        location: `/v1/policies/${policy.id}`,
        etag: etagOf(policy),
      })
      const { merchant, mode } = caller
      const body = await createOnce(api, request, reply, {
        prefix: "pol",
        create: async (id) => {
          const read = checked(api, caller, rules)
          const policy = await createPolicy(api.database, { id, merchant, mode, name })
          return made(policy, await add(api, caller, policy, read, note))
        },
        find: async (id) => {
          const policy = await findPolicy(api.database, merchant, id)
          if (policy === undefined) return undefined
          // The first request may have come no further than the policy itself.
          const version = await findPolicyVersion(api.database, merchant, id, 1)
          return made(policy, version ?? (await add(api, caller, policy, checked(api, caller, rules), note)))
        },
      })
      return reply.send(body)
    },
  )

  app.get(
    "/policies",
    {
      schema: {
        operationId: "listPolicies",
        tags,
        summary: "List policies, oldest first",
        querystring: closed(pageQuery),
        response: { 200: Page(PolicyResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const rows = (await listPolicies(api.database, merchant)).filter((row) => row.mode === mode)
      return pageResource(pageAlong(rows, pageRequest(request.query, "pol")), policyResource)
    },
  )

  app.get(
    "/policies/active",
    {
      schema: {
        operationId: "getActivePolicy",
        tags,
        summary: "Retrieve the policy that is in force",
        description: "Without one, the accounts are tried in the order of their creation.",
        response: { 200: Type.Object({ policy: PolicyResource, version: PolicyVersionResource }) },
      },
      ...guard("config:read"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const inForce = await listPoliciesInForce(api.database, caller.merchant)
      const found = inForce.find(({ policy }) => policy.mode === caller.mode)
      if (found === undefined) throw new Fault("resource.not_found", { detail: "No policy is in force." })
      return tagged(reply, found.policy).send({
        policy: policyResource(found.policy),
        version: versionResource(api, caller, found.active),
      })
    },
  )

  app.get(
    "/policies/:id",
    {
      schema: {
        operationId: "getPolicy",
        tags,
        summary: "Retrieve a policy",
        params: Params,
        response: { 200: PolicyResource },
      },
      ...guard("config:read"),
    },
    async (request, reply) => {
      const row = await load(api, callerOf(request), request.params.id)
      return tagged(reply, row).send(policyResource(row))
    },
  )

  app.post(
    "/policies/:id/versions",
    {
      schema: {
        operationId: "createPolicyVersion",
        tags,
        summary: "Add a version of the document",
        description: "Older versions stay, and the one in force stays in force until another is activated.",
        params: Params,
        body: PolicyVersionCreate,
        response: { 201: PolicyVersionResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const policy = await load(api, caller, request.params.id)
      const read = checked(api, caller, request.body.rules)
      const version = await add(api, caller, policy, read, request.body.note)
      return reply
        .code(201)
        .header("location", `/v1/policies/${policy.id}/versions/${version.version}`)
        .send(versionResource(api, caller, version))
    },
  )

  app.get(
    "/policies/:id/versions",
    {
      schema: {
        operationId: "listPolicyVersions",
        tags,
        summary: "List the latest versions of a policy, newest first",
        params: Params,
        response: { 200: Page(PolicyVersionResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await load(api, caller, request.params.id)
      const rows = await listPolicyVersions(api.database, caller.merchant, policy.id)
      return pageResource({ rows }, (row) => versionResource(api, caller, row))
    },
  )

  app.get(
    "/policies/:id/versions/:version",
    {
      schema: {
        operationId: "getPolicyVersion",
        tags,
        summary: "Retrieve one version of a policy",
        params: Type.Object({ id: Id("pol"), version: Type.String({ pattern: "^[1-9][0-9]{0,6}$" }) }),
        response: { 200: PolicyVersionResource },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await load(api, caller, request.params.id)
      const number = Number(request.params.version)
      const version = await findPolicyVersion(api.database, caller.merchant, policy.id, number)
      if (version === undefined) throw notFound("policy version")
      return versionResource(api, caller, version)
    },
  )

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
      const seen = ifMatch(request)
      const policy = await load(api, caller, request.params.id)
      const { version } = request.body
      const published = await publishPolicy(api.database, caller.merchant, policy.id, seen, version)
      await putInForce(api, caller.merchant)
      const row = editedRow(published, "version of the policy")
      return tagged(reply, row).send(policyResource(row))
    },
  )
}

/** Somebody else's policy, and one of the other mode, is not there. */
async function load(api: Api, caller: Key, id: string): Promise<PolicyRow> {
  const row = isId("pol", id) ? await findPolicy(api.database, caller.merchant, id) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("policy")
  return row
}

function checked(api: Api, caller: Key, wire: Parameters<typeof readRules>[0]): readonly Rule[] {
  const rules = readRules(wire)
  const errors = findings(api, caller, rules).filter(({ severity }) => severity === "error")
  if (errors.length > 0)
    throw new Fault("request.invalid", { errors: errors.map(({ at, detail }) => ({ pointer: `#${at}`, detail })) })
  return rules
}

function findings({ engine }: Api, { merchant, mode }: Key, rules: readonly Rule[]): readonly Finding[] {
  const known = engine.directory.accounts(merchant).map(candidateOf)
  return checkPolicy(
    rules,
    known.filter((account) => account.mode === mode),
  )
}

async function add(
  api: Api,
  caller: Key,
  policy: PolicyRow,
  rules: readonly Rule[],
  note: string = "",
): Promise<PolicyVersion> {
  const version = await addPolicyVersion(api.database, {
    policy: policy.id,
    merchant: caller.merchant,
    document: { rules },
    author: caller.id,
    note,
  })
  if (version === undefined) throw notFound("policy")
  return version
}

const policyResource = (row: PolicyRow): PolicyResource => ({
  id: row.id,
  object: "policy",
  mode: row.mode,
  name: row.name,
  active_version: row.active ?? null,
  version: row.version,
  created_at: rfc3339(row.createdAt),
  updated_at: rfc3339(row.updatedAt),
})

function versionResource(api: Api, caller: Key, row: PolicyVersion): PolicyVersionResource {
  const { rules } = row.document as { readonly rules: readonly Rule[] }
  return {
    object: "policy_version",
    policy: row.policy,
    version: row.version,
    rules: rules.map(ruleResource),
    note: row.note,
    author: row.author,
    warnings: findings(api, caller, rules).map(({ code, at, detail }) => ({ code, pointer: `#${at}`, detail })),
    created_at: rfc3339(row.createdAt),
    published_at: row.publishedAt === undefined ? null : rfc3339(row.publishedAt),
  }
}
