/**
 * What a handler in a thread sees and throws. Promises plain data and, since every thread loads this file anew, no import at
 * run time. How such a task is defined stands in `Thread.ts`.
 */
import type { Schema } from "effect"

/** What a handler in a thread knows of its job. */
export interface ThreadJob {
  readonly id: string
  /** 1 for the first run. */
  readonly attempt: number
  readonly task: string
  /** Keeps a JSON value with the job that anyone may look at while it runs (at most 64 KB). */
  readonly progress: (value: unknown) => void
}

/** Data as it looks in JSON: a `Date` is a string there. */
export type AsJson<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Date | bigint
    ? string
    : T extends ReadonlyArray<infer A>
      ? ReadonlyArray<AsJson<A>>
      : T extends object
        ? { readonly [K in keyof T]: AsJson<T[K]> }
        : T

interface Typed {
  readonly payload: Schema.Top
  readonly _Result?: unknown
}

/**
 * What the module of a task in threads exports as default: a plain function from encoded payload to encoded result. Where it
 * throws an object with a `_tag` that fits the task's error schema, the job fails with that error.
 *
 *     const hash: Task.ThreadHandler<typeof Hash> = ({ text }) => createHash("sha256").update(text).digest("hex")
 *     export default hash
 */
export type ThreadHandler<T extends Typed> = (
  payload: AsJson<T["payload"]["Encoded"]>,
  job: ThreadJob
) => ThreadResult<T> | Promise<ThreadResult<T>>
type ThreadResult<T extends Typed> = AsJson<Exclude<T["_Result"], undefined>>

/** The handler that a loaded module exports. */
export const handlerOf = (module: string, loaded: unknown): ((payload: unknown, job: ThreadJob) => unknown) => {
  const handler = (loaded as { readonly default?: unknown }).default
  if (typeof handler === "function") return handler as (payload: unknown, job: ThreadJob) => unknown
  throw new Error(`expected ${module} to export a function as default, got ${typeof handler}`)
}

/** What a handler threw, as data. */
export interface Thrown {
  readonly tag: string
  readonly message: string
  readonly stack: string
  readonly retryable: boolean
  /** The fields of what was thrown, where they are JSON. */
  readonly value: unknown
}

const stackMax = 2_000

/** What was thrown, whatever it is, as data that can travel. */
export const thrownOf = (error: unknown): Thrown => {
  const fields = typeof error === "object" && error !== null ? (error as Readonly<Record<string, unknown>>) : {}
  const { _tag, message, name, retryable, stack } = fields
  const text = (u: unknown) => (typeof u === "string" && u !== "" ? u : undefined)
  return {
    tag: text(_tag) ?? text(name) ?? "Error",
    message: text(message) ?? (error === fields ? "" : String(error)),
    stack: (text(stack) ?? "").slice(0, stackMax),
    retryable: retryable !== false,
    value: jsonOf(fields, text(message))
  }
}

const jsonOf = (fields: Readonly<Record<string, unknown>>, message: string | undefined): unknown => {
  try {
    return JSON.parse(JSON.stringify({ ...(message === undefined ? {} : { message }), ...fields })) as unknown
  } catch {
    return undefined
  }
}
