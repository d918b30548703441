/** Silences and inhibitions as people made them. When they are in force is judged by alerts. */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import {
  type Inhibition,
  InhibitionId,
  type InhibitionSpec,
  type Silence,
  SilenceId,
  type SilenceSpec
} from "../domain/Silence.ts"
import { Database, type Statements, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"

export class Silences extends Context.Service<
  Silences,
  {
    readonly create: (project: ProjectId, spec: SilenceSpec, by: string) => Effect.Effect<Silence, StoreError>
    /** Puts what was said in the place of what it was; undefined where the project has none with this id. */
    readonly replace: (
      project: ProjectId,
      id: SilenceId,
      spec: SilenceSpec
    ) => Effect.Effect<Silence | undefined, StoreError>
    /** Ends it now; it stays in the list as one that is over. */
    readonly end: (project: ProjectId, id: SilenceId) => Effect.Effect<Silence | undefined, StoreError>
    /** Newest first; without those that are over unless `all`. */
    readonly list: (project: ProjectId, all: boolean) => Effect.Effect<ReadonlyArray<Silence>, StoreError>
    readonly createInhibition: (project: ProjectId, spec: InhibitionSpec) => Effect.Effect<Inhibition, StoreError>
    readonly replaceInhibition: (
      project: ProjectId,
      id: InhibitionId,
      spec: InhibitionSpec
    ) => Effect.Effect<Inhibition | undefined, StoreError>
    readonly removeInhibition: (project: ProjectId, id: InhibitionId) => Effect.Effect<boolean, StoreError>
    readonly inhibitions: (project: ProjectId) => Effect.Effect<ReadonlyArray<Inhibition>, StoreError>
  }
>()("loglytics/store/Silences") {
  static readonly layer = Layer.effect(Silences, Effect.map(Database, make))
}

interface SilenceRow {
  readonly id: SilenceId
  readonly project: ProjectId
  readonly matchers: ReadonlyArray<string>
  readonly starts_at: Date
  readonly ends_at: Date | null
  readonly recurring: Silence["recurring"]
  readonly comment: string
  readonly created_by: string
  readonly created_at: Date
}
const silenceOf = (row: SilenceRow): Silence => ({
  id: row.id,
  project: row.project,
  matchers: row.matchers,
  startsAt: row.starts_at.toISOString(),
  endsAt: isoOrNull(row.ends_at),
  recurring: row.recurring,
  comment: row.comment,
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString()
})

/** Incidents with alerts that this has kept from being told are due: should the job that looks be lost, they are found. */
const makeDue = (sql: Statements, project: ProjectId, now: string) => sql`
  update incidents set next_at = least(next_at, ${now}::text::timestamptz)
  where project = ${project} and id in (
    select m.incident_id from incident_alerts m join alerts a on a.id = m.alert_id
    where a.project = ${project} and a.state = 'firing' and (a.silenced_by is not null or a.inhibited_by is not null))`

interface InhibitionRow {
  readonly id: InhibitionId
  readonly project: ProjectId
  readonly spec: InhibitionSpec
  readonly created_at: Date
}
const inhibitionOf = (row: InhibitionRow): Inhibition => ({
  id: row.id,
  project: row.project,
  ...row.spec,
  createdAt: row.created_at.toISOString()
})

/** Of a project, without those that are over at `now` (ISO) where it is given. */
export const silencesOf = async (
  sql: Statements,
  project: ProjectId,
  now?: string
): Promise<ReadonlyArray<Silence>> => {
  const rows = await sql<Array<SilenceRow>>`
    select * from silences where project = ${project}
      and ${now === undefined ? sql`true` : sql`coalesce(ends_at, 'infinity') > ${now}::text::timestamptz`}
    order by created_at desc, id desc limit 1000`
  return rows.map(silenceOf)
}

export const inhibitionsOf = async (sql: Statements, project: ProjectId): Promise<ReadonlyArray<Inhibition>> => {
  const rows = await sql<Array<InhibitionRow>>`
    select * from inhibitions where project = ${project} order by created_at, id limit 1000`
  return rows.map(inhibitionOf)
}

const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())
const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))

function make(database: Database["Service"]): Silences["Service"] {
  const first = (rows: ReadonlyArray<SilenceRow>) => rows[0] && silenceOf(rows[0])
  return Silences.of({
    create: Effect.fnUntraced(function* (project, spec, by) {
      const id = SilenceId.make(yield* freshId("sil"))
      const now = yield* nowIso
      const rows = yield* database.query(
        "silences.create",
        (sql) => sql<Array<SilenceRow>>`
          insert into silences (id, project, matchers, starts_at, ends_at, recurring, comment, created_by, created_at)
          values (${id}, ${project}, ${json(spec.matchers)}::text::jsonb, ${spec.startsAt ?? now}::text::timestamptz,
            ${spec.endsAt ?? null}::text::timestamptz, ${json(spec.recurring)}::text::jsonb, ${spec.comment}, ${by},
            ${now}::text::timestamptz) returning *`
      )
      return silenceOf(rows[0]!)
    }),
    replace: (project, id, spec) =>
      database
        .query(
          "silences.replace",
          (sql) => sql<Array<SilenceRow>>`
            update silences set matchers = ${json(spec.matchers)}::text::jsonb,
              starts_at = coalesce(${spec.startsAt ?? null}::text::timestamptz, starts_at),
              ends_at = ${spec.endsAt ?? null}::text::timestamptz, recurring = ${json(spec.recurring)}::text::jsonb,
              comment = ${spec.comment}
            where id = ${id} and project = ${project} returning *`
        )
        .pipe(Effect.map(first)),
    end: Effect.fnUntraced(function* (project, id) {
      const now = yield* nowIso
      return yield* database.tx("silences.end", async (sql) => {
        const rows = await sql<Array<SilenceRow>>`
          update silences set ends_at = least(ends_at, ${now}::text::timestamptz)
          where id = ${id} and project = ${project} returning *`
        await makeDue(sql, project, now)
        return first(rows)
      })
    }),
    list: Effect.fnUntraced(function* (project, all) {
      const now = yield* nowIso
      return yield* database.query("silences.list", (sql) => silencesOf(sql, project, all ? undefined : now))
    }),
    createInhibition: Effect.fnUntraced(function* (project, spec) {
      const id = InhibitionId.make(yield* freshId("inh"))
      const now = yield* nowIso
      const rows = yield* database.query(
        "inhibitions.create",
        (sql) => sql<Array<InhibitionRow>>`
          insert into inhibitions (id, project, spec, created_at)
          values (${id}, ${project}, ${json(spec)}::text::jsonb, ${now}::text::timestamptz) returning *`
      )
      return inhibitionOf(rows[0]!)
    }),
    replaceInhibition: (project, id, spec) =>
      database
        .query(
          "inhibitions.replace",
          (sql) => sql<Array<InhibitionRow>>`
            update inhibitions set spec = ${json(spec)}::text::jsonb where id = ${id} and project = ${project} returning *`
        )
        .pipe(Effect.map((rows) => rows[0] && inhibitionOf(rows[0]))),
    removeInhibition: Effect.fnUntraced(function* (project, id) {
      const now = yield* nowIso
      return yield* database.tx("inhibitions.remove", async (sql) => {
        const { count } = await sql`delete from inhibitions where id = ${id} and project = ${project}`
        await makeDue(sql, project, now)
        return count > 0
      })
    }),
    inhibitions: (project) => database.query("inhibitions.list", (sql) => inhibitionsOf(sql, project))
  })
}
