// Every connector of the registry that has a simulated provider, over real HTTP. A new provider takes part with a file of
// its test values (`<id>/scenarios.json`) and a persona of its own.

import assert from "node:assert/strict"
import { test } from "node:test"
import { PERSONAS } from "@orchestra/simulator"
import { readTestValues } from "./contract-http.ts"
import { httpScenarios } from "./contract-http-scenario.ts"
import { connectors } from "./registry.ts"

for (const connector of Object.values(connectors)) {
  const values = readTestValues(connector)
  if (values !== undefined) httpScenarios(connector, values)
}

test("every simulated provider is lived through by its connector", () => {
  const simulated = Object.keys(PERSONAS)
  const withValues = Object.values(connectors).filter((connector) => readTestValues(connector) !== undefined)
  assert.deepEqual(withValues.map(({ manifest }) => manifest.id).toSorted(), simulated.toSorted())
})
