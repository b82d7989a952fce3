import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Outcome } from "../../core/outcome.ts"
import type { Attempt, Operation, Payment } from "../../core/payment.ts"
import { frozenCopy } from "../document.ts"
import { AWKWARD, sampleAttempt, sampleId, sampleOperation, samplePayment } from "./sample.ts"
import {
  attemptRows,
  columnText,
  keyText,
  operationRows,
  paymentColumns,
  paymentFrom,
  paymentRow,
  type StoredPayment,
  record,
  type Row,
} from "./rows.ts"

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constant(AWKWARD))
const minor = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
const raw = fc.record({ code: text, message: text, networkCode: text }, { requiredKeys: ["code"] })
const evidence = fc.record(
  {
    reference: text,
    networkTransactionId: text,
    checks: fc.record({
      line: fc.constant("pass" as const),
      postcode: fc.constant("fail" as const),
      name: fc.constant("unchecked" as const),
      code: fc.constant("unavailable" as const),
    }),
    providerToken: fc.record({ token: text, customer: text }, { requiredKeys: ["token"] }),
    threeDs: fc.record({ eci: text, liabilityShifted: fc.boolean() }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
)
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({
    kind: fc.constant("approved" as const),
    effect: fc.constantFrom("authorized" as const, "captured" as const),
    amount: minor,
    raw,
    evidence,
  }),
  fc.record({ kind: fc.constant("unknown" as const), raw, evidence }),
  fc.record({ kind: fc.constant("declined" as const), reason: fc.constant("unmapped" as const), raw, evidence }),
  fc.record({
    kind: fc.constant("action" as const),
    action: fc.record({
      type: fc.constant("redirect" as const),
      method: fc.constant("POST" as const),
      url: text,
      fields: fc.dictionary(text, text),
    }),
    raw,
    evidence,
  }),
)
const plain = fc.anything({ withBigInt: true, maxDepth: 3 }).map((value) => toPlain(value))
const now = 1_764_000_000_000

const attempt: fc.Arbitrary<Attempt> = fc
  .record(
    {
      state: fc.constantFrom("open" as const, "held" as const, "declined" as const),
      reference: text,
      authorized: minor,
      captured: minor,
      decision: plain,
      outcome,
      evidence,
      connector: text,
    },
    { requiredKeys: ["evidence"] },
  )
  .map((change) => sampleAttempt(sampleId("acc", now), now, change))
const payment: fc.Arbitrary<Payment> = fc
  .record({
    attempts: fc.array(attempt, { maxLength: 4 }),
    operations: fc.array(fc.record({ amount: minor, outcome, reason: text, reference: text }, { requiredKeys: [] }), {
      maxLength: 4,
    }),
    requested: minor,
    metadata: fc.dictionary(text, text),
    merchantReference: text,
    failure: fc.record({ reason: fc.constant("never_arrived" as const), raw }, { requiredKeys: ["reason"] }),
    dispute: minor,
    createdAt: fc.oneof(fc.nat(), fc.double({ min: 0, max: 2 ** 43, noNaN: true })),
  })
  .map(({ attempts, operations, metadata, merchantReference, failure, dispute, requested, createdAt }) => {
    const sample = samplePayment(now)
    const [first] = attempts
    const made: Operation[] = first === undefined ? [] : operations.map((change) => sampleOperation(first, change))
    return {
      ...sample,
      attempts,
      operations: made,
      requested,
      failure,
      createdAt,
      disputes: [{ id: sampleId("dsp", now), reference: "d", stage: "opened", amount: dispute, at: now }],
      intent: { ...sample.intent, metadata, merchantReference },
    }
  })

test("any payment comes back from its rows as it was", () => {
  fc.assert(
    fc.property(payment, (stored) => {
      // Generated records may lack a prototype; a copy has one.
      assert.deepEqual(paymentFrom(throughRows(stored)), frozenCopy(stored))
    }),
    { numRuns: 200 },
  )
})

test("no column holds what PostgreSQL would refuse, whatever was sent", () => {
  fc.assert(
    fc.property(payment, (stored) => {
      for (const [name, value] of Object.entries(paymentRow(stored).columns) as [string, unknown][]) {
        if (typeof value === "string") assert.ok(value.isWellFormed() && !value.includes("\0"), name)
        if (typeof value === "bigint") assert.ok(value < 2n ** 63n && value >= -(2n ** 63n), name)
        if (typeof value === "number") assert.ok(Number.isInteger(value), name)
      }
    }),
    { numRuns: 200 },
  )
})

test("the row of a payment has every column that statements name, and no other", () => {
  const { columns, documents } = paymentRow(samplePayment(now))
  assert.deepEqual(
    Object.keys({ ...columns, ...documents }),
    paymentColumns.map(([name]) => name),
  )
})

test("different keys stay different, however long or odd they are", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(keyText(a) === keyText(b), a === b)
    }),
  )
  const long = "x".repeat(300)
  assert.notEqual(keyText(long), keyText(`${long}y`))
  assert.ok(keyText(long).length < 100)
  assert.notEqual(keyText("\ud800"), keyText("\ud801"))
  assert.notEqual(keyText(keyText(long)), keyText(long))
})

test("a searched text is cut where an index would refuse it", () => {
  assert.equal(columnText("x".repeat(5_000))?.length, 255)
  assert.equal(columnText(undefined), null)
})

/** What PostgreSQL does with the rows between commit and load: jsonb in, parsed JSON out. */
function throughRows(stored: Payment): StoredPayment {
  type Documents = Readonly<Record<string, unknown>>
  const through = (row: Row): Documents => JSON.parse(record(row)) as Documents
  const { metadata, intent, rest } = through(paymentRow(stored))
  const attempts = attemptRows(stored, stored.attempts).map(through)
  const operations = operationRows(stored, stored.operations).map(through)
  return {
    id: stored.id,
    merchant_id: stored.merchant,
    version: stored.version,
    mode: stored.mode,
    metadata,
    intent,
    rest,
    attempts: attempts.map(({ document, decision }) => [document, decision]),
    operations: operations.map(({ document }) => document),
  }
}

/** fast-check's `anything` without what is no plain data. */
function toPlain(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol") return undefined
  if (Array.isArray(value)) return Array.from(value, toPlain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]))
}
