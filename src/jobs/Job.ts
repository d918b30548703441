/**
 * A job as data: one request to run a task, with what follows it. Promises that everything in it is encoded JSON, so that
 * it can be stored, sent and chained; the task's schema has already spoken.
 */
import type { Result, Schema } from "effect"
import type { Issue } from "./Engine.ts"
import type { QueueName } from "./JobQueue.ts"

/** A payload after its schema: JSON data, or the faults by path. */
export type Encoded = Result.Result<unknown, ReadonlyArray<Issue>>

/** What a chain needs to know of the next task. Every `Task` is one. */
export interface Target<P extends Schema.Struct.Fields, R> {
  readonly name: string
  readonly queue: QueueName
  readonly payload: Schema.Struct<P>
  readonly encodePart: (part: Partial<Schema.Struct.Type<P>>) => Encoded
  readonly _Result?: R
}

/** The fields a chain's next payload still lacks after the previous result has been merged into it. */
export type Rest<R, P extends Schema.Struct.Fields> = Omit<
  Schema.Struct.Type<P>,
  Extract<keyof R, keyof Schema.Struct.Type<P>>
>

export interface Job<R> {
  readonly task: string
  readonly queue: QueueName
  readonly payload: Encoded
  /** The key that only one unfinished job of the task may hold. */
  readonly unique: string | undefined
  /** Jobs of a group; the group is done when all of them are. */
  readonly members: ReadonlyArray<Job<unknown>> | undefined
  readonly next: Job<unknown> | undefined
  readonly _Result?: R
  /** Runs `task` when this is done, its payload being this result merged with `rest`. One chain, one id: that of its last job. */
  andThen<P extends Schema.Struct.Fields, R2>(task: Target<P, R2>, rest: Rest<R, P>): Job<R2>
}

export const make = <R>(
  fields: Pick<Job<R>, "task" | "queue" | "payload"> & Partial<Pick<Job<R>, "unique" | "members" | "next">>
): Job<R> => {
  const self: Job<R> = {
    unique: undefined,
    members: undefined,
    next: undefined,
    ...fields,
    andThen: <P extends Schema.Struct.Fields, R2>(task: Target<P, R2>, rest: Rest<R, P>): Job<R2> =>
      append(
        self,
        make<R2>({
          task: task.name,
          queue: task.queue,
          payload: task.encodePart(rest as Partial<Schema.Struct.Type<P>>)
        })
      )
  }
  return self
}

const append = <R>(head: Job<unknown>, tail: Job<R>): Job<R> =>
  make<R>({
    task: head.task,
    queue: head.queue,
    payload: head.payload,
    unique: head.unique,
    members: head.members,
    next: head.next === undefined ? tail : append(head.next, tail)
  })

/** The joint of a chain: the previous result merged into the next payload, which wins. Results that are no objects add nothing. */
export const merge = (result: unknown, payload: unknown): unknown =>
  isRecord(result) ? (isRecord(payload) ? { ...result, ...payload } : { ...result }) : payload

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)
