// A process that starts the embedded PostgreSQL and stays, to be killed by tests: `node embedded-process.ts DIR`. Prints
// one line of JSON when it is up or has failed; ends properly on SIGTERM.

import { startEmbedded } from "../src/storage/embedded.ts"
import { systemPorts } from "../src/ports.ts"

const quiet = (): void => {}
const ports = systemPorts(() => 0, { info: quiet, warn: quiet, error: quiet })
const dir = process.argv[2] ?? ""

try {
  const embedded = await startEmbedded({ dir, ports, settings: { fsync: "off" } })
  process.once("SIGTERM", () => void embedded.stop())
  console.log(JSON.stringify({ pid: embedded.pid(), host: embedded.host }))
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  console.log(JSON.stringify({ fault: code, message }))
}
