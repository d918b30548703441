/** Templates of each project's messages, and how many lines came of each per hour of arrival. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
create table templates (
  project text not null,
  id bigint not null,
  text text not null,
  -- What a miner goes on with: src/parse/templates/Template.ts.
  shape text not null,
  sample text not null,
  -- The template that has taken this one in; never one that has an alias itself.
  alias bigint,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (project, id)
);
create index templates_by_change on templates (project, changed_at, id);
create index templates_by_use on templates (project, last_seen desc, id) where alias is null;

create table template_counts (
  project text not null,
  hour timestamptz not null,
  template bigint not null,
  lines bigint not null,
  warnings bigint not null,
  errors bigint not null,
  last_at timestamptz not null,
  primary key (project, hour, template)
) with (fillfactor = 70);
`

export const templates: Migration = { id: 3, name: "templates", sql }
