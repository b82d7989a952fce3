// The ledger's statements besides the commit itself, which commit-statement.ts builds.

import type { Statement } from "../database.ts"
import { storedPaymentColumns } from "./rows.ts"

export const paymentById: Statement = {
  name: "payment-by-id",
  text: `select ${storedPaymentColumns} from payments p where merchant_id = $1 and id = $2`,
}

export const paymentByKeys: Statement = {
  name: "payment-by-keys",
  text: `select payment_id from (
      select payment_id, 0 as rank from attempts
      where merchant_id = $1 and id = $3 and account_id = $2
      union all
      select o.payment_id, 1 from operations o
      join attempts a on a.merchant_id = o.merchant_id and a.id = o.attempt_id
      where o.merchant_id = $1 and o.id = $4 and a.account_id = $2
      union all
      select payment_id, 1 + array_position($5::text[], reference) from provider_references
      where merchant_id = $1 and account_id = $2 and reference = any ($5::text[])
    ) found order by rank limit 1`,
}

export const keyByScope: Statement = {
  name: "idempotency-key",
  text: `select fingerprint, payment_id, lease_until_ms, response_status, response_body from idempotency_keys
    where merchant_id = $1 and mode = $2 and method = $3 and path = $4 and key = $5`,
}

export const keepAnswer: Statement = {
  name: "idempotency-answer",
  text: `update idempotency_keys set response_status = $6, response_body = $7
    where merchant_id = $1 and mode = $2 and method = $3 and path = $4 and key = $5 and response_status is null`,
}

export const attemptsOfCard: Statement = {
  name: "card-attempts",
  text: `select at_ms, attempt_id, account_id, currency, amount, initiator, result, network_code, advice_code, reason
    from card_attempts where merchant_id = $1 and mode = $2 and network = $3 and fingerprint = $4
    order by at_ms desc, attempt_id desc limit $5`,
}

export const duePayments: Statement = {
  name: "payments-due",
  text: `select w.merchant_id, w.payment_id, w.account_id, w.wake_ms
    from wake_accounts a
    cross join lateral (
      select merchant_id, payment_id, account_id, wake_ms from payment_wakes
      where merchant_id = a.merchant_id and account_id = a.account_id and wake_ms <= now_ms()
      order by wake_ms, payment_id
      limit case when a.account_id = '' then $1::integer else least($1::integer, $2::integer) end
    ) w
    order by w.wake_ms, w.merchant_id, w.payment_id limit $1::integer`,
}

export const claimPayment: Statement = {
  name: "payment-claim",
  text: `update payment_wakes set wake_ms = now_ms() + $4::bigint
    where merchant_id = $1 and payment_id = $2 and wake_ms = $3 returning 1`,
}

export const horizonNow: Statement = { name: "outbox-horizon", text: "select ledger_horizon() as horizon" }

export const eventsAfter: Statement = {
  name: "outbox-events",
  text: `select merchant_id, id, payment_id, sequence, type, at_ms, transaction, data::text as data from events
    where (transaction, id) > ($1::bigint, $2::text) and transaction < $3::bigint
    order by transaction, id limit $4`,
}

export const eventHeadsAfter: Statement = {
  name: "outbox-event-heads",
  text: `select merchant_id, id, payment_id, sequence, type, at_ms, transaction,
      case when payment_id is null then data::text end as data from events
    where (transaction, id) > ($1::bigint, $2::text) and transaction < $3::bigint
    order by transaction, id limit $4`,
}

export const takeRelay: Statement = {
  name: "relay-take",
  text: `insert into relays (name, owner, lease_until_ms) values ($1, $2, now_ms() + $3::bigint)
    on conflict (name) do update set owner = excluded.owner, lease_until_ms = excluded.lease_until_ms
    where relays.owner = excluded.owner or relays.lease_until_ms <= now_ms()
    returning 1`,
}

export const relayCursor: Statement = {
  name: "relay-cursor",
  text: "select transaction, event_id from relays where name = $1",
}

export const moveRelay: Statement = {
  name: "relay-move",
  text: "update relays set transaction = $3::bigint, event_id = $4 where name = $1 and owner = $2 returning 1",
}

export const insertInbound: Statement = {
  name: "inbound-insert",
  text: `with stored as (
      insert into inbound_webhooks (merchant_id, account_id, deduplication, id, received_ms, next_ms)
      values ($1, $2, $3, $4, $5, $5) on conflict (merchant_id, account_id, deduplication) do nothing returning 1),
    body as (
      insert into inbound_webhook_bodies (merchant_id, id, content) select $1, $4, $6::jsonb from stored)
    select 1 from stored`,
}

// No row is locked ahead: of two that claim at once the second waits for the first, sees the moved time and passes by.
export const claimInbound: Statement = {
  name: "inbound-claim",
  text: `with due as (
      select merchant_id, id, next_ms from inbound_webhooks
      where next_ms <= now_ms() order by next_ms, id limit $1),
    claimed as (
      update inbound_webhooks w set next_ms = now_ms() + $2::bigint, tries = w.tries + 1
      from due where w.merchant_id = due.merchant_id and w.id = due.id and w.next_ms = due.next_ms
      returning w.merchant_id, w.account_id, w.id, w.received_ms, w.tries - 1 as tries, due.next_ms as due_ms)
    select c.merchant_id, c.account_id, c.id, c.received_ms, c.tries, b.content
    from claimed c join inbound_webhook_bodies b on b.merchant_id = c.merchant_id and b.id = c.id
    order by c.due_ms, c.id`,
}

export const finishWebhook: Statement = {
  name: "inbound-finish",
  text: `update inbound_webhooks set result = $3, next_ms = $4
    where merchant_id = $1 and id = $2 and next_ms is not null`,
}
