/**
 * A poll against a cloud's API and real Postgres, with a stream that knows its keys: whatever dies between the steps, and
 * however many pollers there are, each line gets onto the stream once.
 */
import { expect, layer } from "@effect/vitest"
import { Context, Effect, Exit, Redacted, References } from "effect"
import { fc } from "../support/property.ts"
import type { ConnectionId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { AllowPrivate } from "../../src/ingest/Source.ts"
import { Intake } from "../../src/pipeline/Intake.ts"
import { Connections } from "../../src/store/Connections.ts"
import { poller, waitAfter } from "../../src/tasks/live/poll_cloud_logs.ts"
import { startAws } from "../support/clouds/aws.ts"
import { type CloudServer, type Failure } from "../support/clouds/Server.ts"
import { storeLayer } from "../support/postgres.ts"

const minute = 60_000

/** Where a process dies: before or after a step is done. */
const deaths = ["keep before", "keep after", "submit before", "submit after", "settle before", "settle after"] as const
type Death = (typeof deaths)[number]

type Command =
  | { readonly _: "append"; readonly count: number; readonly late: number }
  | { readonly _: "poll"; readonly pollers: number; readonly death: Death | undefined }
  | { readonly _: "fail"; readonly how: Failure }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      _: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 40 }),
      late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 * minute }))
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      _: fc.constant("poll" as const),
      pollers: fc.integer({ min: 1, max: 3 }),
      death: fc.option(fc.constantFrom(...deaths), { nil: undefined })
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      _: fc.constant("fail" as const),
      how: fc.constantFrom<Failure>("throttled", "error", "garbage", "gone")
    })
  }
)

/** The stream as pollers see it: of batches with one key each is taken once. */
const makeStream = () => {
  const taken = new Map<string, ReadonlyArray<string>>()
  return {
    taken,
    messages: () => [...taken.values()].flat().map((line) => (JSON.parse(line) as { line: string }).line)
  }
}

layer(storeLayer({ secretKeys: [Redacted.make("k".repeat(32))] }), {
  timeout: "60 seconds",
  excludeTestServices: true
})("a poll", (it) => {
  const run = (commands: ReadonlyArray<Command>) =>
    Effect.gen(function* () {
      const cloud: CloudServer = yield* Effect.promise(() => startAws())
      yield* Effect.addFinalizer(() => Effect.promise(() => cloud.stop()))
      const real = yield* Connections
      const stream = makeStream()
      const { id } = yield* real.create({
        project: defaultProject,
        name: "aws",
        kind: "cloudwatch",
        config: { endpoint: cloud.url, region: "eu-west-1", log_group: "/app/x", rescan_hours: 0, history_hours: 2 },
        secrets: Redacted.make({ access_key_id: "AKIA", secret_access_key: "very-secret-key" })
      })
      const poll = (connectionId: ConnectionId, death: Death | undefined) => {
        let died = false
        const step = <A, E>(name: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.gen(function* () {
            if (died) return yield* Effect.die("dead")
            died = death === `${name} before`
            if (died) return yield* Effect.die("died")
            const done = yield* effect
            died = death === `${name} after`
            return died ? yield* Effect.die("died") : done
          })
        const connections = Connections.of({
          ...real,
          keep: (...args) => step("keep", real.keep(...args)),
          settle: (...args) => step("settle", real.settle(...args))
        })
        const submit: Intake["Service"]["submit"] = (_, lines, options) =>
          step(
            "submit",
            Effect.sync(() => {
              const all = [...lines]
              const key = options?.key ?? "none"
              // The same key must always name the same lines.
              expect(stream.taken.get(key) ?? all).toEqual(all)
              stream.taken.set(key, all)
              return all.length
            })
          )
        const services = Context.make(Connections, connections).pipe(
          Context.add(Intake, Intake.of({ submit, submitEvents: () => Effect.die("not used") })),
          Context.add(AllowPrivate, true),
          // The failures are wanted, and many.
          Context.add(References.MinimumLogLevel, "None")
        )
        return Effect.exit(Effect.flatMap(poller, (one) => one({ connectionId })).pipe(Effect.provideContext(services)))
      }
      let n = 0
      for (const one of commands) {
        cloud.now = Date.now()
        if (one._ === "append") {
          for (let i = 0; i < one.count; i++) {
            const time = cloud.now - one.late
            cloud.model.append({ id: `e${n}`, time, ingested: cloud.now, visible: cloud.now, message: `m${n++}` })
          }
        } else if (one._ === "fail") cloud.failing.push(one.how)
        else {
          yield* Effect.forEach(
            Array.from({ length: one.pollers }, (_, i) => i),
            (i) => poll(id, i === 0 ? one.death : undefined),
            { concurrency: "unbounded" }
          )
        }
      }
      cloud.failing.length = 0
      cloud.now = Date.now() + 1
      const stored = cloud.model.stored.map(({ message }) => message).toSorted()
      let last: Exit.Exit<unknown, unknown> = Exit.void
      for (let i = 0; i < 20 && stream.messages().length < stored.length; i++) last = yield* poll(id, undefined)
      last = yield* poll(id, undefined)
      expect(Exit.isSuccess(last)).toBe(true)
      expect(stream.messages().toSorted()).toEqual(stored)
      expect((yield* real.get(id))?.lines).toBe(stored.length)
      yield* real.remove(id)
    }).pipe(Effect.scoped)

  it.effect(
    "puts each line on the stream once, whatever dies and whoever polls beside it",
    () =>
      Effect.gen(function* () {
        const context = yield* Effect.context<Connections>()
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.array(command, { maxLength: 14, size: "max" }), (commands) =>
              Effect.runPromiseWith(context)(run(commands))
            ),
            { numRuns: 20, interruptAfterTimeLimit: 50_000 }
          )
        )
      }),
    120_000
  )

  it("waits longer after each failure, as long as the place asks, and long where only a person can help", () => {
    const wait = (failures: number, retryable = true) => waitAfter(failures, { retryable })
    expect([wait(1), wait(2), wait(3), wait(50)]).toEqual([30_000, 60_000, 120_000, 3_600_000])
    expect([wait(1, false), wait(9, false)]).toEqual([300_000, 3_600_000])
    expect(waitAfter(1, { retryable: true, retryAfterMs: 90_000 })).toBe(90_000)
  })
})
