/**
 * Watches the memory of a worker process. Promises that a process which stays above its limit asks to be replaced, once,
 * and says so; ending it (its scope drains: running jobs end, the rest is given back) and starting the next is left to
 * whoever runs it.
 */
import { Deferred, Effect } from "effect"
import type { Worker } from "./Worker.ts"

/** Exit code of a process that ends in order to be started again (EX_TEMPFAIL of sysexits.h: try again). */
export const replaceExitCode = 75

/** Why a worker asks to be replaced. */
export interface Retired {
  readonly reason: "memory"
  readonly rssMb: number
  readonly limitMb: number
}

/** How often memory is looked at, ms, and how many looks in a row must be above the limit. */
const everyMs = 1_000
const looks = 5
const mebibyte = 1_048_576

/** The looks above the limit in a row, after one more. Pure. */
export const above = (before: number, rssBytes: number, limitMb: number): number =>
  rssBytes > limitMb * mebibyte ? before + 1 : 0

/** One look. Returns how many looks in a row were above the limit. */
export const turn = (worker: Worker, limitMb: number, before: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    const rss = process.memoryUsage.rss()
    const count = above(before, rss, limitMb)
    if (count < looks) return count
    const retired: Retired = { reason: "memory", rssMb: Math.round(rss / mebibyte), limitMb }
    if (yield* Deferred.succeed(worker.retired, retired)) {
      yield* Effect.logWarning("the worker is above its memory limit and asks to be replaced", retired)
    }
    return count
  })

export const run = (worker: Worker): Effect.Effect<never> => {
  const limitMb = worker.options.maxMemoryMb
  if (limitMb === undefined) return Effect.never
  const loop = (before: number): Effect.Effect<never> =>
    Effect.flatMap(turn(worker, limitMb, before), (count) => Effect.andThen(Effect.sleep(everyMs), loop(count)))
  return Effect.suspend(() => loop(0))
}
