-- What merchants configure and keep: few rows, read through caches, changed by people. Each row that people edit has a
-- version, which is its ETag. The rules at the top of 0001 hold here too.

create table merchants (
  merchant_id text collate "C" primary key,
  name text not null,
  settings jsonb not null,
  version integer not null default 1,
  created_ms bigint not null default now_ms()
);

-- Only a hash is kept. It is looked up without knowing the merchant, hence the second index.
create table api_keys (
  merchant_id text collate "C" not null references merchants (merchant_id),
  id text collate "C" not null,
  hash bytea not null,
  hint text not null,
  name text not null,
  mode text not null check (mode in ('live', 'test')),
  scopes text[] not null,
  api_version text not null,
  created_ms bigint not null default now_ms(),
  revoked_ms bigint,
  last_used_ms bigint,
  primary key (merchant_id, id),
  unique (merchant_id, hash)
);
create index api_keys_by_hash on api_keys (hash);

-- A merchant's account at one provider. `sealed` holds its credentials and webhook secrets, encrypted by the vault under
-- the key named key_id. Webhooks arrive at a URL with the account's id alone, hence the second index.
create table accounts (
  merchant_id text collate "C" not null references merchants (merchant_id),
  id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  connector text not null,
  name text not null,
  state text not null check (state in ('enabled', 'draining', 'disabled')),
  settings jsonb not null,
  key_id text not null,
  sealed bytea not null,
  version integer not null default 1,
  created_ms bigint not null default now_ms(),
  updated_ms bigint not null default now_ms(),
  primary key (merchant_id, id)
);
create index accounts_by_id on accounts (id);

-- A policy is a document with versions that are never changed. One policy per merchant and mode is in force: the one
-- with an active version. A candidate version gets `candidate_bps` of the traffic (of 10,000).
create table policies (
  merchant_id text collate "C" not null references merchants (merchant_id),
  id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  name text not null,
  last_version integer not null default 0,
  active_version integer,
  candidate_version integer,
  candidate_bps integer not null default 0 check (candidate_bps between 0 and 10000),
  version integer not null default 1,
  created_ms bigint not null default now_ms(),
  updated_ms bigint not null default now_ms(),
  primary key (merchant_id, id)
);
create unique index policies_in_force on policies (merchant_id, mode) where active_version is not null;
create table policy_versions (
  merchant_id text collate "C" not null,
  policy_id text collate "C" not null,
  version integer not null,
  document jsonb not null,
  author text not null,
  note text not null,
  created_ms bigint not null default now_ms(),
  published_ms bigint,
  primary key (merchant_id, policy_id, version),
  foreign key (merchant_id, policy_id) references policies (merchant_id, id)
);

-- `details` is all that the merchant told about the person; erasing empties it and keeps the row as a proof.
create table customers (
  merchant_id text collate "C" not null references merchants (merchant_id),
  id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  reference text collate "C",
  email text,
  details jsonb not null,
  version integer not null default 1,
  created_ms bigint not null default now_ms(),
  updated_ms bigint not null default now_ms(),
  erased_ms bigint,
  primary key (merchant_id, id)
);
create index customers_by_mode on customers (merchant_id, mode, id);
create unique index customers_by_reference on customers (merchant_id, mode, reference) where reference is not null;
create index customers_by_email on customers (merchant_id, mode, lower(email)) where email is not null;

-- A stored way to pay: a card in the vault, or tokens that providers issued, with the consent it rests on. Later
-- merchant-initiated payments refer to the agreement: network transaction id, and the account of the first payment.
create table payment_methods (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  customer_id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  card_id text collate "C",
  fingerprint text,
  network text,
  bin text,
  last4 text,
  expiry_month smallint,
  expiry_year smallint,
  network_transaction_id text,
  source_account_id text collate "C",
  provider_tokens jsonb not null,
  consent jsonb not null,
  details jsonb not null,
  version integer not null default 1,
  created_ms bigint not null default now_ms(),
  updated_ms bigint not null default now_ms(),
  erased_ms bigint,
  primary key (merchant_id, id),
  foreign key (merchant_id, customer_id) references customers (merchant_id, id)
);
create index payment_methods_by_customer on payment_methods (merchant_id, customer_id, id);
create index payment_methods_by_fingerprint on payment_methods (merchant_id, fingerprint) where fingerprint is not null;
create index payment_methods_by_card on payment_methods (merchant_id, card_id) where card_id is not null;

-- Where events are sent.
create table webhook_endpoints (
  merchant_id text collate "C" not null references merchants (merchant_id),
  id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  url text not null,
  description text not null,
  event_types text[] not null,
  api_version text not null,
  state text not null check (state in ('enabled', 'disabled')),
  disabled_reason text,
  version integer not null default 1,
  created_ms bigint not null default now_ms(),
  updated_ms bigint not null default now_ms(),
  primary key (merchant_id, id)
);
-- Signing secrets, sealed. After a rotation the old one signs too until its time is over.
create table webhook_secrets (
  merchant_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  generation integer not null,
  key_id text not null,
  sealed bytea not null,
  until_ms bigint,
  primary key (merchant_id, endpoint_id, generation),
  foreign key (merchant_id, endpoint_id) references webhook_endpoints (merchant_id, id) on delete cascade
);

-- One event on its way to one endpoint; the pair is its name, so that a relay that repeats itself adds nothing. next_ms
-- is null once it is over. `log` holds the latest tries. No foreign keys: partitions are dropped whole.
create table deliveries (
  merchant_id text collate "C" not null,
  event_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  state text not null,
  next_ms bigint,
  tries integer not null default 0,
  log jsonb not null default '[]',
  created_ms bigint not null default now_ms(),
  delivered_ms bigint,
  primary key (merchant_id, event_id, endpoint_id)
) partition by range (event_id);
create table deliveries_default partition of deliveries default;
create index deliveries_due on deliveries (merchant_id, endpoint_id, next_ms, event_id) where next_ms is not null;
create index deliveries_by_endpoint on deliveries (merchant_id, endpoint_id, event_id);
-- Did anything get through to this endpoint of late?
create index deliveries_made on deliveries (merchant_id, endpoint_id, delivered_ms) where delivered_ms is not null;

-- What changed last, per merchant and topic, so that every node can refresh what it keeps in memory. Written with the
-- change itself; NOTIFY only makes it quicker. `transaction` as in events.
create table changes (
  merchant_id text collate "C" not null,
  topic text not null,
  transaction bigint not null,
  primary key (merchant_id, topic)
);
create index changes_in_order on changes (transaction);
