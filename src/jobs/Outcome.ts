/**
 * What became of an attempt, decided by a pure function from how the handler ended. Promises a named outcome for every
 * exit; carrying it out is left to the settler.
 */
import { Cause, Data, Duration, type Exit, Result } from "effect"
import type { Failure, Issue } from "./Engine.ts"
import { waitMs } from "./Retry.ts"
import type { Registration } from "./Registry.ts"

/** Words a handler may say instead of a result; allowed in every task. */
export class Snoozed extends Data.TaggedError("Snoozed")<{ readonly wait: Duration.Duration }> {}
export class Cancelled extends Data.TaggedError("Cancelled")<{ readonly reason: string }> {}
export type Signal = Snoozed | Cancelled

export type Outcome =
  | { readonly _tag: "Done"; readonly result: unknown }
  | { readonly _tag: "Retry"; readonly error: Failure; readonly delayMs: number }
  | { readonly _tag: "Snoozed"; readonly delayMs: number }
  | { readonly _tag: "Cancelled"; readonly reason: string }
  | { readonly _tag: "Dead"; readonly error: Failure }

/** How the life of a job is told. `scheduled`: waits for its time or for another job; `retrying`: waits for another try. */
export type JobState = "queued" | "scheduled" | "running" | "retrying" | "done" | "dead" | "cancelled"

/** True where nothing more will happen to the job by itself. */
export const isFinal = (state: string): state is "done" | "dead" | "cancelled" =>
  state === "done" || state === "dead" || state === "cancelled"

const celeryNames: Record<JobState, CeleryState> = {
  queued: "PENDING",
  scheduled: "PENDING",
  running: "STARTED",
  retrying: "RETRY",
  done: "SUCCESS",
  dead: "FAILURE",
  cancelled: "REVOKED"
}
export type CeleryState = "PENDING" | "RECEIVED" | "STARTED" | "SUCCESS" | "FAILURE" | "RETRY" | "REVOKED"

/** True for a word that is a state. */
export const isState = (value: unknown): value is JobState =>
  typeof value === "string" && Object.hasOwn(celeryNames, value)

/** The state as users of Celery know it. A job that a worker holds but has not begun is `RECEIVED` (`reserved`). */
export const celeryState = (state: JobState, reserved = false): CeleryState =>
  reserved && state === "queued" ? "RECEIVED" : celeryNames[state]

export interface Tried {
  /** Failures before this attempt. */
  readonly failures: number
  /** In [0, 1), for the jitter. */
  readonly random: number
  /** Retries that the caller asked for instead of the task's. */
  readonly retries?: number | undefined
}

/** The outcome of a handler's exit. Interruption from outside is decided by whoever interrupted, not here. */
export const fromExit = (task: Registration, exit: Exit.Exit<unknown, unknown>, tried: Tried): Outcome => {
  if (exit._tag === "Success") {
    const encoded = task.encodeResult(exit.value)
    return Result.isSuccess(encoded)
      ? { _tag: "Done", result: encoded.success }
      : { _tag: "Dead", error: invalid("ResultInvalid", encoded.failure) }
  }
  const fail = exit.cause.reasons.find((r) => r._tag === "Fail")
  if (fail !== undefined) {
    const error = fail.error
    if (error instanceof Snoozed) return { _tag: "Snoozed", delayMs: Duration.toMillis(error.wait) }
    if (error instanceof Cancelled) return { _tag: "Cancelled", reason: error.reason }
    return fromFailure(task, task.encodeError(error) ?? describe(error), tried, error)
  }
  return fromFailure(task, defect(exit.cause), tried)
}

/** The outcome of a failure that is known as data; `raw` is what the handler failed with, where there is more to see. */
export const fromFailure = (task: Registration, error: Failure, tried: Tried, raw: unknown = error): Outcome => {
  const { failures, random, retries } = tried
  const wait = waitMs(task.retry, { n: failures + 1, random, error: raw, retries })
  return wait === undefined ? { _tag: "Dead", error } : { _tag: "Retry", error, delayMs: wait }
}

/** The failure of data that does not fit, each fault by its path. */
export const invalid = (tag: "PayloadInvalid" | "ResultInvalid", issues: ReadonlyArray<Issue>): Failure => ({
  _tag: tag,
  message: issues.map((i) => `${i.path || "(all)"}: ${i.message}`).join("; "),
  issues
})

const describe = (error: unknown): Failure =>
  error instanceof Error
    ? { _tag: "_tag" in error && typeof error._tag === "string" ? error._tag : error.name, message: error.message }
    : { _tag: "Error", message: String(error) }

/** Defects are bugs; their stack is kept, shortened. */
const defect = (cause: Cause.Cause<unknown>): Failure => {
  const die = cause.reasons.find((r) => r._tag === "Die")
  if (die === undefined) return { _tag: "Interrupted", message: "the handler interrupted itself" }
  const error = die.defect
  return error instanceof Error
    ? { _tag: "Defect", message: `${error.name}: ${error.message}`, stack: (error.stack ?? "").slice(0, 2_000) }
    : { _tag: "Defect", message: String(error) }
}
