/**
 * Blocks: what search knows of the lines that were stored together, instead of an index entry per line; counts per minute of
 * event time; and the names of attributes. Lines that are there already become blocks without a signature, which are read
 * whenever their times fit.
 */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table logs add column template bigint;
drop index logs_by_time;

create table blocks (
  project text not null,
  -- Every line of the project from first_seq to last_seq, in one partition of logs.
  first_seq bigint not null,
  last_seq bigint not null,
  lines integer not null,
  -- Arrival and event time of its lines, both bounds inclusive.
  observed_from timestamptz not null,
  observed_to timestamptz not null,
  min_time timestamptz not null,
  max_time timestamptz not null,
  -- Lines per level, in the order unknown, trace, debug, info, warn, error, fatal.
  by_level integer[] not null,
  -- Where its lines were put. A hint, checked by counting, since a restored dump has them elsewhere.
  pages int4multirange,
  -- src/store/Signature.ts; null: it may hold anything.
  bits bytea,
  primary key (project, first_seq)
) with (toast_tuple_target = 8160);
-- A row fits into a page and stays there, so that looking at signatures never reads TOAST.
alter table blocks alter column bits set storage plain;
alter table blocks alter column by_level set storage plain;
create index blocks_by_newest on blocks (project, max_time desc, first_seq desc);
create index blocks_by_oldest on blocks (project, min_time, first_seq);
create index blocks_by_arrival on blocks (observed_to);

insert into blocks (project, first_seq, last_seq, lines, observed_from, observed_to, min_time, max_time, by_level,
  pages)
select project, min(seq), max(seq), count(*), min(observed_at), max(observed_at), min(time), max(time),
  array[count(*) filter (where level < 1), count(*) filter (where level between 1 and 4),
    count(*) filter (where level between 5 and 8), count(*) filter (where level between 9 and 12),
    count(*) filter (where level between 13 and 16), count(*) filter (where level between 17 and 20),
    count(*) filter (where level > 20)],
  int4multirange(int4range(min((ctid::text::point)[0])::integer, max((ctid::text::point)[0])::integer, '[]'))
from logs group by project, tableoid, seq / 1000;

-- Lines by minute of event time; kept per UTC day of arrival, so that a day that is dropped takes its counts along.
create table log_minutes (
  project text not null,
  day date not null,
  minute timestamptz not null,
  unknown integer not null,
  trace integer not null,
  debug integer not null,
  info integer not null,
  warn integer not null,
  error integer not null,
  fatal integer not null,
  primary key (project, day, minute)
) with (fillfactor = 70);
insert into log_minutes
select project, (observed_at at time zone 'UTC')::date, date_trunc('minute', time),
  count(*) filter (where level < 1), count(*) filter (where level between 1 and 4),
  count(*) filter (where level between 5 and 8), count(*) filter (where level between 9 and 12),
  count(*) filter (where level between 13 and 16), count(*) filter (where level between 17 and 20),
  count(*) filter (where level > 20)
from logs group by 1, 2, 3;

-- Names of attributes that were seen, for completion; bounded per project by who writes it.
create table log_fields (
  project text not null,
  name text not null,
  type text not null check (type in ('string', 'number', 'boolean', 'object', 'array')),
  example text not null,
  seen_at timestamptz not null default now(),
  primary key (project, name, type)
);
`

export const blocks: Migration = { id: 2, name: "blocks", sql }
