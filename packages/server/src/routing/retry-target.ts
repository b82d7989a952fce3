// To whom another attempt of a given shape can be sent at all: what the account takes, what the payment still has to offer,
// and how often the provider fails at the moment.

import type { AttemptShape } from "../core/attempt-shape.ts"
import type { AccountId } from "../core/id.ts"
import type { NextAttempt } from "./retry-budget.ts"
import type { ErrorRate, RetryStep } from "./retry-plan.ts"

/** The payment as far as retries ask. */
export type RetriedPayment = Omit<NextAttempt, "last"> & {
  readonly method: "card" | "network_token" | "provider_token"
  /** All that there is to pay with; a provider's token is none. */
  readonly credentials: readonly ("card" | "network_token")[]
  /** Newer data of the card's account is at hand than the last attempt was made with. */
  readonly updatedAccount: boolean
  /** The customer went through a challenge or redirect for this attempt. */
  readonly challenged: boolean
  /** The customer is still there and may be asked to authenticate. */
  readonly customerPresent: boolean
  /** The card is stored under an agreement, with a network transaction id to refer to. */
  readonly storedAgreement: boolean
}

/** What an account can do for a retry, from its connector's manifest and the payment's decision. */
export type RetryTarget = {
  readonly account: AccountId
  readonly provider: string
  /** The payment had an attempt there. */
  readonly tried?: true
  /** Time that an attempt there needs for a full answer: none starts with less. */
  readonly answerMs: number
  /** For how long the provider refuses a like payment as a duplicate. */
  readonly duplicateWindowMs?: number
  /** It takes card numbers, and the number is at hand with all that it needs (a security code is not kept). */
  readonly card: boolean
  /** It takes network tokens, and one can be had for it with a cryptogram that was not sent before. */
  readonly networkToken: boolean
  readonly threeDs: boolean
  readonly merchantInitiated: boolean
  readonly descriptor: boolean
}

/** Technical failures at one provider within a window that ends now. */
export type ObservedRate = {
  readonly windowSeconds: number
  readonly attempts: number
  readonly technicalFailures: number
}
/** By provider. */
export type ErrorRates = Readonly<Record<string, readonly ObservedRate[]>>

/** Whether a provider fails at least as often as asked. Without enough attempts there is no rate, and the answer is no. */
export function isAbove(asked: ErrorRate, observed: readonly ObservedRate[] | undefined): boolean {
  const rate = observed?.find(({ windowSeconds }) => windowSeconds === asked.windowSeconds)
  if (rate === undefined || rate.attempts < asked.minimumAttempts) return false
  return rate.technicalFailures * 10_000 >= asked.atLeastBps * rate.attempts
}

/** Why the payment cannot be shaped so, whoever takes it. */
export function refusesShape(shape: AttemptShape, payment: RetriedPayment): string | undefined {
  if (shape.threeDs === "required" && !payment.customerPresent) return "3-D Secure needs the customer, who is not there"
  if (shape.merchantInitiated === true && payment.initiator === "customer" && !payment.storedAgreement)
    return "the customer agreed to no payment by the merchant alone: it cannot be flagged as one"
  if (payment.method === "provider_token" && shape.credential !== undefined)
    return "the payment has a provider's token only, and no number to choose another credential for"
  if (shape.credential !== undefined && !payment.credentials.includes(shape.credential))
    return `the payment has no ${shape.credential === "card" ? "card number" : "network token"} to be sent`
  if (shape.updatedAccount === true && !payment.updatedAccount) return "no newer data of the card's account is known"
  return undefined
}

/** Why this account does not get the attempt. */
export function refusesTarget(
  { shape, avoidAbove }: RetryStep,
  target: RetryTarget,
  last: { readonly account: AccountId },
  { method }: RetriedPayment,
  errorRates: ErrorRates,
): string | undefined {
  const credential = shape.credential ?? method
  if (credential === "card" && !target.card) return "the account does not take the card's number"
  if (credential === "network_token" && !target.networkToken) return "the account does not take a network token"
  if (credential === "provider_token" && target.account !== last.account) return "another provider issued the token"
  if (shape.threeDs === "required" && !target.threeDs) return "the account does not do 3-D Secure"
  if (shape.merchantInitiated === true && !target.merchantInitiated)
    return "the account does not take merchant-initiated payments"
  if (shape.descriptor !== undefined && !target.descriptor) return "the account does not let the descriptor be chosen"
  if (avoidAbove !== undefined && isAbove(avoidAbove, errorRates[target.provider]))
    return `${target.provider} fails too often at the moment`
  return undefined
}
