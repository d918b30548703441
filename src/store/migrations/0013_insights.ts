/** Insights as they were found, run by run, and reports as they were sent. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table insight_runs (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  from_time timestamptz not null,
  to_time timestamptz not null,
  made_at timestamptz not null,
  source text not null check (source in ('statistics', 'llm')),
  note text,
  summary text not null,
  -- src/domain/Insight.ts, the most important first.
  insights jsonb not null
);
create index insight_runs_by_time on insight_runs (project, made_at desc, id desc);
`

export const insights: Migration = { id: 13, name: "insights", sql }
