-- Versions of policies held against each other on live payments, and who put which version in force, when and why. The rules at the
-- top of 0001 hold here too.

-- A version that is published to a share (kind publication), or an experiment, which has a name and is planned before it is started.
-- experiment: arms and guardrails, as they were asked for; tally: what was counted, replaced whole by whoever saw `revision` last. taken_*:
-- the place in the log up to which payments are in trial_payments. ended_as: stopped (by itself; an experiment also by a person),
-- withdrawn, promoted, replaced (another share or version), retired (another policy is in force). promoted_*: of an experiment that has ended.
create table trials (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  kind text not null,
  name text not null default '',
  mode text not null,
  policy_id text collate "C" not null,
  experiment jsonb not null,
  tally jsonb not null,
  revision integer not null default 0,
  taken_transaction bigint not null default ledger_transaction(),
  taken_event text collate "C" not null default '',
  author text not null,
  note text not null,
  created_ms bigint not null default now_ms(),
  started_ms bigint,
  started_by text,
  ended_ms bigint,
  ended_as text,
  ended_by text,
  reason jsonb,
  promoted_ms bigint,
  promoted_by text,
  promoted_arm smallint,
  primary key (merchant_id, id)
) with (fillfactor = 50);
create unique index trials_running on trials (merchant_id, mode) where started_ms is not null and ended_ms is null;
create index trials_by_policy on trials (merchant_id, policy_id, id);

-- Payments of a trial that are not counted yet; a row goes with the statement that counts it. place: in the order in which they were
-- drawn, in which they are counted, too; null until then. outcome: of one that waits for those before it. next_ms: when it is looked at next,
-- null when that is over; whoever looks moves it ahead.
create table trial_payments (
  merchant_id text collate "C" not null,
  trial_id text collate "C" not null,
  payment_id text collate "C" not null,
  place bigint,
  outcome jsonb,
  next_ms bigint,
  primary key (merchant_id, trial_id, payment_id)
) with (fillfactor = 70);
create index trial_payments_due on trial_payments (next_ms) where next_ms is not null;
create index trial_payments_in_order on trial_payments (merchant_id, trial_id, place) where place is not null;

-- Of an experiment that draws customers: the payment that is a customer's evidence, the first that was looked at.
create table trial_units (
  merchant_id text collate "C" not null,
  trial_id text collate "C" not null,
  unit_id text collate "C" not null,
  payment_id text collate "C" not null,
  primary key (merchant_id, trial_id, unit_id)
);

-- Every act on a policy, named by the version (ETag) that it made. author: an API key; empty where guardrails acted.
create table policy_history (
  merchant_id text collate "C" not null,
  policy_id text collate "C" not null,
  version integer not null,
  act text not null,
  policy_version integer,
  share_bps integer,
  author text not null,
  note text not null,
  reason jsonb,
  at_ms bigint not null default now_ms(),
  primary key (merchant_id, policy_id, version)
);

-- Versions that decide on live payments without acting, one of a merchant and mode at a time. tally: what all nodes have counted so far,
-- bounded however many payments; replaced whole by whoever saw `revision` last.
create table shadows (
  merchant_id text collate "C" not null,
  id text collate "C" not null,
  mode text not null,
  policy_id text collate "C" not null,
  policy_version integer not null,
  tally jsonb not null,
  revision integer not null default 0,
  author text not null,
  note text not null,
  started_ms bigint not null default now_ms(),
  ended_ms bigint,
  ended_by text,
  primary key (merchant_id, id)
) with (fillfactor = 50);
create unique index shadows_running on shadows (merchant_id, mode) where ended_ms is null;
create index shadows_by_policy on shadows (merchant_id, policy_id, id);
