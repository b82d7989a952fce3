// What routing knows of accounts now, and how it came to that.

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import type { RoutingChange } from "../storage/resources/signal-store.ts"
import { callerOf } from "./context.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { closed, Page, Time, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

const states = ["healthy", "suspect", "ejected", "probing", "returning"] as const

const worstFirst = ["ejected", "probing", "returning", "suspect"] as const

const Evidence = Type.Object(
  {
    since: Type.Optional(Time),
    outcomes: Type.Optional(Type.Integer({ description: "Since then." })),
    bad: Type.Optional(Type.Integer({ description: "How many of them were." })),
    expected: Type.Optional(Type.Number({ description: "What share of bad ones is usual." })),
    statistic: Type.Optional(Type.Number({ description: "The sum of log likelihood ratios." })),
    threshold: Type.Optional(Type.Number({ description: "Above it the account is ejected." })),
    probability: Type.Optional(Type.Number({ description: "The chance that it is in trouble right now." })),
  },
  { additionalProperties: true },
)

export const AccountHealthResource = Type.Object(
  {
    account: Type.String(),
    state: words(states, "The worst of what its `troubles` say; each is about a part of its traffic."),
    success_rate: Type.Union([Type.Number(), Type.Null()], {
      description:
        "Of the attempts that somebody decided on, the share that was paid. An outcome counts half after 15 minutes; null below 20 of them.",
    }),
    technical_failure_rate: Type.Union([Type.Number(), Type.Null()], {
      description: "Of all attempts, weighted alike: a provider that fails now still has the calm before in it.",
    }),
    latency_ms: Type.Integer({ description: "The answer that is expected of it." }),
    cap_left: Type.Union([Type.Number(), Type.Null()], { description: "Of this month's cap; null: it has none." }),
    troubles: Type.Array(
      Type.Object({
        scope: Type.String({ description: "`all`, or the part of its traffic it is about, e.g. `country:DE`." }),
        state: words(states),
        cause: words(["technical", "declines"]),
        share: Type.Number({ description: "Of that traffic which may go there now." }),
        since: Time,
        evidence: Evidence,
      }),
    ),
  },
  { $id: "AccountHealth" },
)

export const RoutingChangeResource = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    scope: Type.String({ description: "`all`, a part of its traffic as in `troubles`, or `latency`." }),
    from: Type.String({ description: "A state of health; of `latency`: `healthy` or `slow`." }),
    to: Type.String(),
    cause: Type.String(),
    why: Type.String(),
    at: Time,
    evidence: Evidence,
  },
  { $id: "RoutingChange", description: "An account's health became another one, as all nodes agree." },
)

export const routing: Routes = (app, api, guard) => {
  app.get(
    "/routing/health",
    {
      schema: {
        operationId: "getRoutingHealth",
        tags: ["Routing"],
        summary: "Retrieve the health of all accounts, with the evidence",
        description: "As this node sees it; nodes share what they see within a second.",
        response: { 200: Type.Object({ data: Type.Array(AccountHealthResource) }) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const { engine } = api
      const { signals } = engine.signals.shelfOf({ merchant, mode })
      const accounts = engine.directory.accounts(merchant).filter(({ config }) => config.mode === mode)
      const live = engine.signals.live(
        merchant,
        mode,
        accounts.map(({ id }) => id),
      )
      return Promise.resolve({
        data: accounts.map(({ id }): Static<typeof AccountHealthResource> => {
          const { successRate, technicalFailureRate, latencyMs, capLeft } = live[id]!
          const troubles = signals.overall(id, engine.clock.now())?.troubles ?? []
          return {
            account: id,
            state: worstFirst.find((state) => troubles.some((trouble) => trouble.state === state)) ?? "healthy",
            success_rate: successRate ?? null,
            technical_failure_rate: technicalFailureRate ?? null,
            latency_ms: latencyMs ?? 0,
            cap_left: capLeft ?? null,
            troubles: troubles.map((trouble) => ({
              scope: trouble.dimension === "all" ? "all" : `${trouble.dimension}:${trouble.value}`,
              state: trouble.state,
              cause: trouble.cause,
              share: trouble.share,
              since: rfc3339(Math.round(trouble.sinceMs)),
              evidence: {
                since: rfc3339(Math.round(trouble.evidence.sinceMs)),
                outcomes: trouble.evidence.n,
                bad: trouble.evidence.bad,
                expected: trouble.evidence.expected,
                statistic: trouble.evidence.statistic,
                threshold: trouble.evidence.threshold,
                probability: trouble.evidence.probability,
              },
            })),
          }
        }),
      })
    },
  )

  app.get(
    "/routing/changes",
    {
      schema: {
        operationId: "listRoutingChanges",
        tags: ["Routing"],
        summary: "List how the health of accounts changed, newest first",
        querystring: closed(pageQuery),
        response: { 200: Page(RoutingChangeResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const page = await api.routing.store.changes({ merchant, mode }, pageRequest(request.query, "rch"))
      return pageResource(page, changeResource)
    },
  )
}

function changeResource({ id, account, scope, from, to, at, document }: RoutingChange) {
  const { cause, why, evidence } = document as {
    readonly cause: string
    readonly why: string
    readonly evidence: Readonly<Record<string, number>>
  }
  const { since, ...rest } = evidence
  return {
    id,
    account,
    scope,
    from,
    to,
    cause,
    why,
    at: rfc3339(at),
    evidence: given({ since: since === undefined ? undefined : rfc3339(since), ...rest }),
  }
}
