import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { LogStream, type LogStreamConfig } from "../../src/streams/LogStream.ts"
import { take } from "../../src/streams/Taking.ts"
import { freshNamespace, redisLayer } from "../support/engine.ts"

const config: LogStreamConfig = { partitions: 1, batchesMax: 3, bytesMax: 1e6, rememberMs: 60_000, leaseMs: 60_000 }
const stream = LogStream.layer(config).pipe(Layer.provideMerge(redisLayer(freshNamespace("taking"))))
const thousand = Array.from({ length: 1_000 }, (_, i) => (i % 100 === 0 ? `line ${i}\n  more of it` : `line ${i}`))

describe("taking lines", () => {
  it.live("cuts, keeps line ends and format, and takes the same lines under a key once", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      const options = { project: "p", receivedAt: 1_000, format: "event", key: "k" }
      assert.strictEqual(yield* take(logs, options, thousand), 1_000)
      assert.strictEqual(yield* take(logs, { ...options, receivedAt: 2_000 }, thousand), 1_000)
      const owned = (yield* logs.own(0, "me"))!
      const entries = yield* owned.read(10, 10)
      assert.deepStrictEqual(
        entries.flatMap(({ lines }) => lines),
        thousand
      )
      assert.deepStrictEqual(
        entries.map(({ format, receivedAt }) => [format, receivedAt]),
        [
          ["event", 1_000],
          ["event", 1_000]
        ]
      )
      yield* owned.commit(entries, new Map())
    }).pipe(Effect.scoped, Effect.provide(stream))
  )

  it.live("says how many lines were taken when the stream is full", () =>
    Effect.gen(function* () {
      const logs = yield* LogStream
      const many = [...thousand, ...thousand, "one more"]
      const error = yield* Effect.flip(take(logs, { project: "p", receivedAt: 1, patience: "250 millis" }, many))
      assert.deepStrictEqual([error.accepted, error.cause._tag], [1_500, "LogStreamFull"])
    }).pipe(Effect.scoped, Effect.provide(stream))
  )
})
