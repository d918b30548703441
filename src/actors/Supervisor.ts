/**
 * Starts and stops the actors of a worker process, in one place. Promises that an actor that fails starts again after a
 * short wait, and a graceful end: stop reading, give back what was not begun, let running jobs finish up to the drain limit,
 * leave the rest to others, settle all that is settled.
 */
import { Cause, Deferred, Effect, FiberSet, Layer, Schedule, Scope } from "effect"
import { randomUUID } from "node:crypto"
import type { QueueName } from "../jobs/JobQueue.ts"
import { Registry } from "../jobs/Registry.ts"
import { unblock } from "../streams/Connect.ts"
import * as Flows from "../streams/Flows.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import { keysOf } from "../streams/Keys.ts"
import * as Limits from "../streams/Limits.ts"
import { attempt, type Client, Redis, RedisError } from "../streams/Redis.ts"
import * as Scripts from "../streams/Scripts.ts"
import { ServerClock } from "../streams/ServerClock.ts"
import * as Consumer from "./Consumer.ts"
import { Desk } from "./Desk.ts"
import { drain, type Running } from "./Drain.ts"
import { Gatekeeper } from "./Gatekeeper.ts"
import * as Heartbeat from "./Heartbeat.ts"
import type { Held } from "./Held.ts"
import * as Listener from "./Listener.ts"
import * as MemoryGuard from "./MemoryGuard.ts"
import type { Retired } from "./MemoryGuard.ts"
import * as Mover from "./Mover.ts"
import * as Reclaimer from "./Reclaimer.ts"
import { complete, type Options } from "./Options.ts"
import { progress } from "./Progress.ts"
import { Runner } from "./Runner.ts"
import { Settler } from "./Settler.ts"
import * as Sexton from "./Sexton.ts"
import { Suspects } from "./Suspects.ts"
import { Threads } from "./threads/Threads.ts"
import * as Trimmer from "./Trimmer.ts"
import * as Unknown from "./Unknown.ts"
import * as Watchdog from "./Watchdog.ts"
import type { Stalls } from "./Watchdog.ts"
import { LocalWorker, type Worker, type WorkerOptions } from "./Worker.ts"
import * as Yielder from "./Yielder.ts"

export type { Options } from "./Options.ts"
export { replaceExitCode, type Retired } from "./MemoryGuard.ts"

/**
 * Runs jobs in this process. Build it after the layers of the tasks, so that all of them are known when the first job comes. An
 * option that makes no sense ends the building with what was expected.
 */
export const layer = (options: Options = {}): Layer.Layer<LocalWorker, never, Redis | Registry> =>
  Layer.effect(
    LocalWorker,
    Effect.gen(function* () {
      const worker = yield* make(complete(options))
      const readers = worker.consuming
      for (const queue of worker.options.queues) readers.set(queue, yield* worker.redis.dedicated(`reader:${queue}`))
      const others = yield* FiberSet.make()
      // Listening comes first, so that no pause or revoke is missed; leases are renewed before anything is held.
      yield* Listener.start(worker)
      yield* Effect.ignore(Listener.turn(worker))
      for (const [name, actor] of [
        ["heartbeat", Heartbeat.run(worker)],
        ["announcer", Heartbeat.runAnnounce(worker)],
        ["mover", Mover.run(worker)],
        ["trimmer", Trimmer.run(worker)],
        ["reclaimer", Reclaimer.run(worker)],
        ["yielder", Yielder.run(worker)],
        ["memory guard", MemoryGuard.run(worker)],
        ["sexton", Sexton.run(worker)]
      ] as const) {
        yield* FiberSet.run(others, supervised(name, actor))
      }
      yield* Effect.ignore(attempt("recall", () => worker.gatekeeper.recall(worker.registry.tasks)))
      const begin = (queue: QueueName, reader: Client) => Effect.forkDetach(consume(worker, queue, reader))
      for (const [queue, reader] of readers) worker.reading.set(queue, yield* begin(queue, reader))
      // Registered last, so it runs first: everything it needs is still up.
      yield* Effect.addFinalizer(() => drain(worker))
      return worker
    })
  )

const make = Effect.fnUntraced(function* (options: WorkerOptions) {
  const redis = yield* Redis
  const registry = yield* Registry
  const context = yield* Effect.context()
  const keys = keysOf(redis.namespace)
  const token = randomUUID()
  const startedAt = Date.now()
  const first = {
    token,
    host: options.host,
    pid: process.pid,
    version: options.version,
    concurrency: options.concurrency,
    startedAt,
    running: [],
    reserved: 0,
    processed: 0,
    failed: 0,
    queues: options.queues,
    tasks: [...registry.tasks.keys()]
  }
  const name = yield* redis
    .use("slot", (client) =>
      Scripts.slot(client, [keys.workers], [options.host, token, options.leaseMs * 3, JSON.stringify(first)])
    )
    .pipe(Effect.retry(patient), Effect.orDie)
  const carrier = {
    client: redis.client,
    namespace: redis.namespace,
    limits: { ...Limits.defaults, maxResultBytes: options.maxResultBytes }
  }
  const clock = new ServerClock()
  yield* Effect.ignore(redis.use("time", (client) => clock.look(client)))
  const threads = new Threads(options.threads)
  yield* Effect.addFinalizer(() => Effect.promise(() => threads.close()))
  const gatekeeper = new Gatekeeper({
    client: redis.client,
    namespace: redis.namespace,
    token,
    // Longer than that of a job: its next run, on another worker, takes the permit over.
    leaseMs: options.leaseMs * 2,
    warn: (message) => Effect.runForkWith(context)(Effect.logWarning(message))
  })
  const runner = new Runner({
    registry,
    worker: name,
    suspects: new Suspects({
      maxCrashes: options.maxCrashes,
      began: ({ count, job: { entry, id, queue } }) =>
        JobQueues.began(redis.client, keys.queue(queue), id, { entry, count })
    }),
    execute: threads.execute,
    maxResultBytes: options.maxResultBytes,
    now: () => clock.now(),
    tell: (id, payload) => Flows.tell(carrier, id, payload),
    gather: ({ job, meta }) => Flows.gather(carrier, job.id, job.payload, meta),
    progress: (held, value, state) => progress(redis, held, value, state),
    gatekeeper,
    unknown: Unknown.decider(redis.client, keys.workers),
    starts: (held) => desk.starts(held),
    abandoned: (held) => {
      const { id, task } = held.job
      Effect.runForkWith(context)(
        Effect.logWarning("an attempt did not end when it was told to, and is left to itself", {
          worker: name,
          task,
          id,
          why: held.stopped
        })
      )
      return desk.stray(held)
    },
    graceMs: options.graceMs
  })
  const settler: Settler = new Settler({
    client: redis.client,
    namespace: redis.namespace,
    consumer: name,
    ...(options.resultApartOver === undefined ? {} : { resultApartOver: options.resultApartOver }),
    freed: (held, state, endedAt) => desk.freed(held, state, endedAt),
    warn: (message) => Effect.runForkWith(context)(Effect.logWarning(message))
  })
  const desk: Desk = new Desk({
    shares: { concurrency: options.concurrency, reserved: options.reserved },
    prefetch: Math.max(1, Math.min(options.maxInFlight, Math.ceil(options.concurrency * options.prefetchMultiplier))),
    leaseMs: options.leaseMs,
    maxUnsettled: 4_096,
    run: (held, end) => runner.run(held, end),
    settle: (held, ended) => settler.push(held, ended),
    unsettled: () => settler.size,
    began: (task) => watch?.began(task),
    left: (held) => gatekeeper.leave(held),
    limited: (task) => {
      const registration = registry.tasks.get(task)
      return registration !== undefined && gatekeeper.limited(registration)
    }
  })
  const stalls: Stalls = { count: 0, longestMs: 0, lastAt: null }
  const watch =
    options.stallMs > 0
      ? Watchdog.watch(options.stallMs, {
          running: () => onTheLoop(desk, registry),
          stalled: (ms, running) => {
            stalls.count++
            stalls.longestMs = Math.max(stalls.longestMs, ms)
            stalls.lastAt = Date.now()
            Effect.runForkWith(context)(Effect.logWarning("the event loop stood still", { worker: name, ms, running }))
          }
        })
      : undefined
  if (watch !== undefined) yield* Effect.addFinalizer(() => Effect.sync(watch.stop))
  // Of readers that are added later: closed after the drain, which is registered after this.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const worker: Running = {
    name,
    token,
    options,
    redis,
    keys,
    registry,
    desk,
    settler,
    clock,
    threads,
    stalls,
    watched: watch?.ready ?? Promise.resolve(),
    retired: yield* Deferred.make<Retired>(),
    startedAt,
    gatekeeper,
    consuming: new Map(),
    reading: new Map(),
    stopped: yield* Deferred.make<void>(),
    consume: (queue) =>
      Effect.gen(function* () {
        desk.room[queue].ring()
        desk.orphans.ring()
        if (worker.consuming.has(queue)) return
        const reader = yield* redis.dedicated(`reader:${queue}`).pipe(Scope.provide(scope))
        worker.consuming.set(queue, reader)
        worker.reading.set(queue, yield* Effect.forkDetach(consume(worker, queue, reader)))
      }),
    unblock: (of) => {
      const readers = of.flatMap((queue) => worker.consuming.get(queue) ?? [])
      return Effect.asVoid(
        Effect.promise(() => unblock(redis.client, readers).catch(() => {})).pipe(Effect.timeoutOption("1 second"))
      )
    }
  }
  return worker
})

/** Waits until the worker of this process is told to shut down; whoever runs it then closes its scope. */
export const stopped: Effect.Effect<void, never, LocalWorker> = Effect.flatMap(LocalWorker, (worker) =>
  Deferred.await(worker.stopped)
)

/** Running jobs that the main loop runs: those in threads can't hold it up. */
function* onTheLoop(desk: Desk, registry: Registry["Service"]): Generator<Held> {
  for (const held of desk.runningJobs) if (registry.tasks.get(held.job.task)?.thread === undefined) yield held
}

/** Waits until the worker of this process asks to be replaced. Whoever runs the process then ends it with `replaceExitCode`. */
export const retired: Effect.Effect<Retired, never, LocalWorker> = Effect.flatMap(LocalWorker, (worker) =>
  Deferred.await(worker.retired)
)

const patient = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

/** ms for which an actor that fails again and again is told of once. */
const toldEveryMs = 30_000

/** An actor's fiber: a failure or defect is told and the actor starts again, sooner or later. */
const supervised = <A, E>(name: string, actor: Effect.Effect<A, E>): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    let toldAt = Number.NEGATIVE_INFINITY
    return actor.pipe(
      Effect.tapCause((cause) => {
        if (Cause.hasInterruptsOnly(cause) || performance.now() - toldAt < toldEveryMs) return Effect.void
        toldAt = performance.now()
        const why = Cause.squash(cause)
        // What Redis says is enough; a defect is a bug, so its stack is told.
        return why instanceof RedisError
          ? Effect.logWarning(`actor ${name} starts again: ${why.message}`)
          : Effect.logWarning(`actor ${name} starts again`, why)
      }),
      Effect.sandbox,
      Effect.retry(patient)
    )
  })

const consume = (worker: Worker, queue: QueueName, reader: Client): Effect.Effect<unknown, unknown> =>
  supervised(
    `consumer ${queue}`,
    Effect.suspend(() => (worker.desk.stopping ? Effect.void : Consumer.turn(worker, queue, reader))).pipe(
      Effect.repeat({ until: () => worker.desk.stopping })
    )
  )
