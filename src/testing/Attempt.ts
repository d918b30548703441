/**
 * One run of a handler in memory, with what a test has in store for it. Promises the real decoding, time limits and outcomes;
 * what becomes of the job is left to the memory.
 */
import { Clock, Deferred, Effect, Exit, Result } from "effect"
import * as Calling from "../jobs/Calling.ts"
import { groupTask } from "../jobs/Flow.ts"
import * as Outcome from "../jobs/Outcome.ts"
import type { Registration } from "../jobs/Registry.ts"
import type { Fate } from "./Fate.ts"
import type { Kept } from "./Kept.ts"

/** How a run ended: with an outcome, with its worker lost, or told to stop from outside. */
export type Ended = Outcome.Outcome | { readonly _tag: "Lost" } | { readonly _tag: "Stopped" }

/** Lost workers after which a job is set apart, as by default in production. */
const maxCrashes = 3

const outcome = (kept: Kept, task: Registration | undefined, now: number): Outcome.Outcome | { payload: unknown } => {
  const { entry } = kept
  const json: unknown = JSON.parse(kept.payload)
  if (kept.losses >= maxCrashes) {
    return { _tag: "Dead", error: { _tag: "WorkerLost", message: `its worker was lost ${kept.losses} times` } }
  }
  if (entry.task === groupTask) return { _tag: "Done", result: json }
  if (task === undefined) {
    return { _tag: "Dead", error: { _tag: "UnknownTask", message: `no handler for ${entry.task} in this test` } }
  }
  if (entry.meta?.x !== undefined && now > entry.meta.x) {
    return { _tag: "Cancelled", reason: "expired before it could start" }
  }
  const payload = task.decode(json)
  return Result.isFailure(payload)
    ? { _tag: "Dead", error: Outcome.invalid("PayloadInvalid", payload.failure) }
    : { payload: payload.success }
}

/** Runs a job once. `fate` is asked only where the handler would run; `draw` gives a number in [0, 1) for the jitter of a retry. */
export const attempt = (
  kept: Kept,
  task: Registration | undefined,
  fate: () => Fate,
  draw: () => number
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    const begun = outcome(kept, task, yield* Clock.currentTimeMillis)
    if ("_tag" in begun) return begun
    if (task === undefined) return { _tag: "Stopped" }
    const befalls = fate()
    if (befalls._tag === "Crash") return { _tag: "Lost" }
    const stop = Deferred.makeUnsafe<void>()
    kept.interrupt = () => void Deferred.doneUnsafe(stop, Exit.void)
    const exit = yield* Effect.raceFirst(
      Effect.exit(limited(kept, task, acted(befalls, handled(kept, task, begun.payload)))),
      Effect.as(Deferred.await(stop), undefined)
    )
    kept.interrupt = undefined
    if (exit === undefined) return { _tag: "Stopped" }
    if (befalls._tag === "Lost") return { _tag: "Lost" }
    const tried = { failures: kept.failures, random: draw(), retries: Calling.retriesOf(kept.entry.meta) }
    if (Exit.isSuccess(exit) && exit.value === timedOut) {
      const error = { _tag: "TimedOut", message: `ran longer than its limit of ${limitOf(kept, task)} ms` }
      return Outcome.fromFailure(task, error, tried)
    }
    return Outcome.fromExit(task, exit, tried)
  })

const timedOut = Symbol("timed out")
const limitOf = (kept: Kept, task: Registration): number | undefined => kept.entry.meta?.d ?? task.timeoutMs

const limited = (kept: Kept, task: Registration, run: Effect.Effect<unknown, unknown>) => {
  const limitMs = limitOf(kept, task)
  return limitMs === undefined
    ? run
    : Effect.timeoutOrElse(run, { duration: limitMs, orElse: () => Effect.succeed<unknown>(timedOut) })
}

const handled = (kept: Kept, task: Registration, payload: unknown): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() =>
    task.run(payload, {
      id: kept.entry.id,
      attempt: kept.attempt,
      task: kept.entry.task,
      progress: (value) => Effect.sync(() => void (kept.progress = value)),
      state: (_, value) => Effect.sync(() => void (kept.progress = value ?? kept.progress))
    })
  ).pipe(Effect.provideContext(task.context))

const acted = (fate: Fate, run: Effect.Effect<unknown, unknown>): Effect.Effect<unknown, unknown> => {
  switch (fate._tag) {
    case "Fail":
      return Effect.fail(fate.error)
    case "Die":
      return Effect.die(fate.defect)
    case "Hang":
      return Effect.never
    case "Delay":
      return Effect.andThen(Effect.sleep(fate.ms), run)
    default:
      return run
  }
}
