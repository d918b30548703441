/** Whether a message that failed is tried again: those after it in its incident wait for it. */
import type { Migration } from "../Migrations.ts"

const sql = String.raw`
alter table deliveries add column again boolean not null default false;
`

export const deliveryOrder: Migration = { id: 15, name: "delivery_order", sql }
