import assert from "node:assert/strict"
import { test } from "node:test"
import { Fault, faults, invalid, type FaultCode } from "../core/fault.ts"
import { problemOf } from "./problem.ts"

const codes = Object.keys(faults) as FaultCode[]
/** Those whose help only points to what is said each time. */
const needDetail = codes.filter((code) => faults[code].help.includes("`detail`"))

test("every fault says in a sentence what to do, or is never thrown without saying it", () => {
  for (const code of codes) {
    const said = needDetail.includes(code) ? { detail: "It is so." } : {}
    const { detail, title, status } = problemOf(new Fault(code, said), "req_1")
    assert.match(detail, /^[A-Z0-9`].*\.$/s, code)
    assert.ok(!detail.includes("`detail`"), code)
    assert.match(title, /\.$/)
    assert.equal(status, faults[code].status)
  }
})

test("what is said each time comes first, then what to do", () => {
  const { detail } = problemOf(new Fault("account.disabled", { detail: "acc_1 is off." }), "req_1")
  assert.equal(detail, `acc_1 is off. ${faults["account.disabled"].help}`)
})

test("fields are named in the sentence, three of them, and all stand in the list", () => {
  assert.equal(
    problemOf(invalid("#/amount", "is required"), "req_1").detail,
    `#/amount is required. ${faults["request.invalid"].help}`,
  )
  const errors = Array.from({ length: 5 }, (_, i) => ({ pointer: `#/${i}`, detail: "is wrong" }))
  const problem = problemOf(new Fault("request.invalid", { errors }), "req_1")
  assert.match(problem.detail, /^#\/0 is wrong; #\/1 is wrong; #\/2 is wrong; and 2 more\. /)
  assert.equal(problem.errors?.length, 5)
})
