// How an attempt may differ from what the merchant asked for, where a retry plan says so. Stored on the attempt, so that
// whoever sends its request again sends the same one.

import { given } from "./given.ts"
import type { Initiator, Intent, ThreeDsIntent } from "./intent.ts"

/** What is absent stays as it was. */
export type AttemptShape = {
  readonly credential?: "card" | "network_token"
  readonly threeDs?: "required" | "none"
  /** Flagged as initiated by the merchant, under the agreement with which the card was stored. */
  readonly merchantInitiated?: true
  readonly descriptor?: string
  /** With the newer account data of the network's updater. */
  readonly updatedAccount?: true
}

/** What an attempt of this shape is made of. Credential and account data are the method's own affair (MethodInput). */
export function shaped(intent: Intent, shape: AttemptShape = {}): Intent {
  const { threeDs, merchantInitiated, descriptor } = shape
  return {
    ...intent,
    ...given({
      threeDs: threeDs === undefined ? undefined : ({ mode: threeDs } satisfies ThreeDsIntent),
      initiator: merchantInitiated === true ? ofTheMerchant(intent.initiator) : undefined,
      descriptor,
    }),
  }
}

const ofTheMerchant = (initiator: Initiator): Initiator =>
  initiator.by === "merchant"
    ? initiator
    : given({
        by: "merchant",
        purpose: initiator.purpose ?? "unscheduled",
        networkTransactionId: initiator.networkTransactionId,
      } as const)
