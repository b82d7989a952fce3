// `npm run bench -- NAME`: runs one benchmark. Each is side by side with its anchor, in one run on one machine, and ends
// with one line of JSON.

const benches: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Bench> }>> = {
  payments: {
    about: "throughput, own overhead, CPU and memory of payments, beside the bare SQL and a bare proxy",
    load: () => import("./payments.ts"),
  },
  facts: {
    about: "what questions about metrics cost, beside PostgreSQL with the same rows and SQL",
    load: () => import("./facts.ts"),
  },
  routing: {
    about: "decisions per second and their p99, and rules beside other rule engines",
    load: () => import("./routing.ts"),
  },
}

type Bench = { run(args: readonly string[]): Promise<void> }

const [name = "--help", ...args] = process.argv.slice(2)
const bench = benches[name]
if (bench !== undefined) {
  try {
    await (await bench.load()).run(args)
  } catch (error) {
    if (!(error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))) throw error
    console.error(`${error.message.split(". ")[0]}. \`npm run bench -- ${name} --help\` lists what there is.`)
    process.exitCode = 2
  }
} else {
  const list = Object.entries(benches).map(([known, { about }]) => `  npm run bench -- ${known.padEnd(10)} ${about}`)
  console.log(`Benchmarks (each takes --help):\n\n${list.join("\n")}`)
  if (name !== "--help") process.exitCode = 2
}
