/** Two applications on one namespace, each with a task that the other does not know. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { freshId } from "../../src/jobs/JobQueue.ts"
import * as Unknown from "../../src/actors/Unknown.ts"
import { hold } from "../../src/actors/Held.ts"
import { Engine, Redis, Task, Workers } from "../../src/engine.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { clientLayer, freshNamespace } from "../support/engine.ts"

const Here = Task.make("here", { payload: { n: Schema.Int }, result: Schema.String })
const There = Task.make("there", { payload: { n: Schema.Int }, result: Schema.String })

const app = (host: string, tasks: Layer.Layer<never, never, Engine>) =>
  Layer.build(Layer.fresh(Workers.layer({ concurrency: 2, host })).pipe(Layer.provide(tasks)))

describe("a task that a worker does not know", () => {
  const shared = freshNamespace("two-apps")
  it.live("is run by the other application within moments", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* app("one", Here.toLayer(Effect.succeed(() => Effect.succeed("one"))))
      yield* app("two", There.toLayer(Effect.succeed(() => Effect.succeed("two"))))
      const asked = performance.now()
      const ids = yield* engine.enqueueAll(
        Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? Here.job({ n }) : There.job({ n })))
      )
      const results = yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        results,
        ids.map((_, n) => (n % 2 === 0 ? "one" : "two"))
      )
      assert.isBelow(performance.now() - asked, 5_000)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(shared)))
  )

  const alone = freshNamespace("unknown")
  it.live("goes back later and later; is dead after a minute, unless a living worker knows it", () =>
    Effect.gen(function* () {
      const { client } = yield* Redis
      const decide = Unknown.decider(client, keysOf(alone).workers)
      const after = (task: string, times: number) =>
        Effect.promise(() => {
          const id = freshId("default", 0)
          const meta = JSON.stringify({ s: times })
          return decide(hold({ queue: "default", entry: "1-0", count: 1, id, task, payload: "{}", meta }, 0))
        })
      yield* app("one", Here.toLayer(Effect.succeed(() => Effect.succeed("one"))))
      const waits: Array<number> = []
      for (let times = 0; times < 16; times++) {
        const back = yield* after("nobody", times)
        waits.push(back._tag === "Snoozed" ? back.delayMs : Number.NaN)
      }
      assert.deepStrictEqual(waits.slice(0, 8), [50, 100, 200, 400, 800, 1_600, 3_200, 5_000])
      assert.isAtLeast(
        waits.reduce((sum, ms) => sum + ms, 0),
        50_000
      )
      assert.strictEqual((yield* after("nobody", 16))._tag, "Dead")
      assert.strictEqual((yield* after("here", 16))._tag, "Snoozed")
    }).pipe(Effect.scoped, Effect.provide(clientLayer(alone)))
  )
})
