// What clients were answered, against what is stored: no acknowledged payment is lost, one key is one payment and one
// operation, and every answer shows the payment as it really was at its version.

import { statusOf, type Payment, type PaymentStatus } from "../../packages/server/src/core/payment.ts"
import type { Facts, StoredEvent } from "./facts.ts"
import { finding, type Finding } from "./finding.ts"
import type { Acknowledged, Wish } from "./journal.ts"

const paid: ReadonlySet<string> = new Set(["authorized", "partially_captured", "captured"])
const unpaid: ReadonlySet<PaymentStatus> = new Set(["failed", "canceled", "expired"])
/** What explains that a payment which was paid is not any more. */
const explanations: ReadonlySet<string> = new Set([
  "payment.corrected",
  "payment.changed_at_provider",
  "payment.cancel_requested",
])

export function judgeAnswers({ payments, events, keys, journal }: Facts): readonly Finding[] {
  const byId = new Map<string, Payment>(payments.map((payment) => [payment.id, payment]))
  const history = historyOf(events)
  return [
    ...journal.acknowledged.flatMap((answer) => judgeAnswer(answer, byId.get(answer.payment), history)),
    ...journal.wishes.flatMap((wish) => judgeWish(wish, byId, history)),
    ...judgeOrders(payments),
    ...judgeKeys(payments, keys),
    ...[...journal.unexpected].map(([text, count]) => finding("lost", undefined, `${count} times: ${text}`)),
  ]
}

type History = ReadonlyMap<string, readonly StoredEvent[]>

function historyOf(events: readonly StoredEvent[]): History {
  const byPayment = new Map<string, StoredEvent[]>()
  for (const event of events) {
    if (event.payment === undefined || event.status === undefined) continue
    const known = byPayment.get(event.payment)
    if (known === undefined) byPayment.set(event.payment, [event])
    else known.push(event)
  }
  for (const own of byPayment.values()) own.sort((a, b) => a.sequence - b.sequence)
  return byPayment
}

function judgeAnswer(answer: Acknowledged, payment: Payment | undefined, history: History): readonly Finding[] {
  const { what, server, version, status, amounts } = answer
  const said = `${server} answered ${what} with ${status} at version ${version}`
  if (payment === undefined) return [finding("lost", answer.payment, `${said}, and the payment does not exist`)]
  const findings: Finding[] = []
  const add = (text: string): void => void findings.push(finding("lost", payment.id, text))
  if (version > payment.version) add(`${said}, but the stored version is ${payment.version}`)
  const own = history.get(payment.id) ?? []
  const then = own.findLast((event) => event.sequence <= version)
  if (then === undefined) add(`${said}, before its history begins`)
  else {
    if (then.status !== status) add(`${said}, but it was ${then.status} since version ${then.sequence}`)
    for (const name of ["authorized", "captured", "refunded"] as const)
      if (then.amounts[name] !== undefined && then.amounts[name] !== String(amounts[name]))
        add(`${said} and ${amounts[name]} ${name}, but it was ${then.amounts[name]}`)
  }
  if (paid.has(status) && unpaid.has(statusOf(payment))) {
    const after = own.filter((event) => event.sequence > version)
    if (!after.some((event) => explanations.has(event.type)) && payment.ending === undefined)
      add(`${said}; now it is ${statusOf(payment)}, and no event says why`)
  }
  return findings
}

/** Somebody captured it by hand at the provider before its cancellation arrived there, and the merchant was told. */
const isOvertaken = (payment: Payment, history: History): boolean =>
  payment.operations.some((o) => o.kind === "capture" && o.origin === "provider") &&
  (history.get(payment.id) ?? []).some((event) => event.type === "payment.cancel_overtaken")

function judgeWish(wish: Wish, payments: ReadonlyMap<string, Payment>, history: History): readonly Finding[] {
  const { what, key, payments: named } = wish
  if (named.size > 1) return [finding("double_charge", [...named][0], `key ${key} made ${[...named].join(" and ")}`)]
  const payment = wish.payment === undefined ? undefined : payments.get(wish.payment)
  if (payment === undefined) return []
  // Whoever was told that it is canceled ships nothing: the money must not stay.
  if (what === "cancel" && !unpaid.has(statusOf(payment)) && !isOvertaken(payment, history))
    return [finding("double_charge", payment.id, `${key} was acknowledged, and the payment is ${statusOf(payment)}`)]
  if (what !== "refund") return []
  // A refund carries its key as its reason.
  const operations = payment.operations.filter((o) => o.kind === "refund" && o.reason === key)
  if (operations.length === 1) return []
  const kind = operations.length === 0 ? "lost" : "double_charge"
  return [finding(kind, payment.id, `${key} was acknowledged and made ${operations.length} refunds`)]
}

/** Every order was created under one key, so it has at most one payment, acknowledged or not. */
function judgeOrders(payments: readonly Payment[]): readonly Finding[] {
  const byOrder = Map.groupBy(payments, (payment) => payment.intent.metadata["order"])
  return [...byOrder].flatMap(([order, own]) =>
    own.length === 1 ? [] : [finding("double_charge", own[0]?.id, `order ${order} has ${own.length} payments`)],
  )
}

/** As many captures and refunds of the merchant's as keys were taken for them, and a payment for every key of a creation. */
function judgeKeys(payments: readonly Payment[], keys: Facts["keys"]): readonly Finding[] {
  const findings: Finding[] = []
  const created = new Set(keys.filter(({ path }) => path === "/v1/payments").map(({ payment }) => payment))
  const taken = new Map<string, number>()
  for (const { path } of keys) taken.set(path, (taken.get(path) ?? 0) + 1)
  for (const payment of payments) {
    if (!created.delete(payment.id)) findings.push(finding("lost", payment.id, "was created without taking its key"))
    for (const kind of ["capture", "refund"] as const) {
      const asked = taken.get(`/v1/payments/${payment.id}/${kind}`) ?? 0
      const made = payment.operations.filter((o) => o.kind === kind && o.origin === "merchant").length
      if (made !== asked)
        findings.push(
          finding(
            made > asked ? "double_charge" : "lost",
            payment.id,
            `${asked} keys were taken for ${kind}, ${made} made`,
          ),
        )
    }
  }
  for (const id of created) findings.push(finding("lost", id, "a key was taken for it, and the payment does not exist"))
  return findings
}
