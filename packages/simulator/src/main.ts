// Runs the simulator by itself: `node src/main.ts --help`.
import { parseArgs } from "node:util"
import { DEFAULT_SEED, type Simulator, startSimulator } from "./simulator.ts"

const HELP = `Simulated payment providers with programmable weather.

  --port N          port of the control API, accounts take the next ones (default 4010; 0: any free ports)
  --host ADDRESS    address to listen on (default 127.0.0.1; there is no authentication)
  --seed TEXT       same seed and same requests, same answers (default ${DEFAULT_SEED})
  --webhook-url URL where the webhooks of all ready accounts go (default: nowhere; {account} stands for the account's id)
  --json            print the accounts as JSON, for programs
  --help            this text
`

const values = readArguments()
if (values.help) process.stdout.write(HELP)
else await run()

async function run(): Promise<void> {
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_000)
    fail(`--port must be a number from 0 to 65000, not ${values.port}`)
  const start = startSimulator({ seed: values.seed, host: values.host, port })
  const simulator = await start.catch((error: Error) => fail(error.message))
  const webhookUrl = values["webhook-url"]
  for (const { id } of simulator.accounts()) simulator.setWebhookUrl(id, webhookUrl?.replace("{account}", id))
  process.stdout.write(values.json ? asJson(simulator) : asText(simulator))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void simulator.close())
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "4010" },
        host: { type: "string", default: "127.0.0.1" },
        seed: { type: "string", default: DEFAULT_SEED },
        "webhook-url": { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    return fail(`${(error as Error).message} (--help lists the options)`)
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function asJson(simulator: Simulator): string {
  return JSON.stringify({ control_url: simulator.controlUrl, accounts: simulator.accounts() }) + "\n"
}

function asText(simulator: Simulator): string {
  const accounts = simulator.accounts().map(({ id, url, credentials }) => {
    const lines = Object.entries(credentials).map(([name, value]) => `    ${name.padEnd(24)} ${value}`)
    return [`  ${id}  ${url}`, ...lines].join("\n")
  })
  return `Simulated providers\n\n${accounts.join("\n\n")}\n\n  control API  ${simulator.controlUrl}  (GET / lists what it can do)\n`
}
