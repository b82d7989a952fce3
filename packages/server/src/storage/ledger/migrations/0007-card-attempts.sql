-- What a card's attempts came to, of which the schemes' limits are counted: declines, and attempts whose outcome is unknown
-- until it is known. Approvals are not kept, so a good card has no rows. Written by the commit that stores the outcome, on
-- any node and whoever brought it; read by one range of the key, and only where another attempt is considered.
-- mode: a test is no attempt with the real card. result: unknown, declined, or none (an unknown that was no decline).
create table card_attempts (
  merchant_id text collate "C" not null,
  mode text not null,
  network text not null,
  fingerprint text collate "C" not null,
  at_ms bigint not null,
  attempt_id text collate "C" not null,
  account_id text collate "C" not null,
  currency text not null,
  amount bigint not null,
  initiator text not null,
  result text not null,
  network_code text,
  advice_code text,
  reason text,
  primary key (merchant_id, mode, network, fingerprint, at_ms, attempt_id)
);
-- Retention walks through it by age.
create index card_attempts_by_age on card_attempts (at_ms);
