import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schedule } from "effect"
import { createServer } from "node:net"
import { Database, StoreError } from "../../src/store/Database.ts"
import { emptyDatabase } from "../support/postgres.ts"

const persist = <A>(self: Effect.Effect<A, StoreError>) =>
  self.pipe(Effect.retry({ times: 1000, while: (error) => error.retryable, schedule: Schedule.spaced("1 millis") }))

describe("a connection that is lost", () => {
  it.live(
    "is a retryable error in a transaction, and the pool goes on",
    () => {
      const { config, layer } = emptyDatabase({ connectTimeoutMs: 500 })
      return Effect.gen(function* () {
        const database = yield* Database
        yield* database.query("test", (sql) => sql`create schema ${sql(config.schema!)}`)
        yield* database.query("test", (sql) => sql`create table marks (n integer primary key)`)
        const kill = database.read(
          "test.kill",
          (sql) => sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = ${`loglytics ${config.schema}`} and random() < 0.3`
        )
        const killer = yield* Effect.forkChild(Effect.forever(Effect.andThen(kill, Effect.sleep("10 millis"))))
        let lost = 0
        // Two steps that belong together: both or none of them may be seen.
        const pair = (n: number) =>
          database
            .tx("test.pair", async (sql) => {
              await sql`insert into marks values (${n}) on conflict do nothing`
              await sql`select pg_sleep(0.002)`
              await sql`insert into marks values (${-n}) on conflict do nothing`
            })
            .pipe(
              Effect.tapError((error) =>
                Effect.sync(() => {
                  lost++
                  assert.isTrue(error.retryable, error.message)
                })
              )
            )
        yield* Effect.forEach(
          Array.from({ length: 150 }, (_, n) => n + 1),
          (n) => persist(pair(n)),
          { concurrency: 8 }
        )
        yield* Fiber.interrupt(killer)
        assert.isAbove(lost, 10)
        const [row] = yield* persist(
          database.query("test", (sql) => sql`select count(*)::integer as n, sum(n)::integer as sum from marks`)
        )
        assert.deepStrictEqual({ ...row }, { n: 300, sum: 0 })
      }).pipe(Effect.provide(layer))
    },
    60_000
  )

  it.live("a server that is not there, or never answers, is a retryable error soon", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1", () =>
            resume(Effect.succeed(server))
          )
        }),
        (server) => Effect.sync(() => server.close())
      )
      const port = (silent.address() as { port: number }).port
      const ask = (on: number) =>
        Effect.flatMap(Database, (database) => {
          const one = Effect.flip(database.query("test.ask", (sql) => sql`select 1`))
          // More than the pool has connections: none of them may stay taken.
          return Effect.forEach(Array.from({ length: 8 }), () => one, { concurrency: 4 })
        }).pipe(
          Effect.provide(
            Database.layer({
              url: Redacted.make(`postgres://nobody@127.0.0.1:${on}/none`),
              maxConnections: 2,
              connectTimeoutMs: 200
            })
          )
        )
      for (const error of yield* ask(port))
        assert.deepStrictEqual([error.code, error.retryable], ["CONNECT_TIMEOUT", true])
      silent.close()
      for (const error of yield* ask(1)) assert.deepStrictEqual([error.code, error.retryable], ["ECONNREFUSED", true])
    })
  )

  it.effect("an error of our own is not retryable and says what Postgres said", () =>
    Effect.gen(function* () {
      const database = yield* Database
      const error = yield* Effect.flip(database.query("test.wrong", (sql) => sql`select * from nowhere`))
      assert.deepStrictEqual([error.code, error.retryable], ["42P01", false])
      assert.strictEqual(error.message, 'Postgres test.wrong failed: relation "nowhere" does not exist [42P01]')
      const refused = yield* Effect.flip(database.read("test.write", (sql) => sql`create table x (n integer)`))
      assert.include(refused.message, "read-only")
    }).pipe(Effect.provide(emptyDatabase().layer))
  )
})
