/**
 * Makes jobs at their times. Promises that each slot fires once however many processes run the beat: the id of a slot's job
 * is made of schedule and slot, and the engine refuses an id it knows. Time is the Redis server's, so that clocks that
 * differ do not matter. What the jobs do is left to the tasks.
 */
import { Context, Cron, Duration, Effect, Exit, Layer, Result, Schedule as Repeat } from "effect"
import { Engine, type EnqueueError } from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import { isFinal } from "../jobs/Outcome.ts"
import { Control } from "../streams/Control.ts"
import { Inspect } from "../streams/Inspect.ts"
import { Redis, type RedisError } from "../streams/Redis.ts"
import * as Slots from "../streams/Slots.ts"
import * as Policy from "./Policy.ts"

export interface ScheduleOptions {
  /** IANA zone of a cron expression; default UTC. */
  readonly timeZone?: string
  /** About slots missed while no beat ran; default `once`: the latest one. */
  readonly misfire?: "skip" | "once" | { readonly allWithin: Duration.Input }
  /** About a job that has not ended when the next is due; default `allow`. */
  readonly overlap?: Policy.Overlap
  /** Start up to so much later, by a hash of schedule and slot; default none. */
  readonly jitter?: Duration.Input
}

export interface Schedule {
  readonly name: string
  readonly when: Policy.When
  readonly job: Job<unknown>
  readonly misfire: Policy.Misfire
  readonly overlap: Policy.Overlap
  readonly jitterMs: number
}

/** A schedule at a glance; times in epoch ms. */
export interface ScheduleRow {
  readonly name: string
  readonly task: string
  readonly when: string
  readonly timeZone: string
  readonly nextAt: number
  readonly lastAt: number | null
}

const namePattern = /^[\w.-]{1,100}$/u

const schedule = (name: string, when: Policy.When, job: Job<unknown>, o: ScheduleOptions): Schedule => {
  if (!namePattern.test(name)) throw new Error(`expected a schedule name like "clean_up", got ${JSON.stringify(name)}`)
  return {
    name,
    when,
    job,
    misfire: typeof o.misfire === "object" ? { allWithin: millis(o.misfire.allWithin) } : (o.misfire ?? "once"),
    overlap: o.overlap ?? "allow",
    jitterMs: o.jitter === undefined ? 0 : millis(o.jitter)
  }
}

/** At the times of a cron expression (5 fields, or 6 with seconds first). Throws where it does not parse. */
export const cron = (expression: string, name: string, job: Job<unknown>, options: ScheduleOptions = {}): Schedule => {
  const timeZone = options.timeZone ?? "UTC"
  const parsed = Cron.parse(expression, timeZone)
  if (Result.isFailure(parsed)) {
    throw new Error(
      `schedule ${name}: expected a cron expression, got ${JSON.stringify(expression)}: ${parsed.failure.message}`
    )
  }
  return schedule(name, { _tag: "Cron", expression, timeZone, cron: parsed.success }, job, options)
}

/** At every multiple of an interval (at least 1 s) since the epoch. */
export const every = (
  interval: Duration.Input,
  name: string,
  job: Job<unknown>,
  options: Omit<ScheduleOptions, "timeZone"> = {}
): Schedule => {
  const everyMs = millis(interval)
  if (everyMs < 1_000) throw new Error(`schedule ${name}: expected an interval of at least 1 second, got ${everyMs} ms`)
  const text = typeof interval === "string" ? interval : `${everyMs / 1_000} seconds`
  return schedule(name, { _tag: "Every", text, everyMs }, job, options)
}

/** The schedules that are known, for those who look. */
export class Beats extends Context.Service<
  Beats,
  { readonly list: Effect.Effect<ReadonlyArray<ScheduleRow>, RedisError> }
>()("loglytics/schedules/Beats") {}

/** Schedules as rows, with the slots that all processes remember. */
export const list = (
  schedules: ReadonlyArray<Schedule>
): Effect.Effect<ReadonlyArray<ScheduleRow>, RedisError, Redis> =>
  Effect.gen(function* () {
    const { all, now } = yield* Slots.recall(yield* Redis)
    return schedules.map((s) => ({
      name: s.name,
      task: s.job.task,
      when: s.when._tag === "Cron" ? s.when.expression : `every ${s.when.text}`,
      timeZone: s.when._tag === "Cron" ? s.when.timeZone : "UTC",
      nextAt: Policy.nextSlot(s.when, now),
      lastAt: all.get(s.name)?.slot ?? null
    }))
  })

/** Only the looking, for processes that run no beat. */
export const layerInspect = (schedules: ReadonlyArray<Schedule>): Layer.Layer<Beats, never, Redis> =>
  Layer.effect(
    Beats,
    Effect.map(Redis, (redis) => Beats.of({ list: Effect.provideService(list(schedules), Redis, redis) }))
  )

/** The id of a slot's job; the engine adds the letter of its queue. */
export const slotId = (name: string, slot: number): string => `beat:${name}:${slot}`

export interface Turn {
  /** Jobs added, by slot. */
  readonly fired: ReadonlyArray<{ readonly name: string; readonly slot: number; readonly id: string }>
  /** ms until the next slot of any schedule. */
  readonly sleepMs: number
}

/** One pass: fires what is due. `at` overrides the server's time (tests). */
export const turn = (
  schedules: ReadonlyArray<Schedule>,
  at?: number
): Effect.Effect<Turn, RedisError | EnqueueError, Redis | Engine | Inspect | Control> =>
  Effect.gen(function* () {
    const { all, now: server } = yield* Slots.recall(yield* Redis)
    const now = at ?? server
    const fired: Array<Turn["fired"][number]> = []
    let next = Number.POSITIVE_INFINITY
    for (const s of schedules) {
      const { slots } = Policy.due(s.when, s.misfire, all.get(s.name)?.slot, now)
      for (const slot of slots) {
        const id = yield* fire(s, slot, now)
        if (id !== undefined) fired.push({ name: s.name, slot, id })
      }
      next = Math.min(next, Policy.nextSlot(s.when, now))
    }
    return { fired, sleepMs: Math.max(0, next - now) }
  })

/** Adds a slot's job. The id if this call did so; undefined where another process had, or the slot is left out. */
const fire = Effect.fnUntraced(function* (s: Schedule, slot: number, now: number) {
  const redis = yield* Redis
  const engine = yield* Engine
  const unfinished = s.overlap === "allow" ? [] : yield* unfinishedJobs(s, slot)
  const { act, reason } = Policy.overlap(s.overlap, unfinished.length)
  if (act === "leave") {
    yield* Effect.logDebug(`schedule ${s.name} leaves a slot out: ${reason}`)
    yield* Slots.remember(redis, s.name, slot, "")
    return undefined
  }
  if (act === "cancelAndStart") {
    const control = yield* Control
    for (const id of unfinished) yield* control.revoke(id, { terminate: true })
  }
  const delay = Math.max(0, slot + Policy.jitterOf(s.name, slot, s.jitterMs) - now)
  const { duplicate, id } = yield* engine.offer(s.job, { id: slotId(s.name, slot), ...(delay > 0 ? { delay } : {}) })
  // Remembered after it is added: a crash in between makes a second, refused, enqueue; never a lost slot.
  yield* Slots.remember(redis, s.name, slot, id)
  return duplicate ? undefined : id
})

/** Jobs of the schedule's earlier slots that have not ended. */
const unfinishedJobs = Effect.fnUntraced(function* (s: Schedule, slot: number) {
  const inspect = yield* Inspect
  const { all } = yield* Slots.recall(yield* Redis)
  const out: Array<string> = []
  for (const id of all.get(s.name)?.jobs ?? []) {
    if (id.slice(2) === slotId(s.name, slot)) continue
    const job = yield* inspect.job(id)
    if (job !== undefined && !isFinal(job.state)) out.push(id)
  }
  return out
})

/** Longest sleep between two looks, so that a server whose clock is set again is noticed. */
const longestSleepMs = 30_000

/** Runs the beat in this process, beside any number of others. */
export const layer = (
  schedules: ReadonlyArray<Schedule>
): Layer.Layer<Beats, never, Redis | Engine | Inspect | Control> => {
  const names = new Set<string>()
  for (const s of schedules) {
    if (names.has(s.name)) throw new Error(`expected one schedule of each name, got two named ${s.name}`)
    names.add(s.name)
  }
  const once = Effect.flatMap(Effect.exit(turn(schedules)), (exit) =>
    Exit.isSuccess(exit)
      ? Effect.sleep(Math.min(longestSleepMs, exit.value.sleepMs + 2))
      : Effect.andThen(
          Effect.logWarning("the beat missed a turn and tries again", exit.cause),
          Effect.sleep("1 second")
        )
  )
  return Layer.effectDiscard(Effect.forkScoped(Effect.repeat(once, Repeat.forever))).pipe(
    Layer.merge(layerInspect(schedules))
  )
}

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))
