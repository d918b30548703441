/**
 * What a caller's options mean for a job: when it may start, until when, and what travels in its meta. Pure; promises that
 * an option that makes no sense is refused by its name instead of being guessed at.
 */
import { Context, Result } from "effect"
import type { EnqueueOptions, Issue } from "./Engine.ts"
import { queues } from "./JobQueue.ts"
import { millis } from "./Millis.ts"
import type { Meta } from "./Plan.ts"

/** The job whose handler this fiber runs: jobs enqueued in it are its children. Undefined outside of handlers. */
export const CurrentJob: Context.Reference<string | undefined> = Context.Reference("loglytics/jobs/CurrentJob", {
  defaultValue: (): string | undefined => undefined
})

/** What becomes of an enqueue whose unique key is taken. */
export interface Uniqueness {
  readonly mode: "refuse" | "replace" | "debounce"
  /** How long a key is taken, or how long a debounced job waits; undefined = until its job has ended. */
  readonly withinMs: number | undefined
  /** The longest that debouncing may put a job off. */
  readonly maxWaitMs: number | undefined
}

/** Options as the engine carries them. */
export interface Called {
  /** ms from now; undefined = at once. */
  readonly delayMs: number | undefined
  readonly expiresAt: number | undefined
  /**
   * What every job of a flow carries. `k`, then `p`, come first: the scripts look for them at the start of a meta's text.
   */
  readonly meta: Pick<Meta, "k" | "p" | "n" | "d">
  readonly ignoreResult: boolean | undefined
}

const nothing: Called = { delayMs: undefined, expiresAt: undefined, meta: {}, ignoreResult: undefined }
const keyPattern = /^[\w.:@/+-]{1,100}$/u

/** Reads the options of an enqueue. `parent`: the job in whose handler it is said. */
export const read = (
  options: EnqueueOptions | undefined,
  parent: string | undefined,
  now: number
): Result.Result<Called, Issue> => {
  if (options === undefined && parent === undefined) return Result.succeed(nothing)
  const o = options ?? {}
  const bad = (path: keyof EnqueueOptions, message: string) => Result.fail({ path: `options.${path}`, message })
  const eta = o.eta === undefined ? undefined : Number(o.eta)
  if (Number.isNaN(eta)) return bad("eta", "expected a Date or epoch ms")
  const delayMs = eta !== undefined ? Math.max(0, eta - now) : o.delay === undefined ? undefined : millis(o.delay)
  if (delayMs !== undefined && !Number.isFinite(delayMs)) {
    return bad(eta === undefined ? "delay" : "eta", "expected a finite time")
  }
  if (o.queue !== undefined && !queues.includes(o.queue)) {
    return bad("queue", `expected ${queues.join(", ")}, got ${o.queue}`)
  }
  const expiresAt =
    o.expires === undefined ? undefined : o.expires instanceof Date ? Number(o.expires) : now + millis(o.expires)
  if (Number.isNaN(expiresAt)) return bad("expires", "expected a duration or a Date")
  if (o.key !== undefined && !keyPattern.test(o.key)) {
    return bad("key", "expected 1-100 of A-Z a-z 0-9 _ . : @ / + -")
  }
  const { retries } = o
  if (retries !== undefined && !(retries >= 0)) return bad("retries", `expected 0 or more, got ${retries}`)
  const timeoutMs = o.timeout === undefined ? undefined : millis(o.timeout)
  if (timeoutMs !== undefined && !(timeoutMs > 0)) return bad("timeout", "expected more than 0 ms")
  return Result.succeed({
    delayMs,
    expiresAt,
    meta: {
      ...(o.key === undefined ? {} : { k: o.key }),
      ...(parent === undefined ? {} : { p: parent }),
      // Infinity is no JSON: -1 stands for it.
      ...(retries === undefined ? {} : { n: Number.isFinite(retries) ? Math.floor(retries) : -1 }),
      ...(timeoutMs === undefined || !Number.isFinite(timeoutMs) ? {} : { d: Math.ceil(timeoutMs) })
    },
    ignoreResult: o.ignoreResult
  })
}

/** The retries that a caller asked for; undefined = the task's own. */
export const retriesOf = (meta: Meta | undefined): number | undefined =>
  meta?.n === -1 ? Number.POSITIVE_INFINITY : meta?.n
