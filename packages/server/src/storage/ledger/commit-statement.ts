// Commits as one SQL statement. Which parts it has follows from the commits' shape, and each shape is one named prepared
// statement: a plain payment uses two of them, one for its first commit and one for its last. Commits of one shape that
// come together share a statement, and so its executor, its transaction and its flush (commit-batches.ts): its parameters
// are lists, and each commit adds its rows to them.
//
// How the parts depend on each other, so that of each commit all happens or nothing, whatever the others come to:
//
//   insert:  input -> [taken]             -> payment -> everything else
//   update:  input -> current -> [taken]  -> payment -> everything else
//
// `taken` inserts the idempotency key and gives a row only if it was free. `current` locks the payment at the expected
// version, so that a key is taken only when the update behind it will find its row. An insert of a payment that exists
// raises a unique violation, which undoes the statement.
//
// Plans are kept, and those of a table that was small when it was planned must serve when it is large. So nothing here
// joins a table in a way that could be planned as reading the whole of it or of an index: rows are found by lateral
// look-ups of one, changed by `on conflict do update`, and deleted one by one.

import type { Statement } from "../database.ts"
import { paymentColumns } from "./rows.ts"

/** Commits of one statement. More gain little, and all of them wait for its end. */
export const MAX_BATCH = 8

export type CommitShape = {
  readonly insert: boolean
  readonly take: boolean
  readonly attempts: boolean
  readonly operations: boolean
  readonly references: boolean
  readonly wake: "set" | "clear" | "none"
  /** The payment comes to need a person, or no longer does. */
  readonly person: "set" | "clear" | "none"
  /** The wake's account may be new to `wake_accounts`. */
  readonly newAccount: boolean
  readonly events: boolean
  readonly answer: boolean
  readonly card: boolean
  readonly transcripts: boolean
  readonly cardAttempts: boolean
}

/** Names of the parameters a shape wants, in order; each is a JSON list with rows of one or more commits. */
export type CommitStatement = Statement & { readonly shape: CommitShape; readonly parameters: readonly string[] }

const statements = new Map<string, CommitStatement>()

/** The name that commits of one shape share. */
export const shapeName = (shape: CommitShape): string =>
  Object.values(shape)
    .map((part) => (part === true ? "y" : part === false ? "n" : part[0]))
    .join("")

/** The statement for `size` commits of a shape; made once. It may serve a few more, up to `MAX_BATCH`. */
export function commitStatement(shape: CommitShape, size: number): CommitStatement {
  // Only what is deleted is deleted one by one.
  const rows = shape.wake !== "clear" && shape.person !== "clear" ? MAX_BATCH : 2 ** Math.ceil(Math.log2(size))
  const name = `commit-${shapeName(shape)}-${rows}`
  const known = statements.get(name)
  if (known !== undefined) return known
  const made = { name, shape, ...build(shape, rows) }
  statements.set(name, made)
  return made
}

const takeColumns = [
  ["take_mode", "text"],
  ["take_method", "text"],
  ["take_path", "text"],
  ["take_key", "text"],
  ["take_fingerprint", "text"],
  ["take_lease", "bigint"],
  ["take_status", "smallint"],
  ["take_body", "text"],
] as const
const wakeColumns = [
  ["wake_account", "text"],
  ["wake_ms", "bigint"],
] as const
const answerColumns = [
  ["answer_mode", "text"],
  ["answer_method", "text"],
  ["answer_path", "text"],
  ["answer_key", "text"],
  ["answer_status", "smallint"],
  ["answer_body", "text"],
] as const
const cardColumns = [
  ["card_id", "text"],
  ["card_fingerprint", "text"],
  ["card_key", "text"],
  ["card_sealed", "bytea"],
  ["card_payment", "text"],
] as const

const cardAttemptColumns = [
  ["mode", "text"],
  ["network", "text"],
  ["fingerprint", "text"],
  ["at_ms", "bigint"],
  ["attempt_id", "text"],
  ["account_id", "text"],
  ["currency", "text"],
  ["amount", "bigint"],
  ["initiator", "text"],
  ["result", "text"],
  ["network_code", "text"],
  ["advice_code", "text"],
  ["reason", "text"],
] as const

/** What one row of the parameter `commits` holds. */
function inputColumns(shape: CommitShape): readonly (readonly [string, string])[] {
  return [
    ["merchant_id", "text"],
    ["id", "text"],
    ...paymentColumns,
    ...(shape.take ? takeColumns : []),
    ...(shape.wake === "set" ? wakeColumns : []),
    ...(shape.answer ? answerColumns : []),
    ...(shape.card ? cardColumns : []),
  ]
}

function build(shape: CommitShape, rows: number): { text: string; parameters: readonly string[] } {
  const parameters: string[] = []
  /** The rows of a named parameter. */
  const recordset = (name: string, columns: string): string => {
    parameters.push(name)
    return `jsonb_to_recordset($${parameters.length}::jsonb) as r (${columns})`
  }
  /** Rows of a payment that was written: each names its payment in `of`. */
  const written = (name: string, columns: string): string => `payment p join ${recordset(name, `"of" text, ${columns}`)}
        on r."of" = p.id`
  const parts: string[] = []

  const input = inputColumns(shape)
  parts.push(`input as materialized (
      select * from ${recordset("commits", input.map(([name, type]) => `${name} ${type}`).join(", "))} limit ${MAX_BATCH})`)
  let source = "input"
  if (!shape.insert) {
    source = "current"
    parts.push(`current as materialized (
      select i.* from input i cross join lateral (
        select from payments s where s.merchant_id = i.merchant_id and s.id = i.id and s.version = i.version - 1
        limit 1 for no key update) locked)`)
  }
  if (shape.take)
    parts.push(`taken as (
      insert into idempotency_keys
        (merchant_id, mode, method, path, key, fingerprint, payment_id, lease_until_ms, response_status, response_body)
      select merchant_id, take_mode, take_method, take_path, take_key, take_fingerprint, id, take_lease, take_status,
        take_body
      from ${source} on conflict do nothing returning payment_id)`)

  const columns = paymentColumns.map(([name]) => name)
  parts.push(`payment as (
      insert into payments (merchant_id, id, ${columns.join(", ")})
      select merchant_id, id, ${columns.join(", ")} from ${source}
      ${shape.take ? "where id in (select payment_id from taken)" : ""}
      ${
        shape.insert
          ? ""
          : `on conflict (merchant_id, id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(", ")}
      where payments.version = excluded.version - 1`
      } returning merchant_id, id)`)

  if (shape.attempts)
    parts.push(`attempt as (
      insert into attempts (merchant_id, payment_id, position, id, account_id, connector, state, document, decision)
      select p.merchant_id, p.id, r.position, r.id, r.account_id, r.connector, r.state, r.document, r.decision
      from ${written(
        "attempts",
        "position smallint, id text, account_id text, connector text, state text, document jsonb, decision jsonb",
      )}
      on conflict (merchant_id, payment_id, position)
      do update set state = excluded.state, document = excluded.document)`)
  if (shape.operations)
    parts.push(`operation as (
      insert into operations (merchant_id, payment_id, position, id, attempt_id, kind, state, document)
      select p.merchant_id, p.id, r.position, r.id, r.attempt_id, r.kind, r.state, r.document
      from ${written("operations", "position smallint, id text, attempt_id text, kind text, state text, document jsonb")}
      on conflict (merchant_id, payment_id, position)
      do update set state = excluded.state, document = excluded.document)`)
  if (shape.references)
    parts.push(`reference as (
      insert into provider_references (merchant_id, account_id, reference, payment_id)
      select p.merchant_id, r.account_id, r.reference, p.id
      from ${written("references", "account_id text, reference text")}
      on conflict do nothing)`)

  if (shape.wake === "set")
    parts.push(`wake as (
      insert into payment_wakes (merchant_id, payment_id, account_id, wake_ms)
      select i.merchant_id, i.id, i.wake_account, i.wake_ms from payment p join input i on i.id = p.id
      on conflict (merchant_id, payment_id)
      do update set account_id = excluded.account_id, wake_ms = excluded.wake_ms)`)
  if (shape.newAccount)
    parts.push(`wake_account as (
      insert into wake_accounts (merchant_id, account_id)
      select i.merchant_id, i.wake_account from payment p join input i on i.id = p.id
      on conflict do nothing)`)
  const deleted = (name: string, table: string): string[] =>
    Array.from(
      { length: rows },
      (_, i) => `${name}_${i + 1} as (
      delete from ${table} where (merchant_id, payment_id) = (select merchant_id, id from payment offset ${i} limit 1))`,
    )
  if (shape.wake === "clear") parts.push(...deleted("wake", "payment_wakes"))

  if (shape.person === "set")
    parts.push(`person as (
      insert into payments_needing_person (merchant_id, payment_id, mode, since_ms)
      select i.merchant_id, i.id, i.mode, i.updated_ms from payment p join input i on i.id = p.id
      on conflict do nothing)`)
  if (shape.person === "clear") parts.push(...deleted("person", "payments_needing_person"))

  if (shape.events)
    parts.push(`event as (
      insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
      select p.merchant_id, r.id, r.payment_id, r.sequence, r.type, r.at_ms, r.data
      from ${written("events", "id text, payment_id text, sequence integer, type text, at_ms bigint, data jsonb")})`)
  if (shape.answer)
    parts.push(`answer as (
      insert into idempotency_keys
        (merchant_id, mode, method, path, key, fingerprint, payment_id, lease_until_ms, response_status, response_body)
      select k.merchant_id, k.mode, k.method, k.path, k.key, k.fingerprint, k.payment_id, k.lease_until_ms,
        i.answer_status, i.answer_body
      from payment p join input i on i.id = p.id cross join lateral (
        select * from idempotency_keys s
        where s.merchant_id = i.merchant_id and s.mode = i.answer_mode and s.method = i.answer_method
          and s.path = i.answer_path and s.key = i.answer_key and s.response_status is null
        limit 1 for no key update) k
      on conflict (merchant_id, mode, method, path, key)
      do update set response_status = excluded.response_status, response_body = excluded.response_body
      where idempotency_keys.response_status is null)`)
  if (shape.card)
    parts.push(`card as (
      insert into cards (merchant_id, id, fingerprint, key_id, sealed, payment_id)
      select i.merchant_id, i.card_id, i.card_fingerprint, i.card_key, i.card_sealed, i.card_payment
      from payment p join input i on i.id = p.id)`)
  if (shape.transcripts)
    parts.push(`transcript as (
      insert into transcripts (merchant_id, payment_id, version, ordinal, at_ms, document)
      select p.merchant_id, p.id, r.version, r.ordinal, r.at_ms, r.document
      from ${written("transcripts", "version integer, ordinal smallint, at_ms bigint, document jsonb")})`)

  // A row of an earlier commit is found by the moment at which the attempt was sent, which never changes.
  if (shape.cardAttempts)
    parts.push(`card_attempt as (
      insert into card_attempts (merchant_id, ${cardAttemptColumns.map(([name]) => name).join(", ")})
      select p.merchant_id, ${cardAttemptColumns.map(([name]) => `r.${name}`).join(", ")}
      from ${written("card_attempts", cardAttemptColumns.map(([name, type]) => `${name} ${type}`).join(", "))}
      on conflict (merchant_id, mode, network, fingerprint, at_ms, attempt_id)
      do update set result = excluded.result, network_code = excluded.network_code,
        advice_code = excluded.advice_code, reason = excluded.reason
      where card_attempts.result <> 'declined')`)

  return { text: `with ${parts.join(",\n")}\nselect id from payment`, parameters }
}
