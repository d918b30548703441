/** Processes that come and go share the partitions: evenly, each partition with one of them, none left alone. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Scope } from "effect"
import { make, partOf } from "../../src/pipeline/PartitionShare.ts"
import { LogStream } from "../../src/streams/LogStream.ts"
import { fc } from "../support/property.ts"
import { eventually, freshNamespace, redisLayer } from "../support/engine.ts"

describe("the part of an owner", () => {
  it("is as large as any other's, give or take one, and all parts are the whole", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 12 }),
        (partitions, owners) => {
          const parts = owners.map((owner) => partOf(partitions, owners, owner))
          assert.strictEqual(
            parts.reduce((sum, part) => sum + part, 0),
            partitions
          )
          assert.isAtMost(Math.max(...parts) - Math.min(...parts), 1)
          assert.deepStrictEqual(
            parts,
            owners.map((owner) => partOf(partitions, owners.toReversed(), owner))
          )
        }
      )
    )
  })

  it("is everything for one whom nobody has heard of", () => {
    assert.strictEqual(partOf(4, [], "me"), 4)
  })
})

const leaseMs = 900
const config = { partitions: 4, batchesMax: 10, bytesMax: 10_000, rememberMs: 1_000, leaseMs }
const Streams = LogStream.layer(config).pipe(Layer.provide(redisLayer(freshNamespace("share"))))

/** A process: tries to hold each partition, renewing its lease, until it is told to leave or the scope closes. */
const start = Effect.fnUntraced(function* (name: string) {
  const logs = yield* LogStream
  const scope = yield* Scope.make()
  /** Partitions that are held until this is done. */
  const busy = yield* Deferred.make<void>()
  yield* Effect.gen(function* () {
    const share = yield* make(logs, name, leaseMs)
    for (let p = 0; p < logs.partitions; p++) {
      yield* share
        .within((leave) =>
          Effect.scoped(
            Effect.gen(function* () {
              const owned = yield* logs.own(p, name)
              if (owned === undefined) return
              const renewing = Effect.forever(Effect.delay(owned.renew, leaseMs / 3))
              yield* Effect.raceFirst(Effect.andThen(leave, Deferred.await(busy)), renewing)
            })
          ).pipe(Effect.ignore)
        )
        .pipe(Effect.andThen(Effect.sleep(20)), Effect.forever, Effect.forkScoped)
    }
  }).pipe(Scope.provide(scope))
  return { stop: Scope.close(scope, Exit.void), finish: Deferred.succeed(busy, undefined) }
})

layer(Streams, { excludeTestServices: true, timeout: "30 seconds" })("partitions", (on) => {
  const owners = Effect.map(
    Effect.flatMap(LogStream, (logs) => logs.depth),
    (depth) => depth.map(({ owner }) => owner ?? "nobody")
  )
  const owned = (counts: Readonly<Record<string, number>>) =>
    eventually(
      JSON.stringify(counts),
      Effect.map(owners, (names) => {
        const all = Map.groupBy(names, (name) => name)
        const wanted = Object.entries(counts)
        return all.size === wanted.length && wanted.every(([name, count]) => all.get(name)?.length === count)
      })
    )

  on.effect("are shared with who comes, given back when what was read is done, and taken over from who goes", () =>
    Effect.gen(function* () {
      const one = yield* start("one")
      yield* owned({ one: 4 })
      const two = yield* start("two")
      const logs = yield* LogStream
      yield* eventually(
        "both are known",
        Effect.map(logs.present("two"), (all) => all.length === 2)
      )
      // The first is not through with what it holds: nobody takes it away.
      assert.deepStrictEqual(new Set(yield* owners), new Set(["one"]))
      yield* one.finish
      yield* owned({ one: 2, two: 2 })
      yield* two.finish
      const three = yield* start("three")
      yield* owned({ one: 2, three: 1, two: 1 })
      yield* one.stop
      yield* owned({ three: 2, two: 2 })
      yield* two.stop
      yield* three.finish
      yield* owned({ three: 4 })
      yield* three.stop
    })
  )
})
