// Which connectors there are: the folders say so. Nothing else in the project lists providers by hand.

import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Manifest } from "../../packages/server/src/connectors/connector.ts"

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

/** The manifests of all connectors, read from their folders and not through the registry, which may be stale. */
export async function loadManifests(root: string): Promise<readonly Manifest[]> {
  return Promise.all(
    connectorIds(root).map(async (id) => {
      const file = join(root, connectorsFolder, id, "index.ts")
      const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, { manifest: Manifest }>>
      const connector = module[exportName(id)]
      if (connector === undefined) throw new Error(`${id}/index.ts does not export ${exportName(id)}`)
      if (connector.manifest.id !== id) throw new Error(`${id}/manifest.ts names itself ${connector.manifest.id}`)
      return connector.manifest
    }),
  )
}
