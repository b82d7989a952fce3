import assert from "node:assert/strict"
import { test } from "node:test"
import { continuationAfter } from "./continuation.ts"
import { declineReasons, type DeclineReason } from "./decline.ts"
import type { Outcome } from "./outcome.ts"

const declined = (reason: DeclineReason, adviceCode?: string): Outcome => ({
  kind: "declined",
  reason,
  raw: { code: reason, ...(adviceCode === undefined ? {} : { adviceCode }) },
  evidence: {},
})
const bare = (kind: "not_sent" | "absent" | "unknown" | "pending"): Outcome => ({
  kind,
  raw: { code: kind },
  evidence: {},
})
const rejected = (executed: "no" | "unknown"): Outcome => ({
  kind: "rejected",
  fault: "theirs",
  executed,
  reason: "rate_limited",
  raw: { code: "429" },
  evidence: {},
})

test("what provably never held money leads to the next account", () => {
  for (const outcome of [bare("not_sent"), bare("absent"), rejected("no")])
    assert.equal(continuationAfter(outcome).kind, "next")
})

test("what may hold money, or does, never leads on", () => {
  const held: readonly Outcome[] = [
    bare("unknown"),
    bare("pending"),
    rejected("unknown"),
    { kind: "approved", effect: "authorized", amount: 1n, raw: { code: "ok" }, evidence: {} },
    {
      kind: "action",
      action: { type: "redirect", method: "GET", url: "https://issuer.example" },
      raw: { code: "3ds" },
      evidence: {},
    },
  ]
  for (const outcome of held) assert.equal(continuationAfter(outcome).kind, "stop")
})

test("a decline leads on exactly where its reason may be tried elsewhere at once", () => {
  for (const [reason, { retryElsewhere }] of Object.entries(declineReasons)) {
    assert.equal(
      continuationAfter(declined(reason as DeclineReason)).kind,
      retryElsewhere === "yes" ? "next" : "stop",
      reason,
    )
  }
})

test("an issuer that advises never to try again is heard, whatever the reason allows", () => {
  assert.equal(continuationAfter(declined("do_not_honor")).kind, "next")
  for (const advice of ["03", "21"]) assert.equal(continuationAfter(declined("do_not_honor", advice)).kind, "stop")
  assert.equal(continuationAfter(declined("do_not_honor", "no such code")).kind, "next")
})
