// Broken engines: what is tried where and when, what is answered, and what a key is worth.

import type { Mutant } from "./mutants.ts"

export const planMutants: readonly Mutant[] = [
  {
    name: "an attempt without time for its answer",
    file: "routing/retry-following.ts",
    find: `: until - target.answerMs
`,
    replace: `: until + 1e9
`,
    quick: true,
  },
  {
    name: "a spent cryptogram sent to the next account",
    file: "engine/run.ts",
    find: `if (run.cryptogramSpent) return "cryptogram_spent"`,
    replace: ``,
    quick: true,
  },
  {
    name: "a spent cryptogram sent again in a copy",
    file: "engine/plan.ts",
    find: `      !run.cryptogramSpent
`,
    replace: `      true
`,
    quick: false,
  },
  {
    name: "'not found' believed while the merchant waits",
    file: "engine/plan.ts",
    find: `if (called.outcome.kind === "absent" && now < provenFrom(run.payment, operation, account, strength)) {`,
    replace: `if (called.outcome.kind === "absent" && now < 0) {`,
    quick: true,
  },
  {
    name: "a merchant-initiated payment rerouted on unknown",
    file: "engine/plan.ts",
    find: `run.payment.intent.initiator.by === "customer" &&`,
    replace: ``,
    quick: false,
  },
  {
    name: "what was prepared is confirmed after a cancel",
    file: "engine/plan.ts",
    find: `if (known.plan.state !== "running" || operationOf(known, operation.id)?.state !== "sent")`,
    replace: `if (known === null)`,
    quick: false,
  },
  {
    name: "the next attempt after the plan is over",
    file: "engine/plan.ts",
    find: `if (after.plan.state !== "running") return only(over(run, settled, transcripts))`,
    replace: ``,
    quick: false,
  },
  {
    name: "a request started whenever the process gets to it",
    file: "engine/plan.ts",
    find: `    notAfter: operation.sendUntil ?? 0,
    totalMs: kind`,
    replace: `    notAfter: Number.POSITIVE_INFINITY,
    totalMs: kind`,
    quick: true,
  },
  {
    name: "no next account after a request that never left",
    file: "routing/retry-following.ts",
    find: `    case "not_sent":
    case "absent":
    case "declined":
      return undefined`,
    replace: `    case "not_sent":
      return "x"
    case "absent":
    case "declined":
      return undefined`,
    quick: true,
  },
  {
    name: "no next account after a soft decline",
    file: "routing/retry-following.ts",
    find: `    case "yes":
      return undefined
    case "no":`,
    replace: `    case "yes":
      return "x"
    case "no":`,
    quick: true,
  },
  {
    name: "a next account after a decline that wants a change",
    file: "routing/retry-following.ts",
    find: `return helps(declineReasons[reason].changes, shape, payment)`,
    replace: `return reason.length > 0`,
    quick: false,
  },
  {
    name: "a next account after the advice never to try again",
    file: "routing/retry-following.ts",
    find: `if (adviceCode !== undefined && readAdviceCode(adviceCode)?.retry === "never")`,
    replace: `if (adviceCode === "x")`,
    quick: false,
  },
  {
    name: "a card's budget that nobody writes",
    file: "engine/change.ts",
    find: `return key === undefined ? {} : { cardAttempts: { key, rows } }`,
    replace: `return key === undefined || rows.length > 0 ? {} : { cardAttempts: { key, rows } }`,
    quick: true,
  },
  {
    name: "a card's budget that nobody reads",
    file: "engine/following.ts",
    find: `return { budget: budgetOf(key.network, rows) }`,
    replace: `return { budget: budgetOf(key.network, rows.slice(0, 0)) }`,
    quick: false,
  },
  {
    name: "a card's budget without the attempt that was just declined",
    file: "engine/following.ts",
    find: `return row === undefined ? budget : evolve(budget, row)`,
    replace: `return row === undefined ? budget : evolve(budget, { ...row, result: "none" })`,
    quick: false,
  },
  {
    name: "an attempt counted again when its outcome is known",
    file: "core/card-attempt.ts",
    find: `const { id, startedAt: at, account, counted: result, outcome } = attempt`,
    replace: `const { id, account, counted: result, outcome } = attempt, at = attempt.settledAt ?? attempt.startedAt`,
    quick: false,
  },
  {
    name: "an unknown that is never taken back from the budget",
    file: "core/card-attempt.ts",
    find: `    case "absent":
      return before === "unknown" ? "none" : undefined`,
    replace: `    case "absent":
      return undefined`,
    quick: false,
  },
  {
    name: "a retry for another day that nobody wakes",
    file: "core/payment.ts",
    find: `if (payment.plan.state === "waiting" && payment.plan.waits !== undefined) times.push(payment.plan.waits.until)`,
    replace: ``,
    quick: false,
  },
  {
    name: "later is at once",
    file: "routing/retry-following.ts",
    find: `      return at - last.at >= SHORTEST_LATER_MS`,
    replace: `      return at >= last.at`,
    quick: false,
  },
  {
    name: "a request that was handed over is sent again",
    file: "engine/call.ts",
    find: `sent.kind === "not_sent" && sent.code === "ECONNRESET"`,
    replace: `sent.kind !== "answered" && sent.code === "ECONNRESET"`,
    quick: false,
  },
  {
    name: "an answer that breaks the decoder counts as not executed",
    file: "engine/call.ts",
    find: `bug(error, "an answer could not be decoded; its outcome is unknown")
          return {
            kind: "unknown",`,
    replace: `bug(error, "x")
          return {
            kind: "rejected", fault: "ours", executed: "no", reason: "invalid_request",`,
    quick: false,
  },
  {
    name: "a follow-up's answer at the deadline and not stored",
    file: "engine/follow-up.ts",
    find: `  return settleAnswer(engine, request, reservedPayment)
}`,
    replace: `  return { kind: "payment", payment: reservedPayment }
}`,
    quick: false,
  },
  {
    name: "a key that stays in flight for ever",
    file: "engine/idempotency.ts",
    find: `if (left > 0) return`,
    replace: `if (left > -1e15) return`,
    quick: true,
  },
  {
    name: "a key answered to another body",
    file: "engine/idempotency.ts",
    find: `if (row.fingerprint !== request.row.fingerprint) return { kind: "mismatch" }`,
    replace: ``,
    quick: true,
  },
  {
    name: "a key that does not repeat its answer",
    file: "engine/idempotency.ts",
    find: `if (row.response !== undefined) return { kind: "replayed", response: row.response, row }`,
    replace: ``,
    quick: true,
  },
  {
    name: "another request's key taken for one's own",
    file: "engine/change.ts",
    find: `if (failures === 0 || committed.row.payment !== id || foundTaken) return committed`,
    replace: `if (committed.row.payment !== id) return committed`,
    quick: false,
  },
  {
    name: "an unlinked merchant-initiated payment made anywhere",
    file: "routing/decide.ts",
    find: `if (id === undefined) return "mit_source"`,
    replace: ``,
    quick: false,
  },
  {
    name: "a provider's token sent to another provider",
    file: "routing/decide.ts",
    find: `if (context.tokenAccount !== account.id) return "foreign_token"`,
    replace: ``,
    quick: true,
  },
  {
    name: "a payment made at an account that is switched off",
    file: "routing/decide.ts",
    find: `if (account.state !== "enabled") return account.state`,
    replace: ``,
    quick: true,
  },
  {
    name: "an answer given and not stored",
    file: "engine/plan.ts",
    find: `return { events, transcripts, ...(run.late ? {} : answer(run.request)) }`,
    replace: `return { events, transcripts }`,
    quick: true,
  },
  {
    name: "an answer given at the deadline and not stored",
    file: "engine/execute.ts",
    find: `      return settleAnswer(engine, run.request, run.payment)`,
    replace: `      return { kind: "payment", payment: run.payment }`,
    quick: true,
  },
  {
    name: "rerouted from where nothing can be found or reversed",
    file: "engine/plan.ts",
    find: `  canReverse(account) &&
`,
    replace: ``,
    quick: true,
  },
  {
    name: "nobody asks while the merchant waits",
    file: "engine/plan.ts",
    find: `if (strength === "none") continue`,
    replace: `if (strength !== null) continue`,
    quick: false,
  },
  {
    name: "an answer that comes after its attempt was given up is thrown away",
    file: "engine/plan.ts",
    find: `engine.background(called.then((late) => settleLate(run, now, late)))`,
    replace: `void called`,
    quick: false,
  },
  {
    name: "one's own key taken for another's",
    file: "engine/change.ts",
    find: `if (failures === 0 || committed.row.payment !== id || foundTaken) return committed`,
    replace: `return committed`,
    quick: false,
  },
  {
    name: "a cryptogram never counted as spent",
    file: "engine/plan.ts",
    find: `run.cryptogramSpent ||= spends`,
    replace: ``,
    quick: false,
  },
  {
    name: "a request that was handed over counted as never sent",
    file: "engine/plan.ts",
    find: `outcome.kind !== "not_sent" && !(`,
    replace: `outcome.kind === "approved" && !(`,
    quick: false,
  },
  {
    name: "rerouted on unknown although nobody asked for it",
    file: "engine/plan.ts",
    find: `=== "reverse_then_reroute" &&`,
    replace: `!== "nobody" &&`,
    quick: false,
  },
  {
    name: "a cryptogram spent by a request that never left",
    file: "engine/plan.ts",
    find: `if (spends && called.transcript.response === undefined && !mayHaveLeft(called)) run.cryptogramSpent = false`,
    replace: ``,
    quick: false,
  },
  {
    name: "one's own next attempt not known after a lost commit",
    file: "engine/plan.ts",
    find: `if (there !== undefined) return`,
    replace: `if (there === null) return`,
    quick: false,
  },
  {
    name: "changed attempts not written",
    file: "engine/change.ts",
    find: `attempts: payment.attempts.filter((attempt) => !before?.attempts.includes(attempt)),`,
    replace: `attempts: payment.attempts.filter((attempt) => !before?.attempts.some((a) => a.id === attempt.id)),`,
    quick: false,
  },
  {
    name: "changed operations not written",
    file: "engine/change.ts",
    find: `operations: payment.operations.filter((operation) => !before?.operations.includes(operation)),`,
    replace: `operations: payment.operations.filter((operation) => !before?.operations.some((a) => a.id === operation.id)),`,
    quick: false,
  },
  {
    name: "the list of what needs a person not kept",
    file: "engine/change.ts",
    find: `...(needsPerson(payment) === (before !== undefined && needsPerson(before))`,
    replace: `...(needsPerson(payment) === false || before !== null`,
    quick: false,
  },
  {
    name: "events of one commit told backwards",
    file: "engine/change.ts",
    find: `.toSorted()`,
    replace: `.toSorted().toReversed()`,
    quick: false,
  },
  {
    name: "a lost commit taken for a stored one",
    file: "engine/change.ts",
    find: `if (failures > MAX_STORE_FAILURES || engine.clock.now() > until) throw error
      engine.log.warn`,
    replace: `if (failures > 0) return { kind: "changed", payment: commit.payment, uncertain: true }
      engine.log.warn`,
    quick: false,
  },
  {
    name: "one's own start not known after a lost commit",
    file: "engine/execute.ts",
    find: `ours = known?.plan.owner === owner`,
    replace: `ours = false`,
    quick: false,
  },
  {
    name: "one key for all attempts of a payment",
    file: "engine/attempt.ts",
    find: `key: kind === "authorize" ? attempt.id :`,
    replace: `key: kind === "authorize" ? payment.id :`,
    quick: false,
  },
]
