// A PostgreSQL for tests: real, fast because it may forget, and gone with the process that started it, however that ends.
// `npm test` starts one for all test files and names it in ORCHESTRA_TEST_POSTGRES.

import { spawn } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { systemPorts } from "../src/ports.ts"
import { findProgram, type Program } from "../src/storage/embedded-program.ts"
import { startEmbedded } from "../src/storage/embedded.ts"

/** Holds the socket's folder, which is what a driver takes as `host`. */
export const CLUSTER_VARIABLE = "ORCHESTRA_TEST_POSTGRES"
export const CLUSTER_USER = "orchestra"
/** The programs of another PostgreSQL than the embedded one, to test on its version: a folder that holds `initdb` and `postgres`. */
export const PROGRAMS_VARIABLE = "ORCHESTRA_TEST_POSTGRES_BIN"

export type TestCluster = { readonly host: string; stop(): Promise<void> }

/** Nothing in it survives a crash of the machine, and nothing needs to. */
const settings = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  shared_buffers: "64MB",
  max_connections: "200",
}
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export async function startTestCluster(): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "orchestra-test-"))
  const release = deleteWithUs(dir)
  try {
    const embedded = await startEmbedded({ dir, ports: systemPorts(() => 0, quiet), settings, program: program() })
    const stop = async (): Promise<void> => {
      await embedded.stop()
      release()
    }
    return { host: embedded.host, stop }
  } catch (error) {
    release()
    throw error
  }
}

function program(): Program | undefined {
  const found = findProgram()
  const folder = process.env[PROGRAMS_VARIABLE]
  if (found === undefined || folder === undefined || folder === "") return found
  return { ...found, initdb: join(folder, "initdb"), postgres: join(folder, "postgres") }
}

/**
 * PostgreSQL is made to outlive us, which a test's must not, even after `kill -9`. A shell waits for the end of a pipe
 * that only we hold open, then ends what runs in the folder and deletes it.
 */
function deleteWithUs(dir: string): () => void {
  const script = `
    cat
    { read -r pid; read -r _; read -r _; read -r _; read -r sockets; } < "$0/data/postmaster.pid" && kill -QUIT "$pid" &&
      sleep 1 && rm -rf "$sockets"
    rm -rf "$0"`
  const guard = spawn("sh", ["-c", script, dir], { detached: true, stdio: ["pipe", "ignore", "ignore"] })
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return () => guard.stdin.end()
}
