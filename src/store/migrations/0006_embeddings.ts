/** One vector per template and model, for searching templates by meaning. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table embeddings (
  project text not null references projects (id) on delete cascade,
  template bigint not null,
  -- "offline:…" or the model of a provider: changing it makes all vectors anew and keeps none apart for ever.
  model text not null,
  -- Digest of the text that the vector is of.
  digest text not null,
  dims integer not null,
  -- 32-bit floats, little-endian, at length 1.
  vector bytea not null,
  made_at timestamptz not null,
  primary key (project, model, template)
);
`

export const embeddings: Migration = { id: 6, name: "embeddings", sql }
