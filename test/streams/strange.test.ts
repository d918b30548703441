/** Entries that are not ours, in streams that everybody reads: left out, and nothing else is lost for them. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { emit, packedRows, type PackedRow } from "../../src/streams/Events.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Live, type Publication } from "../../src/streams/Live.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const good: PackedRow = ["d-1", "t", "done", 1, 1_000, 2_000, 3_000]
const strange = [
  null,
  5,
  "x",
  {},
  [],
  [1, "t", "done", 1, null, null, null],
  ["d-1", null, "done", 1, null, null, null],
  ["d-1", "t", "toString", 1, null, null, null],
  ["d-1", "t", "done", "1", null, null, null],
  ["d-1", "t", "done", 1, "yesterday", null, null],
  ["d-1", "t", "done", 1, null, 1e300, null],
  ["d-1", "t", "done", 1, null, null, 1.5],
  ["d-1", "t", "done", 1, null, null],
  ["d-1", "t", "done", 1, null, null, null, {}]
]

describe("packedRows", () => {
  it("keeps only rows that are well-formed", () => {
    const rows = (text: string) => packedRows(["1-0", ["rows", text]])
    assert.deepStrictEqual(rows(JSON.stringify([...strange, good])), [good])
    for (const text of ["null", "5", "{}", '"x"', "[null]", "[[]]", "[", ""]) assert.deepStrictEqual(rows(text), [])
    assert.deepStrictEqual(packedRows(["1-0", []]), [])
  })
})

const namespace = freshNamespace("strange")

layer(Layer.provideMerge(Live.layer, clientLayer(namespace)), { excludeTestServices: true })("streams", (on) => {
  on.effect("tell the jobs around a strange event", () =>
    Effect.gen(function* () {
      const redis = yield* Redis
      const inspect = yield* Inspect
      yield* redis.use("emit", (c) => emit(c, namespace, [good]))
      for (const text of ["null", "5", "[null]", "[[]]", JSON.stringify(strange)]) {
        yield* redis.use("xadd", (c) => c.xadd(`${namespace}:events`, "*", "rows", text))
      }
      assert.deepStrictEqual(
        (yield* inspect.recent({})).map((row) => row.id),
        ["d-1"]
      )
    })
  )

  on.effect("tell the workers around a strange record, and which key is of another type", () =>
    Effect.gen(function* () {
      const redis = yield* Redis
      const inspect = yield* Inspect
      const keys = keysOf(namespace)
      const row = {
        id: "w",
        running: [],
        queues: [],
        tasks: [],
        heartbeatAt: Date.now()
      }
      const records = ["{", "null", "5", "{}", JSON.stringify({ ...row, running: 1 }), JSON.stringify(row)]
      for (const [i, text] of records.entries()) yield* redis.use("hset", (c) => c.hset(keys.workers, `w${i}`, text))
      assert.deepStrictEqual(
        (yield* inspect.workers).map(({ id }) => id),
        ["w"]
      )
      const { delayed } = keys.queue("low-priority")
      yield* redis.use("set", (c) => c.set(delayed, "x"))
      const error = yield* Effect.flip(inspect.queues)
      assert.include(error.message, `the key "${delayed}" is of another type than expected`)
      assert.isFalse(error.retryable)
      yield* redis.use("del", (c) => c.del(delayed))
    })
  )

  on.effect("hand on what comes after a strange publication, and after a failure what came meanwhile", () =>
    Effect.gen(function* () {
      const redis = yield* Redis
      const live = yield* Live
      const start = yield* live.last("alerts")
      const heard: Array<unknown> = []
      const follow = live.follow((p: Publication) => {
        heard.push(...p.data)
        if (p.data[0] === "bad") throw new Error("the follower fails")
      })
      const publish = (word: string) => live.publish("alerts", "p", [word])
      const until = (count: number) =>
        eventually(
          `${count} heard`,
          Effect.sync(() => heard.length >= count)
        )
      const first = yield* Effect.forkChild(Effect.exit(follow))
      yield* eventually(
        "it listens",
        Effect.andThen(
          publish("hello"),
          Effect.sync(() => heard.length > 0)
        )
      )
      heard.length = 0
      for (const data of ["{", "null", "7"]) {
        yield* redis.use("xadd", (c) => c.xadd(`${namespace}:{live}:alerts`, "*", "project", "p", "data", data))
      }
      yield* publish("one")
      yield* eventually(
        "one is heard",
        Effect.sync(() => heard.includes("one"))
      )
      yield* publish("bad")
      assert.strictEqual((yield* Fiber.join(first))._tag, "Failure")
      yield* publish("between")
      heard.length = 0
      const second = yield* Effect.forkChild(follow)
      yield* until(1)
      yield* publish("after")
      yield* until(2)
      assert.deepStrictEqual(heard, ["between", "after"])
      yield* Fiber.interrupt(second)
      const { publications } = yield* live.since("alerts", "p", start)
      assert.deepStrictEqual(
        publications.flatMap((p) => p.data).filter((word) => word !== "hello"),
        ["one", "bad", "between", "after"]
      )
    })
  )
})
