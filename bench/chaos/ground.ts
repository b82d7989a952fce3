// Where a run stands: a temporary folder, and everything that was started, stopped in the reverse order. Whatever becomes
// of us, even `kill -9`, leaves nothing: a shell waits for the end of a pipe that only we hold open, and then ends by their
// numbers the processes of ours that still run, and deletes the folder.

import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export type Ground = {
  readonly dir: string
  /** Stopped with the run, the last one first. */
  stopLater(name: string, stop: () => Promise<unknown>): void
  /** A process of ours lives, or has ended. */
  lives(pid: number): void
  ended(pid: number): void
  /** Stops everything, once. */
  clear(keep: boolean): Promise<void>
}

/** One part gets this long to stop (ms). */
const STOP_LIMIT_MS = 70_000
const PIDS = "pids"

export function openGround(complain: (text: string) => void): Ground {
  const dir = mkdtempSync(join(tmpdir(), "orchestra-chaos-"))
  const started: { readonly name: string; readonly stop: () => Promise<unknown> }[] = []
  const living = new Set<number>()
  const note = (): void => writeFileSync(join(dir, PIDS), [...living].map((pid) => `${pid}\n`).join(""))
  note()
  const guard = watchOver(dir)
  let clearing: Promise<void> | undefined
  const clear = async (keep: boolean): Promise<void> => {
    for (const { name, stop } of started.splice(0).toReversed())
      await within(stop(), STOP_LIMIT_MS).catch((error: unknown) => complain(`${name} did not stop: ${String(error)}`))
    if (keep) guard.keep()
    else rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
  return {
    dir,
    stopLater: (name, stop) => void started.push({ name, stop }),
    lives: (pid) => {
      living.add(pid)
      note()
    },
    ended: (pid) => {
      living.delete(pid)
      note()
    },
    clear: (keep) => (clearing ??= clear(keep)),
  }
}

function watchOver(dir: string): { keep(): void } {
  const script = `
    word=$(cat)
    while read -r pid; do kill -KILL "$pid"; done < "$0/${PIDS}"
    { read -r pid; read -r _; read -r _; read -r _; read -r sockets; } < "$0/database/data/postmaster.pid" &&
      kill -QUIT "$pid" && sleep 1 && rm -rf "$sockets"
    [ "$word" = keep ] || rm -rf "$0"`
  const guard = spawn("sh", ["-c", script, dir], { detached: true, stdio: ["pipe", "ignore", "ignore"] })
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return { keep: () => void guard.stdin.write("keep") }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
