// A commit as one SQL statement. Which parts it has follows from the commit's shape, and each shape is one named
// prepared statement: a plain payment uses two of them, one for its first commit and one for its last.
//
// How the parts depend on each other, so that all of it happens or nothing:
//
//   insert:  [taken]            -> payment -> everything else
//   update:  [current -> taken] -> payment -> everything else
//
// `taken` inserts the idempotency key and gives a row only if it was free. `current` locks the payment at the expected
// version, so that a key is taken only when the update behind it will find its row. An insert of a payment that exists
// raises a unique violation, which undoes a key that was taken just before it.

import type { Statement } from "../database.ts"
import { paymentColumns } from "./rows.ts"

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
}

/** Names of the parameters a shape wants, in order. */
export type CommitStatement = Statement & { readonly parameters: readonly string[] }

const statements = new Map<string, CommitStatement>()

/** The statement of a shape; made once. There are at most as many as combinations of parts, and a dozen in practice. */
export function commitStatement(shape: CommitShape): CommitStatement {
  const name = `commit-${Object.values(shape)
    .map((part) => (part === true ? "y" : part === false ? "n" : part[0]))
    .join("")}`
  const known = statements.get(name)
  if (known !== undefined) return known
  const made = { name, ...build(shape) }
  statements.set(name, made)
  return made
}

function build(shape: CommitShape): { text: string; parameters: readonly string[] } {
  const parameters: string[] = []
  /** The placeholder of a named value; the same name is the same parameter. */
  const $ = (name: string, type: string): string => {
    if (!parameters.includes(name)) parameters.push(name)
    return `$${parameters.indexOf(name) + 1}::${type}`
  }
  const merchant = $("merchant_id", "text")
  const payment = $("id", "text")
  const parts: string[] = []

  if (shape.take) {
    if (!shape.insert)
      parts.push(`current as materialized (
        select from payments where merchant_id = ${merchant} and id = ${payment} and version = ${$("expected", "integer")}
        for no key update)`)
    parts.push(`taken as (
      insert into idempotency_keys
        (merchant_id, mode, method, path, key, fingerprint, payment_id, lease_until_ms, response_status, response_body)
      select ${merchant}, ${$("take_mode", "text")}, ${$("take_method", "text")}, ${$("take_path", "text")},
        ${$("take_key", "text")}, ${$("take_fingerprint", "text")}, ${$("take_payment", "text")},
        ${$("take_lease", "bigint")}, ${$("take_status", "smallint")}, ${$("take_body", "text")}
      ${shape.insert ? "" : "from current"}
      on conflict do nothing returning 1)`)
  }

  const columns = paymentColumns.map(([name]) => name)
  const values = paymentColumns.map(([name, type]) => $(`payment_${name}`, type))
  if (shape.insert)
    parts.push(`payment as (
      insert into payments (merchant_id, id, ${columns.join(", ")})
      select ${merchant}, ${payment}, ${values.join(", ")} ${shape.take ? "from taken" : ""} returning 1)`)
  else
    parts.push(`payment as (
      update payments set ${columns.map((name, i) => `${name} = ${values[i]}`).join(", ")}
      where merchant_id = ${merchant} and id = ${payment} and version = ${$("expected", "integer")}
      ${shape.take ? "and exists (select from taken)" : ""} returning 1)`)

  if (shape.attempts)
    parts.push(`attempt as (
      insert into attempts (merchant_id, payment_id, position, id, account_id, connector, state, document, decision)
      select ${merchant}, ${payment}, r.position, r.id, r.account_id, r.connector, r.state, r.document, r.decision
      from payment, jsonb_to_recordset(${$("attempts", "jsonb")}) as r (position smallint, id text, account_id text,
        connector text, state text, document jsonb, decision jsonb)
      on conflict (merchant_id, payment_id, position)
      do update set state = excluded.state, document = excluded.document)`)
  if (shape.operations)
    parts.push(`operation as (
      insert into operations (merchant_id, payment_id, position, id, attempt_id, kind, state, document)
      select ${merchant}, ${payment}, r.position, r.id, r.attempt_id, r.kind, r.state, r.document
      from payment, jsonb_to_recordset(${$("operations", "jsonb")}) as r (position smallint, id text, attempt_id text,
        kind text, state text, document jsonb)
      on conflict (merchant_id, payment_id, position)
      do update set state = excluded.state, document = excluded.document)`)
  if (shape.references)
    parts.push(`reference as (
      insert into provider_references (merchant_id, account_id, reference, payment_id)
      select ${merchant}, r.account_id, r.reference, ${payment}
      from payment, jsonb_to_recordset(${$("references", "jsonb")}) as r (account_id text, reference text)
      on conflict do nothing)`)

  if (shape.wake === "set")
    parts.push(`wake as (
      insert into payment_wakes (merchant_id, payment_id, account_id, wake_ms)
      select ${merchant}, ${payment}, ${$("wake_account", "text")}, ${$("wake_ms", "bigint")} from payment
      on conflict (merchant_id, payment_id)
      do update set account_id = excluded.account_id, wake_ms = excluded.wake_ms)`)
  if (shape.newAccount)
    parts.push(`wake_account as (
      insert into wake_accounts (merchant_id, account_id)
      select ${merchant}, ${$("wake_account", "text")} from payment
      on conflict do nothing)`)
  if (shape.wake === "clear")
    parts.push(`wake as (
      delete from payment_wakes
      where merchant_id = ${merchant} and payment_id = ${payment} and exists (select from payment))`)

  if (shape.person === "set")
    parts.push(`person as (
      insert into payments_needing_person (merchant_id, payment_id, mode, since_ms)
      select ${merchant}, ${payment}, ${$("payment_mode", "text")}, ${$("payment_updated_ms", "bigint")} from payment
      on conflict do nothing)`)
  if (shape.person === "clear")
    parts.push(`person as (
      delete from payments_needing_person
      where merchant_id = ${merchant} and payment_id = ${payment} and exists (select from payment))`)

  if (shape.events)
    parts.push(`event as (
      insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
      select ${merchant}, r.id, r.payment_id, r.sequence, r.type, r.at_ms, r.data
      from payment, jsonb_to_recordset(${$("events", "jsonb")}) as r (id text, payment_id text, sequence integer,
        type text, at_ms bigint, data jsonb))`)
  if (shape.answer)
    parts.push(`answer as (
      update idempotency_keys
      set response_status = ${$("answer_status", "smallint")}, response_body = ${$("answer_body", "text")}
      where merchant_id = ${merchant} and mode = ${$("answer_mode", "text")} and method = ${$("answer_method", "text")}
        and path = ${$("answer_path", "text")} and key = ${$("answer_key", "text")}
        and response_status is null and exists (select from payment))`)
  if (shape.card)
    parts.push(`card as (
      insert into cards (merchant_id, id, fingerprint, key_id, sealed, payment_id)
      select ${merchant}, ${$("card_id", "text")}, ${$("card_fingerprint", "text")}, ${$("card_key", "text")},
        ${$("card_sealed", "bytea")}, ${$("card_payment", "text")} from payment)`)
  if (shape.transcripts)
    parts.push(`transcript as (
      insert into transcripts (merchant_id, payment_id, version, ordinal, at_ms, document)
      select ${merchant}, ${payment}, ${$("payment_version", "integer")}, r.ordinal, r.at_ms, r.document
      from payment, jsonb_to_recordset(${$("transcripts", "jsonb")}) as r (ordinal smallint, at_ms bigint, document jsonb))`)

  return { text: `with ${parts.join(",\n")}\nselect count(*)::integer as payments from payment`, parameters }
}
