// From a payment to the request of one attempt: which account may be tried, and what its connector is told.

import {
  takesNetworkTransactionId,
  type AuthorizeInput,
  type MethodInput,
  type ThreeDs,
} from "../connectors/connector.ts"
import { shaped } from "../core/attempt-shape.ts"
import { given } from "../core/given.ts"
import { makeId, type AccountId } from "../core/id.ts"
import type { Intent } from "../core/intent.ts"
import type { Attempt, Operation, Payment, PaymentEvent } from "../core/payment.ts"
import { readsOf } from "../routing/conditions/reads.ts"
import { liveAccountsOf } from "../routing/conditions/live.ts"
import {
  conclude,
  examine,
  type Candidate,
  type Decision,
  type Examined,
  type RoutingContext,
} from "../routing/decide.ts"
import type { Policy } from "../routing/policy.ts"
import { CARD_GONE } from "../core/settlement.ts"
import type { Account, Engine, Secrets } from "./engine.ts"
import { newOperation } from "./change.ts"
import { asksForThreeDs } from "./observations.ts"
import type { Read } from "./signals.ts"
import { deadline, sendUntil } from "./timing.ts"

export function candidateOf(account: Account): Candidate {
  const { manifest } = account.connector
  return {
    id: account.id,
    connector: manifest.id,
    state: account.state,
    mode: account.config.mode,
    card: manifest.methods.card,
    networkToken: manifest.methods.networkToken,
    networks: manifest.methods.networks,
    currencies: manifest.currencies,
    exponents: manifest.exponents,
    steps: manifest.steps ?? {},
    zeroAmount: manifest.features.zeroAmount,
    externalThreeDs: manifest.features.externalThreeDs,
    merchantInitiated: manifest.features.merchantInitiated,
    partialApproval: manifest.features.partialApproval,
    networkTransactionId: takesNetworkTransactionId(manifest, account.config.settings),
    ...(manifest.methods.tokenNetworks === undefined ? {} : { tokenNetworks: manifest.methods.tokenNetworks }),
  }
}

/** All that routing may know. Of metadata only what the policy asks for: the context stands in the decision's record. */
export function routingContext(
  payment: Payment,
  sourceAccount: AccountId | undefined,
  policy: Policy | undefined,
  now: number,
): RoutingContext {
  const { intent } = payment
  const { method, initiator } = intent
  const card = method?.type === "provider_token" ? undefined : method
  const billingCountry = intent.billing?.address?.country
  return {
    mode: payment.mode,
    amount: intent.amount,
    method: method?.type ?? "card",
    initiator: initiator.by,
    threeDs: intent.threeDs.mode,
    now,
    ...given({
      network: method?.network,
      country: card?.country ?? billingCountry,
      cardCountry: card?.country,
      funding: card?.funding,
      issuer: card?.issuer,
      product: card?.product,
      bin: card?.bin,
      stored: initiator.by === "merchant" ? "used" : initiator.stored,
      purpose: initiator.purpose,
      networkTransactionId: initiator.networkTransactionId,
      sourceAccount,
      tokenAccount: method?.type === "provider_token" ? method.account : method?.requestorAccount,
      billingCountry,
      shippingCountry: intent.shipping?.address?.country,
      metadata: policy === undefined ? undefined : askedOf(intent.metadata, readsOf(policy).metadata),
      pinned: intent.pinnedAccount,
    }),
  }
}

function askedOf(metadata: Intent["metadata"], keys: readonly string[]): Readonly<Record<string, string>> | undefined {
  const asked = keys.flatMap((key) => (Object.hasOwn(metadata, key) ? [[key, metadata[key]!] as const] : []))
  return asked.length === 0 ? undefined : Object.fromEntries(asked)
}

/** Where a payment goes now. Whoever asks this acts on it: what it tries out is spent. */
export function route(
  engine: Pick<Engine, "clock" | "directory" | "signals">,
  payment: Payment,
  sourceAccount: AccountId | undefined,
): Decision {
  const { read, decision } = look(engine, payment, sourceAccount)
  if (decision.record.reason !== "declined") engine.signals.decided(payment, read, decision)
  return decision
}

/** Where a payment would go now; changes nothing. */
export function look(
  engine: Pick<Engine, "clock" | "directory" | "signals">,
  payment: Payment,
  sourceAccount: AccountId | undefined,
): { readonly read: Read; readonly decision: Decision } {
  const { clock, directory, signals } = engine
  const policy = directory.policy(payment.merchant, payment.mode, payment.id, payment.intent.customerId)
  const examined = examineFor(engine, policy, payment, sourceAccount, clock.now())
  const read = signals.read(payment, examined)
  return { read, decision: conclude(examined, read.readings) }
}

/** By this policy. `known`: how accounts did, as it was read for the same payment before. */
export function examineFor(
  { directory, signals }: Pick<Engine, "directory" | "signals">,
  policy: Policy | undefined,
  payment: Payment,
  sourceAccount: AccountId | undefined,
  now: number,
  known: RoutingContext["live"] = {},
): Examined {
  const { merchant, mode } = payment
  const asked = policy === undefined ? [] : liveAccountsOf(policy)
  return examine(
    policy,
    directory.accounts(merchant).map(candidateOf),
    {
      ...routingContext(payment, sourceAccount, policy, now),
      ...(asked.length === 0 ? {} : { live: { ...signals.live(merchant, mode, asked), ...ofThese(asked, known) } }),
    },
    signals.capped(merchant, mode),
  )
}

const ofThese = (asked: readonly AccountId[], known: NonNullable<RoutingContext["live"]>) =>
  Object.fromEntries(asked.flatMap((id) => (known[id] === undefined ? [] : [[id, known[id]] as const])))

/** A new attempt with its first operation, written ahead of the request. */
export function startAttempt(
  engine: Engine,
  payment: Payment,
  account: Account,
  answerBy: number,
  decision: unknown,
  more: Pick<Attempt, "shape" | "follows"> = {},
): { readonly attempt: Attempt; readonly operation: Operation; readonly event: PaymentEvent } {
  const now = engine.clock.now()
  const attempt: Attempt = {
    id: makeId("att", now, engine.chance.bytes(16)),
    ordinal: payment.attempts.length + 1,
    account: account.id,
    connector: account.connector.manifest.id,
    state: "open",
    startedAt: now,
    authorized: 0n,
    captured: 0n,
    refunded: 0n,
    released: false,
    evidence: {},
    ...more,
    decision,
  }
  const operation = authorization(
    engine,
    payment,
    attempt,
    account,
    answerBy,
    account.connector.codecs.prepare === undefined ? "authorize" : "prepare",
  )
  return { attempt, operation, event: { type: "attempt_started", attempt, operation, at: now } }
}

export function authorization(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  account: Account,
  answerBy: number,
  kind: "prepare" | "authorize",
): Operation {
  const now = engine.clock.now()
  // Copies under the same key are only for providers that repeat all their answers; others get one copy, now.
  const until =
    account.connector.manifest.operations[kind]?.replay.stores === "all"
      ? Math.max(answerBy, sendUntil(now))
      : sendUntil(now)
  return {
    id: newOperation(engine)().id,
    attempt: attempt.id,
    kind,
    state: "sent",
    amount: payment.requested,
    key: kind === "authorize" ? attempt.id : `${attempt.id}-p`,
    round: 0,
    final: false,
    createdAt: now,
    sentAt: now,
    sendUntil: until,
    deadline: deadline(account, until),
    owner: engine.node,
    ...given({ generation: account.generation }),
    checkAt: deadline(account, until),
    checks: 0,
    origin: "engine",
    needsPerson: false,
  }
}

export async function authorizeInput(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  operation: Operation,
  secrets: Secrets,
): Promise<AuthorizeInput> {
  const intent = shaped(payment.intent, attempt.shape)
  return {
    key: operation.key,
    attempt: attempt.id,
    amount: { minor: operation.amount, currency: intent.amount.currency },
    capture: intent.capture,
    method: await methodInput(engine, payment, secrets),
    initiator: intent.initiator,
    threeDs: threeDs(intent, attempt, secrets),
    allowPartial: intent.allowPartial,
    store: intent.store,
    returnUrl: engine.returnUrl(payment),
    ...(attempt.reference === undefined ? {} : { reference: attempt.reference }),
    ...(intent.merchantReference === undefined ? {} : { merchantReference: intent.merchantReference }),
    ...(intent.descriptor === undefined ? {} : { descriptor: intent.descriptor }),
    ...(intent.description === undefined ? {} : { description: intent.description }),
    ...(intent.customerId === undefined ? {} : { customer: { id: intent.customerId, ...intent.customer } }),
    ...(intent.billing === undefined ? {} : { billing: intent.billing }),
    ...(intent.shipping === undefined ? {} : { shipping: intent.shipping }),
  }
}

/** What the payment was to be made with is no longer to be had; nothing less is sent in its place. */
export class MethodGone extends Error {
  readonly code: typeof CARD_GONE | "cryptogram_gone"
  constructor(code: MethodGone["code"], message: string) {
    super(message)
    this.code = code
  }
}

async function methodInput(engine: Engine, payment: Payment, secrets: Secrets): Promise<MethodInput> {
  const method = payment.intent.method
  if (method === undefined) throw new MethodGone(CARD_GONE, "the payment has no payment method")
  if (method.type === "provider_token") {
    return {
      type: "provider_token",
      token: method.token,
      ...(method.customer === undefined ? {} : { customer: method.customer }),
      ...(secrets.cvc === undefined ? {} : { cvc: secrets.cvc }),
      ...(method.network === undefined ? {} : { network: method.network }),
    }
  }
  const number = secrets.number ?? (await engine.cards.read(payment.merchant, method))
  if (number === undefined) throw new MethodGone(CARD_GONE, `card ${method.token} is no longer kept`)
  if (method.type === "network_token" && method.hasCryptogram === true && secrets.cryptogram === undefined)
    throw new MethodGone("cryptogram_gone", "the network token's cryptogram was only in the process that took it")
  const card = {
    number,
    expiryMonth: method.expiryMonth,
    expiryYear: method.expiryYear,
    network: method.network,
    ...(method.holderName === undefined ? {} : { holderName: method.holderName }),
  }
  return method.type === "card"
    ? { type: "card", ...card, ...(secrets.cvc === undefined ? {} : { cvc: secrets.cvc }) }
    : {
        type: "network_token",
        ...card,
        ...(secrets.cryptogram === undefined ? {} : { cryptogram: secrets.cryptogram }),
        ...(method.eci === undefined ? {} : { eci: method.eci }),
      }
}

// A result from elsewhere goes with the payment to whichever account is tried: it authenticates the cardholder for this
// purchase, not for one acquirer. Without its cryptogram it would be an unauthenticated payment, which nobody asked for.
function threeDs({ threeDs: asked }: Intent, attempt: Attempt, secrets: Secrets): ThreeDs {
  if (asked.mode !== "external") return asksForThreeDs(attempt) ? { mode: "required" } : asked
  if (secrets.threeDsCryptogram === undefined)
    throw new MethodGone("cryptogram_gone", "the 3DS result's cryptogram was only in the process that took it")
  return { ...asked, cryptogram: secrets.threeDsCryptogram }
}
