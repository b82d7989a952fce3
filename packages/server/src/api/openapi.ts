// The OpenAPI document, made without a running server: registering the routes is all it takes. docs/openapi.json is
// written from here, and a test compares.

import type { Api } from "./context.ts"
import { createServer } from "./server.ts"

/** The document as text, always the same for the same routes. */
export async function openapiDocument(): Promise<string> {
  // Routes keep what they are given for later; registering them calls nothing of it.
  const app = await createServer({ engine: {}, database: {} } as Api)
  try {
    await app.ready()
    return `${JSON.stringify(app.swagger(), undefined, 2)}\n`
  } finally {
    await app.close()
  }
}
