/** Browsers and devices that get push messages, and the key that this installation shows to push services. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table push_subscriptions (
  id text primary key,
  project text not null references projects (id) on delete cascade,
  kind text not null check (kind in ('web', 'fcm')),
  -- A hash of the endpoint or token: the same one is kept once per project.
  address_hash text not null,
  person text,
  service text not null,
  -- Sealed by the vault: whoever has it can write to the device.
  target bytea not null,
  secret_key text not null,
  created_at timestamptz not null,
  unique (project, address_hash)
);

create table push_keys (
  id text primary key,
  public_key text not null,
  private_key bytea not null,
  secret_key text not null,
  created_at timestamptz not null
);
`

export const pushSubscriptions: Migration = { id: 10, name: "push_subscriptions", sql }
