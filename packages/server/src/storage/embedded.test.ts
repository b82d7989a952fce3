// The embedded PostgreSQL against real processes, real kills and a real full disk.

import assert from "node:assert/strict"
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test, type TestContext } from "node:test"
import { Client } from "pg"
import { systemPorts } from "../ports.ts"
import { findProgram, socketFolder, type Program } from "./embedded-program.ts"
import { isPostmaster, pidFile, signal } from "./embedded-postmaster.ts"
import { startEmbedded, type Embedded, type EmbeddedOptions } from "./embedded.ts"

const process_ = join(import.meta.dirname, "../../testing/embedded-process.ts")
const root = process.geteuid?.() === 0
const quiet = (): void => {}
const ports = systemPorts(() => 0, { info: quiet, warn: quiet, error: quiet })
const MOUNTS: readonly [string, ...string[]] = root
  ? ["unshare", "--mount"]
  : ["unshare", "--user", "--map-root-user", "--mount"]
const NAMELESS = 54_321
const WAIT_LIMIT_MS = 60_000

const home = fs.mkdtempSync(join(tmpdir(), "orchestra-embedded-"))
fs.chmodSync(home, 0o711) // nobody must be able to pass through
const made = join(home, "made")

before(async () => {
  await (await start(made)).stop()
})
after(() => {
  for (const name of fs.readdirSync(home)) endPostmaster(join(home, name))
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
})

test("starts a real PostgreSQL that listens on its Unix socket only", async (t) => {
  const embedded = await started(t, cluster("plain"))
  const [row] = await query(embedded, "select version(), current_setting('listen_addresses') as addresses")
  assert.match(String(row?.["version"]), /^PostgreSQL 18/)
  assert.equal(row?.["addresses"], "")
  assert.equal(fs.statSync(embedded.host).mode & 0o777, 0o700)
})

test("keeps what was committed over a stop and a start", async (t) => {
  const dir = cluster("kept")
  const first = await started(t, dir)
  await query(first, "create table kept as select 42 as answer")
  await first.stop()
  assert.equal(fs.existsSync(join(dir, "data/postmaster.pid")), false)
  const second = await started(t, dir)
  assert.deepEqual(await query(second, "select answer from kept"), [{ answer: 42 }])
})

test("adopts the PostgreSQL that outlived the kill of its Orchestra", async (t) => {
  const dir = cluster("adopted")
  const killed = await child(t, dir)
  await query(killed.said, "create table kept as select 42 as answer")
  await kill(killed.process, "SIGKILL")
  const embedded = await started(t, dir)
  assert.equal(embedded.pid(), killed.said.pid)
  assert.deepEqual(await query(embedded, "select answer from kept"), [{ answer: 42 }])
})

test("heals after PostgreSQL itself was killed, with everything that was committed", async (t) => {
  const dir = cluster("healed")
  const killed = await child(t, dir)
  await query(killed.said, "create table kept as select 42 as answer")
  await kill(killed.process, "SIGKILL")
  process.kill(killed.said.pid, "SIGKILL")
  await until(() => !isPostmaster(killed.said.pid, { data: join(dir, "data") }))
  const embedded = await started(t, dir)
  assert.notEqual(embedded.pid(), killed.said.pid)
  assert.deepEqual(await query(embedded, "select answer from kept"), [{ answer: 42 }])
})

test("starts PostgreSQL anew when it is killed under a running Orchestra", async (t) => {
  const embedded = await started(t, cluster("revived"))
  await query(embedded, "create table kept as select 42 as answer")
  const before = embedded.pid()
  process.kill(before, "SIGKILL")
  await until(() => embedded.pid() !== before)
  assert.deepEqual(await query(embedded, "select answer from kept"), [{ answer: 42 }])
})

test("refuses a second Orchestra on the same data while the first one runs, and names the first", async (t) => {
  const dir = cluster("second")
  const first = await child(t, dir)
  await assert.rejects(start(dir), (error: Error & { code?: string }) => {
    assert.equal(error.code, "instance_already_running")
    assert.match(error.message, new RegExp(`process ${first.process.pid}\\b`))
    return true
  })
  assert.equal((await query(first.said, "select 1 as alive"))[0]?.["alive"], 1)
})

test("lets exactly one of two simultaneous first starts win, and the loser says why", async (t) => {
  const dir = join(home, "raced")
  const said = (await Promise.all([child(t, dir), child(t, dir)])).map(({ said }) => said)
  assert.deepEqual(new Set(said.map(({ fault }) => fault)), new Set(["instance_already_running", undefined]))
})

test("a first start that was killed while it made the cluster is made up for", async (t) => {
  const dir = join(home, "interrupted")
  const interrupted = spawn(process.execPath, [process_, dir], { stdio: "ignore" })
  await until(() => fs.existsSync(dir) && fs.readdirSync(dir).some((name) => name.startsWith("data.")))
  await kill(interrupted, "SIGKILL")
  const embedded = await started(t, dir)
  assert.equal((await query(embedded, "select 1 as alive"))[0]?.["alive"], 1)
  assert.deepEqual(
    fs.readdirSync(dir).filter((name) => name.startsWith("data.")),
    [],
  )
})

test("starts over a stale pid file whose number now belongs to another process", async (t) => {
  const dir = cluster("stale")
  const data = join(dir, "data")
  const lines = [process.ppid, data, 1, 5432, "/nowhere", "", "", "ready"]
  fs.writeFileSync(join(data, "postmaster.pid"), `${lines.join("\n")}\n`)
  const embedded = await started(t, dir)
  assert.equal((await query(embedded, "select 1 as alive"))[0]?.["alive"], 1)
})

test("starts over a pid file that a crash left empty", async (t) => {
  const dir = cluster("empty")
  fs.writeFileSync(join(dir, "data/postmaster.pid"), "")
  const embedded = await started(t, dir)
  assert.equal((await query(embedded, "select 1 as alive"))[0]?.["alive"], 1)
})

test("restarts a PostgreSQL whose socket was deleted, since nobody can reach it any more", async (t) => {
  const dir = cluster("deaf")
  const killed = await child(t, dir)
  await kill(killed.process, "SIGKILL")
  fs.rmSync(killed.said.host, { recursive: true })
  const embedded = await started(t, dir)
  assert.notEqual(embedded.pid(), killed.said.pid)
  assert.equal((await query(embedded, "select 1 as alive"))[0]?.["alive"], 1)
})

test("keeps the socket's path short where the temporary folder's is long", async (t) => {
  const long = join(home, "l".repeat(100))
  fs.mkdirSync(long)
  const { said } = await child(t, cluster("long"), { TMPDIR: long })
  assert.ok(Buffer.byteLength(join(said.host, ".s.PGSQL.5432")) <= 103, said.host)
  assert.equal((await query(said, "select 1 as alive"))[0]?.["alive"], 1)
})

test("does not use a socket folder that stands open to others", async () => {
  const dir = cluster("squatted")
  const program = findProgram() ?? assert.fail()
  const folder = socketFolder(dir, program) ?? assert.fail()
  fs.chmodSync(folder, 0o777)
  try {
    await assert.rejects(start(dir), { code: "not_permitted" })
  } finally {
    fs.rmdirSync(folder)
  }
})

test("says in one sentence that the disk is full", { skip: !canMount() && "needs a mount namespace" }, async (t) => {
  const dir = join(home, "full")
  fs.mkdirSync(dir)
  const script = `mount -t tmpfs -o size=20m none "$0" && exec "$1" "$2" "$0"`
  const { said } = await child(t, dir, {}, [...MOUNTS, "sh", "-c", script, dir, process.execPath, process_])
  assert.equal(said.fault, "disk_full")
  assert.match(said.message ?? "", /^The disk that holds .+ is full: [^\n]+\.$/)
})

test("says which variable to set where there is no PostgreSQL for the machine", async () => {
  await assert.rejects(start(cluster("none"), { program: undefined }), /Set DATABASE_URL/)
})

test("runs as nobody where user namespaces are refused", { skip: !root && "needs root" }, async (t) => {
  const dir = cluster("nobody")
  const asNobody = findProgram("nobody") ?? assert.fail()
  const embedded = await started(t, dir, { program: asNobody })
  const status = fs.readFileSync(`/proc/${embedded.pid()}/status`, "utf8")
  assert.match(status, /^Uid:\s+65534\s/m)
  await embedded.stop()
  const again = await started(t, dir) // and back again, when the container's rules change
  assert.equal((await query(again, "select 1 as alive"))[0]?.["alive"], 1)
})

test(
  "runs for a user whom no account names",
  { skip: !canMapUsers() && "needs root and user namespaces" },
  async (t) => {
    const dir = join(home, "nameless")
    fs.mkdirSync(dir)
    fs.chownSync(dir, NAMELESS, NAMELESS)
    const user = [`--reuid=${NAMELESS}`, `--regid=${NAMELESS}`, "--clear-groups"]
    const { said } = await child(t, dir, {}, ["setpriv", ...user, process.execPath, process_, dir])
    assert.deepEqual([said.fault, said.message], [undefined, undefined])
  },
)

test("says what to open when nobody cannot reach the data", { skip: !root && "needs root" }, async () => {
  const closed = join(home, "closed")
  fs.mkdirSync(closed, { mode: 0o700 })
  const asNobody: Program = findProgram("nobody") ?? assert.fail()
  await assert.rejects(start(join(closed, "dir"), { program: asNobody }), /chmod o\+x/)
})

/** A directory with a cluster in it: `initdb` takes a second, a copy does not. */
function cluster(name: string): string {
  const dir = join(home, name)
  fs.mkdirSync(dir)
  const copied = spawnSync("cp", ["-a", join(made, "data"), join(dir, "data")])
  assert.equal(copied.status, 0)
  return dir
}

function start(dir: string, options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  return startEmbedded({ dir, ports, settings: { fsync: "off" }, ...options })
}

async function started(t: TestContext, dir: string, options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const embedded = await start(dir, options)
  t.after(() => embedded.stop())
  return embedded
}

type Said = { readonly pid: number; readonly host: string; readonly fault?: string; readonly message?: string }

/** Another Orchestra process on the same data; it is ended with the test. */
async function child(
  t: TestContext,
  dir: string,
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = [process.execPath, process_, dir],
): Promise<{ readonly process: ChildProcess; readonly said: Said }> {
  const [file = "", ...args] = command
  const started = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] })
  t.after(() => kill(started, "SIGTERM"))
  const line = await new Promise<string>((resolve, reject) => {
    let text = ""
    started.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      if (text.includes("\n")) resolve(text)
    })
    started.once("exit", () => reject(new Error(`the process said nothing but: ${text}`)))
  })
  return { process: started, said: JSON.parse(line) as Said }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once("exit", resolve))
  child.kill(signal)
  await gone
}

/** What a failed test left running; its number alone would not do, numbers are used again. */
function endPostmaster(dir: string): void {
  const data = join(dir, "data")
  const holder = pidFile({ data })
  if (holder && isPostmaster(holder.pid, { data })) signal(holder.pid, "SIGQUIT")
}

async function query({ host }: { readonly host: string }, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ host, user: "orchestra", database: "postgres" })
  client.on("error", quiet)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 10) {
    assert.ok(waitedMs < WAIT_LIMIT_MS, "waited in vain")
    await ports.clock.sleep(10)
  }
}

function canMapUsers(): boolean {
  return root && spawnSync("setpriv", [`--reuid=${NAMELESS}`, "unshare", "--user", "true"]).status === 0
}

function canMount(): boolean {
  const [file, ...args] = MOUNTS
  return spawnSync(file, [...args, "sh", "-c", `mount -t tmpfs none "$0"`, home]).status === 0
}
