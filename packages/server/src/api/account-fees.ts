// /v1/accounts/{id}/fee_estimate: what a payment would cost at an account by its fee model, part by part, so that a person can
// hold the model against an invoice before routing goes by it.

import { Type } from "typebox"
import { given } from "../core/given.ts"
import { parseCurrency, type Currency } from "../core/currency.ts"
import { Fault, invalid } from "../core/fault.ts"
import type { AccountId } from "../core/id.ts"
import { money } from "../core/money.ts"
import {
  expectedFee,
  noRates,
  parseRate,
  unknownFees,
  type CostEstimate,
  type FeeModel,
  type Rates,
} from "../routing/cost.ts"
import { feesOf, loadAccount } from "./account-resource.ts"
import { FeeEstimate, FeeEstimateCreate } from "./account-fees-schema.ts"
import { callerOf } from "./context.ts"
import { Id } from "./schema.ts"
import type { Routes } from "./routes.ts"

export const accountFees: Routes = (app, api, guard) => {
  app.post(
    "/accounts/:id/fee_estimate",
    {
      schema: {
        operationId: "estimateAccountFee",
        tags: ["Accounts"],
        summary: "What a payment would cost at an account",
        description: "By the account's `fee_model`. Nothing is stored, and no provider is asked.",
        params: Type.Object({ id: Id("acc") }),
        body: FeeEstimateCreate,
        response: { 200: FeeEstimate },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const row = await loadAccount(api, callerOf(request), request.params.id)
      const model = feesOf(row)
      return estimateResource(row.id, model, request.body, api.engine.clock.now())
    },
  )
}

function estimateResource(
  account: AccountId,
  model: FeeModel | undefined,
  body: FeeEstimateCreate,
  at: number,
): FeeEstimate {
  const currency = parseCurrency(body.currency)
  if (currency === undefined) throw invalid("#/currency", "is no currency of ISO 4217")
  const { network, country, funding, product, capped_issuer: cappedIssuer, month_to_date: before } = body
  const fee = expectedFee(
    model,
    {
      amount: money(BigInt(body.amount), currency),
      method: body.payment_method ?? "card",
      initiator: body.initiator ?? "customer",
      threeDs: body.three_ds === undefined ? "automatic" : body.three_ds ? "required" : "none",
      ...given({ network, country, funding, product, cappedIssuer }),
    },
    {
      at,
      rates: ratesOf(body.exchange_rate),
      ...(before === undefined || model === undefined ? {} : { monthToDate: money(BigInt(before), model.currency) }),
    },
  )
  const shared = { object: "fee_estimate", account, currency: model?.currency ?? null } as const
  if (fee.kind === "unknown")
    return {
      ...shared,
      known: false,
      why_unknown: unknownFees[fee.why],
      certainty: null,
      assumptions: [],
      approved: null,
      declined: null,
    }
  return {
    ...shared,
    known: true,
    why_unknown: null,
    certainty: fee.certainty,
    assumptions: [...fee.assumptions],
    approved: ending(fee.approved, fee.share),
    declined: ending(fee.declined, fee.declinedShare),
  }
}

/** The one that is named counts between these two currencies, whichever they are. */
function ratesOf(text: string | undefined): Rates {
  if (text === undefined) return noRates
  const rate = parseRate(text)
  if (rate === undefined) throw invalid("#/exchange_rate", "is no positive decimal number as text")
  return (_from: Currency, _to: Currency) => rate
}

const ending = ({ amount, certainty, parts }: CostEstimate, share: number) => ({
  amount: minor(amount.minor),
  share,
  certainty,
  parts: parts.map((part) => ({
    name: part.name,
    amount: minor(part.amount.minor),
    certainty: part.certainty,
    row: part.row ?? null,
  })),
})

/** A rate may make a large amount larger than JSON's numbers are exact. */
function minor(count: bigint): number {
  if (count > BigInt(Number.MAX_SAFE_INTEGER))
    throw new Fault("request.invalid", {
      errors: [{ pointer: "#/exchange_rate", detail: "makes the fee larger than can be written exactly" }],
    })
  return Number(count)
}
