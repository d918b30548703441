/** What detect_anomalies has found, and what it has learnt so far. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table anomalies (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  kind text not null,
  subject text not null,
  title text not null,
  from_time timestamptz not null,
  to_time timestamptz not null,
  score double precision not null,
  got double precision,
  expected double precision,
  explanation text not null,
  query text not null,
  template text,
  samples jsonb not null,
  found_at timestamptz not null,
  updated_at timestamptz not null
);
create index anomalies_by_time on anomalies (project, to_time desc, id desc);
create index anomalies_by_subject on anomalies (project, kind, subject, to_time desc);

-- state: plain JSON of src/analytics/anomaly, one row per model of a project.
create table anomaly_models (
  project text not null references projects (id) on delete cascade,
  name text not null,
  state jsonb not null,
  updated_at timestamptz not null,
  primary key (project, name)
);
`

export const anomalies: Migration = { id: 12, name: "anomalies", sql }
