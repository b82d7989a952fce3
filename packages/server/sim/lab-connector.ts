// The connector of a simulated provider: pure, and as careful as a real one. What it cannot read is unknown.

import {
  defineConnector,
  type AccountConfig,
  type Codec,
  type Connector,
  type HttpRequest,
  type HttpResponse,
  type MethodInput,
  type Notice,
} from "../src/connectors/connector.ts"
import type { Effect, Outcome } from "../src/core/outcome.ts"
import type { DeclineReason } from "../src/core/decline.ts"
import type { LabAnswer, LabNotice, LabRequest } from "./lab-psp.ts"
import { manifestOf, type Profile } from "./lab-profile.ts"

const post = (body: LabRequest): HttpRequest => ({
  method: "POST",
  path: `/${body.do}`,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
})

/** A contract says that decoders are total. These bodies find out what the engine does where one is not. */
export const BREAKS_DECODE = "Service temporarily \u0000"
export const BREAKS_SCRUB = "Service temporarily \u0001"

function decode(response: HttpResponse): Outcome {
  if (response.body === BREAKS_DECODE) throw new TypeError("cannot read properties of nonsense")
  const raw = { code: `http ${response.status}` }
  if (response.status === 429)
    return { kind: "rejected", fault: "theirs", executed: "no", reason: "rate_limited", raw, evidence: {} }
  // Some answers say that something failed, and not whether before or after the money had moved.
  if (response.status === 502)
    return { kind: "rejected", fault: "theirs", executed: "unknown", reason: "provider_error", raw, evidence: {} }
  if (response.status !== 200) return { kind: "unknown", raw, evidence: {} }
  try {
    return outcomeOf(JSON.parse(response.body) as LabAnswer)
  } catch {
    return { kind: "unknown", raw: { code: "garbage" }, evidence: {} }
  }
}

function outcomeOf(answer: LabAnswer): Outcome {
  const raw = {
    code: answer.reason ?? answer.kind,
    ...(answer.advice === undefined ? {} : { adviceCode: answer.advice }),
    ...(answer.network === undefined ? {} : { networkCode: answer.network }),
  }
  const evidence = answer.reference === undefined ? {} : { reference: answer.reference }
  switch (answer.kind) {
    case "approved":
      return { kind: "approved", effect: answer.effect as Effect, amount: BigInt(answer.amount ?? "0"), raw, evidence }
    case "pending":
      return { kind: "pending", raw, evidence }
    case "action":
      return {
        kind: "action",
        action: { type: "redirect", method: "GET", url: `https://lab.invalid/3ds/${answer.reference}` },
        raw,
        evidence,
      }
    case "declined":
      return { kind: "declined", reason: (answer.reason ?? "unmapped") as DeclineReason, raw, evidence }
    case "refused":
      return { kind: "rejected", fault: "ours", executed: "no", reason: "wrong_state", raw, evidence }
    case "rejected":
      return { kind: "rejected", fault: "theirs", executed: "no", reason: "provider_error", raw, evidence }
    case "absent":
      return { kind: "absent", raw, evidence }
    default:
      return answer.kind satisfies never
  }
}

const codec = <I>(encode: (input: I) => Omit<LabRequest, "account">): Codec<I> => ({
  encode: (input: I, account: AccountConfig) => post({ ...encode(input), account: account.settings["account"] ?? "" }),
  decode,
})

/** What the browser brings is whatever somebody put into it: an answer about another payment says nothing about this one. */
const ownOnly = <I extends { readonly attempt: string }>({ encode, decode: read }: Codec<I>): Codec<I> => ({
  encode,
  decode: (response, input) => {
    const outcome = read(response, input)
    if (outcome.kind === "unknown" || response.status !== 200) return outcome
    const { attempt } = JSON.parse(response.body) as LabAnswer
    return attempt === undefined || attempt === input.attempt
      ? outcome
      : { kind: "unknown", raw: { code: "another_payment" }, evidence: {} }
  },
})

type FollowUp = {
  readonly key: string
  readonly attempt: string
  readonly operation: string
  readonly reference?: string
  readonly final?: boolean
  readonly amount: { readonly minor: bigint }
}
const followUp = (what: LabRequest["do"]) =>
  codec((i: FollowUp) => ({
    do: what,
    key: i.key,
    attempt: i.attempt,
    operation: i.operation,
    amount: String(i.amount.minor),
    ...(i.final === undefined ? {} : { final: i.final }),
    ...(i.reference === undefined ? {} : { reference: i.reference }),
  }))

export function labConnector(profile: Profile): Connector {
  const authorize = (what: "prepare" | "authorize") =>
    codec(
      (i: {
        readonly key: string
        readonly attempt: string
        readonly reference?: string
        readonly amount: { readonly minor: bigint }
        readonly capture: string
        readonly allowPartial: boolean
        readonly method: MethodInput
      }) => ({
        do: what,
        key: i.key,
        attempt: i.attempt,
        amount: String(i.amount.minor),
        auto: i.capture === "automatic",
        partial: i.allowPartial,
        card: i.method.type === "provider_token" ? i.method.token : i.method.number.reveal(),
        ...(i.method.type === "network_token" && i.method.cryptogram !== undefined && what === "authorize"
          ? { cryptogram: i.method.cryptogram.reveal() }
          : {}),
        ...(i.reference === undefined ? {} : { reference: i.reference }),
      }),
    )
  return defineConnector({
    manifest: manifestOf(profile),
    codecs: {
      ...(profile.prepare ? { prepare: authorize("prepare") } : {}),
      authorize: authorize("authorize"),
      complete: ownOnly(
        codec((i) => ({
          do: "complete",
          key: i.key,
          attempt: i.attempt,
          amount: String(i.amount.minor),
          fields: i.fields,
          ...(i.reference === undefined ? {} : { reference: i.reference }),
        })),
      ),
      capture: followUp("capture"),
      void: followUp("void"),
      refund: followUp("refund"),
      increment: followUp("increment"),
      reverse: followUp("reverse"),
    },
    ...(profile.byReference === "none" && profile.byAttempt === "none"
      ? {}
      : {
          inquire: codec((i) => ({
            do: "inquire",
            key: i.key,
            attempt: i.attempt,
            operation: i.operation,
            about: i.about,
            amount: String(i.amount.minor),
            ...(i.reference === undefined ? {} : { reference: i.reference }),
          })),
        }),
    webhook: {
      verify: (request, secrets) =>
        secrets.includes(request.headers["x-secret"] ?? "")
          ? { kind: "genuine" }
          : { kind: "forged", why: "wrong secret" },
      decode: (request) => [noticeOf(JSON.parse(request.body) as LabNotice)],
      acknowledgement: { status: 200, body: "ok" },
    },
    scrub: (text) => {
      if (text === BREAKS_SCRUB) throw new TypeError("cannot scrub nonsense")
      return text
    },
  })
}

function noticeOf(notice: LabNotice): Notice {
  const about = notice.about as Notice["about"]
  return {
    about,
    eventId: notice.event,
    type: notice.about,
    trust: notice.hint ? "hint" : "signed",
    outcome: outcomeOf(notice.answer),
    ...(notice.dispute === undefined ? {} : { dispute: { ...notice.dispute, amount: BigInt(notice.dispute.amount) } }),
    attempt: notice.attempt,
    ...(notice.operation === undefined ? {} : { operation: notice.operation }),
    ...(notice.reference === undefined ? {} : { reference: notice.reference }),
    ...(notice.operationReference === undefined ? {} : { operationReference: notice.operationReference }),
  }
}
