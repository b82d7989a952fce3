import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"

const dir = mkdtempSync(join(tmpdir(), "orchestra-lock-"))
after(() => rmSync(dir, { recursive: true }))

const CONTENDERS = 3
const ROUNDS = 3

test("of processes that come at the same moment exactly one has the lock, and its death frees it", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const contenders = Array.from({ length: CONTENDERS }, contender)
    const answers = await Promise.all(contenders.map(({ answer }) => answer))
    await Promise.all(contenders.map((contender) => contender.kill()))
    assert.deepEqual(
      answers.sort((a, b) => a.localeCompare(b)),
      ["has it", ...Array(CONTENDERS - 1).fill("taken")],
    )
  }
})

function contender(): { readonly answer: Promise<string>; kill(): Promise<unknown> } {
  const code = `
    import { lockInstance } from "./instance-lock.ts"
    console.log("taken" in lockInstance(${JSON.stringify(dir)}, process.pid) ? "taken" : "has it")
    setInterval(() => {}, 1000)`
  const args = ["--input-type=module", "--eval", code]
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] })
  const gone = new Promise((resolve) => child.once("exit", resolve))
  return {
    answer: new Promise((resolve) =>
      child.stdout.setEncoding("utf8").once("data", (line: string) => resolve(line.trim())),
    ),
    kill: () => {
      child.kill("SIGKILL")
      return gone
    },
  }
}
