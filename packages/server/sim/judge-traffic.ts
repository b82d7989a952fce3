// What may leave for a provider: only what was written ahead, in time, to the account it belongs to, a cryptogram once, and
// never as a storm. Asked the moment a request is handed to a socket.

import type { Operation, Payment } from "../src/core/payment.ts"
import { broken, claim } from "./claim.ts"
import { SKEW_MS } from "./judge-commit.ts"
import type { LabPsp, LabRequest } from "./lab-psp.ts"

/** Questions about one operation, and requests for it, that a schedule of recovery may come to. */
const MAX_QUESTIONS = 60
const MAX_REQUESTS = 60

export class TrafficJudge {
  readonly #questions = new Map<string, number>()
  readonly #requests = new Map<string, number>()
  readonly #cryptograms = new Map<string, string>()
  readonly #payment: (attempt: string) => Payment | undefined

  constructor(payment: (attempt: string) => Payment | undefined) {
    this.#payment = payment
  }

  beforeSend(psp: LabPsp, request: LabRequest, now: number): void {
    if (request.do === "inquire") {
      const asked = count(this.#questions, `${request.about} ${request.operation}`)
      claim(asked <= MAX_QUESTIONS, () => `${request.about} ${request.operation} was asked about ${asked} times`)
      return
    }
    const what = `${request.do} of ${request.attempt} with key ${request.key}`
    const payment = this.#payment(request.attempt)
    if (payment === undefined) return broken(`${what} was sent before its payment was stored`)
    const written = payment.operations.find((o) => o.key === request.key || o.id === request.operation)
    if (written?.sentAt === undefined) return broken(`${what} was sent without being written ahead`)
    isAsWritten(payment, written, request, what)
    claim(
      written.sendUntil === undefined || now <= written.sendUntil + SKEW_MS,
      () => `${what} was started ${now - (written.sendUntil ?? 0)} ms after it might be`,
    )
    const sent = count(this.#requests, written.id)
    claim(sent <= MAX_REQUESTS, () => `${what} was sent ${sent} times`)
    claim(
      request.reference === undefined ||
        psp.charges.some((c) => c.reference === request.reference && c.account === request.account),
      () => `${what} went to ${request.account}, which does not know ${request.reference}`,
    )
    this.#spends(request, what)
  }

  /** A cryptogram is spent once it was sent, whatever became of it. */
  #spends(request: LabRequest, what: string): void {
    const { cryptogram } = request
    if (cryptogram === undefined) return
    const spent = this.#cryptograms.get(cryptogram)
    claim(spent === undefined, () => `${what} sends a cryptogram to ${request.account} that ${spent} has had`)
    this.#cryptograms.set(cryptogram, request.account)
  }
}

/** What leaves is what was written ahead, to the last unit. */
function isAsWritten(payment: Payment, written: Operation, request: LabRequest, what: string): void {
  const attempt = payment.attempts.find((a) => a.id === written.attempt)
  const same = (field: string, sent: unknown, stored: unknown): void =>
    claim(sent === stored, () => `${what}: ${field} was sent as ${String(sent)} and written ahead as ${String(stored)}`)
  same("kind", request.do, written.kind)
  same("attempt", request.attempt, written.attempt)
  same("key", request.key, written.key)
  same("amount", request.amount, String(written.amount))
  same("account", request.account, attempt?.account)
  if (request.reference !== undefined) same("reference", request.reference, attempt?.reference)
  if (written.kind === "capture") same("final", request.final, written.final)
  if (written.kind !== "authorize" && written.kind !== "prepare") return
  same("capture", request.auto, payment.intent.capture === "automatic")
  same("allowPartial", request.partial, payment.intent.allowPartial)
}

const count = (counts: Map<string, number>, key: string): number => {
  const next = (counts.get(key) ?? 0) + 1
  counts.set(key, next)
  return next
}
