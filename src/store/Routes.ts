/** Routes as people made them, in their order. Which of them wants an alert is judged by alerts. */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { type Route, RouteId, type RouteSpec } from "../domain/Route.ts"
import { Database, type Statements, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"

export class Routes extends Context.Service<
  Routes,
  {
    /** At `position`, before the one that is there; without one at the end. */
    readonly create: (
      project: ProjectId,
      spec: RouteSpec,
      position: number | undefined
    ) => Effect.Effect<Route, StoreError>
    readonly replace: (
      project: ProjectId,
      id: RouteId,
      spec: RouteSpec,
      position: number | undefined
    ) => Effect.Effect<Route | undefined, StoreError>
    readonly remove: (project: ProjectId, id: RouteId) => Effect.Effect<boolean, StoreError>
    /** In their order. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<Route>, StoreError>
  }
>()("loglytics/store/Routes") {
  static readonly layer = Layer.effect(Routes, Effect.map(Database, make))
}

interface Row {
  readonly id: RouteId
  readonly project: ProjectId
  readonly position: number
  readonly spec: RouteSpec
  readonly created_at: Date
}

export const routesOf = async (sql: Statements, project: ProjectId): Promise<ReadonlyArray<Route>> => {
  const rows = await sql<Array<Row>>`
    select * from routes where project = ${project} order by position, created_at, id limit 1000`
  return rows.map((row, position) => ({
    id: row.id,
    project: row.project,
    position,
    ...row.spec,
    createdAt: row.created_at.toISOString()
  }))
}

/** Puts a route at its place and numbers all of them anew. */
const arrange = async (sql: Statements, project: ProjectId, id: RouteId, position: number | undefined) => {
  const ids = (await routesOf(sql, project)).map((route) => route.id)
  if (position !== undefined) {
    const others = ids.filter((other) => other !== id)
    ids.splice(0, ids.length, ...others.slice(0, position), id, ...others.slice(position))
  }
  await sql`
    update routes set position = r.place - 1
    from jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb) with ordinality as r(id, place)
    where routes.id = r.id and routes.project = ${project}`
  return (await routesOf(sql, project)).find((route) => route.id === id)
}

function make(database: Database["Service"]): Routes["Service"] {
  const locked = (sql: Statements, project: ProjectId) =>
    sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics routes ${project}`}, 0))`
  return Routes.of({
    create: Effect.fnUntraced(function* (project, spec, position) {
      const id = RouteId.make(yield* freshId("route"))
      const now = new Date(yield* Clock.currentTimeMillis).toISOString()
      return yield* database.tx("routes.create", async (sql) => {
        await locked(sql, project)
        await sql`
          insert into routes (id, project, position, spec, created_at)
          values (${id}, ${project}, 2000000000, ${JSON.stringify(spec)}::text::jsonb, ${now}::text::timestamptz)`
        return (await arrange(sql, project, id, position))!
      })
    }),
    replace: (project, id, spec, position) =>
      database.tx("routes.replace", async (sql) => {
        await locked(sql, project)
        await sql`
          update routes set spec = ${JSON.stringify(spec)}::text::jsonb where id = ${id} and project = ${project}`
        return arrange(sql, project, id, position)
      }),
    remove: (project, id) =>
      database
        .query("routes.remove", (sql) => sql`delete from routes where id = ${id} and project = ${project}`)
        .pipe(Effect.map(({ count }) => count > 0)),
    list: (project) => database.query("routes.list", (sql) => routesOf(sql, project))
  })
}
