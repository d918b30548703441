/** The live tail tells where lines may be missing: they were stored and not told of, or were no longer kept. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { publish } from "../../src/pipeline/stages/publish.ts"
import type { Decoded } from "../../src/pipeline/Stage.ts"
import { Live, type Publication } from "../../src/streams/Live.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { eventually, freshNamespace, redisLayer } from "../support/engine.ts"

const namespace = freshNamespace("publish")

/** A batch of one line; `firstId` undefined: it was stored before. */
const batch = (message: string, firstId: number | undefined, project = "p"): Decoded => ({
  entry: { entryId: "1-0", kind: "lines", id: message, project, receivedAt: 0, bytes: 1, lines: [message] },
  events: [{ time: 0, level: "info", service: "", message, attributes: {} }],
  ...(firstId === undefined ? {} : { firstId })
})
const run = (...decoded: ReadonlyArray<Decoded>) => publish.run({ decoded, verdicts: [] })
const told = ({ data, gap }: Publication): string =>
  `${gap ? "gap " : ""}${data.map((event) => (event as { message: string }).message).join()}`

layer(Layer.provideMerge(Live.layer, redisLayer(namespace)), { excludeTestServices: true })("publish", (it) => {
  const since = (seq: string) =>
    Effect.flatMap(Live, (live) => Effect.map(live.since("tail", "p", seq), (found) => found.publications.map(told)))

  it.effect("tells of a batch that was stored by one that may have died before it told of it", () =>
    Effect.gen(function* () {
      const live = yield* Live
      yield* live.watchTail("p")
      const start = yield* live.last("tail")
      yield* run(batch("one", 1), batch("two", undefined), batch("three", 3))
      yield* run(batch("nobody watches", undefined, "other"))
      assert.deepStrictEqual(yield* since(start), ["one", "gap ", "three"])
    })
  )

  it.effect("says with the next lines that some could not be told of", () =>
    Effect.gen(function* () {
      const live = yield* Live
      const redis = yield* Redis
      const key = `${namespace}:{live}:tail`
      yield* live.watchTail("p")
      yield* redis.use("spoil", (client) => client.set(key, "no stream"))
      yield* run(batch("lost", 1))
      yield* redis.use("mend", (client) => client.del(key))
      yield* run(batch("next", 2))
      yield* run(batch("after", 3))
      assert.deepStrictEqual(yield* since("0-0"), ["gap next", "after"])
    })
  )

  it.effect("tells a follower that comes too late for what is kept, and only then", () =>
    Effect.gen(function* () {
      const live = yield* Live
      const heard: Array<unknown> = []
      const follow = live.follow(
        (p) => void (p.topic === "tail" && heard.push(...p.data)),
        (topic) => void heard.push(`lost ${topic}`)
      )
      const while_ = <A, E, R>(act: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(follow)
          yield* act
          yield* Fiber.interrupt(fiber)
        })
      const until = (last: unknown) =>
        eventually(
          `${String(last)} is heard`,
          Effect.sync(() => heard.at(-1) === last)
        )
      const publishAll = (from: number, to: number) =>
        Effect.forEach(
          Array.from({ length: to - from }, (_, i) => from + i),
          (n) => live.publish("tail", "p", [n]),
          { discard: true, concurrency: 50 }
        )
      yield* while_(
        eventually(
          "it listens",
          Effect.andThen(
            live.publish("tail", "p", ["hello"]),
            Effect.sync(() => heard.length > 0)
          )
        )
      )
      // A hundred are read at once, and all are still kept.
      heard.length = 0
      yield* publishAll(0, 120)
      yield* publishAll(120, 121)
      yield* while_(until(120))
      assert.deepStrictEqual(
        heard.filter((one) => one === "lost tail"),
        []
      )
      heard.length = 0
      yield* publishAll(200, 1_000)
      yield* publishAll(1_000, 1_001)
      yield* while_(until(1_000))
      assert.strictEqual(heard[0], "lost tail")
      assert.strictEqual(heard.filter((one) => one === "lost tail").length, 1)
    })
  )
})
