/**
 * Starts and stops the actors of a worker process, in one place. Promises that an actor that fails starts again after a
 * short wait, and a graceful end: stop reading, give back what was not begun, let running jobs finish up to the drain limit,
 * leave the rest to others, settle all that is settled.
 */
import { Cause, Duration, Effect, Fiber, FiberSet, Layer, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import { Registry } from "../jobs/Registry.ts"
import * as Flows from "../streams/Flows.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import { keysOf } from "../streams/Keys.ts"
import * as Limits from "../streams/Limits.ts"
import { type Client, Redis } from "../streams/Redis.ts"
import * as Scripts from "../streams/Scripts.ts"
import * as Consumer from "./Consumer.ts"
import { Desk } from "./Desk.ts"
import * as Heartbeat from "./Heartbeat.ts"
import type { Held } from "./Held.ts"
import * as Listener from "./Listener.ts"
import * as Mover from "./Mover.ts"
import * as Reclaimer from "./Reclaimer.ts"
import { Runner } from "./Runner.ts"
import { Settler } from "./Settler.ts"
import { defaultReserved, type PerQueue } from "./Share.ts"
import * as Trimmer from "./Trimmer.ts"
import { LocalWorker, type Worker, type WorkerOptions } from "./Worker.ts"

export interface Options extends Partial<Omit<WorkerOptions, "reserved">> {
  readonly reserved?: Partial<PerQueue>
  /** As `drainTimeoutMs`, in any form. */
  readonly drainTimeout?: Duration.Input
}

const complete = (o: Options): WorkerOptions => {
  const concurrency = Math.max(1, Math.floor(o.concurrency ?? 4))
  return {
    concurrency,
    prefetchMultiplier: o.prefetchMultiplier ?? 4,
    leaseMs: o.leaseMs ?? 5_000,
    queues: o.queues ?? queues,
    reserved: { ...reservedFor(concurrency, o.queues ?? queues), ...o.reserved },
    drainTimeoutMs:
      o.drainTimeout === undefined
        ? (o.drainTimeoutMs ?? 10_000)
        : Duration.toMillis(Duration.fromInputUnsafe(o.drainTimeout)),
    maxInFlight: o.maxInFlight ?? 10_000,
    readMax: o.readMax ?? 500,
    maxDeliveries: o.maxDeliveries ?? 5,
    maxResultBytes: o.maxResultBytes ?? Limits.defaults.maxResultBytes,
    trimEveryMs: o.trimEveryMs ?? 500,
    version: o.version ?? "0",
    host: o.host ?? hostname()
  }
}

/** Permits reserved for a queue that is not served here would be lost. */
const reservedFor = (concurrency: number, served: ReadonlyArray<QueueName>): PerQueue => {
  const all = defaultReserved(concurrency)
  const of = (q: QueueName) => (served.includes(q) && served.length > 1 ? all[q] : 0)
  return { "high-priority": of("high-priority"), default: of("default"), "low-priority": of("low-priority") }
}

/** Runs jobs in this process. Build it after the layers of the tasks, so that all of them are known when the first job comes. */
export const layer = (options: Options = {}): Layer.Layer<LocalWorker, never, Redis | Registry> =>
  Layer.effect(
    LocalWorker,
    Effect.gen(function* () {
      const worker = yield* make(complete(options))
      const readers = new Map<QueueName, Client>()
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
        ["reclaimer", Reclaimer.run(worker)]
      ] as const) {
        yield* FiberSet.run(others, supervised(name, actor))
      }
      const reading = yield* Effect.forkDetach(
        Effect.forEach([...readers], ([queue, reader]) => consume(worker, queue, reader), {
          concurrency: "unbounded",
          discard: true
        })
      )
      // Registered last, so it runs first: everything it needs is still up.
      yield* Effect.addFinalizer(() => drain(worker, [...readers.values()], reading))
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
  const carrier = { client: redis.client, namespace: redis.namespace, limits: Limits.defaults }
  const runner = new Runner({
    registry,
    maxDeliveries: options.maxDeliveries,
    maxResultBytes: options.maxResultBytes,
    tell: (payload) => Flows.tell(carrier, payload),
    progress: (held, value) => progress(redis, held, value)
  })
  const settler: Settler = new Settler({
    client: redis.client,
    namespace: redis.namespace,
    consumer: name,
    freed: (held, state) => desk.freed(held, state),
    warn: (message) => Effect.runForkWith(context)(Effect.logWarning(message))
  })
  const desk: Desk = new Desk({
    shares: { concurrency: options.concurrency, reserved: options.reserved },
    prefetch: Math.max(1, Math.min(options.maxInFlight, Math.ceil(options.concurrency * options.prefetchMultiplier))),
    maxUnsettled: 4_096,
    run: (held, end) => runner.run(held, end),
    settle: (held, ended) => settler.push(held, ended),
    unsettled: () => settler.size
  })
  return { name, token, options, redis, keys, registry, desk, settler, startedAt } satisfies Worker
})

const progressMax = 65_536
const progress = (redis: Redis["Service"], held: Held, value: unknown): Effect.Effect<void> => {
  const text = JSON.stringify(value) ?? "null"
  if (text.length > progressMax)
    return Effect.logWarning(`progress of ${held.job.id} is over ${progressMax} bytes, not kept`)
  const key = keysOf(redis.namespace).queue(held.job.queue).job(held.job.id)
  return Effect.ignore(redis.use("progress", (client) => client.hset(key, "progress", text)))
}

const patient = Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

/** An actor's fiber: a failure or defect is told and the actor starts again, sooner or later. */
const supervised = <A, E>(name: string, actor: Effect.Effect<A, E>): Effect.Effect<A, unknown> =>
  actor.pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.void
        : Effect.logWarning(`actor ${name} starts again`, Cause.squash(cause))
    ),
    Effect.sandbox,
    Effect.retry(patient)
  )

const consume = (worker: Worker, queue: QueueName, reader: Client): Effect.Effect<unknown, unknown> =>
  supervised(
    `consumer ${queue}`,
    Effect.suspend(() => (worker.desk.stopping ? Effect.void : Consumer.turn(worker, queue, reader))).pipe(
      Effect.repeat({ until: () => worker.desk.stopping })
    )
  )

/** The graceful end. Each step is bounded, so that stopping ends even while Redis is away. */
const drain = (worker: Worker, readers: ReadonlyArray<Client>, reading: Fiber.Fiber<unknown, unknown>) =>
  Effect.gen(function* () {
    const { desk, options, redis, settler } = worker
    desk.stopping = true
    for (const queue of queues) desk.room[queue].ring()
    yield* Effect.promise(() => unblock(redis.client, readers)).pipe(Effect.timeoutOption("1 second"))
    yield* Fiber.await(reading).pipe(Effect.timeoutOption("2500 millis"))
    yield* Fiber.interrupt(reading)
    yield* giveBack(worker, desk.unstarted(), false)
    yield* Effect.promise(() => ended(desk, options.drainTimeoutMs))
    const rest = [...desk.runningJobs]
    for (const held of rest) desk.stop(held, "drain")
    if (rest.length > 0) yield* Effect.promise(() => ended(desk, 1_000))
    yield* Effect.promise(() => settler.drained(5_000))
    yield* giveBack(worker, rest, true)
    yield* Effect.ignore(redis.use("bye", (client) => client.hdel(worker.keys.workers, worker.name))).pipe(
      Effect.timeoutOption("1 second")
    )
  }).pipe(Effect.ignore({ log: "Warn" }))

const unblock = async (client: Client, readers: ReadonlyArray<Client>): Promise<void> => {
  const names = new Set(readers.map((r) => r.options.connectionName))
  const ports = new Set(readers.map((r) => (r.stream as { readonly localPort?: number } | undefined)?.localPort))
  const list = String(await client.client("LIST"))
  for (const line of list.split("\n")) {
    const id = /(?:^| )id=(\d+)/u.exec(line)?.[1]
    const name = /(?:^| )name=(\S+)/u.exec(line)?.[1]
    const port = Number(/(?:^| )addr=\S*:(\d+)/u.exec(line)?.[1])
    if (id !== undefined && name !== undefined && names.has(name) && ports.has(port)) {
      await client.call("CLIENT", "UNBLOCK", id).catch(() => {})
    }
  }
}

const ended = async (desk: Desk, ms: number): Promise<void> => {
  const until = Date.now() + ms
  while (desk.runningJobs.size > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Leaves claims to others: at once, not after a lease. */
const giveBack = (worker: Worker, helds: ReadonlyArray<Held>, ran: boolean) =>
  Effect.promise(async () => {
    for (const queue of queues) {
      const claims = helds
        .filter((h) => h.job.queue === queue && h.phase !== "settling")
        .map((h) => ({ entry: h.job.entry, count: h.count, ran }))
      for (let i = 0; i < claims.length; i += JobQueues.scriptMax) {
        const part = claims.slice(i, i + JobQueues.scriptMax)
        await JobQueues.release(
          worker.redis.client,
          worker.keys.queue(queue),
          worker.keys.control,
          worker.name,
          part
        ).catch(() => 0)
      }
    }
  }).pipe(Effect.timeoutOption("2 seconds"))
