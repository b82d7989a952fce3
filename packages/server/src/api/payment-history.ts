// What happened to one payment: its attempts with the decisions that led to them, its operations, its events with their
// timing, and what was said to providers.

import { Type } from "typebox"
import { given } from "../core/given.ts"
import type { MerchantId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Payment } from "../core/payment.ts"
import { decideAgain } from "../engine/decision-check.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { OutboxEvent, Transcript } from "../storage/ledger/ledger.ts"
import { listEvents } from "../storage/resources/events.ts"
import { MAX_PAGE } from "../storage/resources/page.ts"
import { listTranscripts, MAX_TRANSCRIPTS } from "../storage/resources/transcripts.ts"
import { callerOf, type Api } from "./context.ts"
import { EventResource, eventResource } from "./event-resource.ts"
import { pageResource } from "./pages.ts"
import { decisionResource } from "./decision-resource.ts"
import { attemptResource, decisionInputs, operationResource, withoutInputs } from "./payment-resource.ts"
import { AttemptResource, OperationResource } from "./payment-schema.ts"
import { load } from "./payments.ts"
import { Id, Page, Time } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Payments"]
const Params = Type.Object({ id: Id("pay") })
/** Events of one payment that its timeline shows, the latest. */
export const MAX_TIMELINE = 1_000

export const TimelineEvent = Type.Object(
  {
    ...EventResource.properties,
    since_created_ms: Type.Integer({ description: "Since the payment was created." }),
    since_previous_ms: Type.Integer({ description: "Since the event before it; 0 for the first." }),
  },
  { $id: "TimelineEvent" },
)

export const TranscriptResource = Type.Object(
  {
    operation: Type.String(),
    attempt: Type.String(),
    account: Type.String(),
    at: Time,
    duration_ms: Type.Integer(),
    request: Type.Object({
      method: Type.String(),
      path: Type.String(),
      body: Type.Union([Type.String(), Type.Null()]),
    }),
    response: Type.Union([Type.Object({ status: Type.Integer(), body: Type.String() }), Type.Null()]),
    error: Type.Union([Type.String(), Type.Null()], { description: "How far the request got, where no answer came." }),
  },
  { $id: "Transcript", description: "One exchange with a provider, without card numbers, codes and credentials." },
)

export const paymentHistory: Routes = (app, api, guard) => {
  app.get(
    "/payments/:id/attempts",
    {
      schema: {
        operationId: "listPaymentAttempts",
        tags,
        summary: "List the attempts of a payment, oldest first, with the decisions that led to them",
        params: Params,
        response: { 200: Page(AttemptResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const { attempts, merchant } = await load(api, callerOf(request), request.params.id)
      const rows = await Promise.all(
        attempts.map(async (attempt) => ({ attempt, decision: await wholeDecision(api, merchant, attempt.decision) })),
      )
      return pageResource({ rows }, ({ attempt, decision }) => ({ ...attemptResource(attempt), decision }))
    },
  )

  app.get(
    "/payments/:id/operations",
    {
      schema: {
        operationId: "listPaymentOperations",
        tags,
        summary: "List everything that was asked of providers for a payment, oldest first",
        params: Params,
        response: { 200: Page(OperationResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const { operations } = await load(api, callerOf(request), request.params.id)
      return pageResource({ rows: operations }, operationResource)
    },
  )

  app.get(
    "/payments/:id/events",
    {
      schema: {
        operationId: "listPaymentEvents",
        tags,
        summary: "List what happened to a payment, oldest first, with its timing",
        description: `The latest ${MAX_TIMELINE}.`,
        params: Params,
        response: { 200: Page(TimelineEvent) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const payment = await load(api, callerOf(request), request.params.id)
      const events = await timeline(api, payment)
      const rows = events.map((event, index) => ({
        ...eventResource(event),
        since_created_ms: event.at - payment.createdAt,
        since_previous_ms: index === 0 ? 0 : event.at - (events[index - 1]?.at ?? event.at),
      }))
      return pageResource({ rows }, (row) => row)
    },
  )

  app.get(
    "/payments/:id/transcripts",
    {
      schema: {
        operationId: "listPaymentTranscripts",
        tags,
        summary: "List what was said to providers for a payment and what they answered, oldest first",
        description: `The latest ${MAX_TRANSCRIPTS}, scrubbed, as long as retention keeps them.`,
        params: Params,
        response: { 200: Page(TranscriptResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const { merchant, id } = await load(api, callerOf(request), request.params.id)
      return pageResource({ rows: await listTranscripts(api.database, merchant, id) }, transcriptResource)
    },
  )
}

/** The record, what it means for every account, what was read for it, and whether it can be made again from that. */
async function wholeDecision(api: Api, merchant: MerchantId, decision: unknown): Promise<unknown> {
  const resource = decisionResource(decision)
  if (resource === undefined) return { ...(withoutInputs(decision) as object), inputs: decisionInputs(decision) }
  const again = await decideAgain(api.database, merchant, decision as DecisionRecord)
  return {
    ...(withoutInputs(decision) as object),
    ...resource,
    inputs: decisionInputs(decision),
    replay: again.same === undefined ? { same: null, why: again.why } : again,
  }
}

/** In the order in which it happened. */
async function timeline(api: Api, { merchant, id: payment }: Payment): Promise<readonly OutboxEvent[]> {
  const events: OutboxEvent[] = []
  let cursor: string | undefined
  do {
    const page = await listEvents(api.database, { merchant, payment }, given({ limit: MAX_PAGE, cursor }))
    events.push(...page.rows)
    cursor = page.next
  } while (cursor !== undefined && events.length < MAX_TIMELINE)
  return events.toSorted((a, b) => a.sequence - b.sequence || (a.id < b.id ? -1 : 1))
}

const transcriptResource = ({ operation, attempt, account, at, durationMs, request, response, error }: Transcript) => ({
  operation,
  attempt,
  account,
  at: rfc3339(at),
  duration_ms: Math.round(durationMs),
  request: { method: request.method, path: request.path, body: request.body ?? null },
  response: response ?? null,
  error: error ?? null,
})
