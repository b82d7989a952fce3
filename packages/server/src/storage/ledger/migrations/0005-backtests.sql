-- Backtests: a version of a policy against the merchant's stored decisions of a window. A row is both the job and its result.
-- wake_ms: when a worker may take it, null once it has ended; whoever works moves it ahead, and a worker that died leaves
-- one that runs out. A job that is taken over begins anew: what was counted is nowhere but in the worker.
create table backtests (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  mode text not null,
  policy_id text collate "C" not null,
  policy_version integer not null,
  from_ms bigint not null,
  until_ms bigint not null,
  max_records integer not null,
  state text not null,
  records integer not null default 0,
  report jsonb,
  error text,
  wake_ms bigint,
  created_ms bigint not null default now_ms(),
  ended_ms bigint,
  primary key (merchant_id, id)
);
create index backtests_by_wake on backtests (wake_ms) where wake_ms is not null;
