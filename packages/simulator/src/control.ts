// The control API: sets weather, tells the truth, makes things befall charges. JSON in and out, on its own port; no
// authentication, hence this machine only by default.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { ByHand, Misfortune, Persona } from "./persona.ts"
import { PERSONAS } from "./personas.ts"
import { addressOf, readBody } from "./incoming.ts"
import { MAX_LOGGED_REQUESTS } from "./request-log.ts"
import type { NewAccount, Simulator } from "./simulator.ts"
import { readWeather } from "./weather-document.ts"
import type { Weather } from "./weather.ts"

export type Control = { readonly origin: string; close(): Promise<void> }

type Controlled = Omit<Simulator, "controlUrl">
type Answer = { readonly status: number; readonly body: unknown }
type Call = { readonly parameters: readonly string[]; readonly query: URLSearchParams; readonly document: unknown }
type Route = readonly [
  method: string,
  path: RegExp,
  what: string,
  run: (to: Controlled, call: Call) => Answer | Promise<Answer>,
]

const MAX_DOCUMENT_BYTES = 256 * 1024

const ROUTES: readonly Route[] = [
  ["GET", /^\/$/, "this list", () => ok(ROUTES.map(([method, path, what]) => `${method} ${readable(path)}  ${what}`))],
  ["GET", /^\/accounts$/, "all accounts", (to) => ok(to.accounts().map((account) => describe(to, account.id)))],
  ["POST", /^\/accounts$/, "adds an account: persona, id?, credentials?, webhook_url?, weather?", addAccount],
  [
    "GET",
    /^\/accounts\/([^/]+)$/,
    "one account",
    (to, { parameters: [id = ""] }) => existing(to, id, () => ok(describe(to, id))),
  ],
  [
    "GET",
    /^\/accounts\/([^/]+)\/weather$/,
    "its weather",
    (to, { parameters: [id = ""] }) => existing(to, id, () => ok(to.account(id)?.weather())),
  ],
  ["PUT", /^\/accounts\/([^/]+)\/weather$/, "sets its weather", setWeather],
  ["PUT", /^\/accounts\/([^/]+)\/webhook$/, "sets where its webhooks go: url (null for nowhere)", setWebhook],
  [
    "GET",
    /^\/accounts\/([^/]+)\/truth$/,
    "ground truth of its money",
    (to, { parameters: [id = ""] }) => existing(to, id, () => ok(to.truth(id))),
  ],
  ["GET", /^\/truth$/, "ground truth of all money", (to) => ok(to.truth())],
  [
    "POST",
    /^\/accounts\/([^/]+)\/charges\/([^/]+)\/(dispute|expire)$/,
    "the cardholder disputes (amount?, reason?), or the hold runs out",
    befall,
  ],
  [
    "POST",
    /^\/accounts\/([^/]+)\/charges\/([^/]+)\/dashboard$/,
    `somebody works by hand at the provider: action (capture, refund, void, cancel_or_refund, dispute), amount?, final?, reason?`,
    dashboard,
  ],
  ["POST", /^\/reset$/, "forgets all charges and weather: seed?", reset],
  ["GET", /^\/requests$/, `the last requests: account?, limit? (at most ${MAX_LOGGED_REQUESTS})`, requests],
]

export async function openControl(at: { host: string; port: number }, simulator: Controlled): Promise<Control> {
  const server = createServer((message, reply) => void serve(simulator, message, reply))
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(at.port, at.host, resolve)
  })
  return {
    origin: `http://${at.host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(simulator: Controlled, message: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { status, body } = await answerTo(simulator, message)
  const text = JSON.stringify(body, exactly, 2) + "\n"
  reply.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  reply.end(text)
}

async function answerTo(simulator: Controlled, message: IncomingMessage): Promise<Answer> {
  const text = await readBody(message, MAX_DOCUMENT_BYTES)
  if (text === undefined) return problem(413, `a document has at most ${MAX_DOCUMENT_BYTES} bytes`)
  const url = new URL(addressOf(message), "http://control")
  const atPath = ROUTES.filter(([, path]) => path.test(url.pathname))
  const route = atPath.find(([method]) => method === message.method)
  if (!route && atPath.length)
    return problem(405, `${url.pathname} takes ${atPath.map(([method]) => method).join(", ")}`)
  if (!route) return problem(404, `nothing is at ${url.pathname}; GET / lists what is`)
  const document = parse(text)
  if (!document.ok) return problem(400, document.problem)
  const parameters = (route[1].exec(url.pathname) ?? []).slice(1).map(decode)
  return route[3](simulator, { parameters, query: url.searchParams, document: document.value })
}

async function addAccount(to: Controlled, { document }: Call): Promise<Answer> {
  const { persona, id, credentials, webhook_url, weather, ...rest } = asObject(document)
  const problems = [
    ...Object.keys(rest).map((name) => `${name} is not known`),
    ...(typeof persona === "string" && Object.hasOwn(PERSONAS, persona)
      ? []
      : [`persona must be one of ${Object.keys(PERSONAS).join(", ")}`]),
    ...(id === undefined || (typeof id === "string" && /^[\w-]{1,64}$/.test(id))
      ? []
      : ["id must be 1 to 64 letters, digits, _ or -"]),
    ...(credentials === undefined || isTextMap(credentials) ? [] : ["credentials must be an object of texts"]),
    ...(webhook_url === undefined || isHttpUrl(webhook_url) ? [] : ["webhook_url must be an http(s) URL"]),
  ]
  const read = weather === undefined ? undefined : readWeather(weather)
  if (read && !read.ok) problems.push(...read.problems)
  if (problems.length) return problem(400, "the account cannot be added", problems)
  const account: NewAccount = {
    id: (id as string | undefined) ?? freeId(to, persona as string),
    persona: persona as Persona["id"],
    ...(credentials !== undefined && { credentials: credentials as Record<string, string> }),
    ...(webhook_url !== undefined && { webhookUrl: webhook_url as string }),
    ...(weather !== undefined && { weather: weather as Weather }),
  }
  if (to.account(account.id)) return problem(409, `account ${account.id} exists already`)
  await to.addAccount(account)
  return { status: 201, body: describe(to, account.id) }
}

async function setWeather(to: Controlled, { parameters: [id = ""], document }: Call): Promise<Answer> {
  const read = readWeather(document)
  if (!read.ok) return problem(400, "the weather cannot be read", read.problems)
  return (await to.setWeather(id, read.value)) ? ok(read.value) : noAccount(id)
}

function setWebhook(to: Controlled, { parameters: [id = ""], document }: Call): Answer {
  return existing(to, id, () => {
    const { url } = asObject(document)
    if (url !== null && !isHttpUrl(url)) return problem(400, "url must be an http(s) URL, or null")
    to.setWebhookUrl(id, url ?? undefined)
    return ok(describe(to, id))
  })
}

function befall(to: Controlled, { parameters: [id = "", reference = "", type = ""], document }: Call): Answer {
  return happen(to, id, reference, { ...asObject(document), action: type })
}

function dashboard(to: Controlled, { parameters: [id = "", reference = ""], document }: Call): Answer {
  const { action } = asObject(document)
  if (typeof action !== "string" || !BY_HAND.includes(action))
    return problem(400, `action must be one of ${BY_HAND.join(", ")}`)
  return happen(to, id, reference, asObject(document))
}
const BY_HAND: readonly string[] = ["capture", "refund", "void", "cancel_or_refund", "dispute"]

function happen(to: Controlled, id: string, reference: string, document: Record<string, unknown>): Answer {
  return existing(to, id, () => {
    const { amount, action, final } = document
    const minor = typeof amount === "number" || typeof amount === "string" ? String(amount) : undefined
    if (amount !== undefined && !/^[1-9]\d{0,17}$/.test(minor ?? ""))
      return problem(400, "amount must be a positive number of minor units")
    if (final !== undefined && typeof final !== "boolean") return problem(400, "final must be true or false")
    const persona = to.account(id)?.persona
    if (!persona?.befall(reference, eventOf(document, minor)))
      return problem(409, `charge ${reference} is unknown here, or its state does not allow ${String(action)}`)
    const charge = persona.truth().find((each) => each.reference === reference)
    return ok(charge ?? null)
  })
}

function eventOf({ action, reason, final }: Record<string, unknown>, minor: string | undefined): Misfortune | ByHand {
  const part = minor === undefined ? {} : { amount: BigInt(minor) }
  switch (action) {
    case "expire":
    case "void":
    case "cancel_or_refund":
      return { type: action }
    case "refund":
      return { type: action, ...part }
    case "capture":
      return { type: action, ...part, ...(typeof final === "boolean" && { final }) }
    default:
      return { type: "dispute", ...part, ...(typeof reason === "string" && { reason }) }
  }
}

async function reset(to: Controlled, { document }: Call): Promise<Answer> {
  const { seed } = asObject(document)
  if (seed !== undefined && typeof seed !== "string") return problem(400, "seed must be a text")
  await to.reset(seed)
  return ok({ reset: true })
}

function requests(to: Controlled, { query }: Call): Answer {
  const limit = Number(query.get("limit") ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LOGGED_REQUESTS)
    return problem(400, `limit must be a number from 1 to ${MAX_LOGGED_REQUESTS}`)
  return ok(to.log.last(limit, query.get("account") ?? undefined))
}

function existing(to: Controlled, id: string, run: () => Answer): Answer {
  return to.account(id) ? run() : noAccount(id)
}

function noAccount(id: string): Answer {
  return problem(404, `there is no account ${id}`)
}

function describe(to: Controlled, id: string): unknown {
  const found = to.accounts().find((account) => account.id === id)
  const account = to.account(id)
  return {
    ...found,
    webhook_url: account?.webhookUrl() ?? null,
    webhooks: account?.deliveries(),
    weather: account?.weather(),
  }
}

/** Minor units as strings: JSON numbers are exact only up to 2^53. */
function exactly(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value
}

function freeId(to: Controlled, persona: string): string {
  for (let n = 1; ; n++) if (!to.account(`${persona}_${n}`)) return `${persona}_${n}`
}

function parse(text: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  if (text === "") return { ok: true, value: {} }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, problem: `the body is not JSON: ${(error as Error).message}` }
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function asObject(document: unknown): Record<string, unknown> {
  return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : {}
}
function isTextMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string")
}
function isHttpUrl(value: unknown): value is string {
  return typeof value === "string" && /^https?:/.test(value) && URL.canParse(value)
}
function ok(body: unknown): Answer {
  return { status: 200, body }
}
function problem(status: number, message: string, problems?: readonly string[]): Answer {
  return { status, body: { error: { message, ...(problems && { problems }) } } }
}
function readable(path: RegExp): string {
  let n = 0
  return path.source
    .replace(/^\^|\$$/g, "")
    .replaceAll("\\/", "/")
    .replace(/\(\[\^\/\]\+\)/g, () => (n++ === 0 ? ":id" : ":reference"))
}
