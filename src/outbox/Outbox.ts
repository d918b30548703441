/**
 * Jobs enqueued within a Postgres transaction: a door of the package, `loglytics/outbox`. Promises that a job whose transaction
 * is rolled back is never enqueued, and one whose transaction commits is enqueued once, whatever happens to the mover, which
 * carries rows to the stream. Rows wait in a table of the user's database, so Redis may be away while one commits.
 *
 *     await sql.begin(async (sql) => {
 *       await sql`insert into orders …`
 *       await Outbox.enqueue(sql, SendInvoice.job({ orderId }), { delay: "5 minutes" })
 *     })
 */
export { layer, type MoverOptions } from "./Mover.ts"
export { enqueue, enqueueAll, type Lag, lag, migrate, type OutboxOptions, type Sql } from "./Table.ts"
