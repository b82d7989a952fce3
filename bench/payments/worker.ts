// Processes of the benchmark: what is measured, and what makes the load, each have their own, so that none waits for
// another's event loop. A worker answers commands one at a time.

import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"

export type Worker<Commands extends object> = {
  readonly pid: number
  ask<Name extends keyof Commands & string>(
    name: Name,
    ...input: Parameters<Extract<Commands[Name], Handler>>
  ): Promise<Awaited<ReturnType<Extract<Commands[Name], Handler>>>>
  stop(): Promise<void>
}

// oxlint-disable-next-line typescript/no-explicit-any -- any function of one argument; `ask` has the exact types.
type Handler = (input: any) => unknown
type Asked = { readonly name: string; readonly input: unknown }
type Answered = { readonly value: unknown } | { readonly error: string }

/** In the worker: answers until the parent is gone. */
export function serve(commands: Readonly<Record<string, Handler>>): void {
  const answer = async ({ name, input }: Asked): Promise<void> => {
    const answered: Answered = await Promise.resolve(commands[name]?.(input)).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
    process.send?.(answered)
  }
  process.on("message", (asked: Asked) => void answer(asked))
  process.once("disconnect", () => process.exit(0))
  // Ctrl-C reaches every process of the terminal; the parent stops us in its order.
  process.on("SIGINT", () => {})
}

/** `file` is beside this one and says at its end what it serves. */
export function startWorker<Commands extends object>(file: string, execArgv: readonly string[] = []): Worker<Commands> {
  const child: ChildProcess = fork(new URL(file, import.meta.url), {
    serialization: "advanced",
    execArgv: [...execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  return {
    pid: child.pid ?? 0,
    ask: async (name, ...[input]) => {
      const gone = new AbortController()
      child.send({ name, input } satisfies Asked)
      const exited = once(child, "exit", { signal: gone.signal }).then(() => {
        throw new Error(`${file} ended while it was asked to ${name}`)
      })
      const answered = once(child, "message", { signal: gone.signal }) as Promise<[Answered]>
      const [answer] = await Promise.race([answered, exited]).finally(() => {
        gone.abort()
        answered.catch(() => {})
        exited.catch(() => {})
      })
      if ("error" in answer) throw new Error(`${file}: ${answer.error}`)
      return answer.value as never
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, "exit")
      child.disconnect()
      await ended
    },
  }
}
