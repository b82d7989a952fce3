// The bound: the statements of one payment, as captured, alone through the same driver with the same pool, one after the
// other per customer as a payment sends them, and those that come together in one statement as the ledger does it. Whatever Orchestra adds, it cannot be faster than this on this machine.

import { openDatabase, type Database, type DatabaseOptions } from "../../packages/server/src/storage/database.ts"
import { idPrefixes, makeId, type IdPrefix, type PaymentId } from "../../packages/server/src/core/id.ts"
import { createCommitBatches } from "../../packages/server/src/storage/ledger/commit-batches.ts"
import { systemPorts } from "../../packages/server/src/ports.ts"
import type { Captured, SentStatement } from "./capture.ts"
import { serve } from "./worker.ts"

export type BoundInput = {
  readonly database: Omit<DatabaseOptions, "log">
  readonly captured: Pick<Captured, "statements" | "payment" | "key">
}

const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const { clock, chance } = systemPorts(() => 0, quiet)

/** Ids, and the provider's references: what is unique in the database must be new in every round. */
const ID = new RegExp(`\\b(?:${Object.values(idPrefixes).join("|")})_[0-9a-hjkmnp-tv-z]{26}\\b`, "g")
/** These stay: the merchant and its configuration. */
const KEPT: ReadonlySet<string> = new Set(["mer", "acc", "pol", "key"])

/** Texts with holes: cut once, so that filling them in costs the client next to nothing. */
type Cut = { readonly parts: readonly string[]; readonly holes: readonly number[] }
type Template = {
  readonly tokens: readonly (() => string)[]
  readonly payment: Cut
  readonly statements: readonly { readonly statement: SentStatement; readonly values: readonly unknown[] }[]
}

function templateOf({ statements, payment, key }: BoundInput["captured"]): Template {
  const found = new Map<string, () => string>()
  const texts = statements.flatMap(({ values }) => values.filter((value) => typeof value === "string"))
  for (const text of texts)
    for (const [id] of text.matchAll(ID)) {
      const prefix = id.slice(0, id.indexOf("_")) as IdPrefix
      if (!KEPT.has(prefix)) found.set(id, () => makeId(prefix, clock.now(), chance.bytes(16)))
    }
  found.set(key, () => `order-${Buffer.from(chance.bytes(7)).toString("hex")}`)
  for (const reference of texts.flatMap(referencesIn)) found.set(reference, () => fresh(reference.length))
  const tokens = [...found.keys()].toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(tokens.map((token) => token.replaceAll(/[^\w]/g, "\\$&")).join("|"), "g")
  const cut = (text: string): Cut => ({
    parts: text.split(pattern),
    holes: [...text.matchAll(pattern)].map(([token]) => tokens.indexOf(token)),
  })
  return {
    tokens: tokens.map((token) => found.get(token)!),
    payment: cut(payment),
    statements: statements.map((statement) => ({
      statement,
      values: statement.values.map((value) => (typeof value === "string" ? cut(value) : value)),
    })),
  }
}

/** The parameter of `provider_references` is a list of these. */
function referencesIn(text: string): readonly string[] {
  const [first] = text.startsWith("[{") ? (JSON.parse(text) as { readonly reference?: string }[]) : []
  return first?.reference === undefined ? [] : [first.reference]
}

const fresh = (length: number): string =>
  Buffer.from(chance.bytes(length)).toString("hex").slice(0, length).toUpperCase()

const isCut = (value: unknown): value is Cut => typeof value === "object" && value !== null && "holes" in value

function filled(value: unknown, words: readonly string[]): unknown {
  if (!isCut(value)) return value
  let text = value.parts[0]!
  for (const [i, hole] of value.holes.entries()) text += words[hole]! + value.parts[i + 1]!
  return text
}

let database: Database | undefined
let commit: ReturnType<typeof createCommitBatches> | undefined
let template: Template | undefined

async function payment(): Promise<void> {
  const words = template!.tokens.map((make) => make())
  for (const { statement, values } of template!.statements) {
    const { name, shape, parameters = [] } = statement
    const sent = values.map((value) => filled(value, words))
    if (shape === undefined) await database!.query(statement, sent)
    else {
      const rows = Object.fromEntries(parameters.map((parameter, i) => [parameter, String(sent[i]).slice(1, -1)]))
      const id = filled(template!.payment, words) as PaymentId
      if (!(await commit!({ payment: id, shape, order: id, rows }))) throw new Error(`${name} wrote no payment`)
    }
  }
}

const commands = {
  start: async ({ database: where, captured }: BoundInput): Promise<void> => {
    await database?.close()
    database = openDatabase({ ...where, log: quiet })
    commit = createCommitBatches(database)
    template = templateOf(captured)
    await payment()
  },
  run: async ({ customers, ms }: { readonly customers: number; readonly ms: number }) => {
    const from = performance.now()
    let count = 0
    const customer = async (): Promise<void> => {
      while (performance.now() - from < ms) {
        await payment()
        count += 1
      }
    }
    await Promise.all(Array.from({ length: customers }, customer))
    return { count, ms: performance.now() - from }
  },
  stop: async (): Promise<void> => {
    await database?.close()
    database = undefined
  },
}
export type BoundCommands = typeof commands
serve(commands)
