/** Why an alert fired, which its timeline tells also when it is over. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table alerts add column fired_reason text not null default '';
update alerts set fired_reason = reason where state = 'firing';
`

export const firedReason: Migration = { id: 16, name: "fired_reason", sql }
