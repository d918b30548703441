/**
 * Waiting for the end of a job. Promises no polling: whoever waits is told by the stream of events, read on one connection
 * per process; the job's hash is looked at once before (the race) and, against an event that was lost with its worker,
 * every few seconds for all that wait, in one round trip. A job that was made here while we listened has no race: its end
 * was heard or is to be heard, and the look is for the slow ones.
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
import { madeHereAt, queueOf } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { Events, PackedRow } from "./Events.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import type { Client } from "./Redis.ts"

type Resume = (effect: Effect.Effect<unknown, AwaitError>) => void

const recheckMs = 5_000
const lookUpMax = 256
/** ms until the hash of a job is looked at whose end would have been heard. */
const patientMs = 25
/** ms that we listen on after the last who waited, so that the next need not begin anew. */
const lingerMs = 1_000
/** Small results heard lately that are remembered, for whoever asks a moment too late. */
const recentMax = 1_000

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
  /** Since when nothing was missed, epoch ms. */
  private since = Number.POSITIVE_INFINITY
  private readonly recent = new Map<string, string>()
  private timer: NodeJS.Timeout | undefined
  private lingering: NodeJS.Timeout | undefined
  private patience: NodeJS.Timeout | undefined
  private readonly later = new Set<string>()
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
      if ((madeHereAt(id) ?? 0) > this.since) this.hope(id)
      else
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
    this.endListening()
  }

  private listen(): Promise<void> {
    this.listening ??= this.events
      .listen((_seq, rows) => {
        for (const row of rows) {
          if (!isFinal(row[2])) continue
          if (this.waiting.has(row[0])) this.hear(row)
          else if (row[8] !== undefined && madeHereAt(row[0]) !== undefined) this.remember(row[0], row[8])
        }
      })
      .then((stop) => {
        this.stop = stop
        this.since = Date.now()
        this.timer = setInterval(() => {
          for (const id of this.waiting.keys()) this.ask(id)
        }, recheckMs)
        this.rest()
      })
    return this.listening
  }

  /** Waits for an end that cannot have been missed; looks at the job only where it takes its time. */
  private hope(id: string): void {
    const result = this.recent.get(id)
    if (result !== undefined) return this.answer(id, Effect.succeed(JSON.parse(result)))
    this.later.add(id)
    this.patience ??= setTimeout(() => {
      this.patience = undefined
      const ids = [...this.later]
      this.later.clear()
      for (const one of ids) if (this.waiting.has(one)) this.ask(one)
    }, patientMs)
  }

  /** The end of a job that is waited for. */
  private hear(row: PackedRow): void {
    const [id, , state] = row
    if (row[8] !== undefined) return this.answer(id, Effect.succeed(JSON.parse(row[8])))
    this.heard.set(id, state === "done" ? "" : (row[7] ?? state))
    this.ask(id)
  }

  private remember(id: string, result: string): void {
    this.recent.set(id, result)
    if (this.recent.size > recentMax) this.recent.delete(this.recent.keys().next().value as string)
  }

  /** Stops listening once nobody has waited for a while. */
  private rest(): void {
    if (this.waiting.size > 0 || this.stop === undefined || this.lingering !== undefined) return
    this.lingering = setTimeout(() => {
      this.lingering = undefined
      if (this.waiting.size === 0) this.endListening()
    }, lingerMs)
    this.lingering.unref()
  }

  private endListening(): void {
    clearTimeout(this.lingering)
    clearTimeout(this.patience)
    clearInterval(this.timer)
    this.stop?.()
    this.lingering = undefined
    this.patience = undefined
    this.stop = undefined
    this.listening = undefined
    this.since = Number.POSITIVE_INFINITY
    this.recent.clear()
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
