// A card's budget as JSON, for a store or another node. What comes back is checked: a budget that cannot be read is said to
// be broken, with the place, and never taken for an empty one, which would allow what is used up.

import { networks, type Network } from "../core/card.ts"
import { isDeclineReason } from "../core/decline.ts"
import { given } from "../core/given.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { parseRfc3339, rfc3339 } from "../core/instant.ts"
import { fromJson, type MoneyJson, toJson } from "../core/money.ts"
import {
  type AttemptResult,
  type BudgetAttempt,
  type CardBudget,
  emptyBudget,
  evolve,
  MAX_BUDGET_ATTEMPTS,
  MAX_SCHEME_CODE,
} from "./retry-budget.ts"

type AttemptJson = {
  readonly id: string
  readonly at: string
  readonly account: string
  readonly amount: MoneyJson
  readonly initiator: string
  readonly result: string
  readonly network_code?: string
  readonly advice_code?: string
  readonly reason?: string
}
export type BudgetJson = {
  readonly network: string
  readonly fingerprint: string
  readonly attempts: readonly AttemptJson[]
}

export function budgetToJson({ network, fingerprint, attempts }: CardBudget): BudgetJson {
  return {
    network,
    fingerprint,
    attempts: attempts.map(({ id, at, account, amount, initiator, result, networkCode, adviceCode, reason }) =>
      given({
        id,
        at: rfc3339(at),
        account,
        amount: toJson(amount),
        initiator,
        result,
        network_code: networkCode,
        advice_code: adviceCode,
        reason,
      }),
    ),
  }
}

/** `at` is the JSON pointer of what cannot be read. */
export type BrokenBudget = { readonly kind: "broken"; readonly at: string; readonly detail: string }

export function budgetFromJson(json: unknown): { readonly kind: "budget"; readonly budget: CardBudget } | BrokenBudget {
  const broken = (at: string, detail: string): BrokenBudget => ({ kind: "broken", at, detail })
  if (!isObject(json)) return broken("", "is no object")
  const { network, fingerprint, attempts } = json
  if (typeof network !== "string" || !isNetwork(network)) return broken("/network", "is no network")
  if (typeof fingerprint !== "string" || fingerprint === "") return broken("/fingerprint", "is no fingerprint")
  if (!Array.isArray(attempts)) return broken("/attempts", "is no list")
  if (attempts.length > MAX_BUDGET_ATTEMPTS) return broken("/attempts", `holds more than ${MAX_BUDGET_ATTEMPTS}`)
  let budget = emptyBudget(network, fingerprint)
  for (const [index, attempt] of attempts.entries()) {
    const read = readAttempt(attempt)
    if (typeof read === "string") return broken(`/attempts/${index}${read}`, "cannot be read")
    budget = evolve(budget, read)
  }
  return { kind: "budget", budget }
}

/** The attempt, or the pointer of the field that is wrong. */
function readAttempt(json: unknown): BudgetAttempt | string {
  if (!isObject(json)) return ""
  const {
    id,
    at,
    account,
    amount,
    initiator,
    result,
    network_code: networkCode,
    advice_code: adviceCode,
    reason,
  } = json
  if (typeof id !== "string" || !id.startsWith("att_")) return "/id"
  const time = typeof at === "string" ? parseRfc3339(at) : undefined
  if (time === undefined) return "/at"
  if (typeof account !== "string" || !account.startsWith("acc_")) return "/account"
  if (!isObject(amount) || typeof amount["amount"] !== "number" || typeof amount["currency"] !== "string")
    return "/amount"
  const money = fromJson({ amount: amount["amount"], currency: amount["currency"] })
  if (money === undefined) return "/amount"
  if (initiator !== "customer" && initiator !== "merchant") return "/initiator"
  if (!isResult(result)) return "/result"
  if (networkCode !== undefined && !isCode(networkCode)) return "/network_code"
  if (adviceCode !== undefined && !isCode(adviceCode)) return "/advice_code"
  if (reason !== undefined && (typeof reason !== "string" || !isDeclineReason(reason))) return "/reason"
  return given({
    id: id as AttemptId,
    at: time,
    account: account as AccountId,
    amount: money,
    initiator,
    result,
    networkCode,
    adviceCode,
    reason,
  })
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isNetwork = (text: string): text is Network => Object.hasOwn(networks, text)
const isResult = (value: unknown): value is AttemptResult =>
  value === "unknown" || value === "none" || value === "declined"
const isCode = (value: unknown): value is string => typeof value === "string" && value.length <= MAX_SCHEME_CODE
