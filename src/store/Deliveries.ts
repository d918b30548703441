/**
 * One row per message and channel: the outbox of notifications. Promises that a key is planned once, that of two senders only
 * one has it at a time, and that what was sent is never begun again. Who sends, and what a crash in between means, is decided
 * by tasks/notifications.
 */
import { Clock, Context, Effect, Layer, type Schema } from "effect"
import type { ChannelId, Delivery, DeliveryStatus } from "../domain/Channel.ts"
import type { ProjectId } from "../domain/Ids.ts"
import type { Outgoing } from "../domain/Outgoing.ts"
import { tidy, tidyAll } from "../domain/Text.ts"
import { Database, type StoreError, type Transaction } from "./Database.ts"
import { isoOrNull } from "./ids.ts"

export interface Planned {
  readonly project: ProjectId
  readonly channel: ChannelId
  readonly message: Outgoing
}

export type Begun =
  /** Send it. */
  | {
      readonly _tag: "Yours"
      /** An earlier attempt ended without a word. */
      readonly repeated: boolean
      /** What the channel remembered of the incident's last message. */
      readonly previous: Schema.Json | null
      /** What earlier attempts at this message noted. */
      readonly progress: Schema.Json | null
    }
  /** Sent before, or given up for good. */
  | { readonly _tag: "Over"; readonly status: DeliveryStatus }
  /** Somebody else is sending it, or an earlier message of its incident; look again in so many ms. */
  | { readonly _tag: "Busy"; readonly leftMs: number }

/** How long a sender has for one attempt before another may take over, ms. More than a call may last. */
export const sendingMaxMs = 45_000

/** How long a message waits for an earlier one of its incident, ms; how often it looks: the longer it waits, the less often. */
const orderMaxMs = 3_600_000
const lookMinMs = 500
const lookMaxMs = 15_000

export class Deliveries extends Context.Service<
  Deliveries,
  {
    /** Keeps messages that are to be sent; those whose key is known stay as they are. Returns the keys that are new. */
    readonly plan: (planned: ReadonlyArray<Planned>) => Effect.Effect<ReadonlyArray<string>, StoreError>
    readonly begin: (planned: Planned) => Effect.Effect<Begun, StoreError>
    /** Keeps how far the sending of a message is, for its next attempt. */
    readonly note: (key: string, progress: Schema.Json) => Effect.Effect<void, StoreError>
    /** `warning`: it was sent, but some could not be reached. */
    readonly sent: (key: string, reference: Schema.Json | null, warning?: string) => Effect.Effect<void, StoreError>
    /** `unsure`: it may have left all the same; the next attempt is told. `again`: there is a next one. */
    readonly failed: (
      key: string,
      error: string,
      how: { readonly unsure: boolean; readonly again: boolean }
    ) => Effect.Effect<void, StoreError>
    /** It will not be sent: its channel is gone or off. */
    readonly drop: (key: string, reason: string) => Effect.Effect<void, StoreError>
    /** Planned before `before` (epoch ms) and not begun yet; at most 1,000, oldest first. */
    readonly waiting: (before: number) => Effect.Effect<ReadonlyArray<Planned>, StoreError>
    /** Newest first. */
    readonly list: (options: {
      readonly project: ProjectId
      readonly channel?: ChannelId | undefined
      readonly incident?: string | undefined
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Delivery>, StoreError>
  }
>()("loglytics/store/Deliveries") {
  static readonly layer = Layer.effect(Deliveries, Effect.map(Database, make))
}

interface Row {
  readonly key: string
  readonly project: ProjectId
  readonly channel_id: ChannelId
  readonly incident: string | null
  readonly title: string
  readonly message: Outgoing
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly error: string | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly reference: Schema.Json | null
  readonly sent_at: Date | null
}

const fromRow = (row: Row): Delivery => ({
  key: row.key,
  project: row.project,
  channel: row.channel_id,
  incident: row.incident,
  title: row.title,
  status: row.status,
  attempts: row.attempts,
  error: row.error,
  createdAt: row.created_at.toISOString(),
  sentAt: isoOrNull(row.sent_at)
})

const overtaken = "a later message of its incident was sent before it could be"

const nowMs = Clock.currentTimeMillis
const iso = (ms: number): string => new Date(ms).toISOString()

/** Plans messages inside whatever transaction the caller has open: together with what they tell of. */
export const insertDeliveries = async (
  sql: Transaction,
  planned: ReadonlyArray<Planned>,
  now: number
): Promise<ReadonlyArray<string>> => {
  if (planned.length === 0) return []
  // Samples are lines of strangers: what jsonb does not take would lose the whole plan.
  const rows = tidyAll(planned).map(({ channel, message, project }) => ({
    key: message.key,
    project,
    channel_id: channel,
    incident: message.incident?.id ?? null,
    title: message.title,
    message
  }))
  const made = await sql<Array<{ key: string }>>`
    insert into deliveries (key, project, channel_id, incident, title, message, status, created_at)
    select key, project, channel_id, incident, title, message, 'pending', ${iso(now)}::text::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r(key text, project text, channel_id text, incident text, title text, message jsonb)
    order by key on conflict (key) do nothing returning key`
  return made.map(({ key }) => key)
}

function make(database: Database["Service"]): Deliveries["Service"] {
  const begin: Deliveries["Service"]["begin"] = Effect.fnUntraced(function* (planned) {
    const now = yield* nowMs
    const key = tidy(planned.message.key)
    return yield* database.tx("deliveries.begin", async (sql): Promise<Begun> => {
      await insertDeliveries(sql, [planned], now)
      const [row] = await sql<Array<Row>>`select * from deliveries where key = ${key} for update`
      if (row === undefined) return { _tag: "Over", status: "dropped" }
      if (row.status === "sent" || row.status === "dropped") return { _tag: "Over", status: row.status }
      const leftMs = row.status === "sending" ? (row.started_at?.getTime() ?? 0) + sendingMaxMs - now : 0
      if (leftMs > 0) return { _tag: "Busy", leftMs }
      // An incident is told in its order; but not for ever, if an earlier message can't be sent.
      const [earlier] = await sql<Array<{ created_at: Date }>>`
        select created_at from deliveries where channel_id = ${row.channel_id} and incident = ${row.incident}
          and (status in ('pending', 'sending') or (status = 'failed' and again))
          and (created_at, key) < (${row.created_at}, ${key})
          and created_at > ${iso(now - orderMaxMs)}::text::timestamptz
        order by created_at limit 1`
      if (earlier !== undefined) {
        const waits = (now - earlier.created_at.getTime()) / 8
        return { _tag: "Busy", leftMs: Math.min(lookMaxMs, Math.max(lookMinMs, waits)) }
      }
      // What was overtaken nevertheless would make people believe what is no longer so.
      const [later] = await sql`
        select 1 from deliveries where channel_id = ${row.channel_id} and incident = ${row.incident} and status = 'sent'
          and (created_at, key) > (${row.created_at}, ${key}) limit 1`
      if (later !== undefined) {
        await sql`update deliveries set status = 'dropped', error = ${overtaken} where key = ${key}`
        return { _tag: "Over", status: "dropped" }
      }
      await sql`
        update deliveries set status = 'sending', attempts = attempts + 1, started_at = ${iso(now)}::text::timestamptz
        where key = ${key}`
      const [last] =
        row.incident === null
          ? []
          : await sql<Array<{ reference: Schema.Json | null }>>`
              select reference from deliveries
              where channel_id = ${row.channel_id} and incident = ${row.incident} and status = 'sent' and reference is not null
              order by sent_at desc limit 1`
      const repeated = row.status === "sending"
      return { _tag: "Yours", repeated, previous: last?.reference ?? null, progress: row.reference }
    })
  })

  const end = (op: string, key: string, status: DeliveryStatus, error: string | null, again = false) =>
    database
      .query(
        op,
        (sql) => sql`
          update deliveries set status = ${status}, error = ${error}, again = ${again}
          where key = ${key} and status <> 'sent'`
      )
      .pipe(Effect.asVoid)

  return Deliveries.of({
    begin,
    plan: (planned) =>
      Effect.flatMap(nowMs, (now) => database.tx("deliveries.plan", (sql) => insertDeliveries(sql, planned, now))),
    note: (key, progress) =>
      database
        .query(
          "deliveries.note",
          (sql) => sql`
            update deliveries set reference = ${JSON.stringify(tidyAll(progress))}::text::jsonb
            where key = ${key} and status = 'sending'`
        )
        .pipe(Effect.asVoid),
    sent: Effect.fnUntraced(function* (key, reference, warning) {
      const now = iso(yield* nowMs)
      yield* database.query(
        "deliveries.sent",
        (sql) => sql`
          update deliveries set status = 'sent', error = ${warning ?? null}, sent_at = ${now}::text::timestamptz,
            reference = ${reference === null ? null : JSON.stringify(reference)}::text::jsonb
          where key = ${key}`
      )
    }),
    // A row that stays `sending` with its time over is what tells the next attempt to look first.
    failed: (key, error, { again, unsure }) =>
      unsure
        ? database
            .query(
              "deliveries.unsure",
              (sql) =>
                sql`update deliveries set error = ${error}, started_at = null where key = ${key} and status = 'sending'`
            )
            .pipe(Effect.asVoid)
        : end("deliveries.failed", key, "failed", error, again),
    drop: (key, reason) => end("deliveries.drop", key, "dropped", reason),
    waiting: (before) =>
      database
        .query(
          "deliveries.waiting",
          (sql) => sql<Array<Row>>`
            select * from deliveries where status = 'pending' and created_at < ${iso(before)}::text::timestamptz
            order by created_at limit 1000`
        )
        .pipe(
          Effect.map((rows) =>
            rows.map((row) => ({ project: row.project, channel: row.channel_id, message: row.message }))
          )
        ),
    list: ({ channel, incident, limit, project }) =>
      database
        .query(
          "deliveries.list",
          (sql) => sql<Array<Row>>`
            select * from deliveries where project = ${project}
              and ${channel === undefined ? sql`true` : sql`channel_id = ${channel}`}
              and ${incident === undefined ? sql`true` : sql`incident = ${incident}`}
            order by created_at desc, key desc limit ${limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow)))
  })
}
