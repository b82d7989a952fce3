// The merchant's endpoint: takes our webhooks, verifies them as Standard Webhooks says (written here anew, from the
// specification), remembers what came, and is itself not always well.

import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Dice } from "./dice.ts"
import type { Ground } from "./ground.ts"

/** One message, however often it came. */
export type Received = {
  readonly id: string
  readonly type: string
  readonly sequence: number
  readonly payment: string | undefined
  readonly status: string | undefined
  /** Of the body: every copy must be the same. */
  readonly digest: string
  copies: number
}

export type Receiver = {
  readonly url: string
  readonly received: ReadonlyMap<string, Received>
  /** What should never come: forged, stale, changed. */
  readonly wrong: readonly string[]
  secret: string | undefined
  /** From now on it takes everything at once. */
  recover(): void
}

const MAX_BODY_BYTES = 512 * 1024
const TOLERANCE_S = 300
/** Of the first tries of a message: answered 500, reset, answered late. */
const FAILS = { error: 0.03, reset: 0.01, slow: 0.02 }
const SLOW_MS = 3_000
/** Wrong messages remembered. */
const MAX_WRONG = 1_000

export async function openReceiver(ground: Ground, dice: Dice): Promise<Receiver> {
  const received = new Map<string, Received>()
  const wrong: string[] = []
  /** Each message is turned away at most once: after the second time its sender would wait for minutes. */
  const turnedAway = new Set<string>()
  let well = false
  const receiver: Receiver = {
    url: "",
    received,
    wrong,
    secret: undefined,
    recover: () => {
      well = true
    },
  }
  const refuse = (reply: ServerResponse, why: string): void => {
    if (wrong.length < MAX_WRONG) wrong.push(why)
    reply.writeHead(400).end()
  }

  const take = async (message: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const body = await bodyOf(message)
    const header = (name: string): string => String(message.headers[name] ?? "")
    const id = header("webhook-id")
    if (body === undefined) return refuse(reply, `webhook ${id} is larger than ${MAX_BODY_BYTES} bytes`)
    const why = problemOf(receiver.secret, id, header("webhook-timestamp"), header("webhook-signature"), body)
    if (why !== undefined) return refuse(reply, `webhook ${id} ${why}`)
    const digest = createHash("sha256").update(body).digest("hex")
    const known = received.get(id)
    if (known !== undefined && known.digest !== digest) return refuse(reply, `webhook ${id} came with two bodies`)
    if (known === undefined) {
      // A message that is turned away was not received; it must come again.
      const fate = well || turnedAway.has(id) ? "taken" : fateOf(dice)
      if (fate === "error" || fate === "reset") turnedAway.add(id)
      if (fate === "error") return void reply.writeHead(500).end()
      if (fate === "reset") return void message.socket.resetAndDestroy()
      received.set(id, { ...readMessage(id, body), digest, copies: 1 })
      if (fate === "slow") await sleep(SLOW_MS)
    } else known.copies += 1
    reply.writeHead(204).end()
  }

  const server = createServer((message, reply) => {
    take(message, reply).catch((error: unknown) => refuse(reply, `a webhook could not be read: ${String(error)}`))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  ground.stopLater("the receiver", async () => {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}/webhooks` })
}

function fateOf(dice: Dice): "taken" | "error" | "reset" | "slow" {
  const drawn = dice.random()
  if (drawn < FAILS.error) return "error"
  if (drawn < FAILS.error + FAILS.reset) return "reset"
  return drawn < FAILS.error + FAILS.reset + FAILS.slow ? "slow" : "taken"
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md; undefined: genuine. */
export function problemOf(
  secret: string | undefined,
  id: string,
  timestamp: string,
  signatures: string,
  body: string,
  nowS: number = Date.now() / 1_000,
): string | undefined {
  if (secret === undefined) return "came before there was an endpoint"
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowS - Number(timestamp)) > TOLERANCE_S)
    return `has the timestamp "${timestamp}"`
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64")
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest()
  const genuine = signatures.split(" ").some((signature) => {
    const [version, text = ""] = signature.split(",")
    const given = Buffer.from(text, "base64")
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected)
  })
  return genuine ? undefined : "is not signed with the endpoint's secret"
}

function readMessage(id: string, body: string): Omit<Received, "digest" | "copies"> {
  const { type, sequence, data } = JSON.parse(body) as {
    type: string
    sequence: number
    data: { payment?: string; status?: string }
  }
  return { id, type, sequence, payment: data.payment, status: data.status }
}

async function bodyOf(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
