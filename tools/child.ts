// Runs a program to its end and keeps what it said, within limits of time and size.

import { spawn } from "node:child_process"

/** Of a longer output the end is kept, which holds the summary. */
const OUTPUT_LIMIT_CHARS = 4 * 1024 * 1024
const KILL_AFTER_MS = 10_000

export type Ran = { readonly code: number | string; readonly output: string }

export type RunOptions = { readonly env: NodeJS.ProcessEnv; readonly limitMs: number }

/** `code` is the signal's name where one ended it. Standard output and error come in the order in which they were written. */
export function run(file: string, args: readonly string[], { env, limitMs }: RunOptions): Promise<Ran> {
  return new Promise((resolve) => {
    let output = ""
    const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"] })
    const keep = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_LIMIT_CHARS)
    }
    child.stdout.setEncoding("utf8").on("data", keep)
    child.stderr.setEncoding("utf8").on("data", keep)
    const limit = setTimeout(() => {
      keep(`\n${file} did not end within ${Math.round(limitMs / 1000)} s and was stopped.\n`)
      child.kill("SIGTERM")
      setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref()
    }, limitMs)
    const settle = (code: number | string): void => {
      clearTimeout(limit)
      resolve({ code, output })
    }
    child.once("error", (error) => {
      keep(String(error))
      settle(1)
    })
    child.once("close", (code, signal) => settle(code ?? signal ?? 1))
  })
}
