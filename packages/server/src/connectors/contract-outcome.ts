// What an outcome may look like at all, for each operation. Every answer that a decoder gives in the suite, to whatever
// it was fed, passes through here. Test support.

import assert from "node:assert/strict"
import { isDeclineReason } from "../core/decline.ts"
import type { Effect, Outcome } from "../core/outcome.ts"
import type { OperationKind } from "../core/payment.ts"
import type { InquiryInput } from "./connector.ts"
import type { AnyInput } from "./contract-input.ts"
import { leavesOf, type SampleOperation } from "./contract-sample.ts"
import { maxTextLength } from "./json.ts"

const authorized: readonly Effect[] = ["authorized", "captured", "verified"]

const effects: Readonly<Record<OperationKind, readonly Effect[]>> = {
  prepare: ["prepared"],
  authorize: authorized,
  complete: authorized,
  capture: ["captured"],
  void: ["voided"],
  refund: ["refunded"],
  increment: ["incremented"],
  reverse: ["voided", "refunded"],
}

const inquiredEffects: Readonly<Record<OperationKind, readonly Effect[]>> = {
  ...effects,
  prepare: ["prepared", ...authorized, "voided", "refunded"],
  authorize: [...authorized, "voided", "refunded"],
  complete: [...authorized, "voided", "refunded"],
}

export function assertOutcome(outcome: Outcome, operation: SampleOperation, input: AnyInput): void {
  const { raw, evidence } = outcome
  assert.ok(typeof raw.code === "string" && raw.code !== "", "an outcome keeps the provider's code")
  for (const text of [raw.message, raw.networkCode, raw.adviceCode, evidence.reference, evidence.authorizationCode])
    assert.ok(text === undefined || (typeof text === "string" && text !== ""), "evidence is text or absent")
  // A body may be megabytes; what is kept of it in tables and on screens is not (json.ts cuts what it reads).
  for (const text of leavesOf({ raw, evidence }))
    assert.ok(text.length <= maxTextLength, "texts of the provider are cut")
  switch (outcome.kind) {
    case "approved": {
      const asked = operation === "inquire" ? (input as InquiryInput).about : operation
      const allowed = operation === "inquire" ? inquiredEffects[asked] : effects[asked]
      assert.ok(allowed.includes(outcome.effect), `${operation} cannot have the effect ${outcome.effect}`)
      assert.equal(typeof outcome.amount, "bigint")
      if (operation === "prepare" || operation === "authorize" || operation === "complete")
        assert.ok(evidence.reference !== undefined, "an approval that nobody can name, nobody can capture or reverse")
      assert.ok(outcome.amount >= 0n, "no approval is negative")
      if (outcome.effect === "prepared" || outcome.effect === "verified" || outcome.effect === "voided")
        assert.equal(outcome.amount, 0n, `${outcome.effect} moves no money`)
      else if (asked !== "reverse") assert.ok(outcome.amount <= input.amount.minor, "approved more than was asked")
      if (input.amount.minor === 0n && asked === "authorize")
        assert.ok(outcome.effect === "verified" || outcome.effect === "voided", "a zero amount only verifies")
      return
    }
    case "action":
      assert.ok(
        operation === "authorize" ||
          operation === "complete" ||
          (operation === "inquire" && isAboutAuthorization(input)),
        `${operation} cannot ask for an action`,
      )
      assert.match(
        outcome.action.url,
        /^(?:https:|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|\/))/,
        "customers are sent to https only, or to this machine",
      )
      return
    case "declined":
    case "rejected":
      assert.ok(isDeclineReason(outcome.reason), `${outcome.reason} is not a reason`)
      if (outcome.kind === "rejected") {
        assert.ok(["no", "unknown"].includes(outcome.executed))
        if (operation === "prepare") assert.equal(outcome.executed, "no", "what was only prepared cannot have charged")
      }
      return
    case "pending":
    case "unknown":
      return
    case "absent":
      assert.ok(operation === "inquire" || operation === "reverse", `${operation} cannot know of absence`)
      return
    case "not_sent":
      return assert.fail("only the transport knows what was not sent")
    default:
      return outcome satisfies never
  }
}

const isAboutAuthorization = (input: AnyInput): boolean =>
  ["prepare", "authorize", "complete"].includes((input as InquiryInput).about)
