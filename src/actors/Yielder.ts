/**
 * Leaves jobs that were claimed ahead and can't begin here soon to workers that are idle. Promises to give back no more than they
 * have places for, the last claimed first, and nothing while nobody else is idle, so that the order of a queue stays as it was.
 */
import { Effect } from "effect"
import type { WorkerRow } from "../streams/Inspect.ts"
import * as Look from "../streams/Look.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import { giveBack } from "./GiveBack.ts"
import type { Worker } from "./Worker.ts"

/** A claim that has waited for so long, ms, while all permits are in use, is left to others. */
const patienceMs = 500
const everyMs = 250
/** Others are looked at at most this often, ms, and the less often the longer none is found idle: each look reads all their records. */
const lookEveryMs = 1_000
const lookEveryMaxMs = 8_000

const looks = new WeakMap<Worker, { readonly next: number; readonly everyMs: number }>()

/** One look. Returns how many jobs were given back. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  Effect.gen(function* () {
    const { desk, keys, redis } = worker
    const stuck = desk.stuck(patienceMs)
    const look = looks.get(worker) ?? { next: Number.NEGATIVE_INFINITY, everyMs: lookEveryMs }
    if (stuck.length === 0 || performance.now() < look.next) return 0
    const others = yield* attempt("workers", () => Look.workers(redis.client, keys.workers))
    const idle = others.flatMap((row) => (row.id === worker.name ? [] : placesOf(row)))
    // What could begin meanwhile stays.
    const left = desk.stuck(patienceMs).flatMap((queue) =>
      desk.leave(queue, ({ job }) => {
        const place = idle.find(
          ({ places, row }) => places > 0 && row.queues.includes(queue) && row.tasks.includes(job.task)
        )
        if (place !== undefined) place.places--
        return place !== undefined
      })
    )
    const nextMs = left.length > 0 ? lookEveryMs : Math.min(lookEveryMaxMs, look.everyMs * 2)
    looks.set(worker, { next: performance.now() + nextMs, everyMs: nextMs })
    yield* giveBack(worker, left, false)
    return left.length
  })

/** How many jobs a worker could begin now; of one whose list of running jobs is full nobody knows. */
const placesOf = (row: WorkerRow) => {
  const places = row.concurrency - row.running.length - row.reserved
  return row.draining === true || places <= 0 || row.running.length >= toldMax ? [] : [{ row, places }]
}
/** Running jobs that a record tells of at most. */
const toldMax = 100

export const run = (worker: Worker) => Effect.forever(Effect.flatMap(turn(worker), () => Effect.sleep(everyMs)))
