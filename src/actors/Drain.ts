/**
 * The graceful end of a worker: it stops reading, gives back what was not begun, lets running jobs finish up to the drain limit,
 * leaves the rest to others and settles all that is settled. Promises that each step is bounded, so that stopping ends even
 * while Redis is away.
 */
import { Effect, Fiber, Schedule } from "effect"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { Desk } from "./Desk.ts"
import { giveBack } from "./GiveBack.ts"
import type { Worker } from "./Worker.ts"

/** A worker, and the fibers that read its queues. */
export interface Running extends Worker {
  readonly reading: Map<QueueName, Fiber.Fiber<unknown, unknown>>
}

export const drain = (worker: Running) =>
  Effect.gen(function* () {
    const { desk, options, redis, settler } = worker
    desk.stopping = true
    for (const queue of queues) desk.room[queue].ring()
    const reading = [...worker.reading.values()]
    // Again and again: a reader that was still connecting blocks after the first time.
    const unblocking = Effect.repeat(worker.unblock(queues), Schedule.spaced("100 millis"))
    yield* Fiber.awaitAll(reading).pipe(Effect.raceFirst(unblocking), Effect.timeoutOption("2500 millis"))
    yield* Fiber.interruptAll(reading)
    yield* giveBack(worker, desk.unstarted(), false)
    yield* Effect.promise(() => ended(desk, options.drainTimeoutMs))
    const rest = [...desk.runningJobs]
    for (const held of rest) desk.stop(held, "drain")
    if (rest.length > 0) yield* Effect.promise(() => ended(desk, 1_000))
    yield* Effect.promise(() => settler.drained(5_000))
    yield* Effect.promise(() => worker.gatekeeper.drained(1_000))
    yield* giveBack(worker, rest, true)
    desk.gone = true
    yield* Effect.ignore(redis.use("bye", (client) => client.hdel(worker.keys.workers, worker.name))).pipe(
      Effect.timeoutOption("1 second")
    )
  }).pipe(Effect.ignore({ log: "Warn" }))

const ended = async (desk: Desk, ms: number): Promise<void> => {
  const until = performance.now() + ms
  while (desk.runningJobs.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
}
