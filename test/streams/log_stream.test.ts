import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { group, LogStream, type LogStreamConfig } from "../../src/streams/LogStream.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { eventually, freshNamespace, redisLayer, redisUrl } from "../support/engine.ts"
import { hasOneWire, makeWire } from "../support/proxy.ts"

const config: LogStreamConfig = { partitions: 1, batchesMax: 5, bytesMax: 10_000, rememberMs: 60_000, leaseMs: 60_000 }

/** A log stream under a prefix of its own. */
const stream = (options: Partial<LogStreamConfig> = {}) =>
  LogStream.layer({ ...config, ...options }).pipe(Layer.provideMerge(redisLayer(`${prefix}-${++streams}`)))
const prefix = freshNamespace("logs")
let streams = 0

const batch = (id: string, lines: ReadonlyArray<string> = ["a", "b"]) => ({
  id,
  project: "p",
  receivedAt: 1_000,
  lines
})

const groupInfo = Effect.gen(function* () {
  const { client, namespace, use } = yield* Redis
  const reply = (yield* use("XINFO", () => client.xinfo("GROUPS", `${namespace}:{logs:0}:batches`))) as Array<
    Array<unknown>
  >
  const flat = reply[0] ?? []
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[String(name), flat[i + 1]]] : [])))
})

describe("LogStream", () => {
  it.live("delivers batches in order, once, and frees what is committed", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      for (const id of ["one", "two", "three"]) yield* logs.append(batch(id, [id, "with\nnewline"]))
      const owned = (yield* logs.own(0, "me"))!
      const first = yield* owned.read(2, 10)
      assert.deepStrictEqual(
        first.map(({ id, lines }) => [id, lines]),
        [
          ["one", ["one", "with\nnewline"]],
          ["two", ["two", "with\nnewline"]]
        ]
      )
      yield* owned.commit(first, new Map([["p", "state 1"]]))
      const rest = yield* owned.read(10, 10)
      assert.deepStrictEqual(
        rest.map(({ id }) => id),
        ["three"]
      )
      yield* owned.commit(rest, new Map())
      assert.deepStrictEqual(yield* owned.read(10, 10), [])
      const [depth] = yield* logs.depth
      assert.deepStrictEqual([depth?.backlog, depth?.bytes, depth?.owner], [0, 0, "me"])
    }).pipe(Effect.scoped, Effect.provide(stream()))
  )

  it.live("refuses when full, and a batch id that it knows", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      assert.strictEqual(yield* logs.append(batch("a"), { remember: true }), "added")
      assert.strictEqual(yield* logs.append(batch("a"), { remember: true }), "duplicate")
      for (const id of ["b", "c", "d", "e"]) yield* logs.append(batch(id))
      const full = yield* Effect.flip(logs.append(batch("f")))
      assert.strictEqual(full._tag, "LogStreamFull")
      const owned = (yield* logs.own(0, "me"))!
      yield* owned.commit(yield* owned.read(1, 10), new Map())
      assert.strictEqual(yield* logs.append(batch("f")), "added")
      const heavy = yield* Effect.flip(logs.append(batch("g", ["x".repeat(20_000)])))
      assert.strictEqual(heavy._tag, "LogStreamFull")
    }).pipe(Effect.scoped, Effect.provide(stream()))
  )

  it.live("keeps lag true at every step", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      const owned = (yield* logs.own(0, "me"))!
      let waiting = 0
      for (let round = 0; round < 40; round++) {
        const adds = (round * 7) % 4
        for (let i = 0; i < adds; i++) yield* logs.append(batch(`${round}.${i}`))
        waiting += adds
        assert.strictEqual((yield* groupInfo)["lag"], waiting)
        const entries = waiting === 0 ? [] : yield* owned.read((round * 5) % 3, 10)
        yield* owned.commit(entries, new Map())
        waiting -= entries.length
        assert.deepStrictEqual([(yield* groupInfo)["name"], (yield* groupInfo)["lag"]], [group, waiting])
      }
    }).pipe(Effect.scoped, Effect.provide(stream({ batchesMax: 1_000 })))
  )

  it.live.skipIf(!hasOneWire(redisUrl))(
    "adds and commits once what the driver sends again since its answer was lost",
    () =>
      Effect.gen(function* () {
        const namespace = `${prefix}-${++streams}`
        const wire = yield* Effect.acquireRelease(
          Effect.promise(() => makeWire(redisUrl)),
          (made) => Effect.sync(() => made.close())
        )
        const across = LogStream.layer({ ...config, batchesMax: 50 }).pipe(
          Layer.provide(Redis.layer({ url: Redacted.make(wire.url), namespace }))
        )
        const redis = Context.get(yield* Layer.build(redisLayer(namespace)), Redis)
        const key = `${namespace}:{logs:0}`
        /** Lets Redis do what `act` asks, but loses its answer together with the connection. */
        const answerLost = <A, E>(act: Effect.Effect<A, E>, done: () => Promise<boolean>) =>
          Effect.gen(function* () {
            wire.deafen()
            const asking = yield* Effect.forkChild(act, { startImmediately: true })
            yield* eventually(
              "it is done",
              Effect.promise(() => done())
            )
            wire.cut()
            wire.mend()
            return yield* Fiber.join(asking)
          })
        yield* Effect.gen(function* () {
          const logs = yield* LogStream
          // The server must know the scripts: that it does not would be an answer that is lost.
          yield* logs.append(batch("first"))
          const owned = (yield* logs.own(0, "me"))!
          yield* owned.commit(yield* owned.read(1, 10), new Map())
          for (const remember of [false, true]) {
            yield* answerLost(
              logs.append(batch(`lost ${remember}`), { remember }),
              async () => (await redis.client.xlen(`${key}:batches`)) > 0
            )
            const entries = yield* owned.read(10, 10)
            assert.deepStrictEqual(
              entries.map(({ id }) => id),
              [`lost ${remember}`]
            )
            yield* logs.append(batch(`next ${remember}`))
            yield* answerLost(
              owned.commit(entries, new Map([["p", "state"]])),
              async () => (await redis.client.hget(`${key}:meta`, "position")) === entries[0]!.entryId
            )
            const [depth] = yield* logs.depth
            // Of each line 100 bytes are counted, beside its own.
            assert.deepStrictEqual([depth?.backlog, depth?.bytes], [1, 203])
            const [waiting] = (yield* redis.use("XINFO", () => redis.client.xinfo("GROUPS", `${key}:batches`))) as [
              ReadonlyArray<unknown>
            ]
            assert.strictEqual(waiting[waiting.indexOf("lag") + 1], 1)
            yield* owned.commit(yield* owned.read(10, 10), new Map())
          }
        }).pipe(Effect.provide(across))
      }).pipe(Effect.scoped)
  )

  it.live("hands position and state to the next owner, and refuses the former one", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      const redis = yield* Redis
      for (const id of ["one", "two"]) yield* logs.append(batch(id))
      const scope = yield* Scope.make()
      const former = (yield* logs.own(0, "former").pipe(Scope.provide(scope)))!
      assert.isUndefined(yield* logs.own(0, "other"))
      assert.isUndefined(yield* logs.own(0, "form"))
      const [one] = yield* former.read(1, 10)
      yield* former.commit([one!], new Map([["p", "after one"]]))
      const two = yield* former.read(1, 10)
      // The former owner was silent for longer than its lease.
      yield* redis.use("expire", (client) => client.del(`${redis.namespace}:{logs:0}:lease`))
      const next = (yield* logs.own(0, "next"))!
      assert.deepStrictEqual([...next.state], [["p", "after one"]])
      assert.isAbove(next.fence, former.fence)
      const late = yield* Effect.flip(former.commit(two, new Map([["p", "late"]])))
      assert.strictEqual(late._tag, "LeaseLost")
      assert.deepStrictEqual(
        (yield* next.read(5, 10)).map(({ id }) => id),
        ["two"]
      )
      // Giving up a lease that is another's by now must not free it.
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(yield* logs.own(0, "third"))
    }).pipe(Effect.scoped, Effect.provide(stream()))
  )

  it.live("lets an owner that lost its connection begin anew at once", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      yield* logs.append(batch("one"))
      const scope = yield* Scope.make()
      const before = (yield* logs.own(0, "me").pipe(Scope.provide(scope)))!
      const entries = yield* before.read(1, 10)
      const again = (yield* logs.own(0, "me"))!
      assert.strictEqual((yield* Effect.flip(before.commit(entries, new Map())))._tag, "LeaseLost")
      yield* Scope.close(scope, Exit.void)
      yield* again.commit(yield* again.read(1, 10), new Map())
      assert.strictEqual((yield* groupInfo)["lag"], 0)
    }).pipe(Effect.scoped, Effect.provide(stream()))
  )

  it.live("tells of changed rules in the order of the stream", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      yield* logs.append(batch("before"))
      yield* logs.rulesChanged("p", 2_000)
      yield* logs.append(batch("after"))
      const owned = (yield* logs.own(0, "me"))!
      const entries = yield* owned.read(10, 10)
      assert.deepStrictEqual(
        entries.map(({ id, kind }) => [kind, id]),
        [
          ["lines", "before"],
          ["rules", ""],
          ["lines", "after"]
        ]
      )
      yield* owned.commit(entries, new Map())
      assert.strictEqual((yield* groupInfo)["lag"], 0)
    }).pipe(Effect.scoped, Effect.provide(stream()))
  )
})
