/**
 * Makes jobs at their times. Promises that each slot fires once however many processes run the beat: one beat at a time may
 * claim a slot, and its job's id is made of schedule and slot, so that the engine refuses it a second time. Time is the Redis
 * server's, so that clocks that differ do not matter. Schedules added at run time are looked after beside those in code; what
 * the jobs do is left to the tasks.
 */
import { Effect, Exit, Layer, Queue, Result, Schedule as Repeat } from "effect"
import { randomBytes } from "node:crypto"
import { Engine, type EnqueueError } from "../jobs/Engine.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { AnyTask } from "../jobs/Registry.ts"
import { Control } from "../streams/Control.ts"
import { Inspect } from "../streams/Inspect.ts"
import { Redis, type RedisError } from "../streams/Redis.ts"
import * as Slots from "../streams/Slots.ts"
import * as Policy from "./Policy.ts"
import { fromSpec, fromStored, type Schedule } from "./Schedule.ts"

export { type Crontab, cron, crontab, every, type Schedule, type ScheduleOptions } from "./Schedule.ts"

/** The id of a slot's job; the engine adds the letter of its queue. */
export const slotId = (name: string, slot: number): string => `beat:${name}:${slot}`

export interface Turn {
  /** Jobs added, by slot. */
  readonly fired: ReadonlyArray<{ readonly name: string; readonly slot: number; readonly id: string }>
  /** ms until the next slot of any schedule. */
  readonly sleepMs: number
}

/** A claim holds other beats off for so long, ms: enqueueing takes far less, a dead beat delays its slot by no more. */
const claimMs = 10_000
/** After a job was refused (a full queue, say), or while it waits for an earlier one, its slot is tried again, ms. */
const againMs = 1_000

/** What a beat knows from one turn to the next. */
interface Mind {
  readonly token: string
  readonly code: ReadonlyArray<Schedule>
  readonly tasks: ReadonlyArray<AnyTask>
  version: number
  /** All that are not paused. */
  all: ReadonlyArray<Schedule>
  /** When to look at a schedule again, epoch ms, by name; none = now. */
  readonly next: Map<string, number>
  /** Slots that wait for the end of an earlier job, by name. */
  readonly waits: Map<string, number>
}

const mindOf = (code: ReadonlyArray<Schedule>, tasks: Iterable<AnyTask>): Mind => ({
  token: randomBytes(8).toString("hex"),
  code,
  tasks: [...tasks],
  version: -1,
  all: [],
  next: new Map(),
  waits: new Map()
})

/** Reads what is stored again. A schedule that this process can't run (a task of a newer version) is left to others. */
const learn = Effect.fnUntraced(function* (mind: Mind) {
  const { definitions, paused, version } = yield* Slots.shared(yield* Redis)
  const inCode = new Set(mind.code.map((s) => s.name))
  const stored: Array<Schedule> = []
  for (const [name, text] of definitions) {
    const read = fromStored(text)
    const made = read === undefined ? undefined : fromSpec(read.spec, mind.tasks, read.rev)
    if (made !== undefined && Result.isSuccess(made) && !inCode.has(name)) stored.push(made.success)
    else if (mind.tasks.length > 0) yield* Effect.logWarning(`schedule ${name} can't be run by this beat`)
  }
  mind.all = [...mind.code, ...stored].filter((s) => !paused.has(s.name))
  mind.next.clear()
  mind.waits.clear()
  mind.version = version
})

/** One pass: fires what is due. `at` overrides the server's time. */
const pass = Effect.fnUntraced(function* (mind: Mind, at?: number) {
  const redis = yield* Redis
  const { now: server, version } = yield* Slots.look(redis)
  if (version !== mind.version) yield* learn(mind)
  const now = at ?? server
  const ready = mind.all.filter((s) => (mind.next.get(s.name) ?? now) <= now)
  const memory = yield* Slots.recall(
    redis,
    ready.map((s) => s.name)
  )
  const fired: Array<Turn["fired"][number]> = []
  for (const s of ready) {
    mind.next.set(s.name, yield* attend(mind, s, memory.get(s.name), now, fired))
  }
  let next = Number.POSITIVE_INFINITY
  for (const s of mind.all) next = Math.min(next, mind.next.get(s.name) ?? now)
  return { fired, sleepMs: Math.max(0, next - now) } satisfies Turn
})

/** Fires what is due of one schedule. Returns when to look at it again. */
const attend = Effect.fnUntraced(function* (
  mind: Mind,
  s: Schedule,
  known: Slots.Remembered | undefined,
  now: number,
  fired: Array<Turn["fired"][number]>
) {
  if (s.maxRuns !== undefined && (known?.runs ?? 0) >= s.maxRuns) return Number.POSITIVE_INFINITY
  const { reason, slots } = Policy.due(s.when, s.misfire, known?.slot, now)
  const kept = mind.waits.get(s.name)
  mind.waits.delete(s.name)
  // One that waits for an earlier job is not missed, however late it is; those that came meanwhile are left out.
  const waiting = kept !== undefined && kept > (known?.slot ?? Number.NEGATIVE_INFINITY) ? kept : undefined
  for (const slot of waiting === undefined ? slots : [waiting, ...slots.filter((later) => later > waiting)]) {
    const done = yield* fire(mind, s, slot, now, reason, waiting !== undefined && slot > waiting)
    if ("heldMs" in done) {
      if (done.waits === true) mind.waits.set(s.name, slot)
      return now + done.heldMs + 1
    }
    if (done.id !== undefined) fired.push({ name: s.name, slot, id: done.id })
  }
  return Policy.nextSlot(s.when, now)
})

type Fired = { readonly id: string | undefined } | { readonly heldMs: number; readonly waits?: boolean }

/**
 * Adds a slot's job. The id if this call did so; undefined where another had, or the slot is left out. `crowded`: it came while
 * another waited.
 */
const fire = Effect.fnUntraced(function* (
  mind: Mind,
  s: Schedule,
  slot: number,
  now: number,
  reason: string,
  crowded: boolean
): Effect.fn.Return<Fired, RedisError | EnqueueError, Redis | Engine | Inspect | Control> {
  const redis = yield* Redis
  const engine = yield* Engine
  const { maxRuns, name, rev } = s
  const [status, heldMs] = yield* Slots.claim(redis, { name, slot, token: mind.token, leaseMs: claimMs, maxRuns, rev })
  if (status === "held") return { heldMs }
  if (status !== "yours") return { id: undefined }
  const stored = rev !== undefined
  const leave = (why: string) =>
    Effect.as(Slots.remember(redis, name, { slot, at: now, job: null, why }, { stored }), { id: undefined })
  if (crowded) return yield* leave("one is waiting already")
  const unfinished = s.overlap === "allow" ? [] : yield* unfinishedJobs(s, slot)
  const start = Policy.overlap(s.overlap, unfinished.length)
  if (start.act === "leave") return yield* leave(start.reason)
  if (start.act === "wait") return { heldMs: againMs, waits: true }
  if (start.act === "cancelAndStart") {
    const control = yield* Control
    for (const id of unfinished) yield* control.revoke(id, { terminate: true })
  }
  const delay = Math.max(0, slot + Policy.jitterOf(name, slot, s.jitterMs) - now)
  const offered = yield* Effect.result(
    engine.offer(s.job, {
      id: slotId(name, slot),
      ...(delay > 0 ? { delay } : {}),
      ...(s.queue === undefined ? {} : { queue: s.queue })
    })
  )
  if (Result.isFailure(offered)) {
    if (offered.failure._tag === "EngineUnavailable") return yield* offered.failure
    // One schedule's full queue must not hold up the others.
    if (offered.failure.retryable) return { heldMs: againMs }
    yield* Effect.logWarning(`schedule ${name} leaves a slot out: ${offered.failure.message}`)
    return yield* leave(offered.failure.message)
  }
  const { duplicate, id } = offered.success
  // Remembered after it is added: a crash in between makes a second, refused, enqueue; never a lost slot.
  yield* Slots.remember(redis, name, { slot, at: now, job: id, why: reason }, { stored })
  return { id: duplicate ? undefined : id }
})

/** Jobs of the schedule's last slots that have not ended; three are looked at. */
const unfinishedJobs = Effect.fnUntraced(function* (s: Schedule, slot: number) {
  const inspect = yield* Inspect
  const known = (yield* Slots.recall(yield* Redis, [s.name])).get(s.name)
  const earlier = (known?.last ?? []).flatMap((run) => (run.job === null || run.slot === slot ? [] : [run.job]))
  const out: Array<string> = []
  for (const id of earlier.slice(0, 3)) {
    const job = yield* inspect.job(id)
    if (job !== undefined && !isFinal(job.state)) out.push(id)
  }
  return out
})

/** One pass of a beat that knows nothing yet: fires what is due. `at` overrides the server's time (tests). */
export const turn = (
  schedules: ReadonlyArray<Schedule>,
  at?: number,
  tasks: Iterable<AnyTask> = []
): Effect.Effect<Turn, RedisError | EnqueueError, Redis | Engine | Inspect | Control> =>
  Effect.suspend(() => pass(mindOf(schedules, tasks), at))

/** Longest sleep between two looks, so that a server whose clock is set again, or a change that was not heard, is noticed. */
const longestSleepMs = 15_000

export interface BeatOptions {
  /** Tasks that schedules added at run time may name; none: such schedules are left to other beats. */
  readonly tasks?: Iterable<AnyTask>
}

/** Runs the beat in this process, beside any number of others. Throws where two schedules have one name. */
export const layer = (
  schedules: ReadonlyArray<Schedule>,
  options: BeatOptions = {}
): Layer.Layer<never, never, Redis | Engine | Inspect | Control> => {
  const names = new Set<string>()
  for (const s of schedules) {
    if (names.has(s.name)) throw new Error(`expected one schedule of each name, got two named ${s.name}`)
    names.add(s.name)
  }
  return Layer.effectDiscard(
    Effect.gen(function* () {
      const changed = yield* Queue.sliding<void>(1)
      yield* Slots.listen(yield* Redis, () => void Queue.offerUnsafe(changed, undefined))
      const mind = mindOf(schedules, options.tasks ?? [])
      const once = Effect.flatMap(Effect.exit(pass(mind)), (exit) => {
        if (Exit.isSuccess(exit)) {
          return Effect.timeoutOption(Queue.take(changed), Math.min(longestSleepMs, exit.value.sleepMs + 2))
        }
        mind.version = -1
        return Effect.andThen(
          Effect.logWarning("the beat missed a turn and tries again", exit.cause),
          Effect.sleep("1 second")
        )
      })
      yield* Effect.forkScoped(Effect.repeat(once, Repeat.forever))
    })
  )
}
