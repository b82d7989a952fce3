// When nothing moves any more: no operation of a payment is open, and stored and true money agree to the last unit. What
// nobody can find out is allowed to wait for a person.

import {
  amountsOf,
  attemptOf,
  isOpen,
  standing,
  statusOf,
  type Attempt,
  type Operation,
  type Payment,
} from "../src/core/payment.ts"
import { claim } from "./claim.ts"
import type { JudgeSight } from "./judge.ts"
import { holds, type Charge } from "./lab-psp.ts"

/** `lessened`: a capture of it failed after its success, so that refunds may be more than what is left. */
export function judgeRest(
  payment: Payment,
  charges: readonly Charge[],
  sight: Pick<JudgeSight, "now" | "findable" | "askable" | "heard" | "note">,
  lessened: boolean,
): void {
  const open = payment.operations.filter(isOpen)
  // Where the provider can be asked by nothing that we have, and nothing ever came, a person is the right end.
  const lost = (o: Operation): boolean => {
    const { account, reference } = attemptOf(payment, o.attempt)!
    const asks = reference === undefined ? sight.findable(account) : sight.askable(account)
    // A reversal can always be sent anew, until all its rounds were accepted by a provider whose every word was lost;
    // anything else only while the provider repeats its answers.
    return o.needsPerson && ((!asks && (reference === undefined || o.kind !== "reverse")) || !sight.heard(account))
  }
  const waits = open.length > 0 && open.every(lost)
  if (waits) sight.note("left to a person where nobody can know")
  claim(
    open.length === 0 || waits,
    () =>
      `${payment.id} never settled: ${open.map((o) => `${o.kind} ${o.state}${o.needsPerson ? " needs a person" : ""}`).join(", ")}`,
  )
  const status = statusOf(payment)
  claim(
    waits || status !== "authorized" || standing(payment)?.state !== "held",
    () => `${payment.id} is still authorized, long after its authorization has run out`,
  )
  claim(waits || (status !== "processing" && status !== "requires_action"), () => `${payment.id} is still ${status}`)
  const held = standing(payment)
  const amounts = amountsOf(payment)
  if (!waits) checkEnd(payment, held, sight.now())
  for (const charge of charges) {
    claim(
      charge.disputed === undefined || payment.disputes.some((d) => d.reference === charge.disputed),
      () => `${payment.id}: ${charge.disputed} is not in our books`,
    )
    const stands =
      held !== undefined &&
      charge.attempt === held.id &&
      (held.reference === undefined || held.reference === charge.reference)
    // What waits for a person may be anything until somebody has looked there.
    const unsaid = waits && open.some((o) => o.attempt === charge.attempt)
    // A bounce of an earlier round of a reversal is not told apart from its having come too early (known-issues.md).
    const ofEarlierRound =
      charge.bounced === true &&
      payment.operations.some((o) => o.kind === "reverse" && o.attempt === charge.attempt && o.round > 0)
    if (unsaid || ofEarlierRound) continue
    if (!stands) {
      claim(
        holds(charge) <= 0n,
        () =>
          `${payment.id} is ${status}, yet ${charge.reference} holds ${holds(charge)} of ${charge.attempt} (${attemptOf(payment, charge.attempt as `att_${string}`)?.state})`,
      )
      continue
    }
    // The provider's hold may have run out by itself; what was taken must agree.
    claim(
      charge.captured === amounts.captured,
      () => `${payment.id}: ${amounts.captured} captured in our books, ${charge.captured} at the provider`,
    )
    claim(
      charge.refunded === amounts.refunded,
      () => `${payment.id}: ${amounts.refunded} refunded in our books, ${charge.refunded} at the provider`,
    )
    if (status === "authorized" && held.state === "held")
      claim(
        charge.authorized === amounts.authorized,
        () => `${payment.id}: ${amounts.authorized} authorized in our books, ${charge.authorized} at the provider`,
      )
    claim(
      charge.captured <= charge.authorized,
      () => `${payment.id}: the provider captured ${charge.captured} of ${charge.authorized}`,
    )
    claim(
      // A refund that was on its way when its capture failed: a lenient provider makes it all the same.
      charge.refunded <= charge.captured || lessened,
      () => `${payment.id}: the provider refunded ${charge.refunded} of ${charge.captured}`,
    )
  }
  if (held?.state === "held")
    claim(
      charges.some((charge) => charge.attempt === held.id),
      () => `${payment.id} is ${status} without a charge at any provider`,
    )
}

/** What was asked for is what came of it: parts, ends, reasons, and the rest of what ran out. */
function checkEnd(payment: Payment, held: Attempt | undefined, now: number): void {
  const { id, intent, ending, closed } = payment
  const status = statusOf(payment)
  if (held?.state === "held" && held.authorized < intent.amount.minor && held.captured < intent.amount.minor)
    claim(intent.allowPartial, () => `${id}: a part of ${held.authorized} was kept although that is not allowed`)
  for (const o of payment.operations)
    if (o.kind === "reverse" && o.reason === "only a part was authorized")
      claim(!intent.allowPartial, () => `${id}: a part was reversed although it is allowed`)
  claim(ending === undefined || closed !== undefined, () => `${id} is ${status} although it was to be ${ending?.as}`)
  claim(
    status !== "failed" || payment.failure !== undefined,
    () => `${id} failed without a reason (${payment.attempts.map((a) => a.outcome?.kind).join(" ")})`,
  )
  if (held?.state === "held" && held.captured < held.authorized && !held.released)
    claim(
      payment.authorizedUntil === undefined || now < payment.authorizedUntil + 3_600_000,
      () => `${id} is ${status} and the rest of it capturable, long after its authorization ended`,
    )
}
