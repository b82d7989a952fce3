// The providers' books against ours, to the unit: at most one charge of a payment holds money, it is the one that stands,
// and its amounts are the payment's.

import type { TrueCharge } from "@orchestra/simulator"
import {
  amountsOf,
  isOpen,
  standing,
  statusOf,
  type Attempt,
  type Payment,
} from "../../packages/server/src/core/payment.ts"
import { finding, type Finding } from "./finding.ts"

export function judgeMoney(payments: readonly Payment[], charges: readonly TrueCharge[]): readonly Finding[] {
  const byAttempt = new Map<string, TrueCharge[]>()
  for (const charge of charges) {
    const known = byAttempt.get(charge.merchantReference)
    if (known === undefined) byAttempt.set(charge.merchantReference, [charge])
    else known.push(charge)
  }
  const findings: Finding[] = []
  for (const payment of payments) {
    const own = payment.attempts.flatMap((attempt) =>
      (byAttempt.get(attempt.id) ?? []).map((charge) => ({ attempt, charge })),
    )
    for (const { id } of payment.attempts) byAttempt.delete(id)
    findings.push(...judgePayment(payment, own))
  }
  for (const [attempt, stray] of byAttempt)
    for (const { reference, account, held } of stray.filter(isTaking))
      findings.push(
        finding(
          "double_charge",
          undefined,
          `${account} ${reference} holds ${held} for ${attempt}, which no payment has`,
        ),
      )
  return findings
}

type Own = { readonly attempt: Attempt; readonly charge: TrueCharge }

function judgePayment(payment: Payment, own: readonly Own[]): readonly Finding[] {
  const findings: Finding[] = []
  const add = (kind: Finding["kind"], what: string): void => void findings.push(finding(kind, payment.id, what))
  const status = statusOf(payment)
  const open = payment.operations.filter(isOpen)
  if (open.length > 0 || status === "processing" || status === "requires_action") {
    const still = open.map((o) => `${o.id} ${o.kind} ${o.state}${o.needsPerson ? " needs a person" : ""}`)
    add("unsettled", `is ${status} with ${still.join(", ") || "nothing open"}`)
  }
  const stands = standing(payment)
  const holding = own.filter(({ charge }) => charge.held > 0n)
  if (holding.length > 1)
    add("double_charge", `the cardholder is charged ${holding.length} times: ${holding.map(named).join(", ")}`)
  for (const each of own) {
    const isStanding =
      stands?.id === each.attempt.id &&
      (each.attempt.reference === undefined || each.attempt.reference === each.charge.reference)
    if (!isStanding && isTaking(each.charge))
      add("double_charge", `is ${status}, and yet ${named(each)} holds money; the attempt is ${each.attempt.state}`)
    if (isStanding) judgeStanding(payment, each, add)
    const { captured, authorized, refunded } = each.charge
    if (captured > authorized) add("double_charge", `${named(each)} captured more than was authorized`)
    if (refunded > captured) add("lost", `${named(each)} refunded more than was captured`)
  }
  if (stands?.state === "held" && !own.some(({ attempt }) => attempt.id === stands.id))
    add("lost", `is ${status}, and no provider has a charge of ${stands.id}`)
  return findings
}

function judgeStanding(payment: Payment, own: Own, add: (kind: Finding["kind"], what: string) => void): void {
  const { charge, attempt } = own
  const { authorized, captured, refunded } = amountsOf(payment)
  const compare = (what: string, ours: bigint, theirs: bigint, more: Finding["kind"], less: Finding["kind"]): void => {
    if (ours !== theirs) add(theirs > ours ? more : less, `${what}: ${ours} in our books, ${theirs} at ${named(own)}`)
  }
  compare("authorized", authorized, charge.authorized, "double_charge", "lost")
  compare("captured", captured, charge.captured, "double_charge", "lost")
  compare("refunded", refunded, charge.refunded, "lost", "double_charge")
  const released = attempt.released || captured >= authorized
  compare("held", (released ? captured : authorized) - refunded, charge.held, "double_charge", "lost")
  if (charge.capturePending + charge.refundPending > 0n)
    add(
      "unsettled",
      `${named(own)} still has ${charge.capturePending} to capture and ${charge.refundPending} to refund`,
    )
}

const isTaking = ({ held, capturePending }: TrueCharge): boolean => held > 0n || capturePending > 0n
const named = ({ attempt, charge }: Own): string =>
  `${charge.account} ${charge.reference} of ${attempt.id} (${charge.state}, authorized ${charge.authorized}, captured ${charge.captured}, refunded ${charge.refunded}, held ${charge.held})`
