/** Rules that are changed after they were made, and how they stand as their judge sees them. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table rules add column updated_at timestamptz;

create table rule_status (
  rule_id text primary key references rules (id) on delete cascade,
  status jsonb not null,
  updated_at timestamptz not null
);
`

export const rules: Migration = { id: 8, name: "rules", sql }
