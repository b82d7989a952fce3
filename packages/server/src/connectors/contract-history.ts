// One payment's books, kept by nothing but what the connector reports: each follow-up is sent with what is known before
// it, its outcome is settled by replay, webhook or inquiry like the engine would, and is added up. What somebody does by
// hand at the provider is learned from its webhooks alone. Test support.

import assert from "node:assert/strict"
import { type Money, money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import type { ByHand } from "@orchestra/simulator"
import type { AuthorizeInput, Input, Notice } from "./connector.ts"
import { type Fate, questionAbout, referenceOf, type Shop, soonMs } from "./contract-shop.ts"

type Kind = "capture" | "refund" | "void" | "increment"

/** Rounds of waiting and asking until an operation must have its verdict. */
const maxRounds = 6

export type History = ReturnType<typeof history>

export function history(shop: Shop, paid: { readonly input: AuthorizeInput; readonly outcome: Outcome }) {
  const { connector } = shop
  const { input: authorization, outcome } = paid
  assert.equal(outcome.kind, "approved", `${outcome.kind}: ${outcome.raw.code}`)
  const reference = referenceOf(outcome)
  const { currency } = authorization.amount
  const notices: Notice[] = [...shop.wait(soonMs)]
  let authorized = outcome.amount
  let captured = authorization.capture === "automatic" ? outcome.amount : 0n
  let refunded = 0n
  let ended = false
  let operations = 0

  const inCurrency = (minor: bigint): Money => money(minor, currency)

  function follow(kind: Kind, minor: bigint, fate: Fate, final = true): Outcome {
    operations += 1
    const input = {
      key: `key_${operations}`,
      attempt: authorization.attempt,
      operation: `op_${String(operations).padStart(26, "0")}`,
      reference,
      amount: inCurrency(minor),
      authorized: inCurrency(authorized),
      captured: inCurrency(captured),
      final,
    }
    const outcome = settle(kind, input, shop.run(kind, input, fate))
    assert.ok(outcome.kind !== "unknown" && outcome.kind !== "pending", `${kind} is never settled: ${outcome.raw.code}`)
    if (outcome.kind === "approved") book(kind, outcome.amount, final)
    return outcome
  }

  function book(kind: Kind, amount: bigint, final: boolean): void {
    if (kind === "capture") captured += amount
    if (kind === "refund") refunded += amount
    if (kind === "increment") authorized = amount
    if (kind === "void" || (kind === "capture" && final)) ended = true
  }

  function settle(kind: Kind, input: Input["capture"], first: Outcome): Outcome {
    let outcome = first
    for (let round = 0; round < maxRounds && (outcome.kind === "unknown" || outcome.kind === "pending"); round++) {
      learn(shop.wait(soonMs * 4 ** round))
      const told = notices.findLast(
        (notice) =>
          notice.trust === "signed" && notice.operation === input.operation && notice.outcome.kind !== "pending",
      )
      if (told !== undefined) return told.outcome
      const { replay, inquiry } = connector.manifest.operations[kind]!
      const again = outcome.kind === "unknown" && replay.stores === "all" ? shop.run(kind, input) : outcome
      outcome =
        again.kind === "unknown" && inquiry.byReference !== "none"
          ? shop.run("inquire", questionAbout(kind, authorization, input, outcome))
          : again
      if (outcome.kind === "pending" && inquiry.byReference !== "none")
        outcome = shop.run("inquire", questionAbout(kind, authorization, input, outcome))
    }
    return outcome
  }

  const foundByReference = new Set<string>()
  let capturedByHand = 0n

  /** What the webhooks tell that is no operation of ours, once each. */
  function learn(told: readonly Notice[]): void {
    notices.push(...told)
    for (const { about, operation, operationReference, trust, outcome, sum, final } of told) {
      if (operation !== undefined || trust !== "signed" || outcome.kind !== "approved") continue
      if (operationReference !== undefined && foundByReference.has(`${about} ${operationReference}`)) continue
      if (operationReference !== undefined) foundByReference.add(`${about} ${operationReference}`)
      if (about === "capture") {
        const news = sum === true ? outcome.amount - capturedByHand : outcome.amount
        // The capture of an automatic payment is told by its own webhook, too: it is known.
        if (news <= 0n || news > authorized - captured) continue
        captured += news
        if (sum === true) capturedByHand = outcome.amount
        if (final === true) ended = true
      }
      if (about === "refund") refunded += outcome.amount
      if (about === "void" || about === "expire") ended = true
    }
  }

  const { multipleCaptures } = connector.manifest.features
  return {
    notices,
    state: () => {
      learn(shop.wait(soonMs))
      return { authorized, captured, refunded, ended }
    },
    capture: (minor: bigint, fate: Fate = "answered", final = true): Outcome => follow("capture", minor, fate, final),
    refund: (minor: bigint, fate: Fate = "answered"): Outcome => follow("refund", minor, fate),
    void: (fate: Fate = "answered"): Outcome => follow("void", authorized, fate),
    increment: (total: bigint, fate: Fate = "answered"): Outcome => follow("increment", total, fate),
    /** Somebody at the provider's dashboard, as far as it lets him; we learn of it by webhook, at once or later. */
    byHand(
      kind: ByHand["type"],
      [numerator, denominator]: readonly [bigint, bigint],
      final: boolean,
      told: boolean,
    ): void {
      const part = ((kind === "refund" ? captured - refunded : authorized - captured) * numerator) / denominator
      if (kind === "void" || kind === "cancel_or_refund") shop.persona.befall(reference, { type: "void" })
      else if (part > 0n)
        shop.persona.befall(reference, { type: kind, amount: part, final: final || !multipleCaptures })
      if (told) learn(shop.wait(soonMs))
    },
    /** A share of what is left to do it with, which may be more than that; nothing where nothing is left. */
    attempt(kind: Kind, [numerator, denominator]: readonly [bigint, bigint], fate: Fate, final: boolean): void {
      if (connector.codecs[kind] === undefined) return
      const room = {
        capture: authorized - captured,
        refund: captured - refunded,
        void: authorized,
        increment: authorized,
      }
      const minor = (room[kind] * numerator) / denominator
      if (minor <= 0n || (kind === "increment" && minor <= authorized)) return
      follow(kind, minor, fate, final || !multipleCaptures)
    },
  }
}
