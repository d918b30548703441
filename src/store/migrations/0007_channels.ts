/** Channels by which people hear, and one row per message and channel: the outbox that makes each be sent once. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table channels (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  kind text not null,
  name text not null,
  enabled boolean not null default true,
  settings jsonb not null,
  -- Sealed by the vault; the names of what is inside lie open.
  secrets bytea,
  secret_key text,
  secret_names jsonb not null default '[]',
  created_at timestamptz not null default now(),
  last_sent_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  failures integer not null default 0,
  check ((secrets is null) = (secret_key is null))
);
create index channels_by_project on channels (project, created_at, id);

create table deliveries (
  key text primary key,
  project text not null references projects (id) on delete cascade,
  channel_id text not null,
  incident text,
  title text not null,
  message jsonb not null,
  status text not null check (status in ('pending', 'sending', 'sent', 'failed', 'dropped')),
  attempts integer not null default 0,
  -- What the channel remembers for the next message of the same incident.
  reference jsonb,
  error text,
  created_at timestamptz not null,
  started_at timestamptz,
  sent_at timestamptz
);
create index deliveries_by_time on deliveries (project, created_at desc, key desc);
create index deliveries_of_incident on deliveries (channel_id, incident, sent_at desc) where status = 'sent';
create index deliveries_open on deliveries (created_at) where status in ('pending', 'sending');
`

export const channels: Migration = { id: 7, name: "channels", sql }
