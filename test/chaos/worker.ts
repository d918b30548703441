/** A worker in a process of its own, to be harmed. Its handlers act out what a payload says and write down every start and end. */
import { Effect, Exit, Layer, Redacted } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { nowMs } from "./Clock.ts"
import { type Line, penOf } from "./Ledger.ts"
import * as Tasks from "./tasks.ts"

/** What a worker process is told on its command line, as JSON. */
export interface Orders {
  readonly worker: number
  readonly url: string
  readonly namespace: string
  readonly leaseMs: number
  readonly concurrency: number
  /** The ledger's file. */
  readonly ledger: string
  /** Where it is kept how often a job has failed already. */
  readonly folder: string
}

const orders = JSON.parse(process.argv[2] ?? "{}") as Orders
const write = penOf(orders.ledger)
const tell = (...rest: [what: string, ...ReadonlyArray<unknown>]) =>
  write([nowMs(), orders.worker, process.pid, ...rest] as unknown as Line)

/** True for the first `times` callers of this name, whichever process they are in. */
const oneOf = (name: string, times: number): boolean => {
  for (let i = 0; i < Math.min(times, 20); i++) {
    try {
      writeFileSync(join(orders.folder, `${name}.${i}`), "", { flag: "wx" })
      return true
    } catch {
      // Taken before: the next.
    }
  }
  return times > 20
}

/** Writes down start and end of whatever a handler does. */
const told = <A, E>(job: Task.JobContext, act: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.onExit(
    Effect.andThen(
      Effect.sync(() => tell("start", job.id, job.attempt, job.task)),
      act
    ),
    (exit) => Effect.sync(() => tell("end", job.id, job.attempt, howOf(exit)))
  )

const howOf = (exit: Exit.Exit<unknown, unknown>) => {
  if (Exit.isSuccess(exit)) return "done"
  const fail = exit.cause.reasons.find((r) => r._tag === "Fail")
  if (fail === undefined) return "cut"
  return (fail.error as { readonly _tag?: string })._tag === "Snoozed" ? "snoozed" : "failed"
}

type Handler<E> = Effect.Effect<
  (script: Tasks.Script, job: Task.JobContext) => Effect.Effect<{ readonly sum: number }, E>
>
const acting = <E>(otherwise: (n: number) => Effect.Effect<never, E>): Handler<E> =>
  Effect.succeed(({ ms, n, times }, job) =>
    told(
      job,
      Effect.andThen(
        ms === 0 ? Effect.void : Effect.sleep(ms),
        Effect.suspend(() =>
          times > 0 && oneOf(job.id.replaceAll("/", "_"), times)
            ? otherwise(n)
            : Effect.succeed({ sum: Tasks.sumOf(n) })
        )
      )
    )
  )
const never = (n: number) => Effect.die(new Error(`job ${n} was not told to fail`))
const hiccup = (n: number) => Effect.fail(new Tasks.Hiccup({ n }))

const tasks = Layer.mergeAll(
  Tasks.Plain.toLayer(acting(never)),
  Tasks.Urgent.toLayer(acting(never)),
  Tasks.Lazy.toLayer(acting(never)),
  Tasks.Once.toLayer(acting(never)),
  Tasks.Shaky.toLayer(acting(hiccup)),
  Tasks.Doomed.toLayer(acting(hiccup)),
  Tasks.Refused.toLayer(acting((n) => Effect.fail(new Tasks.Hopeless({ n })))),
  Tasks.Doze.toLayer(acting(() => Task.snooze("50 millis"))),
  Tasks.Double.toLayer(Effect.succeed(({ sum }, job) => told(job, Effect.succeed({ sum: sum * 2 })))),
  Tasks.Total.toLayer(
    Effect.succeed(({ results }, job) =>
      told(
        job,
        Effect.sync(() => ({ sum: results.reduce((s, r) => s + r.sum, 0) }))
      )
    )
  )
)

/** A process that the machine holds back is frozen too: gaps of its event loop are told, so that nobody else is blamed. */
const watchLoop = () => {
  const everyMs = 25
  let last = nowMs()
  setInterval(() => {
    const now = nowMs()
    if (now - last > orders.leaseMs / 8) tell("stalled", last)
    last = now
  }, everyMs).unref()
}

const live = Workers.layer({
  concurrency: orders.concurrency,
  leaseMs: orders.leaseMs,
  drainTimeout: "1 second",
  maxCrashes: 100
}).pipe(
  Layer.provide(tasks),
  Layer.provide(StreamsLive()),
  Layer.provide(Redis.layer({ url: Redacted.make(orders.url), namespace: orders.namespace }))
)

const abort = new AbortController()
process.on("SIGTERM", () => abort.abort())
watchLoop()
const program = Effect.andThen(
  Effect.sync(() => {
    tell("up")
    process.stdout.write("ready\n")
  }),
  Effect.never
).pipe(Effect.provide(live))
await Effect.runPromiseExit(program, { signal: abort.signal })
tell("down")
