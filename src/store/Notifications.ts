/** Notifications in the application. Promises that the same dedupe key is kept once. Pushing them to people is left to notify. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Notification } from "../domain/Alert.ts"
import { type AlertId, NotificationId, type ProjectId } from "../domain/Ids.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"

export class Notifications extends Context.Service<
  Notifications,
  {
    /** `created` is false when the dedupe key was used before: then `notification` is the one made at that time. */
    readonly create: (
      notification: Pick<Notification, "project" | "alertId" | "title" | "body" | "severity"> & {
        readonly dedupeKey: string
      }
    ) => Effect.Effect<{ readonly notification: Notification; readonly created: boolean }, StoreError>
    /** Newest first. */
    readonly list: (project: ProjectId, limit: number) => Effect.Effect<ReadonlyArray<Notification>, StoreError>
    /** The notification, read now if it was not before; undefined when the project has none with this id. */
    readonly markRead: (project: ProjectId, id: NotificationId) => Effect.Effect<Notification | undefined, StoreError>
  }
>()("loglytics/store/Notifications") {
  static readonly layer = Layer.effect(Notifications, Effect.map(Database, make))
}

interface Row {
  readonly id: NotificationId
  readonly project: ProjectId
  readonly alert_id: AlertId | null
  readonly title: string
  readonly body: string
  readonly severity: Notification["severity"]
  readonly created_at: Date
  readonly read_at: Date | null
}
const fromRow = (row: Row): Notification => ({
  id: row.id,
  project: row.project,
  alertId: row.alert_id,
  title: row.title,
  body: row.body,
  severity: row.severity,
  createdAt: row.created_at.toISOString(),
  readAt: isoOrNull(row.read_at)
})
const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

function make(database: Database["Service"]): Notifications["Service"] {
  const create: Notifications["Service"]["create"] = Effect.fnUntraced(function* (wanted) {
    const id = NotificationId.make(yield* freshId("note"))
    const now = yield* nowIso
    return yield* database.query("notifications.create", async (sql) => {
      const [made] = await sql<Array<Row>>`
        insert into notifications (id, project, alert_id, dedupe_key, title, body, severity, created_at)
        values (${id}, ${wanted.project}, ${wanted.alertId}, ${wanted.dedupeKey}, ${wanted.title}, ${wanted.body},
          ${wanted.severity}, ${now}::text::timestamptz)
        on conflict (dedupe_key) do nothing returning *`
      if (made !== undefined) return { notification: fromRow(made), created: true }
      const [before] = await sql<Array<Row>>`select * from notifications where dedupe_key = ${wanted.dedupeKey}`
      return { notification: fromRow(before!), created: false }
    })
  })

  return Notifications.of({
    create,
    list: (project, limit) =>
      database
        .query(
          "notifications.list",
          (sql) => sql<Array<Row>>`
            select * from notifications where project = ${project} order by created_at desc, id desc limit ${limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    markRead: Effect.fnUntraced(function* (project, id) {
      const now = yield* nowIso
      const rows = yield* database.query(
        "notifications.read",
        (sql) => sql<Array<Row>>`
          update notifications set read_at = coalesce(read_at, ${now}::text::timestamptz)
          where id = ${id} and project = ${project} returning *`
      )
      return rows[0] && fromRow(rows[0])
    })
  })
}
