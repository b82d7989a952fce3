// packages/server/src/connectors/registry.ts: the one place where the server's connectors stand together. It is written
// from the folders' names alone, so a folder that does not compile yet is listed all the same.

import { exportName } from "./connector-folders.ts"

export function registryText(ids: readonly string[]): string {
  const imports = ids.map((id) => `import { ${exportName(id)} } from "./${id}/index.ts"`)
  const entries = ids.map((id) => (exportName(id) === id ? id : `${id}: ${exportName(id)}`))
  return `// Every connector, by its id. Generated from the folders beside this file by \`npm run generate\`: do not edit.

${imports.join("\n")}
import { type Connector, lookup } from "./connector.ts"

export const connectors = { ${entries.join(", ")} } satisfies Readonly<Record<string, Connector>>

export type ConnectorId = keyof typeof connectors

/** The connector of that id, which may come from a request or a row. */
export const findConnector = (id: string): Connector | undefined => lookup<Connector>(connectors, id)
`
}
