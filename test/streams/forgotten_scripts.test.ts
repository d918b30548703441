/** A server that has forgotten the scripts, as after a failover. On one of its own: others need what theirs remembers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { binary, oneServer } from "../support/servers.ts"

const Plain = Task.make("plain", { payload: { n: Schema.Int }, result: Schema.Int })
const plain = Plain.toLayer(Effect.succeed(({ n }) => Effect.succeed(n)))

describe.runIf(!binary.container)("scripts that the server has forgotten", () => {
  it.live("are told to it again, amid work", () =>
    Effect.gen(function* () {
      const servers = yield* Effect.acquireRelease(
        Effect.promise(() => oneServer()),
        (made) => Effect.promise(() => made.stop())
      )
      const live = Workers.layer().pipe(
        Layer.provide(plain),
        Layer.provideMerge(StreamsLive()),
        Layer.provideMerge(Redis.layer({ url: Redacted.make(servers.url), namespace: "forgotten" }))
      )
      yield* Effect.gen(function* () {
        const redis = yield* Redis
        for (let n = 0; n < 3; n++) {
          assert.strictEqual(yield* Plain.run({ n }), n)
          yield* redis.use("flush", (c) => c.script("FLUSH"))
        }
        const all = Array.from({ length: 200 }, (_, n) => n)
        assert.deepStrictEqual(yield* Effect.forEach(all, (n) => Plain.run({ n }), { concurrency: "unbounded" }), all)
      }).pipe(Effect.provide(live))
    }).pipe(Effect.scoped)
  )
})
