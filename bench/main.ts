// `npm run bench -- NAME`: runs one benchmark. Each is side by side with its anchor, in one run on one machine, and ends
// with one line of JSON.

const benches: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Bench> }>> = {
  payments: {
    about: "throughput, own overhead, CPU and memory of payments, beside the bare SQL and a bare proxy",
    load: () => import("./payments.ts"),
  },
}

type Bench = { run(args: readonly string[]): Promise<void> }

const [name = "--help", ...args] = process.argv.slice(2)
const bench = benches[name]
if (bench !== undefined) await (await bench.load()).run(args)
else {
  const list = Object.entries(benches).map(([known, { about }]) => `  npm run bench -- ${known.padEnd(10)} ${about}`)
  console.log(`Benchmarks (each takes --help):\n\n${list.join("\n")}`)
  if (name !== "--help") process.exitCode = 2
}
