-- What routing learns, shared between nodes. The rules at the top of 0001 hold here too.

-- What one node has seen of one merchant's attempts since it wrote last: a few hundred milliseconds. Nodes read each other's
-- batches in log order, as relays read events, and a starting node reads the recent ones. Never part of a payment's transaction.
-- Not partitioned: they are kept for days, not months. observations: how many the document holds.
create table routing_signals (
  merchant_id text collate "C" not null,
  mode text not null,
  id text collate "C" not null,
  node text not null,
  at_ms bigint not null,
  transaction bigint not null default ledger_transaction(),
  observations integer not null,
  document jsonb not null,
  primary key (merchant_id, mode, id)
);
create index routing_signals_in_order on routing_signals (transaction, id);
create index routing_signals_by_age on routing_signals (at_ms);

-- What an account has had of a month's (UTC) first attempts, for commitments and caps: a node that starts on the 30th must know.
-- Added to by the statement that writes a batch. amount: whole units of the payments' currencies.
create table routing_volumes (
  merchant_id text collate "C" not null,
  mode text not null,
  account_id text collate "C" not null,
  month text not null,
  payments bigint not null,
  amount double precision not null,
  primary key (merchant_id, mode, account_id, month)
) with (fillfactor = 50);

-- The health of an account in a scope (all of it, or one operation, network, country, method), as it was told last. All nodes
-- see the same outcomes and come to the same conclusions; this row is how only the first of them makes a change of it.
create table routing_health (
  merchant_id text collate "C" not null,
  mode text not null,
  account_id text collate "C" not null,
  scope text collate "C" not null,
  state text not null,
  at_ms bigint not null,
  document jsonb not null,
  primary key (merchant_id, mode, account_id, scope)
) with (fillfactor = 70);

create table routing_changes (
  merchant_id text collate "C" not null,
  mode text not null,
  id text collate "C" not null,
  account_id text collate "C" not null,
  scope text collate "C" not null,
  from_state text not null,
  to_state text not null,
  at_ms bigint not null,
  document jsonb not null,
  primary key (merchant_id, mode, id)
);
create index routing_changes_by_age on routing_changes (at_ms);
