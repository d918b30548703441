/**
 * The settings of projects. Promises that a change is merged into what is kept at that moment, however many change at once,
 * and that a project that has said nothing has the defaults. Whether patterns and formats compile is for those who accept
 * settings to say.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import {
  changed,
  defaultSettings,
  type KeptSettings,
  ProjectSettings as Settings,
  type ProjectSettingsChange,
  retentionDefaultDays
} from "../domain/ProjectSettings.ts"
import { Database, type StoreError } from "./Database.ts"

export class ProjectSettings extends Context.Service<
  ProjectSettings,
  {
    readonly get: (project: ProjectId) => Effect.Effect<KeptSettings, StoreError>
    /** The settings after the change. */
    readonly change: (project: ProjectId, change: ProjectSettingsChange) => Effect.Effect<KeptSettings, StoreError>
    /** Days that each project keeps its lines, of all projects. */
    readonly retention: Effect.Effect<ReadonlyMap<ProjectId, number>, StoreError>
  }
>()("loglytics/store/ProjectSettings") {
  static readonly layer = Layer.effect(ProjectSettings, Effect.map(Database, make))
}

const decode = Schema.decodeUnknownOption(Settings)

/** What an older version has kept may lack fields or hold what is no longer known: those have their defaults. */
const fromJson = (json: unknown): Settings => {
  const kept = typeof json === "object" && json !== null ? (json as Partial<Settings>) : {}
  const whole = decode({ ...defaultSettings, ...kept })
  if (whole._tag === "Some") return whole.value
  const part = <Key extends keyof Settings>(key: Key): Settings[Key] => {
    const one = decode({ ...defaultSettings, [key]: kept[key] })
    return one._tag === "Some" ? one.value[key] : defaultSettings[key]
  }
  return { retentionDays: part("retentionDays"), redaction: part("redaction"), formats: part("formats") }
}

interface Row {
  readonly version: string
  readonly settings: unknown
}
const fromRow = (row: Row | undefined): KeptSettings =>
  row === undefined
    ? { version: 0, settings: defaultSettings }
    : { version: Number(row.version), settings: fromJson(row.settings) }

function make(database: Database["Service"]): ProjectSettings["Service"] {
  return ProjectSettings.of({
    get: (project) =>
      database
        .query(
          "project_settings.get",
          (sql) => sql<Array<Row>>`select version, settings from project_settings where project = ${project}`
        )
        .pipe(Effect.map((rows) => fromRow(rows[0]))),
    change: (project, change) =>
      database.tx("project_settings.change", async (sql) => {
        await sql`
          insert into project_settings (project, settings) values (${project}, '{}'::jsonb) on conflict (project) do nothing`
        const [row] = await sql<Array<Row>>`
          select version, settings from project_settings where project = ${project} for update`
        const before = fromRow(row)
        const after = { version: before.version + 1, settings: changed(before.settings, change) }
        await sql`
          update project_settings set settings = ${JSON.stringify(after.settings)}::text::jsonb, version = ${after.version}, updated_at = now()
          where project = ${project}`
        return after
      }),
    retention: database
      .query(
        "project_settings.retention",
        (sql) => sql<Array<{ id: ProjectId; days: number | null }>>`
          select p.id, (s.settings ->> 'retentionDays')::float8 as days
          from projects p left join project_settings s on s.project = p.id order by p.id`
      )
      .pipe(Effect.map((rows) => new Map(rows.map(({ days, id }) => [id, days ?? retentionDefaultDays]))))
  })
}
