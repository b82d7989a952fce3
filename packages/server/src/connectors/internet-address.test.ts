import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { isIpv4, isIpv6 } from "./internet-address.ts"

test("an address in its usual form is one", () => {
  fc.assert(fc.property(fc.ipV4(), (text) => assert.ok(isIpv4(text), text)))
  const plain = fc.ipV6().filter((text) => !text.includes("."))
  fc.assert(fc.property(plain, (text) => assert.ok(isIpv6(text), text)))
  assert.ok(isIpv6("::"))
})

test("what only has the same characters is none", () => {
  for (const text of ["999.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "...", "", " 1.2.3.4"])
    assert.ok(!isIpv4(text), text)
  for (const text of [
    "",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "::ffff:1.2.3.4",
    "1:",
  ])
    assert.ok(!isIpv6(text), text)
})
