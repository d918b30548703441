/** The life of alerts after they fire: who took them on, incidents and what was told of them, silences, inhibitions, routes. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table alerts
  add column severity text not null default 'warning' check (severity in ('info', 'warning', 'critical')),
  add column labels jsonb not null default '{}',
  add column group_values jsonb not null default '{}',
  add column lines jsonb not null default '[]',
  add column window_from timestamptz,
  add column window_to timestamptz,
  add column acknowledged jsonb,
  add column assignee text,
  add column late boolean not null default false,
  add column silenced_by text,
  add column inhibited_by text,
  add column incident_id text,
  -- Why it was told or not, in words.
  add column decision text,
  -- The state that was last seen by those who tell; behind the state itself, somebody has to look.
  add column routed text;
-- What is past is not told again.
update alerts set routed = state;
create index alerts_unrouted on alerts (updated_at)
  where state in ('firing', 'resolved') and fired_at is not null and routed is distinct from state;
create index alerts_firing on alerts (project) where state = 'firing';

create table alert_events (
  id bigint generated always as identity primary key,
  alert_id text not null references alerts (id) on delete cascade,
  at timestamptz not null,
  what text not null,
  who text,
  note text not null
);
create index alert_events_by_alert on alert_events (alert_id, at, id);

create table alert_comments (
  id text primary key,
  alert_id text not null references alerts (id) on delete cascade,
  at timestamptz not null,
  who text not null,
  text text not null
);
create index alert_comments_by_alert on alert_comments (alert_id, at, id);

create table incidents (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  route_id text not null,
  group_key text not null,
  group_values jsonb not null,
  policy jsonb not null,
  standing jsonb not null,
  state text not null check (state in ('waiting', 'firing', 'resolved')),
  severity text not null,
  opened_at timestamptz not null,
  resolved_at timestamptz,
  next_at timestamptz,
  updated_at timestamptz not null
);
create index incidents_by_group on incidents (project, route_id, group_key, opened_at desc);
create index incidents_by_update on incidents (project, updated_at desc, id desc);
create index incidents_due on incidents (next_at) where next_at is not null;

create table incident_alerts (
  incident_id text not null references incidents (id) on delete cascade,
  alert_id text not null references alerts (id) on delete cascade,
  joined_at timestamptz not null,
  told text check (told in ('firing', 'resolved')),
  primary key (incident_id, alert_id)
);
create index incident_alerts_by_alert on incident_alerts (alert_id);

create table silences (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  matchers jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz,
  recurring jsonb,
  comment text not null,
  created_by text not null,
  created_at timestamptz not null
);
create index silences_by_project on silences (project, ends_at);

create table inhibitions (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  spec jsonb not null,
  created_at timestamptz not null
);
create index inhibitions_by_project on inhibitions (project, created_at, id);

create table routes (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  position integer not null,
  spec jsonb not null,
  created_at timestamptz not null
);
create index routes_by_project on routes (project, position, created_at, id);
`

export const alertLife: Migration = { id: 9, name: "alert_life", sql }
