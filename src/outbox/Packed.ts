/**
 * A job, with its whole flow and its caller's options, as one JSON text: what stands in a row of the outbox. Promises that
 * what is read is what was written; a payload that does not fit is refused before anything is written. Pure.
 */
import { Duration, Result } from "effect"
import { type EnqueueOptions, PayloadInvalid, PayloadTooLarge } from "../jobs/Engine.ts"
import * as Job from "../jobs/Job.ts"
import { chosenId, type JobId } from "../jobs/JobQueue.ts"
import { defaults } from "../streams/Limits.ts"

/** What a step carries, without what one may do with it. */
type AnyStep = Job.Data

/** Options with every time made absolute: the row may be moved late. */
interface PackedOptions {
  readonly id: string
  readonly eta?: number
  readonly expires?: number
  readonly queue?: EnqueueOptions["queue"]
  readonly key?: string
  /** -1 = for ever. */
  readonly retries?: number
  readonly timeoutMs?: number
  readonly ignoreResult?: boolean
}

/** A row of the outbox. */
export interface Row {
  /** UUID: the primary key. */
  readonly row: string
  /** The job's id, known before it is enqueued. */
  readonly id: JobId
  readonly body: string
}

const packStep = (step: AnyStep): Record<string, unknown> => {
  if (Result.isFailure(step.payload)) throw new PayloadInvalid({ task: step.task, issues: step.payload.failure })
  const payload = step.payload.success ?? null
  const bytes = Buffer.byteLength(JSON.stringify(payload))
  const limit = defaults.maxPayloadBytes
  if (bytes > limit) throw new PayloadTooLarge({ task: step.task, bytes, limit })
  const { callbacks, members, next, payload: _, ...rest } = step
  const data = Object.entries(rest).filter(([, value]) => value !== undefined && typeof value !== "function")
  return {
    ...Object.fromEntries(data),
    payload,
    ...(members === undefined ? {} : { members: members.map(packStep) }),
    ...(next === undefined ? {} : { next: packStep(next) }),
    ...(callbacks === undefined
      ? {}
      : { callbacks: { done: callbacks.done.map(packStep), failed: callbacks.failed.map(packStep) } })
  }
}

interface PackedStep {
  readonly task: string
  readonly queue: AnyStep["queue"]
  readonly payload: unknown
  readonly members?: ReadonlyArray<PackedStep>
  readonly next?: PackedStep
  readonly callbacks?: { readonly done: ReadonlyArray<PackedStep>; readonly failed: ReadonlyArray<PackedStep> }
}

const unpackStep = ({ callbacks, members, next, payload, ...rest }: PackedStep): Job.Job<unknown> =>
  Job.make<unknown>({
    ...rest,
    payload: Result.succeed(payload),
    members: members?.map(unpackStep),
    next: next === undefined ? undefined : unpackStep(next),
    callbacks:
      callbacks === undefined
        ? undefined
        : { done: callbacks.done.map(unpackStep), failed: callbacks.failed.map(unpackStep) }
  })

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** Options with undefined left out. */
const packOptions = (o: EnqueueOptions, id: string, now: number): PackedOptions => {
  const eta = o.eta === undefined ? (o.delay === undefined ? undefined : now + millis(o.delay)) : Number(o.eta)
  const expires =
    o.expires === undefined ? undefined : o.expires instanceof Date ? Number(o.expires) : now + millis(o.expires)
  return {
    id,
    ...(eta === undefined ? {} : { eta }),
    ...(expires === undefined ? {} : { expires }),
    ...(o.queue === undefined ? {} : { queue: o.queue }),
    ...(o.key === undefined ? {} : { key: o.key }),
    ...(o.retries === undefined ? {} : { retries: Number.isFinite(o.retries) ? o.retries : -1 }),
    ...(o.timeout === undefined ? {} : { timeoutMs: millis(o.timeout) }),
    ...(o.ignoreResult === undefined ? {} : { ignoreResult: o.ignoreResult })
  }
}

const lastOf = (job: Pick<AnyStep, "next" | "queue">): AnyStep["queue"] =>
  job.next === undefined ? job.queue : lastOf(job.next)

/** The row of a job. Throws `PayloadInvalid` or `PayloadTooLarge`. `now` in epoch ms. */
export const pack = (job: Job.Job<unknown>, options: EnqueueOptions, row: string, now: number): Row => {
  const chosen = options.id ?? `outbox:${row}`
  const id = chosenId(job.next === undefined ? (options.queue ?? job.queue) : lastOf(job), chosen)
  if (id === undefined) {
    const message = `expected 1-200 of A-Z a-z 0-9 _ . : @ / + -, got ${JSON.stringify(chosen)}`
    throw new PayloadInvalid({ task: job.task, issues: [{ path: "options.id", message }] })
  }
  return { row, id, body: JSON.stringify({ job: packStep(job), options: packOptions(options, chosen, now) }) }
}

/** What a row says. Throws where its text is not ours. */
export const unpack = (body: string): { readonly job: Job.Job<unknown>; readonly options: EnqueueOptions } => {
  const { job, options } = JSON.parse(body) as { readonly job: PackedStep; readonly options: PackedOptions }
  const { eta, expires, retries, timeoutMs, ...rest } = options
  return {
    job: unpackStep(job),
    options: {
      ...rest,
      ...(eta === undefined ? {} : { eta }),
      ...(expires === undefined ? {} : { expires: new Date(expires) }),
      ...(retries === undefined ? {} : { retries: retries === -1 ? Number.POSITIVE_INFINITY : retries }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs })
    }
  }
}
