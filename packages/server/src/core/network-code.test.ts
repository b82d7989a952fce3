import assert from "node:assert/strict"
import { test } from "node:test"
import { declineReasons, isDeclineReason } from "./decline.ts"
import {
  adviceCodes,
  codesByNetwork,
  commonCodes,
  readAdviceCode,
  readNetworkCode,
  type VisaCategory,
  visaCategories,
  visaCategoryOf,
} from "./network-code.ts"

const reason = (code: string, context?: Parameters<typeof readNetworkCode>[1]): string | undefined => {
  const verdict = readNetworkCode(code, context)
  return verdict?.kind === "declined" ? verdict.reason : verdict?.kind
}

test("every code of every table leads to an approval or to a reason of the taxonomy", () => {
  for (const table of [commonCodes, ...Object.values(codesByNetwork)])
    for (const [code, meaning] of Object.entries(table)) {
      assert.match(code, /^([0-9A-Z]{2}|[0-9]{3})$/)
      assert.ok(meaning.startsWith("approved") || isDeclineReason(meaning), `${code} ${meaning}`)
    }
})

test("the codes that everybody knows mean what everybody knows", () => {
  assert.equal(reason("00"), "approved")
  assert.equal(reason("10"), "approved_partially")
  assert.equal(reason("05"), "do_not_honor")
  assert.equal(reason("51"), "insufficient_funds")
  assert.equal(reason("54"), "expired_card")
  assert.equal(reason("N7"), "incorrect_cvc")
  assert.equal(reason("R1"), "authorization_revoked")
  assert.equal(reason("91"), "issuer_unavailable")
})

test("the same two digits are read by the network that sent them", () => {
  assert.equal(reason("82", { network: "visa" }), "incorrect_cvc")
  assert.equal(reason("82", { network: "mastercard" }), "policy_declined")
  assert.equal(reason("79", { network: "visa" }), "already_done")
  assert.equal(reason("79", { network: "mastercard" }), "lifecycle_declined")
  assert.equal(reason("116", { network: "amex" }), "insufficient_funds")
  assert.equal(reason("116", { network: "visa" }), undefined)
})

test("a Mastercard 65 asks for authentication where SCA applies and is a count limit elsewhere", () => {
  assert.equal(reason("65", { network: "mastercard", scaApplies: true }), "authentication_required")
  assert.equal(reason("65", { network: "mastercard" }), "count_limit_exceeded")
  assert.equal(reason("65", { network: "visa", scaApplies: true }), "count_limit_exceeded")
  assert.equal(reason("1A", { network: "visa" }), "authentication_required")
})

test("an advice code that says more than the response code decides the reason, and never an approval", () => {
  assert.equal(reason("79", { network: "mastercard", adviceCode: "01" }), "new_account_information")
  assert.equal(reason("05", { network: "mastercard", adviceCode: "21" }), "authorization_revoked")
  assert.equal(reason("51", { network: "mastercard", adviceCode: "25" }), "insufficient_funds")
  assert.equal(reason("05", { network: "visa", adviceCode: "01" }), "do_not_honor")
  assert.equal(reason("00", { network: "mastercard", adviceCode: "01" }), "approved")
})

test("a code that does not say what became of the payment has no verdict", () => {
  for (const code of ["09", "32", "99", "", "0", "5", "toString", "ZZ"])
    assert.equal(readNetworkCode(code), undefined, code)
})

test("an advice names its time exactly where it asks to wait, and its change where it asks for one", () => {
  for (const [code, { retry, afterSeconds, changes }] of Object.entries(adviceCodes)) {
    assert.equal(retry === "after", afterSeconds !== undefined, code)
    assert.equal(retry === "with_changes", changes !== undefined, code)
  }
})

test("the waiting times of Mastercard's advice 24 to 30 are an hour, then one to ten days", () => {
  const hours = ["24", "25", "26", "27", "28", "29", "30"].map(
    (code) => (readAdviceCode(code)?.afterSeconds ?? 0) / 3600,
  )
  assert.deepEqual(hours, [1, 24, 48, 96, 144, 192, 240])
  assert.equal(readAdviceCode("03")?.retry, "never")
  assert.equal(readAdviceCode("constructor"), undefined)
})

test("no reason that Visa puts into category 1 lets the card be tried again as it is", () => {
  for (const code of Object.keys(commonCodes)) {
    const verdict = readNetworkCode(code, { network: "visa" })
    if (verdict?.kind !== "declined" || visaCategoryOf(code) !== 1) continue
    const { retryHere, retryElsewhere } = declineReasons[verdict.reason]
    for (const retry of [retryHere, retryElsewhere])
      assert.ok(retry === "no" || retry === "with_changes", `${code} ${retry}`)
  }
})

test("every declining Visa code has a category, and approvals have none", () => {
  assert.equal(visaCategoryOf("00"), undefined)
  assert.deepEqual(["43", "51", "N7", "05", "XX"].map(visaCategoryOf), [1, 2, 3, 4, 4] satisfies VisaCategory[])
  assert.equal(visaCategories[1].retriesIn30Days, 0)
})
