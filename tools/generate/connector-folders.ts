// Which connectors there are: the folders say so. Nothing else in the project lists providers by hand.

import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

export const connectorsFolder = "packages/server/src/connectors"

/** What a folder may be called: the connector's id, as manifests, tables and paths carry it. */
export const connectorId = /^[a-z][a-z0-9_]{1,30}$/

/** The ids of all connectors in a checkout, sorted. */
export function connectorIds(root: string): readonly string[] {
  const folder = join(root, connectorsFolder)
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && connectorId.test(entry.name))
    .map((entry) => entry.name)
    .filter((id) => existsSync(join(folder, id, "index.ts")))
    .toSorted()
}

/** The name under which `<id>/index.ts` exports its connector: `acme_pay` → `acmePay`. */
export function exportName(id: string): string {
  return id.replaceAll(/_+([a-z0-9]?)/g, (_, letter: string) => letter.toUpperCase())
}
