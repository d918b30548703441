/** How one project's old lines get out while others keep theirs of the same day. Part of Logs.ts, which says what is promised. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { Database } from "./Database.ts"
import { dayOf } from "./Partitions.ts"

const dayMs = 86_400_000
const iso = (day: number): string => new Date(day * dayMs).toISOString()

export const retention = (database: Database["Service"]) => {
  /** One day at a time: a block and a count of minutes never reach over midnight, so all of them goes or none. */
  const deleteDay = (project: ProjectId, day: number) => {
    const [from, to] = [iso(day), iso(day + 1)]
    return database.tx("logs.delete", async (sql) => {
      await sql`
        delete from blocks
        where project = ${project} and observed_to >= ${from}::text::timestamptz and observed_to < ${to}::text::timestamptz`
      await sql`delete from log_minutes where project = ${project} and day = (${from}::text::timestamptz at time zone 'UTC')::date`
      const { count } = await sql`
        delete from logs
        where project = ${project} and observed_at >= ${from}::text::timestamptz and observed_at < ${to}::text::timestamptz`
      // Last, and in the same transaction: a batch delivered again in between stays a duplicate.
      await sql`
        delete from batches
        where project = ${project} and observed_at >= ${from}::text::timestamptz and observed_at < ${to}::text::timestamptz`
      return count
    })
  }
  const deleteBefore = Effect.fnUntraced(function* (project: ProjectId, ms: number) {
    const limit = iso(dayOf(ms))
    const days = yield* database.query(
      "logs.old",
      (sql) => sql<Array<{ day: string }>>`
        select distinct (extract(epoch from date_trunc('day', observed_at at time zone 'UTC')) / 86400)::bigint as day
        from batches where project = ${project} and observed_at < ${limit}::text::timestamptz order by 1`
    )
    let lines = 0
    for (const { day } of days) lines += yield* deleteDay(project, Number(day))
    return lines
  })
  return { deleteBefore }
}
