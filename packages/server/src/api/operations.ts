// What a person does about a payment that needs one: an operation that we have given up on is looked at anew or settled by
// hand, an incident is acknowledged. It needs a scope of its own: a shop's key that makes payments must not be able to say
// how they ended.

import type { FastifyReply, FastifyRequest } from "fastify"
import { Type } from "typebox"
import { maskPans } from "../core/pan-mask.ts"
import { Fault, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Request } from "../engine/change.ts"
import { acknowledge, retryOperation, settleByHand, type Acted } from "../engine/operator.ts"
import { callerOf } from "./context.ts"
import { answerRepeated, IdempotencyKey, keyed, once, sendStored } from "./idempotent.ts"
import { PaymentResource } from "./payment-schema.ts"
import { answered, load, render } from "./payments.ts"
import { closed, Id, PositiveAmount, Text, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Payments"]
const Params = Type.Object({ id: Id("pay"), operation: Id("op") })
const Operator = Text(100, "Who decides this: it is recorded with the payment and in the event.")
const Reason = (description: string) => Type.String({ minLength: 3, maxLength: 500, description })
/** Taking a key and answering is one commit: there is nothing to wait for (ms). */
const ANSWER_MS = 1_000

export const OperationRetry = closed(
  { operator: Operator, note: Type.Optional(Text(500)) },
  { $id: "OperationRetry", examples: [{ operator: "Ada Lovelace", note: "their outage is over" }] },
)

export const OperationSettle = closed(
  {
    verdict: words(
      ["succeeded", "failed", "absent", "reversed"],
      "What the provider's back office shows. failed: declined or refused. absent: it never heard of it. reversed: an " +
        "authorization that was made and given back.",
    ),
    amount: Type.Optional({ ...PositiveAmount, description: "What it came to. Without it, what was asked for." }),
    captured: Type.Optional(
      Type.Boolean({
        description:
          "Of an authorization that succeeded: its money is taken already. Without it, as `capture_method` says.",
      }),
    ),
    reference: Type.Optional(
      Text(255, "The provider's id. Required for an authorization that succeeded and whose id we never learned."),
    ),
    operator: Operator,
    note: Reason("Where you read it, for those who ask later."),
  },
  {
    $id: "OperationSettle",
    examples: [
      {
        verdict: "succeeded",
        amount: 1999,
        operator: "Ada Lovelace",
        note: "captured on 21 November according to their dashboard; ticket 4711",
      },
    ],
  },
)

export const IncidentAcknowledge = closed(
  { operator: Operator, note: Reason("What you found, and what was done about it.") },
  {
    $id: "IncidentAcknowledge",
    examples: [{ operator: "Ada Lovelace", note: "refunded twice in their dashboard by mistake; written off" }],
  },
)

export const operations: Routes = (app, api, guard) => {
  const act = async (
    request: FastifyRequest,
    reply: FastifyReply,
    what: string,
    run: (payment: Payment, asked: Request) => Promise<Acted>,
  ): Promise<FastifyReply> => {
    const caller = callerOf(request)
    const { id } = request.params as { readonly id: string }
    const asked = keyed(api.vault, caller, request, ANSWER_MS, render(200))
    return once(api.engine, asked, reply, async () => {
      const acted = await run(await load(api, caller, id), asked)
      switch (acted.kind) {
        case "refused":
          throw new Fault(acted.code, { detail: acted.detail })
        case "not_found":
          throw notFound(what)
        case "taken":
          return (await answerRepeated(api.engine, asked, acted.row, reply)) ?? reply
        case "payment":
          return sendStored(reply, asked.render(acted.payment))
        default:
          return acted satisfies never
      }
    })
  }

  app.post(
    "/payments/:id/operations/:operation/retry",
    {
      schema: {
        operationId: "retryOperation",
        tags,
        summary: "Look again at an operation that needs a person",
        description:
          "Its provider is asked again now and then by the whole schedule, as when it was new; what is owed is sent again.",
        params: Params,
        headers: IdempotencyKey,
        body: OperationRetry,
        response: { 200: PaymentResource },
      },
      ...guard("payments:operate"),
    },
    async (request, reply) =>
      answered(
        reply,
        act(request, reply, "operation", async ({ merchant, id }, asked) => {
          const { operation } = request.params
          if (!isId("op", operation)) return NOT_FOUND
          return retryOperation(api.engine, merchant, id, operation, personOf(request), asked)
        }),
      ),
  )

  app.post(
    "/payments/:id/operations/:operation/settle",
    {
      schema: {
        operationId: "settleOperation",
        tags,
        summary: "Say what the provider's back office shows of an operation",
        description:
          "It is believed like the provider's own word, and everything follows from it that would have followed: read it " +
          "there, do not guess. An operation that may still end by itself, and one that is closed, is refused.",
        params: Params,
        headers: IdempotencyKey,
        body: OperationSettle,
        response: { 200: PaymentResource },
      },
      ...guard("payments:operate"),
    },
    async (request, reply) => {
      const { verdict, amount, captured, reference } = request.body
      const said = given({ verdict, amount: amount === undefined ? undefined : BigInt(amount), captured, reference })
      return answered(
        reply,
        act(request, reply, "operation", async ({ merchant, id }, asked) => {
          const { operation } = request.params
          if (!isId("op", operation)) return NOT_FOUND
          return settleByHand(api.engine, merchant, id, operation, said, personOf(request), asked)
        }),
      )
    },
  )

  app.post(
    "/payments/:id/incidents/:incident/acknowledge",
    {
      schema: {
        operationId: "acknowledgeIncident",
        tags,
        summary: "Say that somebody has looked into an incident",
        description:
          "What the provider reported stays booked. The incident stays in the payment's history, with who looked into it " +
          "and what came of it, and the payment no longer needs a person for it.",
        params: Type.Object({ id: Id("pay"), incident: Id("inc") }),
        headers: IdempotencyKey,
        body: IncidentAcknowledge,
        response: { 200: PaymentResource },
      },
      ...guard("payments:operate"),
    },
    async (request, reply) =>
      answered(
        reply,
        act(request, reply, "incident", async ({ merchant, id }, asked) => {
          const { incident } = request.params
          if (!isId("inc", incident)) return NOT_FOUND
          const person = { ...personOf(request), note: maskPans(request.body.note) }
          return acknowledge(api.engine, merchant, id, incident, person, asked)
        }),
      ),
  )
}

const NOT_FOUND = { kind: "not_found" } as const

/** People paste what they see. */
function personOf(request: FastifyRequest) {
  const { operator, note } = request.body as { readonly operator: string; readonly note?: string }
  return given({ by: maskPans(operator), key: callerOf(request).id, note: note && maskPans(note) })
}
