// `npm test`: everything that must hold before a change is shared. One line per stage with its time; the output of a stage
// is shown when it fails. A failing stage does not stop the others, so that one run tells everything.

import { existsSync, globSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { delimiter, join } from "node:path"
import { parseArgs } from "node:util"
import { CLUSTER_VARIABLE, startTestCluster } from "../packages/server/testing/cluster.ts"
import { run, type Ran } from "./child.ts"
import { requireChromium } from "./chromium.ts"

const root = join(import.meta.dirname, "..")
process.chdir(root)
/** Children find the pinned Node and tools, whoever starts this file, and write no colours into captured output. */
const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
  NO_COLOR: "1",
  // Each test file is a process that loads half the server: stripping types and compiling is the larger part of many.
  NODE_COMPILE_CACHE: join(root, ".cache/compiled"),
}
delete env["FORCE_COLOR"]
// Set where this file is itself started by a test: the runner would take its files for parts of that test.
delete env["NODE_TEST_CONTEXT"]

/** Only against hanging: a machine that others keep busy takes four times as long as an idle one. */
const STAGE_LIMIT_MS = 45 * 60_000
/** One test, only against hanging too; the slowest install a browser or run a simulation, a minute on idle cores. */
const TEST_LIMIT_MS = 20 * 60_000
/** Enough to catch what breaks a promise often; `npm run sim` runs as many as one has patience for. */
const SEEDS = 200
const WRITTEN_LIMIT_LINES = 200
const TESTS = ["packages/**/*.test.ts", "tools/**/*.test.ts", "bench/**/*.test.ts"]

type Outcome = {
  readonly passed: number
  readonly failed: number
  /** Shown behind the stage's name. */
  readonly note?: string
  /** Shown below when something failed. */
  readonly output?: string
}

type Stage = {
  readonly name: string
  readonly what: string
  /** False: there is nothing to do yet, or here. */
  readonly applies?: () => boolean
  readonly check: () => Promise<Outcome>
}

const stages: readonly Stage[] = [
  {
    name: "format",
    what: "oxfmt agrees with every file's layout (npm run format mends it)",
    check: () => command("oxfmt", ["--check"]),
  },
  {
    name: "lint",
    what: "oxlint: correctness, the types' promises, the import law, no ambient time or chance",
    check: () => command("oxlint", ["--deny-warnings"]),
  },
  {
    name: "types",
    what: "tsc over everything, and over each package that has a tsconfig of its own",
    check: async () => {
      const projects = [".", ...globSync("packages/*/tsconfig.json")]
      return sum(await Promise.all(projects.map((project) => command("tsc", ["--pretty", "false", "-p", project]))))
    },
  },
  {
    name: "browser",
    what: "a Chromium for the tests that need one; installed where we may",
    applies: () => testFiles().some((file) => readFileSync(file, "utf8").includes("chromium.ts")),
    check: async () => ({ passed: 1, failed: 0, note: requireChromium() }),
  },
  {
    name: "tests",
    what: "every *.test.ts, each file in a process of its own, on one real PostgreSQL",
    check: tests,
  },
  {
    name: "simulation",
    what: `${SEEDS} simulated worlds of the whole server`,
    applies: () => existsSync("packages/server/sim/main.ts"),
    check: () => command("node", ["packages/server/sim/main.ts", "--seeds", String(SEEDS), "--quiet"], (text) => text),
  },
  {
    name: "generated",
    what: "generated files are what tools/generate.ts makes of the sources",
    applies: () => existsSync("tools/generate.ts"),
    check: () => command("node", ["tools/generate.ts", "--check"]),
  },
]

const help = `Runs everything that must hold: npm test

  npm test                              all stages
  npm test -- --only lint,types         some of them
  npm test -- packages/server/src/core  the tests in some files or folders

Stages, in their order:
${stages.map(({ name, what }) => `  ${name.padEnd(12)}${what}`).join("\n")}

Ends with 1 if anything failed.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", multiple: true }, help: { type: "boolean", short: "h", default: false } },
})

if (values.help) {
  console.log(help)
} else {
  const only = values.only?.flatMap((names) => names.split(",")) ?? (positionals.length > 0 ? ["tests"] : undefined)
  const unknown = only?.filter((name) => !stages.some((stage) => stage.name === name)) ?? []
  if (unknown.length > 0) {
    console.error(`There is no stage ${unknown.join(", ")}: ${stages.map(({ name }) => name).join(", ")}`)
    process.exitCode = 2
  } else {
    process.exitCode = await checkAll(stages.filter(({ name }) => only?.includes(name) ?? true))
  }
}

async function checkAll(chosen: readonly Stage[]): Promise<number> {
  const begun = performance.now()
  const outcomes: Outcome[] = []
  for (const { name, applies, check } of chosen) {
    if (applies?.() === false) continue
    process.stdout.write(name.padEnd(12))
    const from = performance.now()
    const outcome = await check().catch((error: unknown): Outcome => ({ passed: 0, failed: 1, output: String(error) }))
    outcomes.push(outcome)
    const { failed, note = "", output } = outcome
    console.log(
      [failed > 0 ? "FAILED" : "ok    ", seconds(performance.now() - from).padStart(8), note].join("  ").trimEnd(),
    )
    if (failed > 0 && output) console.log(`\n${output.trimEnd().replace(/^/gm, "    ")}\n`)
  }
  const { passed, failed } = sum(outcomes)
  // Tests are counted one by one, every other stage as one.
  console.log(`\n${passed} passed, ${failed} failed (${seconds(performance.now() - begun)})`)
  return failed > 0 || outcomes.length === 0 ? 1 : 0
}

async function tests(): Promise<Outcome> {
  const files = testFiles()
  if (files.length === 0) return { passed: 0, failed: 1, output: `No tests in ${positionals.join(", ")}` }
  // One cluster, a database of its own for every file that asks; without this each file would start a cluster.
  const cluster = await startTestCluster()
  try {
    const args = ["--test", "--test-reporter=spec", `--test-timeout=${TEST_LIMIT_MS}`]
    args.push(`--test-concurrency=${availableParallelism()}`, ...files)
    const ran = await run("node", args, { env: { ...env, [CLUSTER_VARIABLE]: cluster.host }, limitMs: STAGE_LIMIT_MS })
    return testOutcome(ran, files.length)
  } finally {
    await cluster.stop()
  }
}

/** What the runner's closing lines say. A run without them was cut off, which is a failure whatever went before. */
function testOutcome({ code, output }: Ran, files: number): Outcome {
  const count = (name: string): number => Number(new RegExp(`^ℹ ${name} (\\d+)$`, "m").exec(output)?.[1] ?? 0)
  const [passed, skipped] = [count("pass"), count("skipped") + count("todo")]
  const failed = Math.max(count("fail") + count("cancelled"), code === 0 ? 0 : 1)
  const failing = output.lastIndexOf("✖ failing tests:")
  const notes = [`${passed} tests in ${files} files`, ...(skipped > 0 ? [`${skipped} skipped`] : [])]
  return { passed, failed, note: notes.join(", "), output: failing === -1 ? output : failures(output, failing) }
}

/** The runner's list at the end. A file that broke before its first test is there without a reason, which it wrote above. */
function failures(output: string, at: number): string {
  const list = output.slice(at)
  if (!list.includes("'test failed'")) return list
  const results = /^\s*[✔✖﹣▶ℹ]/
  const written = output
    .slice(0, at)
    .split("\n")
    .filter((line) => line.trim() !== "" && !results.test(line))
  return `What was written besides results:\n${written.slice(-WRITTEN_LIMIT_LINES).join("\n")}\n\n${list}`
}

function testFiles(): string[] {
  const patterns =
    positionals.length === 0 ? TESTS : positionals.map((given) => (existsSync(given) ? within(given) : given))
  return globSync(patterns, { exclude: ["**/node_modules/**"] }).toSorted((a, b) => a.localeCompare(b))
}

function within(path: string): string {
  return path.endsWith(".ts") ? path : `${path}/**/*.test.ts`
}

async function command(file: string, args: readonly string[], note?: (output: string) => string): Promise<Outcome> {
  const { code, output } = await run(file, args, { env, limitMs: STAGE_LIMIT_MS })
  if (code !== 0) return { passed: 0, failed: 1, output: output.trim() || `${file} ended with ${code}` }
  return { passed: 1, failed: 0, note: note?.(output.trim()) ?? "" }
}

function sum(outcomes: readonly Outcome[]): Outcome {
  const total = (count: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + count(one), 0)
  const output = outcomes.flatMap(({ output }) => output ?? []).join("\n")
  return { passed: total((one) => one.passed), failed: total((one) => one.failed), output }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
