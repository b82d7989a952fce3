// A person at the merchant's: reads in the provider's back office what became of an operation, and says so. The diligent one
// comes when an operation waits for a person; the impatient one comes whenever he likes, and is to be refused where his
// word could be wrong. Both say the truth as they read it; now and then with a digit too many.

import type { AccountId } from "../src/core/id.ts"
import { authorizes, isOpen, type Operation, type Payment } from "../src/core/payment.ts"
import { retryOperation, settleByHand, type Said } from "../src/engine/operator.ts"
import type { Followed } from "../src/engine/follow-up.ts"
import type { Charge, LabPsp } from "./lab-psp.ts"
import { MERCHANT, type Town } from "./merchant.ts"

type Seen = { readonly said: Said } | "look again" | undefined

/** Times that a diligent person comes back to one operation. */
const MAX_VISITS = 2

export class Person {
  readonly #town: Town
  readonly #diligent: boolean
  readonly #visits = new Map<string, number>()
  #words = 0

  constructor(town: Town) {
    this.#town = town
    const { world } = town
    this.#diligent = world.chance(0.7)
    if (world.chance(0.4))
      for (let i = 0; i < 8; i++) world.after(world.int(2_000, 400_000), () => town.aside(this.#meddle()))
  }

  /** Goes through the list of what needs a person; false where there is nothing to do. */
  visit(): boolean {
    const { world, ledger, aside } = this.#town
    if (!this.#diligent) return false
    let some = false
    for (const payment of ledger.contents.payments())
      for (const operation of payment.operations) {
        const visits = this.#visits.get(operation.id) ?? 0
        if (!isOpen(operation) || !operation.needsPerson || visits >= MAX_VISITS) continue
        this.#visits.set(operation.id, visits + 1)
        some = true
        world.expect(world.int(0, 3_600_000), () => aside(this.#decide(payment.id, operation.id, visits === 0)))
      }
    return some
  }

  async #meddle(): Promise<void> {
    const { world, ledger } = this.#town
    // Mostly with what is open, and at times with what is long closed.
    const any = world.chance(0.2)
    const found = ledger.contents
      .payments()
      .flatMap((p) => p.operations.filter((o) => any || isOpen(o)).map((o) => [p, o] as const))
    if (found.length === 0) return
    const [payment, operation] = world.pick(found)
    world.note("a person meddled")
    await this.#decide(payment.id, operation.id, false)
  }

  async #decide(id: Payment["id"], operation: Operation["id"], first: boolean): Promise<void> {
    const { world, ledger } = this.#town
    const payment = ledger.contents.payments().find((p) => p.id === id)
    const open = payment?.operations.find((o) => o.id === operation)
    if (payment === undefined || open === undefined) return
    const seen = first && world.chance(0.3) ? "look again" : this.#look(payment, open)
    if (seen === undefined) return
    if (isOpen(open) && open.needsPerson)
      world.note(seen === "look again" ? "a person had it looked at anew" : "settled by a person")
    this.#words += 1
    const person = { by: `Ada ${this.#words}`, key: "key_0" }
    await this.#town.client.request(`person-${this.#words}`, async (node, request): Promise<Followed> => {
      const acted = await (seen === "look again"
        ? retryOperation(node.engine, MERCHANT, id, operation, person, request)
        : settleByHand(node.engine, MERCHANT, id, operation, seen.said, person, request))
      return acted.kind === "refused" ? { kind: "not_found" } : acted
    })
  }

  #look(payment: Payment, operation: Operation): Seen {
    const { world, psps, accounts } = this.#town
    const attempt = payment.attempts.find((a) => a.id === operation.attempt)!
    const psp = psps.find(
      (p) => p.profile.id === accounts.account(attempt.account as AccountId)?.connector.manifest.id,
    )!
    const charge = psp.charges.findLast((c) => c.attempt === attempt.id)
    const said = authorizes(operation)
      ? ofAuthorization(charge, world.chance(0.5))
      : operation.kind === "reverse"
        ? ofReversal(psp, charge)
        : ofFollowUp(operation, charge)
    if (said === undefined) return operation.needsPerson ? "look again" : undefined
    return said.verdict === "succeeded" && world.chance(0.1)
      ? { said: { ...said, amount: operation.amount * 10n + 1n } }
      : { said }
  }
}

/** `wordy`: says also what goes without saying. */
function ofAuthorization(charge: Charge | undefined, wordy: boolean): Said | undefined {
  if (charge === undefined || charge.state === "prepared") return { verdict: "absent" }
  const { state, reference, auto, authorized, captured, refunded } = charge
  if (state === "declined") return { verdict: "failed" }
  if (state === "voided" || state === "canceled") return { verdict: "reversed" }
  const untouched = refunded === 0n && captured === (auto ? authorized : 0n)
  return state === "authorized" && untouched
    ? { verdict: "succeeded", reference, amount: authorized, ...(wordy ? { captured: auto } : {}) }
    : undefined
}

function ofFollowUp({ id }: Operation, charge: Charge | undefined): Said | undefined {
  const deed = charge?.does.find((d) => d.operation === id)
  if (deed === undefined) return { verdict: "absent" }
  if (deed.state === "accepted") return undefined
  return deed.state === "done"
    ? { verdict: "succeeded", amount: deed.amount, reference: deed.id }
    : { verdict: "failed" }
}

/** A reversal that nobody has made is made at the provider, and then said to have succeeded. */
function ofReversal(psp: LabPsp, charge: Charge | undefined): Said | undefined {
  if (charge === undefined || charge.state === "declined") return { verdict: "absent" }
  if (charge.state === "voided" || charge.state === "canceled") return { verdict: "succeeded" }
  if (charge.state !== "authorized" || charge.does.some((d) => d.state === "accepted")) return undefined
  if (charge.captured === 0n) psp.doByHand(charge, "void", charge.authorized)
  else if (charge.captured > charge.refunded) psp.doByHand(charge, "refund", charge.captured - charge.refunded)
  return { verdict: "succeeded" }
}
