// The contract that every connector is held to. A connector's test calls it once, with its samples and tables:
//
//   connectorContract(stripe, { config, samples, webhooks: { samples, secrets, sign, covers }, tables, tableModule })
//
// A rule that is added here binds all connectors at the next run. Test support, not part of the server.

import { describe, test } from "node:test"
import type { AccountConfig, Connector } from "./connector.ts"
import { decodeRules } from "./contract-decode.ts"
import { encodeRules } from "./contract-encode.ts"
import { manifestRules } from "./contract-manifest.ts"
import type { Rule } from "./contract-rule.ts"
import type { Sample } from "./contract-sample.ts"
import { scrubRules } from "./contract-scrub.ts"
import { type TableCoverage, tableRules } from "./contract-table.ts"
import { type WebhookMaterial, webhookRules } from "./contract-webhook.ts"

export type { TableCoverage } from "./contract-table.ts"
export type { WebhookMaterial } from "./contract-webhook.ts"
export { readSamples, readWebhookSamples, type Sample, type WebhookSample } from "./contract-sample.ts"
export { standard, standardInput } from "./contract-input.ts"

export type Material = {
  /** An account as the manifest describes it, with credentials of the provider's own form (invented ones). */
  readonly config: AccountConfig
  readonly samples: readonly Sample[]
  readonly webhooks: WebhookMaterial
  readonly tables: readonly TableCoverage[]
  /** `import * as tables from "./tables.ts"`: every table in it must be among `tables`. */
  readonly tableModule: Readonly<Record<string, unknown>>
}

export function contractRules(connector: Connector, material: Material): readonly Rule[] {
  const { config, samples, webhooks, tables, tableModule } = material
  return [
    ...manifestRules(connector, config),
    ...encodeRules(connector, config, samples),
    ...decodeRules(connector, config, samples),
    ...tableRules(tables, tableModule),
    ...webhookRules(connector, config, webhooks),
    ...scrubRules(connector, config, samples),
  ]
}

export function connectorContract(connector: Connector, material: Material): void {
  describe(`${connector.manifest.id}: the connector contract`, () => {
    for (const { name, check } of contractRules(connector, material)) test(name, check)
  })
}
