/** What projects decide for themselves, and what more is known of uploaded files. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table project_settings (
  project text primary key references projects (id) on delete cascade,
  settings jsonb not null,
  -- Counts the changes: of two that are told out of order the later one is known by it.
  version bigint not null default 0,
  updated_at timestamptz not null default now()
);

-- Size of the file as it lies on disk once it is compressed.
alter table log_files add column compressed_bytes bigint;

create table file_metadata (
  file_id text primary key references log_files (id) on delete cascade,
  metadata jsonb not null,
  made_at timestamptz not null default now()
);
`

export const projectSettings: Migration = { id: 5, name: "project_settings", sql }
