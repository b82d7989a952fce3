import assert from "node:assert/strict"
import { test } from "node:test"
import { given } from "./given.ts"

test("undefined fields are left out and all others stay, null and false among them", () => {
  const text = undefined as string | undefined
  const value: { readonly kept: null; readonly no: boolean; readonly text?: string } = given({
    kept: null,
    no: false,
    text,
  })
  assert.deepEqual(Object.entries(value), [
    ["kept", null],
    ["no", false],
  ])
})
