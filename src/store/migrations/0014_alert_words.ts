/** What an alert's rule says for people, and the query that finds its lines. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table alerts
  add column annotations jsonb not null default '{}',
  add column query text not null default '';
`

export const alertWords: Migration = { id: 14, name: "alert_words", sql }
