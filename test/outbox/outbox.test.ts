/**
 * Jobs enqueued within Postgres transactions: none without a commit, one with it, whatever happens to movers and wires.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Result, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import postgres from "postgres"
import { afterAll } from "vitest"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import * as Mover from "../../src/outbox/Mover.ts"
import * as Outbox from "../../src/outbox/Outbox.ts"
import { pack, unpack } from "../../src/outbox/Packed.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import * as JobEntry from "../../src/streams/JobEntry.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { databaseUrl } from "../support/postgres.ts"
import { hasOneWire, makeWire } from "../support/proxy.ts"

const url = Redacted.value(databaseUrl())
const Mail = Task.make("mail", {
  payload: { to: Schema.String, n: Schema.Int },
  result: Schema.Struct({ n: Schema.Int })
})
const Log = Task.make("log", { payload: { n: Schema.Int, text: Schema.String }, queue: "low-priority" })

const schema = `outbox_${randomBytes(5).toString("hex")}`
const sql = postgres(url, { max: 5, onnotice: () => {} })
afterAll(async () => {
  await sql`drop schema if exists ${sql(schema)} cascade`
  await sql.end()
})
/** A table of its own, and a namespace for its jobs. */
const room = async (name: string) => {
  const table = `${schema}.${name}`
  await sql`create schema if not exists ${sql(schema)}`
  await Promise.all([Outbox.migrate(sql, { table }), Outbox.migrate(sql, { table })])
  return { table }
}
const promise = <A>(run: () => Promise<A>) => Effect.promise(run)
const waiting = (table: string) => promise(() => Outbox.lag(sql, { table }))
const emptied = (table: string, ms?: number) =>
  eventually(
    "an empty table",
    Effect.map(waiting(table), (lag) => lag.waiting === 0),
    ms
  )
/** Ids of all jobs in the stream of `default`. */
const ids = Effect.gen(function* () {
  const redis = yield* Redis
  const entries = yield* redis.use("xrange", (c) => c.xrange(`${redis.namespace}:{default}:jobs`, "-", "+"))
  return entries.map(([, fields]) => JobEntry.read(fields).id)
})
/** Each id is there, once. */
const once = (expected: ReadonlyArray<string>) =>
  Effect.map(ids, (found) => assert.deepStrictEqual(found.toSorted(), [...expected].toSorted()))

/** Cleared at the end, with all that begin like it. */
const base = freshNamespace("outbox")
const one = `${base}-one`
it.live("a rollback enqueues nothing; a commit enqueues at once, without waiting for a look", () =>
  Effect.gen(function* () {
    const { table } = yield* promise(() => room("basic"))
    yield* Layer.build(Outbox.layer({ url, table, lookEvery: "10 minutes" }))
    const refused = yield* promise(() =>
      sql
        .begin(async (tx) => {
          await Outbox.enqueue(tx, Mail.job({ to: "a", n: 1 }), { table })
          throw new Error("no")
        })
        .catch((error: Error) => error.message)
    )
    assert.strictEqual(refused, "no")
    const invalid = yield* promise(() =>
      sql
        .begin((tx) => Outbox.enqueue(tx, Mail.job({ to: "a", n: 1.5 }), { table }))
        .catch((error: Error) => error.message)
    )
    assert.match(String(invalid), /payload of mail is invalid: n: /u)
    const inspect = yield* Inspect
    const [now, later, flow] = yield* promise(() =>
      sql.begin(async (tx) => [
        await Outbox.enqueue(tx, Mail.job({ to: "nul \0 and ' and \\", n: 2 }), { table, retries: 1 }),
        await Outbox.enqueue(tx, Mail.job({ to: "b", n: 3 }), { table, delay: "1 hour", queue: "high-priority" }),
        await Outbox.enqueue(tx, Mail.job({ to: "c", n: 4 }).andThen(Log, { text: "sent" }), { table })
      ])
    )
    yield* emptied(table)
    const found = yield* eventually("the job", inspect.job(now ?? ""))
    assert.deepStrictEqual([found.state, found.payload], ["queued", { to: "nul \0 and ' and \\", n: 2 }])
    assert.strictEqual((yield* inspect.job(later ?? ""))?.state, "scheduled")
    assert.strictEqual((yield* inspect.job(flow ?? ""))?.task, "log", "the id of a chain is its last job's")
    assert.strictEqual((yield* ids).length, 2)
  }).pipe(Effect.scoped, Effect.provide(clientLayer(one)))
)

it("packs a whole flow as data, and reads it again", () => {
  const job = Mail.job({ to: "a", n: 1 }).andThen(Log, { text: "x" }).onError(Log, { n: 1, text: "failed" })
  const { body, id } = pack(job, { delay: "1 minute", expires: "1 hour", timeout: "5 seconds", key: "t" }, "row", 1_000)
  assert.strictEqual(id, "l-outbox:row")
  const read = unpack(body)
  assert.deepStrictEqual(read.options, {
    id: "outbox:row",
    eta: 61_000,
    expires: new Date(3_601_000),
    timeout: 5_000,
    key: "t"
  })
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown
  assert.deepStrictEqual(plain(read.job), plain(job))
  assert.isTrue(Result.isSuccess(read.job.payload))
})

const three = `${base}-movers`
it.live("several movers share the rows", () =>
  Effect.gen(function* () {
    const { table } = yield* promise(() => room("shared"))
    const jobs = Array.from({ length: 3_000 }, (_, n) => Mail.job({ to: "a", n }))
    const expected = yield* promise(() => sql.begin((tx) => Outbox.enqueueAll(tx, jobs, { table })))
    assert.strictEqual((yield* waiting(table)).waiting, 3_000)
    const movers = yield* Effect.all(
      Array.from({ length: 3 }, () => Mover.open({ url, table, batchMax: 100 }, () => {}))
    )
    const turns = yield* Effect.forEach(
      movers,
      (mover) =>
        Effect.gen(function* () {
          let moved = 0
          for (let turn = yield* Mover.turn(mover); turn.taken > 0; turn = yield* Mover.turn(mover)) moved += turn.moved
          return moved
        }),
      { concurrency: 3 }
    )
    assert.strictEqual(
      turns.reduce((a, b) => a + b, 0),
      3_000
    )
    yield* once(expected)
  }).pipe(Effect.scoped, Effect.provide(clientLayer(three)))
)

const four = `${base}-cut`
it.live("a mover that dies between adding and deleting doubles nothing, even where the job's record is gone", () =>
  Effect.gen(function* () {
    const { table } = yield* promise(() => room("cut"))
    const wire = yield* Effect.acquireRelease(
      promise(() => makeWire(url)),
      (w) => Effect.sync(w.close)
    )
    const engine = yield* Engine
    const redis = yield* Redis
    const jobs = Array.from({ length: 50 }, (_, n) => Mail.job({ to: "a", n }))
    const expected = yield* promise(() => sql.begin((tx) => Outbox.enqueueAll(tx, jobs, { table })))
    // The wire to Postgres breaks when all are in the stream: nothing can be deleted.
    let added = 0
    const cutting = Engine.of({
      ...engine,
      offer: (job, options) =>
        Effect.tap(engine.offer(job, options), () => Effect.sync(() => ++added === 50 && wire.cut()))
    })
    const mover = yield* Mover.open({ url: wire.url, table }, () => {})
    const cut = yield* Effect.exit(Mover.turn(mover).pipe(Effect.provide(Context.make(Engine, cutting))))
    assert.strictEqual(cut._tag, "Failure")
    yield* once(expected)
    assert.strictEqual((yield* waiting(table)).waiting, 50)
    // As if all had been run and their results had expired.
    yield* redis.use("unlink", (c) => c.unlink(...expected.map((id) => `${four}:{default}:job:${id}`)))
    wire.mend()
    mover.reopen()
    yield* eventually(
      "the rows deleted",
      Effect.map(Effect.result(Mover.turn(mover)), (r) => Result.isSuccess(r) && r.success.moved === 50)
    )
    yield* once(expected)
    assert.strictEqual((yield* waiting(table)).waiting, 0)
    assert.strictEqual(yield* redis.use("zcard", (c) => c.zcard(`${four}:{outbox}:moved`)), 0)
  }).pipe(Effect.scoped, Effect.provide(clientLayer(four)))
)

const five = `${base}-away`
it.live.skipIf(!hasOneWire(redisUrl))(
  "rows wait while Redis or Postgres is away",
  () =>
    Effect.gen(function* () {
      const { table } = yield* promise(() => room("away"))
      const [toRedis, toPostgres] = yield* Effect.all(
        [redisUrl, url].map((server) =>
          Effect.acquireRelease(
            promise(() => makeWire(server)),
            (w) => Effect.sync(w.close)
          )
        )
      )
      const cutOff = StreamsLive().pipe(
        Layer.provideMerge(Redis.layer({ url: Redacted.make(toRedis!.url), namespace: five }))
      )
      yield* Layer.build(
        Outbox.layer({ url: toPostgres!.url, table, lookEvery: "100 millis" }).pipe(Layer.provide(cutOff))
      )
      const put = (n: number) =>
        promise(() => sql.begin((tx) => Outbox.enqueue(tx, Mail.job({ to: "a", n }), { table })))
      const first = yield* put(1)
      yield* emptied(table)
      toRedis!.cut()
      const second = yield* put(2)
      yield* eventually(
        "a row that waits",
        Effect.map(waiting(table), (lag) => lag.oldestMs > 1_200)
      )
      toRedis!.mend()
      yield* emptied(table, 15_000)
      toPostgres!.cut()
      const third = yield* put(3)
      yield* once([first, second])
      toPostgres!.mend()
      yield* emptied(table, 15_000)
      yield* once([first, second, third])
    }).pipe(Effect.scoped, Effect.provide(clientLayer(five)), Effect.timeout("60 seconds")),
  70_000
)

const six = `${base}-bad`
it.live("a row that no engine takes is set apart, with its reason, and holds up nobody", () =>
  Effect.gen(function* () {
    const { table } = yield* promise(() => room("bad"))
    yield* promise(() => sql`insert into ${sql(table)} (id, body) values (gen_random_uuid(), 'nonsense')`)
    const id = yield* promise(() => Outbox.enqueue(sql, Mail.job({ to: "a", n: 1 }), { table }))
    const mover = yield* Mover.open({ url, table }, () => {})
    assert.deepStrictEqual(yield* Mover.turn(mover), { taken: 2, moved: 1, failed: 1 })
    assert.deepInclude(yield* waiting(table), { waiting: 0, failed: 1 })
    const rows = yield* promise(() => sql<Array<{ error: string }>>`select error from ${sql(table)}`)
    assert.include(rows[0]?.error ?? "", "expected a job")
    yield* once([id])
  }).pipe(Effect.scoped, Effect.provide(clientLayer(six)))
)

const file = fileURLToPath(new URL("./mover_process.ts", import.meta.url))
const seven = `${base}-kill`
it.live(
  "movers killed amid their work: every committed job once, no other",
  () =>
    Effect.gen(function* () {
      const { table } = yield* promise(() => room("kill"))
      const start = Effect.callback<ChildProcess>((resume) => {
        const child = spawn(process.execPath, ["--no-warnings", file], {
          env: { ...process.env, DATABASE_URL: url, REDIS_URL: redisUrl, OUTBOX_TABLE: table, OUTBOX_NAMESPACE: seven },
          stdio: ["ignore", "pipe", "inherit"]
        })
        child.stdout?.once("data", () => resume(Effect.succeed(child)))
      })
      const mover = Effect.acquireRelease(start, (child) => Effect.sync(() => child.kill("SIGKILL")))
      const expected: Array<string> = []
      const write = (from: number) =>
        promise(async () => {
          for (let n = from; n < from + 40; n++) {
            const jobs = Array.from({ length: 10 }, () => Mail.job({ to: "a", n }))
            const commit = n % 5 > 0
            await sql
              .begin(async (tx) => {
                const some = await Outbox.enqueueAll(tx, jobs, { table })
                if (!commit) throw new Error("no")
                expected.push(...some)
              })
              .catch(() => {})
          }
        })
      for (let round = 0; round < 3; round++) {
        const child = yield* mover
        const before = (yield* ids).length
        yield* Effect.all(
          [
            write(round * 40),
            eventually(
              "some are moved",
              Effect.map(ids, (all) => all.length > before + 60)
            ).pipe(Effect.andThen(Effect.sync(() => child.kill("SIGKILL"))))
          ],
          { concurrency: 2 }
        )
      }
      yield* mover
      yield* emptied(table, 20_000)
      assert.strictEqual(expected.length, 960)
      yield* once(expected)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(seven))),
  60_000
)
