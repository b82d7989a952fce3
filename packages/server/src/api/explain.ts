// What would be decided now, for a payment that does not exist: with all parts, and without any effect. Nothing is stored, no
// exploration is spent and no commitment is counted.

import { Type, type Static } from "typebox"
import type { BinTable } from "../core/bin-table.ts"
import { networkOf } from "../core/card.ts"
import { parseCurrency } from "../core/currency.ts"
import { Fault, invalid, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { makeId, type AccountId, type CardId, type PaymentId } from "../core/id.ts"
import type { Initiator, Intent, Method } from "../core/intent.ts"
import { money } from "../core/money.ts"
import type { Payment } from "../core/payment.ts"
import { look } from "../engine/attempt.ts"
import { cardFactFields, readCardFacts } from "./card-facts.ts"
import { callerOf } from "./context.ts"
import { decisionResource, DecisionResource } from "./decision-resource.ts"
import { ANSWER_WITHIN_MS, checkAddress } from "./payment-input.ts"
import { Amount, closed, Country, Currency, Id, Metadata, NetworkName, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

const Place = closed({ address: closed({ country: Country }) })

export const ExplainBody = Type.Object(
  {
    amount: Amount,
    currency: Currency,
    payment_method: closed(
      {
        type: words(["card", "network_token", "provider_token"]),
        bin: Type.Optional(
          Type.String({
            pattern: "^[0-9]{6,8}$",
            description: "The number's first digits: no more of it is needed.",
          }),
        ),
        network: Type.Optional(NetworkName),
        ...cardFactFields,
        account: Type.Optional({
          ...Id("acc"),
          description: "Of a provider token, or of a network token's requestor.",
        }),
      },
      {
        description:
          "Of a card and of a network token, `bin` or `network` is needed; of a provider token, the `account` that can read it.",
      },
    ),
    initiator: Type.Optional(
      closed({
        by: words(["customer", "merchant"]),
        stored: Type.Optional(words(["none", "first", "used"])),
        purpose: Type.Optional(words(["recurring", "installment", "unscheduled"])),
        network_transaction_id: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9]{1,64}$" })),
        source_account: Type.Optional({ ...Id("acc"), description: "Where the first payment with the card was made." }),
      }),
    ),
    three_ds: Type.Optional(closed({ mode: words(["automatic", "required", "none"]) })),
    billing: Type.Optional(Place),
    shipping: Type.Optional(Place),
    metadata: Type.Optional(Metadata),
    account: Type.Optional({ ...Id("acc"), description: "Pinned to this account." }),
    payment: Type.Optional({
      ...Id("pay"),
      description: "One of yours, whose dice are thrown; absent: those of a new payment.",
    }),
  },
  {
    $id: "Explain",
    additionalProperties: false,
    examples: [
      {
        amount: 1999,
        currency: "EUR",
        payment_method: { type: "card", bin: "424242", country: "DE", funding: "debit" },
        billing: { address: { country: "DE" } },
      },
    ],
  },
)
type ExplainBody = Static<typeof ExplainBody>

export const explain: Routes = (app, api, guard) => {
  app.post(
    "/decisions/explain",
    {
      schema: {
        operationId: "explainDecision",
        tags: ["Routing"],
        summary: "Explain where a payment would go now",
        description: "As it would be decided at this moment, with every account's part in it. It changes nothing.",
        body: ExplainBody,
        response: { 200: DecisionResource },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const { engine } = api
      const now = engine.clock.now()
      const { body } = request
      const intent = intentOf(body, api.bins)
      const asked = body.payment as PaymentId | undefined
      if (asked !== undefined && (await engine.ledger.load(merchant, asked)) === undefined)
        throw invalid("#/payment", "is none of your payments")
      const payment: Payment = {
        id: asked ?? makeId("pay", now, engine.chance.bytes(16)),
        merchant,
        mode,
        version: 0,
        intent,
        requested: intent.amount.minor,
        attempts: [],
        operations: [],
        disputes: [],
        plan: { state: "idle" },
        createdAt: now,
        updatedAt: now,
      }
      const { decision } = look(engine, payment, body.initiator?.source_account as AccountId | undefined)
      return decisionResource(decision.record)!
    },
  )
}

function intentOf(body: ExplainBody, bins: BinTable): Intent {
  const currency = parseCurrency(body.currency)
  if (currency === undefined) throw invalid("#/currency", "is not a currency of ISO 4217")
  checkAddress("#/billing/address", body.billing?.address)
  checkAddress("#/shipping/address", body.shipping?.address)
  return given({
    amount: money(BigInt(body.amount), currency),
    capture: "automatic",
    method: methodOf(body.payment_method, bins),
    store: false,
    initiator: initiatorOf(body.initiator),
    threeDs: { mode: body.three_ds?.mode ?? "automatic" },
    allowPartial: false,
    pinnedAccount: body.account as AccountId | undefined,
    answerWithinMs: ANSWER_WITHIN_MS,
    billing: body.billing,
    shipping: body.shipping,
    metadata: body.metadata ?? {},
  })
}

function methodOf(body: ExplainBody["payment_method"], bins: BinTable): Method {
  const { type, bin } = body
  const printed = bin === undefined ? undefined : networkOf(bin)
  if (printed !== undefined && body.network !== undefined && printed !== body.network)
    throw invalid("#/payment_method/network", `is not the network of this bin, which is ${printed}`)
  const network = body.network ?? printed
  const account = body.account as AccountId | undefined
  if (type === "provider_token") {
    if (account === undefined) throw invalid("#/payment_method/account", "is required: another provider cannot read it")
    for (const name of ["bin", "country", "funding", "issuer", "product"] as const)
      if (body[name] !== undefined)
        throw invalid(`#/payment_method/${name}`, "must be absent: of a provider's token only its network is known")
    return given({ type, account, token: "", network: body.network })
  }
  if (network === undefined)
    throw invalid(
      "#/payment_method",
      bin === undefined ? "needs `bin` or `network`" : "has a bin of no network we know",
    )
  const errors: FieldError[] = []
  const facts = readCardFacts(bins, bin ?? "", body, "#/payment_method", errors)
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
  return given({
    type,
    token: NO_CARD,
    network,
    bin: bin ?? "",
    last4: "",
    expiryMonth: 12,
    expiryYear: 2099,
    fingerprint: "",
    ...facts,
    requestorAccount: account,
  })
}

/** Nothing is stored under it, and nothing looks it up. */
const NO_CARD = "tok_none" as CardId

function initiatorOf(body: ExplainBody["initiator"]): Initiator {
  const networkTransactionId = body?.network_transaction_id
  if (body?.by === "merchant")
    return given({ by: "merchant", purpose: body.purpose ?? "unscheduled", networkTransactionId })
  return given({ by: "customer", stored: body?.stored ?? "none", purpose: body?.purpose, networkTransactionId })
}
