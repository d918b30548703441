/** Connections with credentials, a fence, back-off and counts; and the page that is on its way into the stream. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table connections
  -- Sealed by the application (AES-256-GCM); secret_key names the key, secret_names what is in it.
  add column secrets bytea,
  add column secret_key text,
  add column secret_names jsonb not null default '[]',
  -- Raised by every change of the cursor: whoever read an older one changes nothing.
  add column version bigint not null default 0,
  add column failures integer not null default 0,
  add column next_poll_at timestamptz,
  add column lag_ms double precision,
  add column lines bigint not null default 0;

-- At most one per connection: lines that were fetched, whose cursor is saved, and that may not be on the stream yet.
create table connection_pages (
  connection_id text primary key references connections (id) on delete cascade,
  key text not null,
  lines integer not null,
  -- Compressed and sealed: not redacted yet.
  body bytea not null,
  sealed_by text not null,
  made_at timestamptz not null default now()
);
`

export const connections: Migration = { id: 4, name: "connections", sql }
