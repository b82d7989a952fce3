// Runs a real PostgreSQL beside the server when none is configured. It is started so that it outlives us: when our
// process is killed, the database keeps what was committed, and our next start adopts it. It listens on a Unix socket
// only, in a folder that is ours alone: no port to choose, no password to keep.
//
// What may be found at a start, and what follows:
//   another Orchestra on the same data      fault `instance_already_running`
//   no data, or a half-made cluster         made aside, then renamed into place: the data is whole or absent
//   a running PostgreSQL that answers       adopted
//   one that starts, recovers or stops      waited for
//   one that runs but cannot be reached     stopped and started anew (its socket was deleted)
//   a pid file whose process is dead        PostgreSQL heals it
//   a pid file whose number is in use       the number is replaced, see `disown`
//   a full disk, a refused permission       a fault of one sentence

import { execFile, spawn, type ChildProcess } from "node:child_process"
import * as fs from "node:fs"
import { totalmem } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Ports } from "../ports.ts"
import {
  disown,
  isPostmaster,
  lives,
  pidFile,
  signal,
  whoAnswers,
  type Cluster,
  type Running,
} from "./embedded-postmaster.ts"
import { findProgram, own, socketFolder, type Program } from "./embedded-program.ts"
import { lockInstance } from "./instance-lock.ts"

export type Embedded = {
  /** The socket's folder: what a driver takes as `host`. */
  readonly host: string
  readonly user: string
  /** The postmaster's process id; another one after PostgreSQL had to be started anew. */
  pid(): number
  /** Ends all sessions, writes a checkpoint, and gives the data free. */
  stop(): Promise<void>
}

export type EmbeddedOptions = {
  /** Holds everything: the cluster, PostgreSQL's log, the instance lock. */
  readonly dir: string
  readonly ports: { readonly clock: Pick<Ports["clock"], "sleep">; readonly log: Ports["log"] }
  /** PostgreSQL settings; `fsync: "off"` also skips the flush of a new cluster. For tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** Undefined on a platform that the package has no binaries for. */
  readonly program?: Program | undefined
}

export type EmbeddedFault = "instance_already_running" | "disk_full" | "not_permitted" | "unsupported" | "cannot_start"

export const SUPERUSER = "orchestra"
const POLL_MS = 25
/** Crash recovery replays the write-ahead log; at most about 4 GB of it. */
const START_LIMIT_MS = 10 * 60_000
const RETRY_MS = 250
/** Between two looks at whether PostgreSQL still runs. */
const WATCH_MS = 500
const REVIVE_PAUSE_MS = 10_000
const STOP_LIMIT_MS = 60_000
/** A postmaster that is ready but does not answer for so long has lost its socket. */
const DEAF_MS = 2_000
/** Starts that fail for a reason we do not know. The second try is for what heals by itself. */
const FAILED_STARTS_LIMIT = 3
const LOG_LIMIT_BYTES = 8 * 1024 * 1024
const LOG_TAIL_BYTES = 8 * 1024

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { ports, settings = {} } = options
  const program = "program" in options ? options.program : findProgram()
  if (!program) {
    const machine = `${process.platform}-${process.arch}`
    throw fault("unsupported", `There is no embedded PostgreSQL for ${machine}. Set DATABASE_URL.`)
  }
  const cluster = prepare(options.dir, program)
  const lock = lockInstance(cluster.dir, process.pid)
  if ("taken" in lock)
    throw fault(
      "instance_already_running",
      `Another Orchestra (${lock.by}) already runs on ${cluster.dir}. Stop it first.`,
    )

  let found: Running
  try {
    await initialise(cluster, settings)
    found = await bringUp(cluster, settings, ports)
  } catch (error) {
    if (fs.readdirSync(cluster.sockets).length === 0) fs.rmdirSync(cluster.sockets)
    lock.release()
    throw error
  }

  // Something may kill PostgreSQL under us: the out-of-memory killer, an operator. Sessions are lost, committed data not.
  let stopping = false
  let reviving: Promise<void> | undefined
  const revive = async (): Promise<void> => {
    ports.log.error({ pid: found.pid }, "the embedded PostgreSQL has ended unexpectedly, and is started anew")
    try {
      found = await bringUp(cluster, settings, ports)
    } catch (error) {
      ports.log.error({ error: String(error) }, "the embedded PostgreSQL cannot be started; trying again")
      await ports.clock.sleep(REVIVE_PAUSE_MS)
    }
  }
  const watch = async (): Promise<void> => {
    for (;;) {
      await ports.clock.sleep(WATCH_MS)
      if (stopping) return
      if (!lives(found.pid, cluster)) await (reviving = revive())
    }
  }
  void watch()

  const shutDown = async (): Promise<void> => {
    stopping = true
    await reviving
    await halt(cluster, ports)
    lock.release()
  }
  let stopped: Promise<void> | undefined
  return { host: found.host, user: SUPERUSER, pid: () => found.pid, stop: () => (stopped ??= shutDown()) }
}

function prepare(given: string, program: Program): Cluster {
  try {
    fs.mkdirSync(given, { recursive: true, mode: 0o700 })
    const dir = fs.realpathSync(given)
    own(dir, program)
    const sockets = socketFolder(dir, program)
    if (sockets === undefined)
      throw fault("not_permitted", "Another user has taken the name of our socket's folder in the temporary folder.")
    return { dir, data: join(dir, "data"), log: join(dir, "postgres.log"), sockets, program }
  } catch (error) {
    throw explained(error, given, program)
  }
}

/** `initdb` takes about a second, and may be interrupted at any moment of it. */
async function initialise(cluster: Cluster, settings: Readonly<Record<string, string>>): Promise<void> {
  const { dir, data, program } = cluster
  for (const name of fs.readdirSync(dir).filter((name) => name.startsWith("data.")))
    fs.rmSync(join(dir, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  if (fs.existsSync(data)) return own(data, program)
  const fresh = join(dir, `data.${process.pid}`)
  const flush = settings["fsync"] === "off" ? ["--no-sync"] : []
  const args = [
    "-D",
    fresh,
    "-U",
    SUPERUSER,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-instructions",
    ...flush,
  ]
  try {
    await promisify(execFile)(...program.command(program.initdb, args), program.spawnOptions)
    fs.renameSync(fresh, data)
  } catch (error) {
    fs.rmSync(fresh, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    throw explained(error, dir, program)
  }
}

/** Starts or adopts. Every turn looks at the world anew, since another postmaster may be coming up or going down. */
async function bringUp(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
  ports: EmbeddedOptions["ports"],
): Promise<Running> {
  let ours: Start | undefined
  let failures = 0
  let deafMs = 0
  // One that we end takes its socket with it last of all: a new one must not have made it anew by then.
  let leaving: number | undefined
  for (let waitedMs = 0; waitedMs < START_LIMIT_MS;) {
    const running = await whoAnswers(cluster)
    if (running) return running
    const ended = ours?.ended()
    const holder = pidFile(cluster)
    if (leaving !== undefined && lives(leaving, cluster)) {
      // It is on its way.
    } else if (ended !== undefined) {
      leaving = undefined
      ours = undefined
      const passes = /lock file .* already exists|still in use/.test(ended)
      if (!passes && ++failures === FAILED_STARTS_LIMIT) throw explained(ended, cluster.dir, cluster.program)
    } else if (holder && isPostmaster(holder.pid, cluster)) {
      if (holder.ready) deafMs += ours === undefined ? RETRY_MS : POLL_MS
      if (deafMs >= DEAF_MS) {
        ports.log.warn({ pid: holder.pid }, "the embedded PostgreSQL runs, but its socket is gone: restarting it")
        signal(holder.pid, "SIGINT")
        leaving = holder.pid
        deafMs = 0
      }
    } else if (ours === undefined) {
      leaving = undefined
      disown(cluster)
      ours = launch(cluster, settings)
    }
    const pauseMs = ours === undefined ? RETRY_MS : POLL_MS
    await ports.clock.sleep(pauseMs)
    waitedMs += pauseMs
  }
  throw fault(
    "cannot_start",
    `PostgreSQL did not become ready within ${START_LIMIT_MS / 60_000} minutes. See ${cluster.log}.`,
  )
}

/** A postmaster of ours; `ended` is what it said last, once it has ended. */
type Start = { ended(): string | undefined }

function launch(cluster: Cluster, settings: Readonly<Record<string, string>>): Start {
  const { program, log } = cluster
  if (sizeOf(log) > LOG_LIMIT_BYTES) fs.renameSync(log, `${log}.1`)
  const from = sizeOf(log)
  const output = fs.openSync(log, "a", 0o600)
  const all = {
    listen_addresses: "",
    unix_socket_permissions: "0700",
    unix_socket_directories: cluster.sockets,
    ...sizes(),
    ...settings,
  }
  const args = ["-D", cluster.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])]
  // Detached: Ctrl-C reaches the whole foreground group, and PostgreSQL must outlive our drain.
  const child: ChildProcess = spawn(...program.command(program.postgres, args), {
    ...program.spawnOptions,
    detached: true,
    stdio: ["ignore", output, output],
  })
  let failure: string | undefined
  child.once("error", (error) => (failure = String(error)))
  child.once("exit", () => (failure ??= tail(log, from)))
  child.unref()
  fs.closeSync(output)
  return { ended: () => failure }
}

/**
 * Keys and references are random, so payments write all over their indexes. What of these does not fit in memory is read
 * again and again, and after every checkpoint the first change of a page writes the whole of it: the defaults (128 MB, a
 * checkpoint for every 500 MB, each minute of full load) are for a smaller machine. Safety settings stay at their defaults.
 */
function sizes(): Readonly<Record<string, string>> {
  const memoryMb = Math.floor(totalmem() / 2 ** 20)
  return {
    shared_buffers: `${Math.min(1_024, Math.max(128, Math.floor(memoryMb / 16)))}MB`,
    max_wal_size: "4GB",
  }
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are ended, a checkpoint is written. */
async function halt(cluster: Cluster, { clock, log }: EmbeddedOptions["ports"]): Promise<void> {
  const holder = pidFile(cluster)
  if (holder && isPostmaster(holder.pid, cluster)) {
    signal(holder.pid, "SIGINT")
    let waitedMs = 0
    for (; waitedMs < STOP_LIMIT_MS && lives(holder.pid, cluster); waitedMs += POLL_MS) await clock.sleep(POLL_MS)
    if (waitedMs >= STOP_LIMIT_MS) {
      log.warn({ pid: holder.pid }, "the embedded PostgreSQL does not stop: ending it; the next start will recover")
      signal(holder.pid, "SIGQUIT")
    }
  }
  fs.rmSync(cluster.sockets, { recursive: true, force: true })
}

const fault = (code: EmbeddedFault, message: string): Error => Object.assign(new Error(message), { code })

/** One sentence for what people can mend; what PostgreSQL said for the rest. */
function explained(problem: unknown, dir: string, { runAs }: Program): Error {
  const text = problem instanceof Error ? problem.message : String(problem)
  if (problem instanceof Error && isFault(problem)) return problem
  if (/No space left|Disk quota|ENOSPC|EDQUOT/.test(text))
    return fault("disk_full", `The disk that holds ${dir} is full: PostgreSQL needs about 100 MB to start.`)
  if (/Permission denied|wrong ownership|EACCES|EPERM|EROFS/.test(text))
    return fault(
      "not_permitted",
      runAs === "nobody"
        ? `PostgreSQL refuses to run as root, so it runs as nobody, who cannot reach ${dir} or the installed packages: ` +
            `let others pass through their parent folders (chmod o+x), or start Orchestra as an ordinary user.`
        : `PostgreSQL may not read or write ${dir}: start Orchestra as the user who owns it.`,
    )
  if (/user does not exist/.test(text))
    return fault(
      "not_permitted",
      `PostgreSQL needs a user with a name, and user ${process.geteuid?.() ?? ""} has none here.`,
    )
  const said = text.split("\n").filter((line) => /FATAL|PANIC|ERROR|HINT|error:/.test(line))
  return fault("cannot_start", `PostgreSQL cannot start on ${dir}: ${said.join(" ") || text}`)
}

function isFault(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && /^[a-z_]+$/.test(error.code)
}

function tail(path: string, from: number): string {
  if (!fs.existsSync(path)) return "" // deleted with its folder
  const bytes = fs.readFileSync(path)
  return bytes.subarray(Math.max(from, bytes.length - LOG_TAIL_BYTES)).toString("utf8")
}

function sizeOf(path: string): number {
  return fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
