/**
 * Schedules for those who look and steer: list, create, change, delete, pause, run now, backfill. Promises that what is stored
 * has been checked (task, payload, times, zone), that all beats hear of a change at once, and that a slot that fired is not
 * fired again by a backfill unless forced. Firing at the right time is the beat's matter.
 */
import { Context, Data, Effect, Layer, Result } from "effect"
import { Engine, type EnqueueError, type Issue } from "../jobs/Engine.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { AnyTask } from "../jobs/Registry.ts"
import { Inspect } from "../streams/Inspect.ts"
import { Redis, type RedisError } from "../streams/Redis.ts"
import * as Slots from "../streams/Slots.ts"
import { type BackfillOptions, planBackfill } from "./Backfill.ts"
import { slotId } from "./Beat.ts"
import { type Changes, merge, timing } from "./Changes.ts"
import * as Policy from "./Policy.ts"
import { describe, fromSpec, fromStored, type Schedule, type Spec, zoneText } from "./Schedule.ts"

export type { Changes } from "./Changes.ts"
export type { Spec } from "./Schedule.ts"

/** A schedule at a glance; times in epoch ms. */
export interface ScheduleRow {
  readonly name: string
  readonly task: string
  readonly when: string
  readonly timeZone: string
  /** null where it is paused or has ended. */
  readonly nextAt: number | null
  /** The latest slot that fired. */
  readonly lastAt: number | null
  readonly paused: boolean
  /** `code`: it can be paused, not changed or deleted. */
  readonly source: "code" | "stored"
  readonly description: string | null
  /** Why it can't run, where its task or payload no longer fits. */
  readonly fault: string | null
}

/** A run with what became of its job; null where it was left out or its record has expired. */
export type RunRow = Slots.Run & { readonly state: JobState | null }

export interface ScheduleView extends ScheduleRow {
  /** How it was described; null where it is defined in code. */
  readonly spec: Spec | null
  /** Slots fired since it was made. */
  readonly runs: number
  /** Newest first. */
  readonly last: ReadonlyArray<RunRow>
  /** Soonest first, epoch ms. */
  readonly next: ReadonlyArray<number>
}

/** What was asked for does not fit; every fault by its path. */
export class ScheduleInvalid extends Data.TaggedError("ScheduleInvalid")<{ readonly issues: ReadonlyArray<Issue> }> {
  readonly retryable = false
  override get message(): string {
    return this.issues.map((i) => (i.path === "" ? i.message : `${i.path}: ${i.message}`)).join("; ")
  }
}

/** No schedule has that name. */
export class ScheduleUnknown extends Data.TaggedError("ScheduleUnknown")<{ readonly schedule: string }> {
  readonly retryable = false
  override get message(): string {
    return `expected a schedule that exists, got ${JSON.stringify(this.schedule)}`
  }
}

/** The name is taken, the schedule stands in code, somebody else changed it, or there are too many. */
export class ScheduleConflict extends Data.TaggedError("ScheduleConflict")<{
  readonly schedule: string
  readonly reason: string
}> {
  readonly retryable = false
  override get message(): string {
    return `schedule ${this.schedule}: ${this.reason}`
  }
}

export interface Backfilled {
  readonly jobs: ReadonlyArray<string>
  /** Slots in the range that had fired before. */
  readonly known: number
}

type Refused = ScheduleInvalid | ScheduleUnknown | ScheduleConflict | RedisError

export class Schedules extends Context.Service<
  Schedules,
  {
    /** All of them, those in code first. */
    readonly list: Effect.Effect<ReadonlyArray<ScheduleRow>, RedisError>
    /** One with its last 10 runs and its next `next` slots (default 5, at most 100). */
    readonly get: (name: string, next?: number) => Effect.Effect<ScheduleView, ScheduleUnknown | RedisError>
    readonly create: (spec: Spec) => Effect.Effect<ScheduleView, Refused>
    /** Changes the fields that are given; null takes one away. Its other times are forgotten where they change. */
    readonly update: (name: string, changes: Changes) => Effect.Effect<ScheduleView, Refused>
    readonly remove: (name: string) => Effect.Effect<void, ScheduleUnknown | ScheduleConflict | RedisError>
    /** No slot fires until it is resumed; slots of the pause are not made up for. */
    readonly pause: (name: string) => Effect.Effect<void, ScheduleUnknown | RedisError>
    readonly resume: (name: string) => Effect.Effect<void, ScheduleUnknown | RedisError>
    /** Adds its job now, whatever its times, its overlap policy and whether it is paused. Returns the job's id. */
    readonly run: (name: string) => Effect.Effect<string, ScheduleUnknown | ScheduleInvalid | RedisError | EnqueueError>
    /** Adds the jobs of slots of the past. */
    readonly backfill: (
      name: string,
      options: BackfillOptions
    ) => Effect.Effect<Backfilled, ScheduleUnknown | ScheduleInvalid | RedisError | EnqueueError>
  }
>()("loglytics/schedules/Schedules") {
  static readonly layer = (
    code: ReadonlyArray<Schedule>,
    tasks: Iterable<AnyTask> = []
  ): Layer.Layer<Schedules, never, Redis | Engine | Inspect> => Layer.effect(Schedules, make(code, [...tasks]))
}

const nextMax = 100

/** A schedule as it stands: made, or not to be made any more. */
interface Found {
  readonly name: string
  readonly spec: Spec | undefined
  readonly rev: number | undefined
  readonly schedule: Schedule | undefined
  readonly fault: ReadonlyArray<Issue>
  readonly paused: boolean
}

const rowOf = (found: Found, known: Slots.Remembered | undefined, now: number): ScheduleRow => {
  const { fault, paused, schedule: s, spec } = found
  const ended = s?.maxRuns !== undefined && (known?.runs ?? 0) >= s.maxRuns
  const next = s === undefined || paused || ended ? Number.POSITIVE_INFINITY : Policy.nextSlot(s.when, now)
  return {
    name: found.name,
    task: s?.job.task ?? spec?.task ?? "",
    when: s === undefined ? (spec?.cron ?? spec?.every ?? "") : describe(s.when),
    timeZone: s === undefined ? "UTC" : zoneText(s),
    nextAt: Number.isFinite(next) ? next : null,
    lastAt: known?.last.find((run) => run.slot !== null && run.job !== null)?.slot ?? null,
    paused,
    source: found.rev === undefined ? "code" : "stored",
    description: spec?.description ?? null,
    fault: fault.length === 0 ? null : new ScheduleInvalid({ issues: fault }).message
  }
}

const make = Effect.fnUntraced(function* (code: ReadonlyArray<Schedule>, tasks: ReadonlyArray<AnyTask>) {
  const redis = yield* Redis
  const engine = yield* Engine
  const inspect = yield* Inspect
  const inCode = new Map(code.map((s) => [s.name, s]))

  const foundOf = (name: string, text: string | undefined, paused: boolean): Found | undefined => {
    const own = inCode.get(name)
    if (own !== undefined) return { name, spec: undefined, rev: undefined, schedule: own, fault: [], paused }
    const read = text === undefined ? undefined : fromStored(text)
    if (read === undefined) return undefined
    const made = fromSpec(read.spec, tasks, read.rev)
    return {
      name,
      ...read,
      schedule: Result.isSuccess(made) ? made.success : undefined,
      fault: Result.isSuccess(made) ? [] : made.failure,
      paused
    }
  }
  const find = (name: string) =>
    Effect.flatMap(Slots.shared(redis), ({ definitions, paused }) => {
      const found = foundOf(name, definitions.get(name), paused.has(name))
      return found === undefined ? Effect.fail(new ScheduleUnknown({ schedule: name })) : Effect.succeed(found)
    })
  const findRunnable = (name: string) =>
    Effect.flatMap(find(name), ({ fault, schedule }) =>
      schedule === undefined ? Effect.fail(new ScheduleInvalid({ issues: fault })) : Effect.succeed(schedule)
    )

  const list = Effect.gen(function* () {
    const { definitions, paused } = yield* Slots.shared(redis)
    const names = [...inCode.keys(), ...[...definitions.keys()].filter((n) => !inCode.has(n)).toSorted()]
    const memory = yield* Slots.recall(redis, names)
    const { now } = yield* Slots.look(redis)
    return names.flatMap((name) => {
      const found = foundOf(name, definitions.get(name), paused.has(name))
      return found === undefined ? [] : [rowOf(found, memory.get(name), now)]
    })
  })

  const get = Effect.fnUntraced(function* (name: string, count = 5) {
    const found = yield* find(name)
    const known = (yield* Slots.recall(redis, [name])).get(name)
    const { now } = yield* Slots.look(redis)
    const row = rowOf(found, known, now)
    const last = yield* Effect.forEach(known?.last ?? [], (run) =>
      run.job === null
        ? Effect.succeed({ ...run, state: null })
        : Effect.map(inspect.job(run.job), (job): RunRow => ({ ...run, state: job?.state ?? null }))
    )
    const left = found.schedule?.maxRuns === undefined ? nextMax : found.schedule.maxRuns - (known?.runs ?? 0)
    const next =
      found.schedule === undefined || row.nextAt === null
        ? []
        : Policy.slotsBetween(found.schedule.when, now, Number.MAX_SAFE_INTEGER, Math.min(count, nextMax, left))
    return { ...row, spec: found.spec ?? null, runs: known?.runs ?? 0, last, next } satisfies ScheduleView
  })

  /** Checks a spec and stores it. */
  const write = Effect.fnUntraced(function* (spec: Spec, replaces: number | undefined, anew: boolean) {
    const made = fromSpec(spec, tasks)
    if (Result.isFailure(made)) return yield* new ScheduleInvalid({ issues: made.failure })
    const { now } = yield* Slots.look(redis)
    if (Policy.nextSlot(made.success.when, now) === Number.POSITIVE_INFINITY) {
      const got = `${describe(made.success.when)}${spec.endAt === undefined ? "" : ` until ${spec.endAt}`}`
      const message = `expected times that come, got ${got}, which has none`
      return yield* new ScheduleInvalid({ issues: [{ path: "", message }] })
    }
    const written = yield* Slots.put(redis, spec.name, JSON.stringify({ spec }), replaces, anew)
    const conflict = (reason: string) => new ScheduleConflict({ schedule: spec.name, reason })
    if (written === "exists") return yield* conflict("expected a name that is free, got one that exists")
    if (written === "unknown") return yield* new ScheduleUnknown({ schedule: spec.name })
    if (written === "changed") return yield* conflict("somebody else changed it at the same moment")
    if (written === "full") return yield* conflict(`expected at most ${Slots.storedMax} stored schedules, got more`)
    return yield* get(spec.name)
  })

  const isCode = (name: string, what: string) =>
    new ScheduleConflict({ schedule: name, reason: `it is defined in code: it can be paused, not ${what}` })

  const setPaused = (name: string, paused: boolean) =>
    Effect.asVoid(Effect.andThen(find(name), Slots.setPaused(redis, name, paused)))

  return Schedules.of({
    list,
    get,
    create: (spec) =>
      Effect.suspend((): Effect.Effect<ScheduleView, Refused> =>
        inCode.has(spec.name) ? Effect.fail(isCode(spec.name, "made again")) : write(spec, undefined, true)
      ),
    update: Effect.fnUntraced(function* (name, changes) {
      const { rev, spec } = yield* find(name)
      if (spec === undefined || rev === undefined) return yield* isCode(name, "changed")
      const merged = merge(spec, changes)
      return yield* write(merged, rev, timing(merged) !== timing(spec))
    }),
    remove: Effect.fnUntraced(function* (name) {
      if (inCode.has(name)) return yield* isCode(name, "deleted")
      if (!(yield* Slots.remove(redis, name))) return yield* new ScheduleUnknown({ schedule: name })
    }),
    pause: (name) => setPaused(name, true),
    resume: (name) => setPaused(name, false),
    run: Effect.fnUntraced(function* (name) {
      const s = yield* findRunnable(name)
      const { now } = yield* Slots.look(redis)
      const id = yield* engine.enqueue(s.job, {
        id: `beat:${name}:now:${now.toString(36)}${Math.trunc(performance.now() * 1_000).toString(36)}`,
        ...(s.queue === undefined ? {} : { queue: s.queue })
      })
      yield* Slots.remember(
        redis,
        name,
        { slot: null, at: now, job: id, why: "by hand" },
        { stored: s.rev !== undefined }
      )
      return id
    }),
    backfill: Effect.fnUntraced(function* (name, o) {
      const s = yield* findRunnable(name)
      const { now } = yield* Slots.look(redis)
      const { fired, oldest } = yield* Slots.firedAmong(redis, name, o.from, o.to)
      const plan = planBackfill(s, o, now, fired, oldest)
      if (Result.isFailure(plan)) return yield* new ScheduleInvalid({ issues: plan.failure })
      const { known, slots } = plan.success
      const jobs: Array<string> = []
      const gapMs = 1_000 / (o.perSecond ?? 100)
      for (const [i, slot] of slots.entries()) {
        const again = fired.has(slot) ? `:again:${now.toString(36)}` : ""
        const { duplicate, id } = yield* engine.offer(s.job, {
          id: slotId(name, slot) + again,
          ...(i * gapMs >= 1_000 ? { delay: Math.floor(i * gapMs) } : {}),
          ...(s.queue === undefined ? {} : { queue: s.queue })
        })
        const run = { slot, at: now, job: id, why: again === "" ? "backfill" : "backfill, forced" }
        yield* Slots.remember(redis, name, run, { madeUp: true, stored: s.rev !== undefined })
        if (!duplicate) jobs.push(id)
      }
      return { jobs, known: known + slots.length - jobs.length }
    })
  })
})
