import assert from "node:assert/strict"
import { test } from "node:test"
import { declineMeanings } from "./decline-meaning.ts"
import { declineCategories, type DeclineReason, declineReasons, isDeclineReason } from "./decline.ts"

const reasons = Object.entries(declineReasons) as [DeclineReason, (typeof declineReasons)[DeclineReason]][]

test("every reason has a meaning and no meaning is left over", () => {
  assert.deepEqual(Object.keys(declineMeanings), Object.keys(declineReasons))
})

test("a retry with changes names a change that keeps the card", () => {
  for (const [reason, { retryHere, retryElsewhere, changes }] of reasons)
    if (retryHere === "with_changes" || retryElsewhere === "with_changes")
      assert.ok(
        changes.some((change) => change !== "new_card"),
        reason,
      )
})

test("where nothing may be tried again with the card, only another card can be offered", () => {
  for (const [reason, { retryHere, retryElsewhere, changes }] of reasons)
    if (retryHere === "no" && retryElsewhere === "no")
      assert.deepEqual(
        changes.filter((change) => change !== "new_card"),
        [],
        reason,
      )
})

test("only technical failures of provider and network speak against a provider's health", () => {
  for (const [reason, { category, countsAgainstHealth, fault }] of reasons) {
    assert.equal(countsAgainstHealth, category === "provider_technical" || category === "network_technical", reason)
    if (countsAgainstHealth) assert.ok(fault === "provider" || fault === "network", reason)
  }
})

test("a failure that speaks against a provider may be tried elsewhere at once", () => {
  for (const [reason, { countsAgainstHealth, retryElsewhere }] of reasons)
    if (countsAgainstHealth) assert.equal(retryElsewhere, "yes", reason)
})

test("what Visa calls never approvable is tried again nowhere with the same card as it is", () => {
  const never = [
    "pickup_card",
    "lost_card",
    "stolen_card",
    "stop_payment",
    "all_authorizations_revoked",
    "card_not_permitted",
  ]
  for (const reason of never) {
    assert.ok(isDeclineReason(reason))
    assert.deepEqual([declineReasons[reason].retryHere, declineReasons[reason].retryElsewhere], ["no", "no"], reason)
  }
  for (const reason of [
    "invalid_number",
    "account_closed",
    "authorization_revoked",
    "unknown_issuer",
    "invalid_transaction",
  ]) {
    assert.ok(isDeclineReason(reason))
    assert.equal(declineReasons[reason].retryElsewhere, "with_changes", reason)
  }
})

test("what is shown to the customer is whole sentences and tells nothing to a thief", () => {
  for (const [reason, { customerMessage }] of reasons) {
    assert.match(customerMessage, /^[A-Z][^\n]{10,140}[.]$/, reason)
    assert.doesNotMatch(customerMessage, /fraud|stolen|lost|risk|blocked|black ?list|sanction|suspect/i, reason)
  }
})

test("whoever holds a reported card is told the same as with any other card that cannot be used", () => {
  const message = declineReasons.restricted_card.customerMessage
  for (const reason of ["lost_card", "stolen_card", "pickup_card"] as const)
    assert.equal(declineReasons[reason].customerMessage, message)
})

test("every category is used", () => {
  const used = new Set(reasons.map(([, { category }]) => category))
  assert.deepEqual(
    Object.keys(declineCategories).filter((category) => !used.has(category as keyof typeof declineCategories)),
    [],
  )
})

test("an unmapped code is nobody's fault, harms no provider and is not sent elsewhere at once", () => {
  const { fault, countsAgainstHealth, retryHere, retryElsewhere } = declineReasons.unmapped
  assert.deepEqual(
    { fault, countsAgainstHealth, retryHere, retryElsewhere },
    {
      fault: "unknown",
      countsAgainstHealth: false,
      retryHere: "later",
      retryElsewhere: "later",
    },
  )
})

test("only the taxonomy's own words are reasons", () => {
  assert.ok(isDeclineReason("insufficient_funds"))
  for (const text of ["", "Insufficient_funds", "toString", "__proto__"]) assert.equal(isDeclineReason(text), false)
})
