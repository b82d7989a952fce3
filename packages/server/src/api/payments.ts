// /v1/payments: the door of the main hall. Each route reads and checks, hands to the engine, and answers what was stored.

import type { FastifyReply, FastifyRequest } from "fastify"
import { Type } from "typebox"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, makeId, type PaymentId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import { confirm, create, unconfirmable } from "../engine/execute.ts"
import { follow, FOLLOW_UP_ANSWER_MS, type Command } from "../engine/follow-up.ts"
import type { StoredResponse } from "../storage/ledger/ledger.ts"
import { refuseCardData } from "./card-in-text.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { customerOf } from "./customers.ts"
import { tagged } from "./etag.ts"
import { answerRepeated, IdempotencyKey, keyed, once, sendStored } from "./idempotent.ts"
import type { MethodReader } from "./method-input.ts"
import { ANSWER_WITHIN_MS, readConfirm, readCreate } from "./payment-input.ts"
import { paymentResource } from "./payment-resource.ts"
import {
  CancelBody,
  CaptureBody,
  CompleteBody,
  IncrementBody,
  PaymentConfirm,
  PaymentCreate,
  PaymentResource,
  RefundBody,
} from "./payment-schema.ts"
import { Id } from "./schema.ts"
import type { Routes } from "./routes.ts"

/** For one request: what its last commit stored as the answer is what goes out, and made once. */
export const render = (status: number): ((payment: Payment) => StoredResponse) => {
  let made: { readonly payment: Payment; readonly response: StoredResponse } | undefined
  return (payment) => {
    if (made?.payment !== payment)
      made = { payment, response: { status, body: JSON.stringify(paymentResource(payment)) } }
    return made.response
  }
}
const Params = Type.Object({ id: Id("pay") })

export const payments: Routes = (app, api, guard) => {
  app.post(
    "/payments",
    {
      schema: {
        operationId: "createPayment",
        tags: ["Payments"],
        summary: "Create a payment",
        description:
          "It is confirmed at once unless `confirm` is false. A decline is not an error: it is answered with 201, and " +
          "`status` and `attempts` say what happened. `processing` ends in exactly one terminal event.",
        headers: IdempotencyKey,
        body: PaymentCreate,
        response: { 201: PaymentResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const asked = keyed(api.vault, caller, request, body.answer_within_ms ?? ANSWER_WITHIN_MS, render(201))
      const { engine } = api
      return answered(
        reply,
        once(engine, asked, reply, async () => {
          const now = engine.clock.now()
          const id = makeId("pay", now, engine.chance.bytes(16))
          refuseCardData(body, asked.row.key)
          const read = await readCreate(reader(api), caller, id, body)
          checkAccount(api, caller, body.account, "#/account")
          checkMethodAccounts(api, caller, body.payment_method)
          await checkCustomer(api, caller, body.customer)
          const payment: Payment = {
            id,
            merchant: caller.merchant,
            mode: caller.mode,
            version: 0,
            intent: read.intent,
            requested: read.intent.amount.minor,
            attempts: [],
            operations: [],
            disputes: [],
            plan: { state: "idle" },
            createdAt: now,
            updatedAt: now,
          }
          const { secrets, card, sourceAccount } = read
          const executed = await create(
            engine,
            given({ payment, confirm: body.confirm ?? true, secrets, request: asked, card, sourceAccount }),
          )
          if (executed.kind === "taken") return (await answerRepeated(engine, asked, executed.row, reply)) ?? reply
          return sendStored(
            reply.header("location", `/v1/payments/${id}`),
            executed.response ?? asked.render(executed.payment),
          )
        }),
      )
    },
  )

  app.get(
    "/payments/:id",
    {
      schema: {
        operationId: "getPayment",
        tags: ["Payments"],
        summary: "Retrieve a payment",
        params: Params,
        response: { 200: PaymentResource },
      },
      ...guard("payments:read"),
    },
    async (request, reply) => {
      const payment = await load(api, callerOf(request), request.params.id)
      return sendStored(tagged(reply, payment), render(200)(payment))
    },
  )

  app.post(
    "/payments/:id/confirm",
    {
      schema: {
        operationId: "confirmPayment",
        tags: ["Payments"],
        summary: "Confirm a payment that was created without",
        params: Params,
        headers: IdempotencyKey,
        body: PaymentConfirm,
        response: { 200: PaymentResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const asked = keyed(api.vault, caller, request, body.answer_within_ms ?? ANSWER_WITHIN_MS, render(200))
      return answered(
        reply,
        once(api.engine, asked, reply, async () => {
          const payment = await load(api, caller, request.params.id)
          const refused = unconfirmable(payment)
          if (refused !== undefined) throw new Fault(refused.code, { detail: refused.detail })
          checkMethodAccounts(api, caller, body.payment_method)
          refuseCardData(body, asked.row.key)
          const read = await readConfirm(reader(api), caller, payment.id, payment.intent, body)
          const executed = await confirm(api.engine, payment, { ...read, request: asked })
          if (executed.kind === "refused") throw new Fault(executed.code, { detail: executed.detail })
          if (executed.kind === "taken") return (await answerRepeated(api.engine, asked, executed.row, reply)) ?? reply
          return sendStored(reply, executed.response ?? asked.render(executed.payment))
        }),
      )
    },
  )

  const run = async (
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    command: Command,
  ): Promise<FastifyReply> => {
    const caller = callerOf(request)
    const asked = keyed(api.vault, caller, request, FOLLOW_UP_ANSWER_MS, render(200))
    return once(api.engine, asked, reply, async () => {
      const payment = await load(api, caller, id)
      const followed = await follow(api.engine, caller.merchant, payment.id, command, asked)
      switch (followed.kind) {
        case "refused":
          throw new Fault(followed.code, { detail: followed.detail })
        case "not_found":
          throw notFound("payment")
        case "taken":
          return (await answerRepeated(api.engine, asked, followed.row, reply)) ?? reply
        case "payment":
          return sendStored(reply, followed.response ?? asked.render(followed.payment))
        default:
          return followed satisfies never
      }
    })
  }

  const response = { 200: PaymentResource }
  app.post(
    "/payments/:id/capture",
    {
      schema: {
        operationId: "capturePayment",
        tags: ["Payments"],
        summary: "Capture all or a part of what is authorized",
        params: Params,
        headers: IdempotencyKey,
        body: CaptureBody,
        response,
      },
      ...guard("payments:write"),
    },
    async (request, reply) =>
      answered(
        reply,
        run(
          request,
          reply,
          request.params.id,
          given({ type: "capture", amount: minor(request.body.amount), final: request.body.final }),
        ),
      ),
  )
  app.post(
    "/payments/:id/refund",
    {
      schema: {
        operationId: "refundPayment",
        tags: ["Payments"],
        summary: "Refund all or a part of what is captured",
        params: Params,
        headers: IdempotencyKey,
        body: RefundBody,
        response,
      },
      ...guard("payments:write"),
    },
    async (request, reply) =>
      answered(
        reply,
        run(
          request,
          reply,
          request.params.id,
          given({ type: "refund", amount: minor(request.body.amount), reason: request.body.reason }),
        ),
      ),
  )
  app.post(
    "/payments/:id/cancel",
    {
      schema: {
        operationId: "cancelPayment",
        tags: ["Payments"],
        summary: "Cancel a payment",
        description: "What is authorized is voided; what may be, because a provider has not answered, is reversed.",
        params: Params,
        headers: IdempotencyKey,
        body: CancelBody,
        response,
      },
      ...guard("payments:write"),
    },
    async (request, reply) =>
      answered(reply, run(request, reply, request.params.id, given({ type: "cancel", reason: request.body.reason }))),
  )
  app.post(
    "/payments/:id/increment",
    {
      schema: {
        operationId: "incrementPayment",
        tags: ["Payments"],
        summary: "Raise the authorized amount",
        params: Params,
        headers: IdempotencyKey,
        body: IncrementBody,
        response,
      },
      ...guard("payments:write"),
    },
    async (request, reply) =>
      answered(
        reply,
        run(request, reply, request.params.id, { type: "increment", amount: BigInt(request.body.amount) }),
      ),
  )
  app.post(
    "/payments/:id/complete",
    {
      schema: {
        operationId: "completePayment",
        tags: ["Payments"],
        summary: "Complete a payment after a redirect",
        description: "Only where the customer came back to you instead of to us with what the provider said.",
        params: Params,
        headers: IdempotencyKey,
        body: CompleteBody,
        response,
      },
      ...guard("payments:write"),
    },
    async (request, reply) =>
      answered(reply, run(request, reply, request.params.id, { type: "complete", fields: request.body.fields })),
  )
}

const minor = (amount: number | undefined): bigint | undefined => (amount === undefined ? undefined : BigInt(amount))

/** Fastify's own type for a reply that was sent by hand. */
export const answered = async <R>(reply: R, sent: Promise<unknown>): Promise<R> => {
  await sent
  return reply
}

export const reader = (api: Api): MethodReader => ({
  vault: api.vault,
  methods: api.methods,
  bins: api.bins,
  now: () => api.engine.clock.now(),
})

/** Somebody else's payment, and one of the other mode, is not there. */
export async function load(api: Api, caller: Key, id: string): Promise<Payment> {
  const payment = isId("pay", id) ? await api.engine.ledger.load(caller.merchant, id as PaymentId) : undefined
  if (payment === undefined || payment.mode !== caller.mode) throw notFound("payment")
  return payment
}

/** A method that only one account may use names one that there is. */
function checkMethodAccounts(
  api: Api,
  caller: Key,
  method:
    | {
        readonly provider_token?: { readonly account: string }
        readonly network_token?: { readonly requestor_account?: string }
      }
    | undefined,
): void {
  checkAccount(api, caller, method?.provider_token?.account, "#/payment_method/provider_token/account")
  const requestor = method?.network_token?.requestor_account
  checkAccount(api, caller, requestor, "#/payment_method/network_token/requestor_account")
}

function checkAccount(api: Api, caller: Key, id: string | undefined, pointer: string): void {
  if (id === undefined) return
  const account = api.engine.directory.account(id as `acc_${string}`)
  if (account === undefined || account.merchant !== caller.merchant || account.config.mode !== caller.mode)
    throw invalid(pointer, "no account has this id")
}

async function checkCustomer(api: Api, caller: Key, id: string | undefined): Promise<void> {
  if (id === undefined) return
  const customer = await customerOf(api, caller, id)
  if (customer === undefined || customer.erasedAt !== undefined) throw invalid("#/customer", "no customer has this id")
}
