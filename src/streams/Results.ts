/**
 * Waiting for the end of a job. Promises no polling: whoever waits is told by the stream of events, read on one connection
 * per process; the job's hash is looked at once before (the race) and, against an event that was lost with its worker,
 * every few seconds for all that wait, in one round trip.
 */
import { Duration, Effect } from "effect"
import {
  type AwaitError,
  AwaitTimedOut,
  EngineUnavailable,
  type Failure,
  JobCancelled,
  JobFailed,
  JobUnknown
} from "../jobs/Engine.ts"
import { queueOf } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { Events } from "./Events.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import type { Client } from "./Redis.ts"

type Resume = (effect: Effect.Effect<unknown, AwaitError>) => void

const recheckMs = 5_000
const lookUpMax = 256

export class Waiters {
  private readonly client: Client
  private readonly namespace: string
  private readonly events: Events["Service"]
  private readonly waiting = new Map<string, Set<Resume>>()
  private readonly asked = new Set<string>()
  /** Ends heard of, whose jobs may keep nothing; an id stands here while someone waits for it. */
  private readonly heard = new Map<string, string>()
  private stop: (() => void) | undefined
  private listening: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined
  private scheduled = false

  constructor(client: Client, namespace: string, events: Events["Service"]) {
    this.client = client
    this.namespace = namespace
    this.events = events
  }

  /** The encoded result of a job, once it has one. */
  await(id: string, timeout?: Duration.Input): Effect.Effect<unknown, AwaitError> {
    if (timeout === undefined) return this.forever(id)
    const timeoutMs = Duration.toMillis(Duration.fromInputUnsafe(timeout))
    return Effect.timeoutOrElse(this.forever(id), {
      duration: timeoutMs,
      orElse: () => Effect.fail(new AwaitTimedOut({ id, timeoutMs }))
    })
  }

  private forever(id: string): Effect.Effect<unknown, AwaitError> {
    return Effect.callback<unknown, AwaitError>((resume) => {
      if (queueOf(id) === undefined) return resume(Effect.fail(new JobUnknown({ id })))
      const set = this.waiting.get(id) ?? new Set()
      set.add(resume)
      this.waiting.set(id, set)
      this.listen().then(
        () => this.ask(id),
        (cause: unknown) => this.answer(id, Effect.fail(new EngineUnavailable({ op: "await", cause })))
      )
      return Effect.sync(() => {
        set.delete(resume)
        if (set.size === 0 && this.waiting.get(id) === set) {
          this.waiting.delete(id)
          this.heard.delete(id)
        }
        this.rest()
      })
    })
  }

  close(): void {
    this.waiting.clear()
    this.heard.clear()
    this.rest()
  }

  private listen(): Promise<void> {
    this.listening ??= this.events
      .listen((_seq, rows) => {
        for (const row of rows) {
          if (!isFinal(row[2]) || !this.waiting.has(row[0])) continue
          if (row[8] !== undefined) {
            this.answer(row[0], Effect.succeed(JSON.parse(row[8])))
            continue
          }
          this.heard.set(row[0], row[2] === "done" ? "" : (row[7] ?? row[2]))
          this.ask(row[0])
        }
      })
      .then((stop) => {
        this.stop = stop
        this.timer = setInterval(() => {
          for (const id of this.waiting.keys()) this.ask(id)
        }, recheckMs)
        this.rest()
      })
    return this.listening
  }

  /** Stops listening while nobody waits. */
  private rest(): void {
    if (this.waiting.size > 0 || this.stop === undefined) return
    this.stop()
    this.stop = undefined
    this.listening = undefined
    clearInterval(this.timer)
  }

  /** Look-ups of one turn of the event loop go together. */
  private ask(id: string): void {
    this.asked.add(id)
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      const ids = [...this.asked]
      this.asked.clear()
      for (let i = 0; i < ids.length; i += lookUpMax) void this.lookUp(ids.slice(i, i + lookUpMax))
    })
  }

  private async lookUp(ids: ReadonlyArray<string>): Promise<void> {
    const keys = keysOf(this.namespace)
    try {
      const found = await JobQueues.outcomes(
        this.client,
        ids.map((id) => [id, keys.queue(queueOf(id) ?? "default")] as const)
      )
      ids.forEach((id, i) => {
        const stored = found[i]
        if (stored === undefined) this.answer(id, this.unkept(id))
        else if (stored.final) this.answer(id, ending(id, stored))
      })
    } catch {
      // Redis is away: the next event or the next check asks again.
    }
  }

  /** A job that keeps nothing ends for those who waited with what they heard; those who come later don't know it. */
  private unkept(id: string): Effect.Effect<unknown, AwaitError> {
    const heard = this.heard.get(id)
    if (heard === undefined) return Effect.fail(new JobUnknown({ id }))
    return heard === "" ? Effect.succeed(null) : Effect.fail(new JobCancelled({ id, reason: heard }))
  }

  private answer(id: string, effect: Effect.Effect<unknown, AwaitError>): void {
    const set = this.waiting.get(id)
    if (set === undefined) return
    this.waiting.delete(id)
    this.heard.delete(id)
    for (const resume of set) resume(effect)
    this.rest()
  }
}

const ending = (id: string, stored: JobQueues.Stored): Effect.Effect<unknown, AwaitError> => {
  if (stored.state === "done") return Effect.succeed(JSON.parse(stored.result ?? "null"))
  const error = failureOf(stored.error)
  return stored.state === "cancelled"
    ? Effect.fail(new JobCancelled({ id, reason: error.message ?? error._tag }))
    : Effect.fail(new JobFailed({ id, error }))
}

/** A failure as it is kept. */
export const failureOf = (text: string | undefined): Failure => {
  try {
    return JSON.parse(text ?? "") as Failure
  } catch {
    return { _tag: "Error", message: text ?? "no reason was kept" }
  }
}
