// /v1/policies: which account is tried for which payment. Versions of a policy never change; one version of one policy is
// in force per mode, and perhaps another beside it for a share of the payments (policy-publication.ts). Checking, comparing and
// what editors need is in policy-language.ts.

import { Type } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { isId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Finding } from "../routing/policy-check.ts"
import type { PolicyDocument } from "../routing/policy.ts"
import {
  addPolicyVersion,
  createPolicy,
  findPolicy,
  findPolicyVersion,
  listPolicies,
  listPoliciesInForce,
  listPolicyVersions,
  type PolicyRow,
  type PolicyVersion,
} from "../storage/resources/policies.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat } from "./creation.ts"
import { etagOf, tagged } from "./etag.ts"
import { pageAlong, pageQuery, pageRequest, pageResource } from "./pages.ts"
import { checkedDocument, findingResource, findingsOf } from "./policy-check.ts"
import { documentResource, type ConditionForm } from "./policy-document.ts"
import { policyResource, policyWithPublication } from "./policy-resource.ts"
import {
  Conditions,
  PolicyCreate,
  PolicyResource,
  PolicyVersionCreate,
  PolicyVersionResource,
} from "./policy-schema.ts"
import { closed, Id, Page } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Policies"]
const Params = Type.Object({ id: Id("pol") })
const Shown = closed({ conditions: Type.Optional(Conditions) })

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
        querystring: Shown,
        body: PolicyCreate,
        response: { 201: Type.Object({ policy: PolicyResource, version: PolicyVersionResource }) },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { name, note, ...wire } = request.body
      const form = request.query.conditions
      const made = (policy: PolicyRow, version: PolicyVersion, warnings: readonly Finding[]) => ({
        body: { policy: policyResource(policy), version: versionResource(version, warnings, form) },
        location: `/v1/policies/${policy.id}`,
        etag: etagOf(policy),
      })
      const { merchant, mode } = caller
      const body = await createOnce(api, request, reply, {
        prefix: "pol",
        create: async (id) => {
          const { document, warnings } = await checkedDocument(api, caller, wire)
          const policy = await createPolicy(api.database, { id, merchant, mode, name })
          return made(policy, await add(api, caller, policy, document, note), warnings)
        },
        find: async (id) => {
          const policy = await findPolicy(api.database, merchant, id)
          if (policy === undefined) return undefined
          // The first request may have come no further than the policy itself.
          const version = await findPolicyVersion(api.database, merchant, id, 1)
          if (version !== undefined) return made(policy, version, await warningsOf(api, caller, version))
          const { document, warnings } = await checkedDocument(api, caller, wire)
          return made(policy, await add(api, caller, policy, document, note), warnings)
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
        querystring: Shown,
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
        version: versionResource(found.active, await warningsOf(api, caller, found.active), request.query.conditions),
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
      const row = await loadPolicy(api, callerOf(request), request.params.id)
      return tagged(reply, row).send(await policyWithPublication(api, row))
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
        querystring: Shown,
        body: PolicyVersionCreate,
        response: { 201: PolicyVersionResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const { note, ...wire } = request.body
      const { document, warnings } = await checkedDocument(api, caller, wire)
      const version = await add(api, caller, policy, document, note)
      return reply
        .code(201)
        .header("location", `/v1/policies/${policy.id}/versions/${version.version}`)
        .send(versionResource(version, warnings, request.query.conditions))
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
        querystring: Shown,
        response: { 200: Page(PolicyVersionResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const rows = await listPolicyVersions(api.database, caller.merchant, policy.id)
      return pageResource({ rows }, (row) => storedVersion(row, request.query.conditions))
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
        querystring: Shown,
        response: { 200: PolicyVersionResource },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = await loadPolicy(api, caller, request.params.id)
      const number = Number(request.params.version)
      const version = await findPolicyVersion(api.database, caller.merchant, policy.id, number)
      if (version === undefined) throw noVersion(number)
      return versionResource(version, await warningsOf(api, caller, version), request.query.conditions)
    },
  )
}

export const noVersion = (version: number): Fault =>
  new Fault("resource.not_found", { detail: `The policy has no version ${version}.` })

/** Somebody else's policy, and one of the other mode, is not there. */
export async function loadPolicy(api: Api, caller: Key, id: string): Promise<PolicyRow> {
  const row = isId("pol", id) ? await findPolicy(api.database, caller.merchant, id) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("policy")
  return row
}

async function add(
  api: Api,
  caller: Key,
  policy: PolicyRow,
  document: PolicyDocument,
  note: string = "",
): Promise<PolicyVersion> {
  const version = await addPolicyVersion(api.database, {
    policy: policy.id,
    merchant: caller.merchant,
    document,
    author: caller.id,
    note,
  })
  if (version === undefined) throw notFound("policy")
  return version
}

const warningsOf = (api: Api, caller: Key, { document }: PolicyVersion): Promise<readonly Finding[]> =>
  findingsOf(api, caller, document as PolicyDocument)

const versionResource = (
  row: PolicyVersion,
  warnings: readonly Finding[],
  form: ConditionForm | undefined,
): PolicyVersionResource => ({ ...storedVersion(row, form), warnings: warnings.map((one) => findingResource(one)) })

/** Without the warnings, which are searched for anew each time: a list would cost as many searches. */
const storedVersion = (row: PolicyVersion, form: ConditionForm | undefined): PolicyVersionResource => ({
  object: "policy_version",
  policy: row.policy,
  version: row.version,
  ...documentResource(row.document as PolicyDocument, form),
  note: row.note,
  author: row.author,
  created_at: rfc3339(row.createdAt),
  published_at: row.publishedAt === undefined ? null : rfc3339(row.publishedAt),
})
