// What is known of the embedded PostgreSQL's main process, the postmaster, from outside: its pid file, the process table,
// its socket. None of them alone is to be trusted after a crash.

import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { SOCKET_NAME, type Program } from "./embedded-program.ts"

/** More than any system's largest process id, so it is never in use. */
const NO_PROCESS = 999_999_999
const ANSWER_LIMIT_MS = 2_000
/** Its length, and the number that means "shall we speak TLS?"; PostgreSQL answers with one byte. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

export type Cluster = {
  readonly dir: string
  readonly data: string
  readonly log: string
  readonly sockets: string
  readonly program: Program
}

export type Running = { readonly pid: number; readonly host: string }

/** The postmaster that says it is ready, and answers. The pid alone may be a zombie's or a stranger's. */
export async function whoAnswers(cluster: Cluster): Promise<Running | undefined> {
  const holder = pidFile(cluster)
  if (!holder?.ready || !(await answers(holder.host))) return undefined
  return { pid: holder.pid, host: holder.host }
}

/**
 * Asks whether PostgreSQL speaks TLS, the shortest question there is. That a connection is accepted would prove nothing:
 * the kernel does it, also for a process that is just dying or stands still.
 */
function answers(host: string): Promise<boolean> {
  const socket = connect(join(host, SOCKET_NAME))
  return new Promise<boolean>((resolve) => {
    socket.setTimeout(ANSWER_LIMIT_MS, () => resolve(false))
    socket.once("connect", () => socket.write(SSL_REQUEST))
    socket.once("data", () => resolve(true))
    socket.once("error", () => resolve(false))
    socket.once("close", () => resolve(false))
  }).finally(() => socket.destroy())
}

/** postmaster.pid, by lines: pid, data, start, port, socket folder, address, shared memory, state. */
export function pidFile({ data }: Pick<Cluster, "data">): (Running & { readonly ready: boolean }) | undefined {
  const lines = readOr(join(data, "postmaster.pid"), "").split("\n")
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  return { pid, host: lines[4] ?? "", ready: lines[7]?.trim() === "ready" }
}

/** Whether the process lives and is PostgreSQL on this data: numbers are used again, and zombies keep theirs. */
export function isPostmaster(pid: number, cluster: Pick<Cluster, "data">): boolean {
  if (!lives(pid, cluster)) return false
  if (process.platform === "linux") return true
  const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" })
  return stdout.includes(cluster.data)
}

/** The cheap half of it: on Linux exact, elsewhere it trusts that a process we knew is still the same. */
export function lives(pid: number, cluster: Pick<Cluster, "data">): boolean {
  if (!signal(pid, 0)) return false
  return process.platform !== "linux" || readOr(`/proc/${pid}/cmdline`, "").includes(cluster.data)
}

/**
 * PostgreSQL will not start over a pid file whose number belongs to a living process, and after a container's restart it
 * usually does: to us, or to a neighbour. The number is replaced by one that no process has. The file itself must stay:
 * its seventh line lets PostgreSQL find out whether orphaned backends still use the old shared memory.
 */
export function disown(cluster: Cluster): void {
  const path = join(cluster.data, "postmaster.pid")
  const [first, ...rest] = readOr(path, "").split("\n")
  if (rest.length === 0) fs.rmSync(path, { force: true }) // a crash right after its creation leaves it empty
  else if (first !== String(NO_PROCESS)) fs.writeFileSync(path, [NO_PROCESS, ...rest].join("\n"))
  for (const name of [SOCKET_NAME, `${SOCKET_NAME}.lock`]) fs.rmSync(join(cluster.sockets, name), { force: true })
}

/** False when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return otherwise // it comes and goes with PostgreSQL
  }
}
