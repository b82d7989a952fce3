-- The system of record. What holds for every table here:
--
-- - The key starts with merchant_id, and every unique and foreign key contains it, so that each table can be distributed
--   by merchant_id on Citus as it is: select create_distributed_table('payments', 'merchant_id'), and so on. The only
--   exceptions are bookkeeping of the whole installation: relays and schema_migrations, which stay on the coordinator.
-- - Times are milliseconds since the epoch in database time, as everywhere in the house: exact, comparable, no time zones.
-- - Ids sort by birth and are compared bytewise (collate "C"), so the newest rows of a merchant stand together at the end
--   of every index, and a page of a list is a range of the primary key. Partitions by month are ranges of ids or of
--   milliseconds; retention.ts makes the coming ones and drops the old ones. Each partitioned table has a default
--   partition: a missing month must never refuse a payment.
-- - Documents (jsonb) are written and read by document.ts alone. Columns beside them exist because something searches,
--   joins or counts by them, and are copies made in one place (rows.ts).
-- - Rows that change often are kept apart from what is indexed: a payment is inserted once and updated a few times, and
--   as no column that changes is in an index of its table, such an update touches no index (HOT; hence the fillfactors).

create function now_ms() returns bigint language sql stable parallel safe
  return (extract(epoch from statement_timestamp()) * 1000)::bigint;

-- The log position of the running transaction, and the position below which nothing can appear any more: every
-- transaction below is over. PostgreSQL counts transactions per cluster; after a restore from a dump into a new cluster
-- the count starts anew, and migrate.ts replaces both functions with a higher offset, so that positions keep growing.
create function ledger_transaction() returns bigint language sql volatile
  return pg_current_xact_id()::text::bigint + 0;
create function ledger_horizon() returns bigint language sql volatile
  return pg_snapshot_xmin(pg_current_snapshot())::text::bigint + 0;

-- One row per payment. `intent` is what the merchant asked for, `rest` the parts without a column of their own.
-- Amounts are minor units; they are copies for lists and totals, clamped to what a bigint holds.
-- reason: why it failed, or the last decline. connector, account_id: of the attempt that stands, or else the last one.
create table payments (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  version integer not null,
  mode text not null,
  status text not null,
  currency text not null,
  requested bigint not null,
  authorized bigint not null,
  captured bigint not null,
  refunded bigint not null,
  disputed bigint not null,
  reason text,
  connector text,
  account_id text collate "C",
  created_ms bigint not null,
  updated_ms bigint not null,
  customer_id text collate "C",
  merchant_reference text collate "C",
  network text,
  bin text,
  last4 text,
  metadata jsonb not null,
  intent jsonb not null,
  rest jsonb not null,
  primary key (merchant_id, id)
) with (fillfactor = 60);
-- Lists per mode; searches by what people have in their hands. All of them never change after confirmation.
create index payments_by_mode on payments (merchant_id, mode, id);
create index payments_by_customer on payments (merchant_id, customer_id, id) where customer_id is not null;
create index payments_by_reference on payments (merchant_id, merchant_reference, id) where merchant_reference is not null;
create index payments_by_last4 on payments (merchant_id, last4, id) where last4 is not null;

create table attempts (
  merchant_id text collate "C" not null,
  payment_id text collate "C" not null,
  position smallint not null,
  id text collate "C" not null,
  account_id text collate "C" not null,
  connector text not null,
  state text not null,
  document jsonb not null,
  decision jsonb not null,
  primary key (merchant_id, payment_id, position),
  unique (merchant_id, id),
  foreign key (merchant_id, payment_id) references payments (merchant_id, id)
) with (fillfactor = 60);

create table operations (
  merchant_id text collate "C" not null,
  payment_id text collate "C" not null,
  position smallint not null,
  id text collate "C" not null,
  attempt_id text collate "C" not null,
  kind text not null,
  state text not null,
  document jsonb not null,
  primary key (merchant_id, payment_id, position),
  unique (merchant_id, id),
  foreign key (merchant_id, payment_id) references payments (merchant_id, id)
) with (fillfactor = 60);

-- What providers call our attempts and operations, for webhooks and settlement reports. The first payment with a
-- reference keeps it. A table of its own because references come late: an index on attempts would end their HOT updates.
create table provider_references (
  merchant_id text collate "C" not null,
  account_id text collate "C" not null,
  reference text collate "C" not null,
  payment_id text collate "C" not null,
  primary key (merchant_id, account_id, reference)
);

-- Payments that somebody has to look at, and when. A row exists only while that is so: recovery reads a small table,
-- and a payment that went well costs one insert and one delete here. account_id is '' where no provider is asked.
create table payment_wakes (
  merchant_id text collate "C" not null,
  payment_id text collate "C" not null,
  account_id text collate "C" not null,
  wake_ms bigint not null,
  primary key (merchant_id, payment_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index payment_wakes_by_account on payment_wakes (merchant_id, account_id, wake_ms, payment_id);

-- The accounts that payment_wakes may hold, '' too: recovery takes a few of each, so that one provider's outage, with a hundred
-- thousand payments waiting, neither hides the others nor costs more to look at.
create table wake_accounts (
  merchant_id text collate "C" not null,
  account_id text collate "C" not null,
  primary key (merchant_id, account_id)
);

-- Not partitioned: a key must be unique over its whole life of 30 days, which no unique key of a table partitioned by
-- month can promise across the turn of the month. Retention deletes by created_ms in small batches instead.
create table idempotency_keys (
  merchant_id text collate "C" not null,
  mode text not null,
  method text not null,
  path text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  payment_id text collate "C" not null,
  lease_until_ms bigint not null,
  created_ms bigint not null default now_ms(),
  response_status smallint,
  response_body text,
  primary key (merchant_id, mode, method, path, key)
) with (fillfactor = 70);
create index idempotency_keys_by_age on idempotency_keys (created_ms);

-- The outbox, and the timeline of every payment. Its order is (transaction, id), see ledger_transaction().
create table events (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  payment_id text collate "C",
  sequence integer not null,
  type text not null,
  at_ms bigint not null,
  transaction bigint not null default ledger_transaction(),
  data jsonb not null,
  primary key (merchant_id, id)
) partition by range (id);
create table events_default partition of events default;
create index events_in_order on events (transaction, id);
create index events_by_payment on events (merchant_id, payment_id, id) where payment_id is not null;

-- Exchanges with providers, scrubbed. `version` is the payment's after the commit that brought them, which makes the key.
create table transcripts (
  merchant_id text collate "C" not null,
  payment_id text collate "C" not null,
  version integer not null,
  ordinal smallint not null,
  at_ms bigint not null,
  document jsonb not null,
  primary key (merchant_id, payment_id, version, ordinal, at_ms)
) partition by range (at_ms);
create table transcripts_default partition of transcripts default;

-- Webhooks from providers: the narrow row keeps redeliveries out and is the queue, the body is partitioned and dropped.
create table inbound_webhooks (
  merchant_id text collate "C" not null,
  account_id text collate "C" not null,
  deduplication text collate "C" not null,
  id text collate "C" not null,
  received_ms bigint not null,
  tries integer not null default 0,
  next_ms bigint,
  result text,
  primary key (merchant_id, account_id, deduplication),
  -- The id first: retention walks through it by age.
  unique (id, merchant_id)
);
create index inbound_webhooks_due on inbound_webhooks (next_ms, id) where next_ms is not null;
create table inbound_webhook_bodies (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  content jsonb not null,
  primary key (merchant_id, id)
) partition by range (id);
create table inbound_webhook_bodies_default partition of inbound_webhook_bodies default;

-- Readers of the outbox: who reads, until when, and how far they have come.
create table relays (
  name text primary key,
  owner text not null,
  lease_until_ms bigint not null,
  transaction bigint,
  event_id text collate "C"
);

-- Card numbers and network tokens, encrypted; the vault alone can open them. payment_id: the one payment that needs it;
-- null once a payment method keeps it.
create table cards (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  fingerprint text not null,
  key_id text not null,
  sealed bytea not null,
  payment_id text collate "C",
  created_ms bigint not null default now_ms(),
  primary key (merchant_id, id)
);
create index cards_of_one_payment on cards (id, merchant_id) where payment_id is not null;
