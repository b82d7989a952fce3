// GET /v1/payments/{id}/retry_budget: what the schemes have left for a payment's card.

import { Type, type Static } from "typebox"
import { budgetKeyOf } from "../core/card-attempt.ts"
import { rfc3339 } from "../core/instant.ts"
import { mayHold, type Attempt, type Payment } from "../core/payment.ts"
import type { LastAttempt } from "../core/scheme-rules.ts"
import { schemeFacts } from "../engine/following.ts"
import { budgetOf, check } from "../routing/retry-budget.ts"
import { lastAttempt } from "../routing/retry-following.ts"
import { callerOf, type Api } from "./context.ts"
import { load } from "./payments.ts"
import { RetryBudgetResource, verdictResource } from "./retry-resource.ts"
import { Id } from "./schema.ts"
import type { Routes } from "./routes.ts"

export const retryBudget: Routes = (app, api, guard) => {
  app.get(
    "/payments/:id/retry_budget",
    {
      schema: {
        operationId: "getRetryBudget",
        tags: ["Payments"],
        summary: "What the schemes let be tried with a payment's card now",
        description:
          "Counted are the declined attempts of the merchant with the card, and those whose outcome is unknown, through all " +
          "accounts together. A network token counts by itself: which card it stands for is not known.",
        params: Type.Object({ id: Id("pay") }),
        response: { 200: RetryBudgetResource },
      },
      ...guard("payments:read"),
    },
    async (request) => budgetResource(api, await load(api, callerOf(request), request.params.id)),
  )
}

async function budgetResource({ engine }: Api, payment: Payment): Promise<Static<typeof RetryBudgetResource>> {
  const now = engine.clock.now()
  const key = budgetKeyOf(payment)
  const rows = key === undefined ? [] : await engine.ledger.cardAttempts(key)
  const attempt = payment.attempts.at(-1)
  const account = attempt === undefined ? undefined : engine.directory.account(attempt.account)
  const next = { ...schemeFacts(payment, account?.country), last: lastOf(attempt) }
  return {
    object: "retry_budget",
    payment: payment.id,
    network: key?.network ?? null,
    fingerprint: key?.fingerprint ?? null,
    as_of: rfc3339(now),
    ...verdictResource(key === undefined ? undefined : check(budgetOf(key.network, rows), next, now)),
    declines: rows.filter(({ result }) => result !== "none").length,
  }
}

/** How the payment's last attempt ended, as the schemes' rules ask. */
function lastOf(attempt: Attempt | undefined): LastAttempt {
  const outcome = attempt?.outcome
  if (attempt === undefined || outcome === undefined || outcome.kind === "approved") return { kind: "none" }
  return mayHold(attempt) ? { kind: "unknown" } : lastAttempt({ at: attempt.startedAt, outcome })
}
