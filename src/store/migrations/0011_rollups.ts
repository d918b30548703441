/** Figures per hour and day of event time, made of stored lines; they stay when the lines go. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table rollups (
  project text not null references projects (id) on delete cascade,
  -- 1 or 24.
  hours smallint not null,
  -- Event time.
  start timestamptz not null,
  -- UTC day of arrival, as in log_minutes: a day of lines that is dropped leaves its rows as they are.
  day date not null,
  lines bigint not null,
  -- In the order unknown, trace, debug, info, warn, error, fatal.
  by_level bigint[] not null,
  -- src/domain/Rollup.ts
  services jsonb not null,
  hosts jsonb not null,
  endpoints jsonb not null,
  latency jsonb,
  made_at timestamptz not null,
  primary key (project, hours, start, day)
);
`

export const rollups: Migration = { id: 11, name: "rollups", sql }
