/** How health is looked at: fills the port that tasks and the HTTP door share. Each look has a time limit of its own. */
import { Effect, Layer } from "effect"
import { statfs } from "node:fs/promises"
import { Database } from "../store/Database.ts"
import { Inspect } from "../streams/Inspect.ts"
import { LogStream } from "../streams/LogStream.ts"
import { Redis } from "../streams/Redis.ts"
import { type Check, Probes } from "../tasks/maintenance/Probes.ts"

/** A queue or partition whose oldest entry is older than this is not keeping up, ms. */
const oldestMaxMs = 5 * 60_000
/** Less free space than this on the data folder's disk is a warning, as a share. */
const freeMin = 0.05

const look = <E extends { readonly message: string }>(
  name: string,
  effect: Effect.Effect<{ readonly ok: boolean; readonly detail: string }, E>
): Effect.Effect<Check> =>
  effect.pipe(
    Effect.timeoutOrElse({
      duration: "3 seconds",
      orElse: () => Effect.succeed({ ok: false, detail: "expected an answer within 3 s, got none" })
    }),
    Effect.catch((error) => Effect.succeed({ ok: false, detail: error.message })),
    Effect.map((seen) => ({ name, ...seen }))
  )

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`

export const ProbesLive = (dataDir: string) =>
  Layer.effect(
    Probes,
    Effect.gen(function* () {
      const redis = yield* Redis
      const database = yield* Database
      const inspect = yield* Inspect
      const logs = yield* LogStream

      const essential = [
        look(
          "redis",
          Effect.as(
            redis.use("PING", (client) => client.ping()),
            { ok: true, detail: "answers" }
          )
        ),
        look(
          "postgres",
          Effect.as(
            database.query("ping", (sql) => sql`select 1`),
            { ok: true, detail: "answers" }
          )
        )
      ]
      const queues = look(
        "queues",
        Effect.map(inspect.queues, (rows) => {
          const late = rows.filter((row) => row.oldestAgeMs > oldestMaxMs && !row.paused)
          return late.length === 0
            ? { ok: true, detail: rows.map((row) => `${row.name}: ${row.backlog} waiting`).join(", ") }
            : {
                ok: false,
                detail: late.map((row) => `${row.name}: oldest job waits for ${seconds(row.oldestAgeMs)}`).join(", ")
              }
        })
      )
      const workers = look(
        "workers",
        Effect.map(inspect.workers, (rows) => ({ ok: rows.length > 0, detail: `${rows.length} with a heartbeat` }))
      )
      const pipeline = look(
        "pipeline",
        Effect.map(logs.depth, (rows) => {
          const late = rows.filter((row) => row.oldestAgeMs > oldestMaxMs)
          const waiting = rows.reduce((sum, row) => sum + row.backlog, 0)
          return late.length === 0
            ? { ok: true, detail: `${waiting} batches waiting` }
            : {
                ok: false,
                detail: late.map((row) => `partition ${row.partition} is ${seconds(row.oldestAgeMs)} behind`).join(", ")
              }
        })
      )
      const disk = look(
        "disk",
        Effect.promise(() =>
          statfs(dataDir).then(
            ({ bavail, blocks }) => ({
              ok: bavail / blocks > freeMin,
              detail: `${Math.round((bavail / blocks) * 100)} % free at ${dataDir}`
            }),
            (error: Error) => ({ ok: false, detail: error.message })
          )
        )
      )
      return Probes.of({
        essential: Effect.all(essential, { concurrency: "unbounded" }),
        all: Effect.all([...essential, queues, workers, pipeline, disk], { concurrency: "unbounded" })
      })
    })
  )
