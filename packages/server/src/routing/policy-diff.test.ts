import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { diffRules } from "./policy-diff.ts"
import type { PolicyDocument, Rule } from "./policy.ts"

const rule = (name: string, value: number): Rule => ({
  name,
  when: { field: "amount", op: "ge", value },
  strategy: { kind: "decline", reason: "no" },
})
const document: fc.Arbitrary<PolicyDocument> = fc
  .uniqueArray(fc.record({ name: fc.constantFrom(..."abcdefgh"), value: fc.nat(1) }), { selector: ({ name }) => name })
  .map((rules) => ({ rules: rules.map(({ name, value }) => rule(name, value)) }))

test("a difference says all that turns one document into the other: what stays, stays in order", () => {
  fc.assert(
    fc.property(document, document, (from, to) => {
      const changes = diffRules(from, to, () => ({}))
      const of = (kind: string): readonly string[] => changes.filter((one) => one.kind === kind).map(({ name }) => name)
      const names = (some: PolicyDocument): readonly string[] => some.rules.map(({ name }) => name)
      const gone = [...of("removed"), ...of("moved")]
      const come = [...of("added"), ...of("moved")]
      assert.deepEqual(
        names(from).filter((name) => !gone.includes(name)),
        names(to).filter((name) => !come.includes(name)),
      )
      const value = (some: PolicyDocument, name: string) => some.rules.find((one) => one.name === name)?.when
      for (const name of names(from).filter((one) => names(to).includes(one)))
        assert.equal(
          of("changed").includes(name),
          JSON.stringify(value(from, name)) !== JSON.stringify(value(to, name)),
        )
    }),
  )
})

test("one rule that is carried to the front is one move", () => {
  const rules = [..."abcdef"].map((name) => rule(name, 1))
  const moved = [rules[5]!, ...rules.slice(0, 5)]
  assert.deepEqual(
    diffRules({ rules }, { rules: moved }, () => ({})),
    [{ kind: "moved", name: "f", from: 5, to: 0 }],
  )
})
