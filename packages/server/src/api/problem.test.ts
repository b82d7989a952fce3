import assert from "node:assert/strict"
import { test } from "node:test"
import { Fault, faults, invalid, type FaultCode } from "../core/fault.ts"
import { faultOf, problemOf } from "./problem.ts"

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

test("what a schema refuses is said in words, without its pattern, and of amounts only where they are meant", () => {
  const said = (keyword: string, params: object, instancePath = "/field"): string | undefined =>
    faultOf(
      Object.assign(new Error("invalid"), { validation: [{ keyword, params, instancePath, message: "raw" }] } as never),
    ).errors[0]?.detail
  const pattern = (text: string) => said("pattern", { pattern: text })
  assert.equal(pattern("^[0-9]{6,8}$"), "must be 6 to 8 digits")
  assert.equal(pattern("^[0-9]{4}$"), "must be 4 digits")
  assert.match(pattern("^\\d{1,12}(\\.\\d{1,6})?$") ?? "", /at most 12 digits before it and 6 behind/)
  assert.equal(pattern("^[1-9][0-9]{0,6}$"), "must be a whole number from 1")
  assert.equal(pattern("^pol_[0-9a-hjkmnp-tv-z]{26}$"), "is not an id beginning with pol_")
  assert.equal(pattern("^x+$"), "is not written as the reference describes it")
  const integer = { type: "integer" }
  assert.equal(said("type", integer, "/version"), "must be a whole number")
  assert.match(said("type", integer, "/amount") ?? "", /minor units/)
})

test("a question at the end of what is said gets no point behind it", () => {
  const { detail } = problemOf(invalid("#/when", "did you mean currency?"), "req_1")
  assert.ok(!detail.includes("?."))
})
