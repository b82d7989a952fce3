-- Idempotency keys of requests that create something other than a payment: a customer, an account, a policy, a webhook
-- endpoint, an API key. A payment's key is taken by the very commit that makes it (idempotency_keys); here the key comes first and
-- names the id under which the resource will be made, so that whoever comes after a crash finds it, or makes it, and never
-- makes a second one. What was answered is sealed by the vault: it may hold a secret that is kept nowhere else, and people's data.
create table request_keys (
  merchant_id text collate "C" not null,
  mode text not null,
  method text not null,
  path text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  resource_id text collate "C" not null,
  lease_until_ms bigint not null,
  created_ms bigint not null default now_ms(),
  -- After this the key is free again.
  until_ms bigint not null,
  answered boolean not null default false,
  key_id text not null,
  sealed bytea not null,
  primary key (merchant_id, mode, method, path, key),
  unique (merchant_id, resource_id)
);
create index request_keys_by_end on request_keys (until_ms);
