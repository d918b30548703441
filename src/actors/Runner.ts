/**
 * Runs one attempt and says what became of it. Promises that nothing a handler does (fail, die, hang past its limit, return
 * what its schema refuses) escapes it: every end is an outcome. One fiber per job; time limits only for tasks that ask.
 */
import { Context, Effect, Exit, Result } from "effect"
import * as Calling from "../jobs/Calling.ts"
import type { Failure } from "../jobs/Engine.ts"
import * as Outcome from "../jobs/Outcome.ts"
import type { Registration, Registry } from "../jobs/Registry.ts"
import { groupTask } from "../jobs/Flow.ts"
import * as Mapped from "../jobs/Mapped.ts"
import * as Losses from "../jobs/Losses.ts"
import * as Thread from "../jobs/Thread.ts"
import * as Trace from "../jobs/Trace.ts"
import { linkTask } from "../streams/Flows.ts"
import { Attempt, type Hooks } from "./Attempt.ts"
import { type Ended, left, outcome } from "./Ended.ts"
import * as FlowJobs from "./FlowJobs.ts"
import type { Gatekeeper, Passage } from "./Gatekeeper.ts"
import type { Held } from "./Held.ts"
import { type TimeLimits, timeLimits } from "./TimeLimits.ts"
import { lossesOf, type Suspects } from "./Suspects.ts"
import type * as Unknown from "./Unknown.ts"

export interface RunnerOptions {
  readonly registry: Registry["Service"]
  /** Name of this worker, for the losses that it writes down. */
  readonly worker: string
  /** Cares for jobs that were claimed before. */
  readonly suspects: Suspects
  /** Runs what belongs into a thread. */
  readonly execute: Thread.Execute
  readonly maxResultBytes: number
  /** The server's time, epoch ms. */
  readonly now: () => number
  /** Carries out a link job. */
  readonly tell: (id: string, payload: string) => Promise<void>
  /** The result of a group whose members are done, as text, or why it has none. */
  readonly gather: (held: Held) => Promise<{ readonly text: string } | { readonly failure: Failure }>
  /** Keeps what a job shows of itself; `state`: a name of its own for it. */
  readonly progress: (held: Held, value: unknown, state?: string) => Effect.Effect<void>
  readonly gatekeeper: Gatekeeper
  /** What becomes of a job whose task nobody here knows. */
  readonly unknown: Unknown.Decide
  /** A job that had to ask at a gate starts now. */
  readonly starts: (held: Held) => void
  /** An attempt did not end in time and is left to itself; what comes back is called when its fiber ends after all. */
  readonly abandoned: (held: Held) => () => void
  /** ms that an attempt has to end after it was told to, where its task says nothing else. */
  readonly graceMs: number
}

export class Runner {
  private readonly options: RunnerOptions
  private readonly hooks: Hooks
  /** Of all attempts whose task has no time limits. */
  private readonly unlimited: TimeLimits

  constructor(options: RunnerOptions) {
    this.options = options
    this.hooks = {
      abandoned: options.abandoned,
      decide: (held, task, exit, limitMs) => this.decide(held, task, exit, limitMs)
    }
    this.unlimited = { softMs: undefined, hardMs: undefined, graceMs: options.graceMs }
  }

  /** Starts a job; `end` is called once, perhaps before this returns. */
  run(held: Held, end: (ended: Ended) => void): void {
    const { job } = held
    if (job.task === linkTask) return FlowJobs.tellNext(held, this.options.tell, end)
    if (held.count > 1) return void this.again(held, end)
    this.begin(held, end)
  }

  /** A job that was claimed before: perhaps its worker was lost under it. */
  private async again(held: Held, end: (ended: Ended) => void): Promise<void> {
    const { registry, suspects } = this.options
    const losses = lossesOf(held)
    if (suspects.tooMany(losses)) {
      return end(outcome({ _tag: "Dead", error: Losses.failure(losses) }, registry.tasks.get(held.job.task)))
    }
    await suspects.admit(
      held,
      () =>
        new Promise((resolve) => {
          const done = (ended: Ended) => {
            resolve()
            end(ended)
          }
          // Stopped while it waited for its turn.
          if (held.stopped === undefined) this.begin(held, done)
          else done(held.stopped === "revoked" ? outcome({ _tag: "Cancelled", reason: "revoked" }, undefined) : left)
        })
    )
  }

  private begin(held: Held, end: (ended: Ended) => void): void {
    const { job, meta } = held
    if (job.task === groupTask) return FlowJobs.endGroup(held, this.options.gather, end)
    const task = Mapped.find(this.options.registry.tasks, job.task, this.options.execute)
    if (task === undefined) return void this.options.unknown(held).then((decided) => end(outcome(decided, undefined)))
    if (meta?.x !== undefined && this.options.now() > meta.x) {
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
    const { gatekeeper } = this.options
    if (gatekeeper.limited(task)) void this.enter(held, task, payload.success, end)
    else this.fork(held, task, payload.success, end)
  }

  /** Passes the gates of a limited task first. */
  private async enter(held: Held, task: Registration, payload: unknown, end: (ended: Ended) => void): Promise<void> {
    let passage: Passage
    try {
      passage = await this.options.gatekeeper.pass(held, task, payload)
    } catch (error) {
      // The only code of the task's in there is the function of its key.
      const message = `the key of a limit: ${error instanceof Error ? error.message : String(error)}`
      return end(outcome({ _tag: "Dead", error: { _tag: "Defect", message } }, task))
    }
    if (passage._tag === "later") return end({ ...passage, _tag: "Later" })
    if (passage._tag === "stopped") {
      return end(held.stopped === "revoked" ? outcome({ _tag: "Cancelled", reason: "revoked" }, task) : left)
    }
    if (held.meta?.g !== undefined) {
      const { g: _, ...meta } = held.meta
      held.meta = meta
    }
    this.options.starts(held)
    this.fork(held, task, payload, end)
  }

  private fork(held: Held, task: Registration, payload: unknown, end: (ended: Ended) => void): void {
    let effect: Effect.Effect<unknown, unknown>
    try {
      const context = {
        id: held.job.id,
        attempt: held.attempt,
        task: task.name,
        progress: (value: unknown) => this.options.progress(held, value),
        state: (name: string, value?: unknown) => this.options.progress(held, value, name)
      }
      effect =
        task.thread === undefined
          ? task.run(payload, context)
          : Thread.run(task.thread, payload, context, this.options.execute)
    } catch (defect) {
      effect = Effect.die(defect)
    }
    const context = Context.add(task.context, Calling.CurrentJob, held.job.id)
    const traceparent = held.meta?.w
    if (traceparent !== undefined || Trace.isInstalled(task.context)) {
      const traced = { task: task.name, queue: held.job.queue, id: held.job.id, attempt: held.attempt }
      effect = Trace.consuming(task.context, traced, traceparent, effect)
    }
    const fiber = Effect.runForkWith(context)(effect)
    new Attempt(held, task, fiber, this.limitsOf(held, task), this.hooks, end).watch()
  }

  private limitsOf(held: Held, task: Registration): TimeLimits {
    const called = held.meta?.d
    const set = this.options.gatekeeper.of(task.name)?.time
    return called === undefined && set === undefined && task.timeoutMs === undefined && task.hardTimeoutMs === undefined
      ? this.unlimited
      : timeLimits(task, called, set, this.options.graceMs)
  }

  /** What an end means. Code of the task's that throws in there (a `toString`, a getter) makes the job dead. */
  private decide(
    held: Held,
    task: Registration,
    exit: Exit.Exit<unknown, unknown>,
    limitMs: number | undefined
  ): Ended {
    try {
      return this.judge(held, task, exit, limitMs)
    } catch (error) {
      const message = `its end: ${error instanceof Error ? error.message : "something was thrown"}`
      return outcome({ _tag: "Dead", error: { _tag: "Defect", message } }, task)
    }
  }

  private judge(held: Held, task: Registration, exit: Exit.Exit<unknown, unknown>, limitMs: number | undefined): Ended {
    const tried = { failures: held.meta?.f ?? 0, random: Math.random(), retries: Calling.retriesOf(held.meta) }
    if (held.stopped !== undefined && Exit.isFailure(exit)) {
      switch (held.stopped) {
        case "drain":
        case "lost":
          return left
        case "revoked":
          return outcome({ _tag: "Cancelled", reason: "revoked" }, task)
        case "timeout": {
          const error = { _tag: "TimedOut", message: `ran longer than its limit of ${limitMs} ms` }
          return outcome(Outcome.fromFailure(task, error, tried), task)
        }
      }
    }
    const crash = held.stopped === undefined ? crashOf(exit) : undefined
    if (crash !== undefined) {
      held.meta = { ...held.meta, c: Losses.add(held.meta?.c, [this.options.worker, Date.now()]) }
      const losses = lossesOf(held)
      if (this.options.suspects.tooMany(losses)) {
        return outcome({ _tag: "Dead", error: Losses.failure(losses) }, task)
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
}

const crashOf = (exit: Exit.Exit<unknown, unknown>): Thread.ThreadCrashed | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  for (const r of exit.cause.reasons) if (r._tag === "Fail" && r.error instanceof Thread.ThreadCrashed) return r.error
  return undefined
}
