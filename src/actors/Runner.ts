/**
 * Runs one attempt and says what became of it. Promises that nothing a handler does (fail, die, hang past its limit, return
 * what its schema refuses) escapes it: every end is an outcome. One fiber per job; time limits only for tasks that ask.
 */
import { Effect, Exit, Result } from "effect"
import * as Outcome from "../jobs/Outcome.ts"
import type { Registration, Registry } from "../jobs/Registry.ts"
import { groupTask } from "../jobs/Flow.ts"
import { freshId, queueOf } from "../jobs/JobQueue.ts"
import { LinkInvalid, linkTask } from "../streams/Flows.ts"
import type { Held } from "./Held.ts"

export interface RunnerOptions {
  readonly registry: Registry["Service"]
  /** How often a job may have been started by workers that died before it is given up. */
  readonly maxDeliveries: number
  readonly maxResultBytes: number
  /** Carries out a link job. */
  readonly tell: (payload: string) => Promise<void>
  readonly progress: (held: Held, value: unknown) => Effect.Effect<void>
}

/** What the settler is told: an outcome with its encoded text, an internal job that needs only an acknowledgement, or nothing to settle. */
export type Ended =
  | {
      readonly _tag: "Outcome"
      readonly outcome: Outcome.Outcome
      readonly task: Registration | undefined
      readonly body: string
      /** Id to settle under, where the entry's own is that of another job. */
      readonly as?: string
    }
  | { readonly _tag: "Told" }
  | { readonly _tag: "Left" }

const left: Ended = { _tag: "Left" }
/** ms before a job whose task nobody here knows is offered again, and how often. */
const unknownWaitMs = 5_000
const unknownMax = 10
const linkRetryMs = 1_000

export class Runner {
  private readonly options: RunnerOptions

  constructor(options: RunnerOptions) {
    this.options = options
  }

  /** Starts a job; `end` is called once, perhaps before this returns. */
  run(held: Held, end: (ended: Ended) => void): void {
    const { job, meta } = held
    if (job.task === linkTask) return this.tell(held, end)
    if (held.count > this.options.maxDeliveries) {
      const message = `its worker was lost ${held.count - 1} times`
      return end(
        outcome({ _tag: "Dead", error: { _tag: "WorkerLost", message } }, this.options.registry.tasks.get(job.task))
      )
    }
    if (job.task === groupTask) {
      return end({ _tag: "Outcome", outcome: { _tag: "Done", result: null }, task: undefined, body: job.payload })
    }
    const task = this.options.registry.tasks.get(job.task)
    if (task === undefined) return end(outcome(unknown(held), undefined))
    if (meta?.x !== undefined && Date.now() > meta.x) {
      return end(outcome({ _tag: "Cancelled", reason: "expired before it could start" }, task))
    }
    let json: unknown
    try {
      json = JSON.parse(job.payload)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return end(outcome({ _tag: "Dead", error: Outcome.invalid("PayloadInvalid", [{ path: "", message }]) }, task))
    }
    const payload = task.decode(json)
    if (Result.isFailure(payload)) {
      return end(outcome({ _tag: "Dead", error: Outcome.invalid("PayloadInvalid", payload.failure) }, task))
    }
    this.fork(held, task, payload.success, end)
  }

  private fork(held: Held, task: Registration, payload: unknown, end: (ended: Ended) => void): void {
    let effect: Effect.Effect<unknown, unknown>
    try {
      effect = task.run(payload, {
        id: held.job.id,
        attempt: held.attempt,
        task: task.name,
        progress: (value) => this.options.progress(held, value)
      })
    } catch (defect) {
      effect = Effect.die(defect)
    }
    const fiber = Effect.runForkWith(task.context)(effect)
    let timer: NodeJS.Timeout | undefined
    held.interrupt = () => fiber.interruptUnsafe()
    if (task.timeoutMs !== undefined) {
      timer = setTimeout(() => {
        held.stopped ??= "timeout"
        fiber.interruptUnsafe()
      }, task.timeoutMs)
    }
    fiber.addObserver((exit) => {
      if (timer !== undefined) clearTimeout(timer)
      held.interrupt = undefined
      end(this.decide(held, task, exit))
    })
  }

  private decide(held: Held, task: Registration, exit: Exit.Exit<unknown, unknown>): Ended {
    const tried = { failures: held.meta?.f ?? 0, random: Math.random() }
    if (held.stopped !== undefined && Exit.isFailure(exit)) {
      switch (held.stopped) {
        case "drain":
        case "lost":
          return left
        case "revoked":
          return outcome({ _tag: "Cancelled", reason: "revoked" }, task)
        case "timeout": {
          const error = { _tag: "TimedOut", message: `ran longer than its limit of ${task.timeoutMs} ms` }
          return outcome(Outcome.fromFailure(task, error, tried), task)
        }
      }
    }
    const decided = Outcome.fromExit(task, exit, tried)
    if (decided._tag !== "Done") {
      return held.stopped === "revoked" && decided._tag !== "Dead"
        ? outcome({ _tag: "Cancelled", reason: "revoked" }, task)
        : outcome(decided, task)
    }
    const body = JSON.stringify(decided.result) ?? "null"
    const limit = this.options.maxResultBytes
    if (body.length * 3 > limit && Buffer.byteLength(body) > limit) {
      const error = {
        _tag: "ResultTooLarge",
        message: `expected at most ${limit} bytes, got ${Buffer.byteLength(body)}`
      }
      return outcome({ _tag: "Dead", error }, task)
    }
    return { _tag: "Outcome", outcome: decided, task, body }
  }

  private tell(held: Held, end: (ended: Ended) => void): void {
    this.options.tell(held.job.payload).then(
      () => end({ _tag: "Told" }),
      (error: unknown) =>
        error instanceof LinkInvalid
          ? end(invalidLink(held, error.message))
          : setTimeout(() => (held.stopped === undefined ? this.tell(held, end) : end(left)), linkRetryMs)
    )
  }
}

const outcome = (decided: Outcome.Outcome, task: Registration | undefined): Ended => ({
  _tag: "Outcome",
  outcome: decided,
  task,
  body: bodyOf(decided)
})

/**
 * A link job that says nothing of ours would be tried for ever. It is dead under an id of its own: its entry names the job
 * that it tells of, whose record must not change.
 */
const invalidLink = ({ job: { id, queue } }: Held, message: string): Ended => {
  const own = queueOf(id) !== queue ? freshId(queue, Date.now()) : id.endsWith(linkTask) ? id : id + linkTask
  const dead: Outcome.Outcome = {
    _tag: "Dead",
    error: { _tag: "PayloadInvalid", message: `${linkTask} can't be told: ${message}` }
  }
  return { _tag: "Outcome", outcome: dead, task: undefined, body: bodyOf(dead), as: own }
}

const bodyOf = (decided: Outcome.Outcome): string => {
  switch (decided._tag) {
    case "Done":
      return JSON.stringify(decided.result) ?? "null"
    case "Dead":
    case "Retry":
      return JSON.stringify(decided.error)
    case "Cancelled":
      return JSON.stringify({ _tag: "Cancelled", message: decided.reason })
    case "Snoozed":
      return ""
  }
}

/** A task nobody here knows may be known to a newer worker: it goes back for a while, then it is dead. */
const unknown = (held: Held): Outcome.Outcome =>
  (held.meta?.s ?? 0) < unknownMax
    ? { _tag: "Snoozed", delayMs: unknownWaitMs }
    : { _tag: "Dead", error: { _tag: "UnknownTask", message: `no worker knows a task named ${held.job.task}` } }
