-- Payments that a person has to look at: the schedule has given up on one of their operations. Kept by the commit that
-- makes it so, because it must be listed and counted at any size, and an index on operations would end their HOT updates.
-- A row exists only while that is so, hence the table is small whatever the size of the others.
create table payments_needing_person (
  merchant_id text collate "C" not null,
  payment_id text collate "C" not null,
  mode text not null,
  since_ms bigint not null,
  primary key (merchant_id, payment_id)
);

insert into payments_needing_person (merchant_id, payment_id, mode, since_ms)
select p.merchant_id, p.id, p.mode, p.updated_ms from payments p
where exists (select from operations o where o.merchant_id = p.merchant_id and o.payment_id = p.id
  and o.state in ('owed', 'sent', 'unknown', 'pending', 'action') and o.document -> 'needsPerson' = 'true'::jsonb);
