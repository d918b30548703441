/** The first tables: projects and their keys, logs by day, files, rules, alerts, notifications, connections. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table projects (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);
insert into projects (id, name) values ('default', 'Default'), ('loglytics', 'Loglytics');

create table api_keys (
  id text primary key,
  name text not null,
  role text not null check (role in ('admin', 'project')),
  project text references projects (id) on delete cascade,
  prefix text not null,
  hash text not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  check ((role = 'project') = (project is not null))
);

-- Position of every stored line. Ranges are taken by take_ids, so that the lines of a batch are neighbours.
create sequence log_seq;
create function take_ids(n bigint) returns bigint language plpgsql as $$
declare
  first bigint;
begin
  -- nextval and setval are two steps; the lock makes them one. It ends with the statement's own transaction.
  perform pg_advisory_xact_lock('log_seq'::regclass::oid::bigint);
  first := nextval('log_seq');
  if n > 1 then
    perform setval('log_seq', first + n - 1);
  end if;
  return first;
end
$$;

-- Lines, by UTC day of arrival, so that a clock that is wrong cannot make partitions without bound.
create table logs (
  project text not null,
  time timestamptz not null,
  observed_at timestamptz not null,
  seq bigint not null,
  level smallint not null,
  service text not null,
  message text not null,
  attributes jsonb not null,
  trace_id text,
  span_id text
) partition by range (observed_at);
create index logs_by_time on logs (project, time desc, seq desc);
-- Arrival order is the order on disk, so a few bytes per 32 pages are enough to find a window of arrival.
create index logs_by_arrival on logs using brin (observed_at, seq) with (pages_per_range = 32, autosummarize = on);

-- One row per stored batch: what makes storing exactly-once, and the counts by arrival.
create table batches (
  id text primary key,
  project text not null,
  observed_at timestamptz not null,
  first_seq bigint not null,
  lines integer not null,
  -- Lines per level, in the order unknown, trace, debug, info, warn, error, fatal.
  by_level integer[] not null,
  stored_at timestamptz not null default now()
);
create index batches_by_arrival on batches (project, observed_at);

create table log_files (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  name text not null,
  bytes bigint not null,
  status text not null check (status in ('uploaded', 'processing', 'processed', 'failed')),
  lines bigint not null default 0,
  error text,
  created_at timestamptz not null default now(),
  processed_at timestamptz
);
create table file_analytics (
  file_id text primary key references log_files (id) on delete cascade,
  figures jsonb not null,
  made_at timestamptz not null default now()
);

create table rules (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  name text not null,
  type text not null,
  spec jsonb not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now()
);
create index rules_by_project on rules (project, created_at);

-- An alert outlives its rule: it is history.
create table alerts (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  rule_id text not null,
  group_key text not null default '',
  rule_name text not null,
  state text not null check (state in ('pending', 'firing', 'resolved', 'inactive')),
  value double precision not null,
  threshold double precision not null,
  reason text not null,
  samples jsonb not null,
  started_at timestamptz not null,
  fired_at timestamptz,
  resolved_at timestamptz,
  updated_at timestamptz not null
);
create unique index alerts_one_active on alerts (rule_id, group_key) where state in ('pending', 'firing');
create index alerts_by_update on alerts (project, updated_at desc, id desc);

create table notifications (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  alert_id text,
  dedupe_key text not null unique,
  title text not null,
  body text not null,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  created_at timestamptz not null default now(),
  read_at timestamptz
);
create index notifications_by_time on notifications (project, created_at desc, id desc);

create table connections (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  name text not null,
  kind text not null,
  config jsonb not null,
  cursor text,
  active boolean not null default true,
  last_polled_at timestamptz,
  last_error text,
  created_at timestamptz not null default now()
);

-- Case folding as JavaScript's toLowerCase does it, or as near as this server can: full Unicode mapping (18 and later),
-- ICU, simple Unicode mapping (17), else the database's own.
do $$
declare
  folding text;
begin
  select case when bool_or(collname = 'pg_unicode_fast') then 'collate pg_catalog.pg_unicode_fast'
              when bool_or(collname = 'und-x-icu') then 'collate pg_catalog."und-x-icu"'
              when bool_or(collname = 'pg_c_utf8') then 'collate pg_catalog.pg_c_utf8'
              else '' end
    into folding
    from pg_collation
   where collnamespace = 'pg_catalog'::regnamespace
     and collencoding in (-1, (select encoding from pg_database where datname = current_database()));
  execute format('create function fold(t text) returns text language sql immutable strict parallel safe as '
    || '''select lower($1 %s)''', folding);
end
$$;
`

export const foundation: Migration = { id: 1, name: "foundation", sql }
