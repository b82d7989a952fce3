// The ledger of the simulation: the same contract as PostgreSQL's, in memory, in simulated time, from one seed. It
// keeps what makes a database hard: calls take time before and after they take effect, a transaction gets its number
// when it begins and becomes visible when it ends (so a later number can be seen before an earlier one), and a
// connection can be lost before, while or after the call took effect, which the caller cannot tell apart.

import assert from "node:assert/strict"
import { MAX_BUDGET_ATTEMPTS, type BudgetKey, type CardAttempt } from "../../core/card-attempt.ts"
import type { MerchantId, PaymentId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import { frozenCopy } from "../document.ts"
import { checkCommit } from "./commit-check.ts"
import type {
  Commit,
  Committed,
  Due,
  EventHead,
  Found,
  IdempotencyRow,
  IdempotencyScope,
  InboundWebhook,
  Ledger,
  LoggedEvent,
  OutboxEvent,
  Position,
  SealedCard,
  StoredResponse,
  Transcript,
} from "./ledger.ts"
import { wakeAccount } from "./wake-account.ts"

export type MemoryPorts = {
  /** Simulated database time (ms). */
  now(): number
  /** In [0, 1). */
  random(): number
  sleep(ms: number): Promise<void>
}

/** Probabilities per call that its connection is lost. */
export type Losses = {
  /** Nothing happened. */
  readonly before: number
  /** The caller learns of it at once; the call takes effect later. */
  readonly during: number
  /** It happened, and the caller does not know. */
  readonly after: number
}

export type MemoryOptions = {
  /** Longest usual time for each of a call's three parts: there, at work, back (ms). */
  readonly latencyMs?: number
  /** Some transactions take longer than others, so that they commit late. */
  readonly slow?: { readonly probability: number; readonly latencyMs: number }
  /** Asked for every call, so that a simulation can have bad times. */
  readonly losses?: () => Losses
  /** What was counted of cards before. */
  readonly cardAttempts?: readonly NonNullable<Commit["cardAttempts"]>[]
}

/** What is stored, seen from outside and outside of time: for the simulation's judge. */
export type MemoryContents = {
  payments(): readonly Payment[]
  events(): readonly LoggedEvent[]
  eventCount(): number
  idempotency(): readonly IdempotencyRow[]
  cards(): readonly SealedCard[]
  transcripts(): readonly Transcript[]
  wakes(): readonly Due[]
  needsPerson(): ReadonlySet<PaymentId>
  relayOwner(name: string): string | undefined
  /** All that is counted of a card. */
  cardAttempts(key: BudgetKey): readonly CardAttempt[]
}

export type MemoryLedger = Ledger & { readonly contents: MemoryContents }

/** Transcripts beyond this are forgotten, oldest first: the judge reads recent ones, and long runs must fit in memory. */
export const MAX_TRANSCRIPTS = 10_000

const LATENCY_MS = 3
const noLosses: Losses = { before: 0, during: 0, after: 0 }

type WaitingWebhook = { readonly webhook: InboundWebhook; readonly nextAt: number }
type Relay = { owner: string; leaseUntil: number; cursor: Position | undefined }

export function createMemoryLedger(ports: MemoryPorts, options: MemoryOptions = {}): MemoryLedger {
  const { latencyMs = LATENCY_MS, slow, losses = () => noLosses } = options
  const payments = new Map<PaymentId, Payment>()
  const wakes = new Map<PaymentId, Due>()
  /** The list of what needs a person. */
  const persons = new Set<PaymentId>()
  const keys = new Map<string, IdempotencyRow>()
  const cards = new Map<string, SealedCard>()
  const found = new Map<string, Found>()
  /** By card, then by the attempt and when it was sent. */
  const budgets = new Map<string, Map<string, CardAttempt>>()
  const inboundSeen = new Set<string>()
  const inboundWaiting = new Map<string, WaitingWebhook>()
  const relays = new Map<string, Relay>()
  const transcripts: Transcript[] = []
  /** In log order. */
  const log: LoggedEvent[] = []
  let lastTransaction = 0
  const running = new Set<number>()

  for (const counted of options.cardAttempts ?? []) count(counted)

  const pause = (): Promise<void> => {
    const late = slow !== undefined && ports.random() < slow.probability
    return ports.sleep(Math.floor(ports.random() * ((late ? slow.latencyMs : latencyMs) + 1)))
  }

  /** One call: the way there, the effect at one instant, the way back. Each part may be where the connection is lost. */
  async function call<T>(effect: () => T | Promise<T>): Promise<T> {
    const { before, during, after } = losses()
    const fate = ports.random()
    await pause()
    if (fate < before) throw connectionLost()
    if (fate < before + during) {
      // The server works on for a caller who has gone; what it answers is heard by nobody.
      void Promise.resolve().then(effect).catch(ignore)
      throw connectionLost()
    }
    const result = await effect()
    await pause()
    if (fate < before + during + after) throw connectionLost()
    return result
  }

  /** Takes its number now and its effect after a while. */
  async function transaction<T>(effect: (number: number) => T): Promise<T> {
    lastTransaction += 1
    const number = lastTransaction
    running.add(number)
    try {
      await pause()
      return effect(number)
    } finally {
      running.delete(number)
    }
  }

  function apply(commit: Commit, transactionNumber: number): Committed {
    const { payment, expected, take, answer, card } = commit
    if (take !== undefined) {
      const row = keys.get(scopeText(take))
      if (row !== undefined) return { kind: "taken", row }
    }
    const current = payments.get(payment.id)
    if (current !== undefined && current.merchant !== payment.merchant) return { kind: "conflict" }
    if ((current?.version ?? 0) !== expected) return { kind: "conflict" }
    payments.set(payment.id, {
      ...payment,
      attempts: rowsOf(payment.attempts, commit.attempts, current?.attempts),
      operations: rowsOf(payment.operations, commit.operations, current?.operations),
    })
    if (commit.needsPerson === true) persons.add(payment.id)
    else if (commit.needsPerson === false) persons.delete(payment.id)
    if (take !== undefined) keys.set(scopeText(take), take)
    if (answer !== undefined) keepAnswer(answer, answer.response)
    if (card !== undefined) cards.set(card.id, card)
    wakes.delete(payment.id)
    if (commit.wakeAt !== undefined)
      wakes.set(payment.id, {
        merchant: payment.merchant,
        payment: payment.id,
        account: wakeAccount(payment),
        wakeAt: Math.ceil(commit.wakeAt),
      })
    for (const event of commit.events) append(event, transactionNumber)
    index(commit)
    if (commit.cardAttempts !== undefined) count(commit.cardAttempts)
    transcripts.push(...(commit.transcripts ?? []))
    if (transcripts.length > MAX_TRANSCRIPTS) transcripts.splice(0, transcripts.length - MAX_TRANSCRIPTS)
    return { kind: "committed" }
  }

  function count({ key, rows }: NonNullable<Commit["cardAttempts"]>): void {
    const counted = budgets.get(budgetText(key)) ?? new Map<string, CardAttempt>()
    for (const row of rows) {
      const at = `${row.at} ${row.id}`
      if (counted.get(at)?.result !== "declined") counted.set(at, row)
    }
    budgets.set(budgetText(key), counted)
  }

  function append(event: OutboxEvent, transactionNumber: number): void {
    const logged = frozenCopy({ ...event, position: { transaction: String(transactionNumber), event: event.id } })
    let at = log.length
    while (at > 0 && comparePositions((log[at - 1] as LoggedEvent).position, logged.position) > 0) at -= 1
    log.splice(at, 0, logged)
  }

  function index({ payment, attempts, operations }: Commit): void {
    const place: Found = { merchant: payment.merchant, payment: payment.id }
    const note = (kind: string, account: string, key: string | undefined): void => {
      if (key === undefined) return
      const text = lookupText(payment.merchant, account, kind, key)
      if (!found.has(text)) found.set(text, place)
    }
    for (const attempt of attempts) {
      note("attempt", attempt.account, attempt.id)
      note("reference", attempt.account, attempt.reference)
    }
    for (const operation of operations) {
      const attempt = payment.attempts.find((a) => a.id === operation.attempt)
      assert(attempt !== undefined, "an operation belongs to an attempt of its payment")
      note("operation", attempt.account, operation.id)
      note("reference", attempt.account, operation.reference)
    }
  }

  function pageOf(after: Position | undefined, horizon: string, limit: number): LoggedEvent[] {
    const page: LoggedEvent[] = []
    for (let i = after === undefined ? 0 : firstAfter(log, after); i < log.length && page.length < limit; i++) {
      const event = log[i] as LoggedEvent
      if (Number(event.position.transaction) >= Number(horizon)) break
      page.push(event)
    }
    return page
  }

  function keepAnswer(scope: IdempotencyScope, response: StoredResponse): void {
    const row = keys.get(scopeText(scope))
    if (row !== undefined && row.response === undefined) keys.set(scopeText(scope), frozenCopy({ ...row, response }))
  }

  return {
    async commit(commit) {
      checkCommit(commit)
      const { card, ...plain } = commit
      const kept: Commit = {
        ...frozenCopy(plain),
        ...(card === undefined ? {} : { card: { ...card, sealed: Uint8Array.from(card.sealed) } }),
      }
      return call(() => transaction((number) => apply(kept, number)))
    },

    load: (merchant, id) =>
      call(() => {
        const payment = payments.get(id)
        return payment?.merchant === merchant ? payment : undefined
      }),

    idempotency: (scope) => call(() => keys.get(scopeText(scope))),

    storeAnswer: (scope, response) => call(() => transaction(() => keepAnswer(scope, response))),

    find: (merchant, account, { attempt, operation, references }) =>
      call(() => {
        const candidates: [string, string | undefined][] = [
          ["attempt", attempt],
          ["operation", operation],
          ...references.map((reference): [string, string] => ["reference", reference]),
        ]
        for (const [kind, key] of candidates) {
          const place = key === undefined ? undefined : found.get(lookupText(merchant, account, kind, key))
          if (place !== undefined) return place
        }
        return undefined
      }),

    cardAttempts: (key) =>
      call(() => [...(budgets.get(budgetText(key))?.values() ?? [])].toSorted(byTime).slice(-MAX_BUDGET_ATTEMPTS)),

    due: (limit, perAccount) =>
      call(() => {
        const now = ports.now()
        const taken = new Map<string, number>()
        const due: Due[] = []
        for (const wake of [...wakes.values()].filter((w) => w.wakeAt <= now).toSorted(byWake)) {
          if (due.length === limit) break
          if (wake.account !== undefined) {
            const count = taken.get(wake.account) ?? 0
            if (count === perAccount) continue
            taken.set(wake.account, count + 1)
          }
          due.push({ ...wake })
        }
        return due
      }),

    claim: (due, leaseMs) =>
      call(() =>
        transaction(() => {
          const wake = wakes.get(due.payment)
          if (wake === undefined || wake.wakeAt !== due.wakeAt || wake.merchant !== due.merchant) return false
          wakes.set(due.payment, { ...wake, wakeAt: Math.round(ports.now() + leaseMs) })
          return true
        }),
      ),

    horizon: () => call(() => String(running.size === 0 ? lastTransaction + 1 : Math.min(...running))),

    events: (after, horizon, limit) => call(() => pageOf(after, horizon, limit)),

    eventHeads: (after, horizon, limit) => call(() => pageOf(after, horizon, limit).map(headOf)),

    takeLease: (name, owner, leaseMs) =>
      call(() =>
        transaction(() => {
          const now = ports.now()
          const relay = relays.get(name)
          if (relay !== undefined && relay.owner !== owner && relay.leaseUntil > now) return false
          relays.set(name, { owner, leaseUntil: now + leaseMs, cursor: relay?.cursor })
          return true
        }),
      ),

    cursor: (name) => call(() => relays.get(name)?.cursor),

    moveCursor: (name, owner, to) =>
      call(() =>
        transaction(() => {
          const relay = relays.get(name)
          if (relay?.owner !== owner) return false
          relay.cursor = { transaction: to.transaction, event: to.event }
          return true
        }),
      ),

    storeInbound: (webhook) =>
      call(() =>
        transaction(() => {
          const key = inboundText(webhook)
          if (inboundSeen.has(key)) return false
          inboundSeen.add(key)
          inboundWaiting.set(webhook.id, { webhook: frozenCopy(webhook), nextAt: webhook.receivedAt })
          return true
        }),
      ),

    dueInbound: (limit, leaseMs) =>
      call(() =>
        transaction(() => {
          const now = ports.now()
          const due = [...inboundWaiting.values()]
            .filter((row) => row.nextAt <= now)
            .toSorted((a, b) => a.nextAt - b.nextAt || compareText(a.webhook.id, b.webhook.id))
            .slice(0, limit)
          for (const { webhook } of due)
            inboundWaiting.set(webhook.id, {
              webhook: frozenCopy({ ...webhook, tries: webhook.tries + 1 }),
              nextAt: Math.round(now + leaseMs),
            })
          return due.map(({ webhook }) => webhook)
        }),
      ),

    finishInbound: (merchant, id, _result, retryAt) =>
      call(() =>
        transaction(() => {
          const row = inboundWaiting.get(id)
          if (row?.webhook.merchant !== merchant) return
          if (retryAt === undefined) inboundWaiting.delete(id)
          else inboundWaiting.set(id, { ...row, nextAt: retryAt })
        }),
      ),

    contents: {
      payments: () => [...payments.values()],
      events: () => [...log],
      eventCount: () => log.length,
      idempotency: () => [...keys.values()],
      cards: () => [...cards.values()],
      transcripts: () => [...transcripts],
      wakes: () => [...wakes.values()],
      needsPerson: () => persons,
      relayOwner: (name) => relays.get(name)?.owner,
      cardAttempts: (key) => [...(budgets.get(budgetText(key))?.values() ?? [])].toSorted(byTime),
    },
  }
}

/** Rows that a commit does not bring stay as they were, whatever the payment says: as in tables of their own. */
const rowsOf = <T extends { readonly id: string }>(
  all: readonly T[],
  changed: readonly T[],
  stored: readonly T[] = [],
): readonly T[] =>
  all.flatMap(({ id }) => changed.find((row) => row.id === id) ?? stored.find((row) => row.id === id) ?? [])

const connectionLost = (): Error => Object.assign(new Error("connection to the database lost"), { code: "ECONNRESET" })

const ignore = (): void => {}

const scopeText = ({ merchant, mode, method, path, key }: IdempotencyScope): string =>
  JSON.stringify([merchant, mode, method, path, key])

const lookupText = (merchant: MerchantId, account: string, kind: string, key: string): string =>
  JSON.stringify([merchant, account, kind, key])

const budgetText = ({ merchant, mode, network, fingerprint }: BudgetKey): string =>
  JSON.stringify([merchant, mode, network, fingerprint])

const byTime = (a: CardAttempt, b: CardAttempt): number => a.at - b.at || compareText(a.id, b.id)

const inboundText = ({ merchant, account, deduplication }: InboundWebhook): string =>
  JSON.stringify([merchant, account, deduplication])

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const byWake = (a: Due, b: Due): number =>
  a.wakeAt - b.wakeAt || compareText(a.merchant, b.merchant) || compareText(a.payment, b.payment)

const comparePositions = (a: Position, b: Position): number =>
  Number(a.transaction) - Number(b.transaction) || compareText(a.event, b.event)

/** The index of the first event after the position, by halving. */
function headOf(event: LoggedEvent): EventHead {
  if (event.payment === undefined) return event
  const { data: _data, ...head } = event
  return head
}

function firstAfter(log: readonly LoggedEvent[], position: Position): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comparePositions((log[middle] as LoggedEvent).position, position) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
