/** Projects: made, listed, found. The projects `default` and `loglytics` exist from the first migration on. */
import { Clock, Context, Data, Effect, Layer, Schema } from "effect"
import { ProjectId } from "../domain/Ids.ts"
import type { Project } from "../domain/Project.ts"
import { Database, type StoreError } from "./Database.ts"

/** A project with this id is there already. */
export class ProjectExists extends Data.TaggedError("ProjectExists")<{ readonly id: ProjectId }> {
  override get message(): string {
    return `expected an id that is free, got ${JSON.stringify(this.id)}: give another id`
  }
}

/** No id was given and none can be made of the name. */
export class ProjectNameUnusable extends Data.TaggedError("ProjectNameUnusable")<{ readonly name: string }> {
  override get message(): string {
    return `expected a name with a Latin letter or a digit, or an id, got ${JSON.stringify(this.name)}`
  }
}

export class Projects extends Context.Service<
  Projects,
  {
    /** Without `id`, the id is made of the name: "Café Shop" → `cafe-shop`. */
    readonly create: (project: {
      readonly id?: ProjectId
      readonly name: string
    }) => Effect.Effect<Project, ProjectExists | ProjectNameUnusable | StoreError>
    /** By id. */
    readonly list: Effect.Effect<ReadonlyArray<Project>, StoreError>
    readonly get: (id: ProjectId) => Effect.Effect<Project | undefined, StoreError>
  }
>()("loglytics/store/Projects") {
  static readonly layer = Layer.effect(Projects, Effect.map(Database, make))
}

const isProjectId = Schema.is(ProjectId)

/** A name as an id, or undefined where nothing of it can stand in one. */
export const slug = (name: string): ProjectId | undefined => {
  const id = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "-")
    .replace(/^-+/u, "")
    .slice(0, 63)
    .replace(/-+$/u, "")
  return isProjectId(id) ? id : undefined
}

const knownMax = 10_000

interface Row {
  readonly id: ProjectId
  readonly name: string
  readonly created_at: Date
}
const fromRow = (row: Row): Project => ({ id: row.id, name: row.name, createdAt: row.created_at.toISOString() })

function make(database: Database["Service"]): Projects["Service"] {
  /** Projects don't change and don't go away, so one that was seen need not be asked for with every request. */
  const known = new Map<ProjectId, Project>()
  const create: Projects["Service"]["create"] = Effect.fnUntraced(function* ({ id: wanted, name }) {
    const id = wanted ?? slug(name)
    if (id === undefined) return yield* new ProjectNameUnusable({ name })
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    const rows = yield* database.query(
      "projects.create",
      (sql) => sql<Array<Row>>`
        insert into projects (id, name, created_at) values (${id}, ${name}, ${now}::text::timestamptz)
        on conflict (id) do nothing returning *`
    )
    return rows[0] === undefined ? yield* new ProjectExists({ id }) : fromRow(rows[0])
  })
  return Projects.of({
    create,
    list: database
      .query("projects.list", (sql) => sql<Array<Row>>`select * from projects order by id`)
      .pipe(Effect.map((rows) => rows.map(fromRow))),
    get: (id) => {
      const found = known.get(id)
      if (found !== undefined) return Effect.succeed(found)
      return Effect.map(
        database.query("projects.get", (sql) => sql<Array<Row>>`select * from projects where id = ${id}`),
        (rows) => {
          if (rows[0] === undefined) return undefined
          const project = fromRow(rows[0])
          if (known.size < knownMax) known.set(id, project)
          return project
        }
      )
    }
  })
}
