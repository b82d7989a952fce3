// A connector and a simulated provider, joined without a network: encode, the provider's state machine, decode, and every
// webhook through verify and decode. The clock moves only when a test says so, and answers can be lost. Test support.

import assert from "node:assert/strict"
import { type IssuerAnswer, type IssuerRequest, type Persona, PERSONAS, seededRandom } from "@orchestra/simulator"
import type { Outcome } from "../core/outcome.ts"
import { secret } from "../core/secret.ts"
import type {
  AccountConfig,
  AuthorizeInput,
  Connector,
  HttpRequest,
  HttpResponse,
  Input,
  InquiryInput,
  Notice,
} from "./connector.ts"
import { codecOf } from "./contract-encode.ts"
import { type AnyInput, standardInput } from "./contract-input.ts"
import type { SampleOperation } from "./contract-sample.ts"
import { nodeHmac } from "./contract-webhook.ts"

export type Stand = {
  readonly persona: Persona["id"]
  /** The account as the manifest describes it, out of the persona's test keys. */
  readonly config: (credentials: Readonly<Record<string, string>>) => AccountConfig
  readonly webhookSecret: (credentials: Readonly<Record<string, string>>) => string
  /** A card that the simulated bank challenges whenever it is asked to, where the usual test card is never enrolled. */
  readonly challengedCard?: string
  /** The simulated provider's ledger counts in the provider's minor units, not in ISO's. */
  readonly truthInProviderUnits?: true
}

export type Answering = (request: IssuerRequest) => Partial<IssuerAnswer>

/** What became of a request: all is well, its answer was lost, the provider failed after the work, or refused before it. */
export type Fate = "answered" | "lost" | "failed" | "throttled"

const origin = "https://customers.example"
const start = Date.UTC(2027, 0, 15, 12)
/** Enough for every webhook of an operation that works; less than any hold lasts. */
export const soonMs = 60_000

export type Shop = ReturnType<typeof openShop>

export function openShop(connector: Connector, stand: Stand, answering: Answering = () => ({}), seed = "shop") {
  let now = start
  let timers: { readonly at: number; readonly run: () => void }[] = []
  const random = seededRandom(seed)
  const kind = PERSONAS[stand.persona]
  const credentials = kind.credentials(random)
  const ports = {
    now: () => now,
    random,
    after: (ms: number, run: () => void) => void timers.push({ at: now + ms, run }),
  }
  const persona = kind.create({ id: "shop", credentials, publicUrl: origin }, ports, (request) => ({
    responseCode: "00",
    approvedAmount: request.amount,
    ...answering(request),
  }))
  const config = stand.config(credentials)
  const notices: Notice[] = []
  persona.onWebhook((webhook) => {
    const verdict = connector.webhook.verify(webhook, [stand.webhookSecret(credentials)], now, nodeHmac)
    assert.deepEqual(verdict, { kind: "genuine" }, "the provider's own webhook is genuine")
    notices.push(...connector.webhook.decode(webhook))
  })

  /** What the transport would hand to decode; undefined where nothing came back. */
  function carry({ body = "", ...rest }: HttpRequest, fate: Fate = "answered"): HttpResponse | undefined {
    const request = { ...rest, body }
    if (fate === "throttled") return persona.trouble(429, request)
    const response = persona.handle(request)
    if (fate === "answered") return response
    if (fate === "lost") return undefined
    const trouble = persona.trouble(500, request)
    persona.replaceStored(request, trouble)
    return trouble
  }

  function run(operation: SampleOperation, input: AnyInput, fate: Fate = "answered"): Outcome {
    const codec = codecOf(connector, operation)
    const response = carry(codec.encode(input, config), fate)
    return response === undefined
      ? { kind: "unknown", raw: { code: "silence" }, evidence: {} }
      : codec.decode(response, input)
  }

  return {
    connector,
    persona,
    config,
    carry,
    run,
    truth: () => persona.truth(),
    /** Everything that becomes due, and the notices since the last call. */
    wait(ms: number): readonly Notice[] {
      const until = now + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter((timer) => timer !== next)
        now = next.at
        next.run()
      }
      now = until
      return notices.splice(0)
    },
    /** Prepares where the connector does, then authorizes. */
    pay(
      change: Partial<AuthorizeInput> = {},
      fate: Fate = "answered",
    ): { readonly input: AuthorizeInput; readonly outcome: Outcome } {
      const { reference: _standard, ...standard } = standardInput(connector, "authorize") as AuthorizeInput
      const asked = { ...standard, threeDs: { mode: "none" }, ...change } as const
      const { method } = asked
      const challenged =
        stand.challengedCard !== undefined && asked.threeDs.mode === "required" && method.type === "card"
      const input: AuthorizeInput = challenged
        ? { ...asked, method: { ...method, number: secret(stand.challengedCard) } }
        : asked
      if (connector.codecs.prepare === undefined) return { input, outcome: run("authorize", input, fate) }
      const prepared = run("prepare", { ...input, key: `${input.key}p` })
      assert.equal(prepared.kind, "approved", `${prepared.raw.code}: ${prepared.raw.message}`)
      const known = { ...input, reference: referenceOf(prepared) }
      return { input: known, outcome: run("authorize", known, fate) }
    },
    /** The customer's deed at the bank, and what the browser brings back. */
    challenge(outcome: Outcome, deed: "authenticated" | "failed" | "abandoned"): Readonly<Record<string, string>> {
      assert.ok(outcome.kind === "action" && outcome.action.url.startsWith(origin), "the customer is sent to the bank")
      const path = outcome.action.url.slice(origin.length)
      const page = { path, headers: { "content-type": "application/x-www-form-urlencoded" } }
      assert.equal(persona.page({ ...page, method: "GET", body: "" }).status, 200)
      const back = persona.page({ ...page, method: "POST", body: `challenge=${deed}` })
      const location = back.headers["location"]
      return location === undefined ? {} : Object.fromEntries(new URL(location).searchParams)
    },
  }
}

export function referenceOf(outcome: Outcome): string {
  assert.ok(outcome.evidence.reference !== undefined, `no reference in ${outcome.kind}`)
  return outcome.evidence.reference
}

/** A question about an authorization or, with the input of a follow-up, about that. */
export function questionAbout(
  about: InquiryInput["about"],
  authorization: AuthorizeInput,
  asked: Partial<Input["void"]> = {},
  learned?: Outcome,
): InquiryInput {
  const reference =
    asked.reference ?? (about === "authorize" ? learned?.evidence.reference : undefined) ?? authorization.reference
  const operationReference = about === "authorize" ? undefined : learned?.evidence.reference
  return {
    about,
    attempt: authorization.attempt,
    operation: asked.operation ?? authorization.attempt.replace("att_", "op_"),
    key: asked.key ?? authorization.key,
    amount: asked.amount ?? authorization.amount,
    capture: authorization.capture,
    ...(reference === undefined ? {} : { reference }),
    ...(operationReference === undefined ? {} : { operationReference }),
  }
}
