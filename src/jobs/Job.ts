/**
 * A job as data: one request to run a task, with what follows it. Promises that everything in it is encoded JSON, so that
 * it can be stored, sent and chained; the task's schema has already spoken.
 */
import { Result, type Schema } from "effect"
import type { Uniqueness } from "./Calling.ts"
import type { Failure, Issue } from "./Engine.ts"
import type { QueueName } from "./JobQueue.ts"

/** A payload after its schema: JSON data, or the faults by path. */
export type Encoded = Result.Result<unknown, ReadonlyArray<Issue>>

/** What a chain needs to know of the next task. Every `Task` is one. */
export interface Target<P extends Schema.Struct.Fields, R> {
  readonly name: string
  readonly queue: QueueName
  /** True where its code sets a rate or concurrency limit over all workers. */
  readonly limited?: boolean
  readonly payload: Schema.Struct<P>
  readonly encodePart: (part: Partial<Schema.Struct.Type<P>>) => Encoded
  readonly _Result?: R
}

/** The fields a chain's next payload still lacks after the previous result has been merged into it. */
export type Rest<R, P extends Schema.Struct.Fields> = Omit<
  Schema.Struct.Type<P>,
  Extract<keyof R, keyof Schema.Struct.Type<P>>
>

/** What an error callback is given: why, and which job failed first. */
export interface Failing {
  readonly error: Failure
  /** The job that failed. Of a chain or group: the step or member. */
  readonly id: string
  readonly task: string
}

/**
 * A job whose payload may lack fields (`Need`) that the result of the step before gives it. `R` is its own result, that of
 * its last step. Whatever needs something can only follow what gives it.
 */
export interface Step<Need, R> {
  readonly task: string
  readonly queue: QueueName
  readonly payload: Encoded
  /** The key that only one unfinished job of the task may hold. */
  readonly unique: string | undefined
  /** What becomes of an enqueue whose key is taken; undefined: refused until the holder has ended. */
  readonly uniqueness: Uniqueness | undefined
  /** Nothing of it is kept once it is done. */
  readonly ignoreResult: boolean | undefined
  /** Jobs of a group; the group is done when all of them are. */
  readonly members: ReadonlyArray<Data> | undefined
  readonly next: Data | undefined
  /** True where the result of the step before is merged into the payload; a complete job is immutable. */
  readonly merges: boolean
  /** Jobs started beside the chain when this one is done, or has failed. */
  readonly callbacks: Callbacks | undefined
  readonly _Result?: R
  readonly _Need?: (need: Need) => void
  /** Runs `task` when this is done, its payload being this result merged with `rest`. One chain, one id: that of its last job. */
  andThen<P extends Schema.Struct.Fields, R2>(task: Target<P, R2>, rest: Rest<R, P>): Step<Need, R2>
  /** Goes on with a step or a whole flow. A complete job takes nothing of this result (Celery's `.si()`). */
  andThen<R2>(step: Step<R, R2>): Step<Need, R2>
  /**
   * Starts `task` with `{ error, id, task }` merged with `rest` when this fails or is cancelled, as a whole: any step of the
   * chain so far, any member of the group. At most once.
   */
  onError<P extends Schema.Struct.Fields>(task: Target<P, unknown>, rest: Rest<Failing, P>): Step<Need, R>
  /** Starts `task` with this result merged with `rest`, beside the chain: nothing waits for it. */
  onSuccess<P extends Schema.Struct.Fields>(task: Target<P, unknown>, rest: Rest<R, P>): Step<Need, R>
}

/** A complete job: it needs nothing and can be enqueued. */
export type Job<R> = Step<unknown, R>

export interface Callbacks {
  readonly done: ReadonlyArray<Data>
  readonly failed: ReadonlyArray<Data>
}

/** A step without its words. */
export type Data = Omit<Step<never, unknown>, "andThen" | "onError" | "onSuccess" | "_Need" | "_Result">

type Fields = Pick<Data, "task" | "queue" | "payload"> & Partial<Data>

/** A class, so that a job costs no closures: jobs are made by the hundred thousand. */
class Made implements Data {
  readonly task: string
  readonly queue: QueueName
  readonly payload: Encoded
  readonly unique: string | undefined
  readonly uniqueness: Uniqueness | undefined
  readonly ignoreResult: boolean | undefined
  readonly members: Data["members"]
  readonly next: Data["next"]
  readonly merges: boolean
  readonly callbacks: Callbacks | undefined

  constructor(fields: Fields) {
    this.task = fields.task
    this.queue = fields.queue
    this.payload = fields.payload
    this.unique = fields.unique
    this.uniqueness = fields.uniqueness
    this.ignoreResult = fields.ignoreResult
    this.members = fields.members
    this.next = fields.next
    this.merges = fields.merges ?? false
    this.callbacks = fields.callbacks
  }

  andThen(what: Parts | Data, rest?: object): Made {
    const next = "encodePart" in what ? part(what, rest ?? {}) : what
    return new Made(onLast(this, (last) => ({ ...last, next })))
  }

  onError(task: Parts, rest: object): Made {
    return this.call("failed", part(task, rest))
  }

  onSuccess(task: Parts, rest: object): Made {
    return this.call("done", part(task, rest))
  }

  private call(kind: keyof Callbacks, callback: Data): Made {
    const change = (last: Data): Data => {
      const { done, failed } = last.callbacks ?? { done: [], failed: [] }
      const callbacks =
        kind === "done" ? { done: [...done, callback], failed } : { done, failed: [...failed, callback] }
      return { ...last, callbacks }
    }
    return new Made(onLast(this, change))
  }
}

export const make = <R, Need = unknown>(fields: Fields): Step<Need, R> => new Made(fields) as Step<Need, R>

/** What a part of a payload is made with. */
type Parts = Pick<Target<Schema.Struct.Fields, unknown>, "name" | "queue"> & {
  readonly encodePart: (part: never) => Encoded
}

/** A step of a task with a part of its payload. */
export const part = (task: Parts, rest: object): Step<never, unknown> =>
  make<unknown, never>({ task: task.name, queue: task.queue, payload: task.encodePart(rest as never), merges: true })

/** The payload of a job that carries several. */
export const collect = (all: ReadonlyArray<Encoded>): Encoded => {
  const items: Array<unknown> = []
  for (const [i, one] of all.entries()) {
    if (Result.isFailure(one))
      return Result.fail(one.failure.map((f) => ({ ...f, path: `items.${i}${f.path === "" ? "" : `.${f.path}`}` })))
    items.push(one.success)
  }
  return Result.succeed({ items })
}

/** The chain with its last job changed; the jobs before are copied, never changed. */
const onLast = (head: Data, change: (last: Data) => Data): Data =>
  head.next === undefined ? change(head) : { ...head, next: onLast(head.next, change) }

/** The joint of a chain: the previous result merged into the next payload, which wins. Results that are no objects add nothing. */
export const merge = (result: unknown, payload: unknown): unknown =>
  isRecord(result) ? (isRecord(payload) ? { ...result, ...payload } : { ...result }) : payload

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)
