/**
 * A schedule: when, what job, and what to do about misses and overlaps; from code (`cron`, `every`) or from data (`fromSpec`,
 * for those added at run time). Promises that what is wrong is said with what was expected. Firing is the beat's matter.
 */
import { Cron, type Duration, Exit, Result, Schema } from "effect"
import type { Issue } from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import { millis } from "../jobs/Millis.ts"
import type { AnyTask } from "../jobs/Registry.ts"
import * as Calendar from "./Calendar.ts"
import type * as Policy from "./Policy.ts"

export interface ScheduleOptions {
  /** IANA zone of a cron expression, or several: it fires at its times in each; default UTC. */
  readonly timeZone?: string | ReadonlyArray<string>
  /** About slots missed while no beat ran; default `once`: the latest one. */
  readonly misfire?: "skip" | "once" | { readonly allWithin: Duration.Input }
  /** About a job that has not ended when the next is due; default `allow`. */
  readonly overlap?: Policy.Overlap
  /** Start up to so much later, by a hash of schedule and slot; of `every` the interval at most; default none. */
  readonly jitter?: Duration.Input
  /** No slot before this; a date or epoch ms. */
  readonly startAt?: Date | number
  /** No slot after this; a date or epoch ms. */
  readonly endAt?: Date | number
  /** Fire so many slots and no more; runs by hand do not count. */
  readonly maxRuns?: number
  /** Another queue than the task's own. */
  readonly queue?: QueueName
}

export interface Schedule {
  readonly name: string
  readonly when: Policy.When
  readonly job: Job<unknown>
  readonly misfire: Policy.Misfire
  readonly overlap: Policy.Overlap
  readonly jitterMs: number
  readonly maxRuns: number | undefined
  readonly queue: QueueName | undefined
  /** Revision of the stored definition; undefined where it is defined in code. */
  readonly rev: number | undefined
}

/**
 * A cron expression in Celery's words; what is left out is `*`. As with Celery, day of week and day of month must both fit
 * (in an expression of five fields, either).
 */
export interface Crontab {
  readonly second?: string | number
  readonly minute?: string | number
  readonly hour?: string | number
  readonly day_of_week?: string | number
  readonly day_of_month?: string | number
  readonly month_of_year?: string | number
}

/** A schedule as data: what the HTTP API and the command line send, and what is stored. */
export interface Spec {
  readonly name: string
  readonly task: string
  /** Default `{}`. */
  readonly payload?: unknown
  /** One of `cron`, `crontab` and `every` says when. */
  readonly cron?: string | undefined
  readonly crontab?: Crontab | undefined
  /** "90 seconds", "5 minutes" … */
  readonly every?: string | undefined
  readonly timeZone?: string | ReadonlyArray<string> | undefined
  readonly misfire?: "skip" | "once" | { readonly allWithin: string } | undefined
  readonly overlap?: Policy.Overlap | undefined
  readonly jitter?: string | undefined
  /** ISO 8601. */
  readonly startAt?: string | undefined
  readonly endAt?: string | undefined
  readonly maxRuns?: number | undefined
  readonly queue?: QueueName | undefined
  readonly description?: string | undefined
}

/** The crontab as Celery's users write it: `crontab({ minute: "0", hour: "7,19", day_of_week: "mon-fri" })`. */
export const crontab = (fields: Crontab): Crontab => fields

const expressionOf = (c: Crontab): string => {
  const five = [c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week].map((f) => String(f ?? "*"))
  return (c.second === undefined ? five : [String(c.second), ...five]).join(" ").replaceAll(/\s*,\s*/gu, ",")
}

const namePattern = /^[\w.-]{1,100}$/u
const intervalMinMs = 1_000
const overlaps: ReadonlyArray<Policy.Overlap> = ["allow", "skip", "bufferOne", "cancelOther"]

const say = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** Collects what is wrong while a schedule is read. */
class Faults {
  readonly issues: Array<Issue> = []
  add(path: string, expected: string, got: unknown): undefined {
    this.issues.push({ path, message: `expected ${expected}, got ${say(got)}` })
  }
  duration(path: string, input: unknown): number | undefined {
    const ms = millis(input as Duration.Input)
    return Number.isFinite(ms) && ms >= 0 ? ms : this.add(path, 'a duration such as "5 minutes"', input)
  }
  date(path: string, input: Date | number | string | undefined): number | undefined {
    if (input === undefined) return undefined
    const ms = input instanceof Date ? input.getTime() : typeof input === "number" ? input : Date.parse(input)
    return Number.isFinite(ms) ? ms : this.add(path, "a time as ISO 8601", input)
  }
}

const cronWhen = (expression: string, both: boolean, o: Pick<ScheduleOptions, "timeZone">, faults: Faults) => {
  const timeZone = o.timeZone ?? "UTC"
  const zones = typeof timeZone === "string" ? [timeZone] : timeZone
  if (zones.length === 0 || zones.length > 50) faults.add("timeZone", "1 to 50 time zones", zones.length)
  for (const zone of zones) {
    if (!Calendar.isZone(zone)) faults.add("timeZone", 'an IANA time zone such as "Europe/Berlin"', zone)
  }
  const parsed = Cron.parse(expression)
  if (Result.isFailure(parsed)) {
    const how = 'a cron expression of 5 fields (6 with seconds first) such as "0 2 * * *"'
    return faults.add("cron", how, expression) ?? faults.issues.push({ path: "cron", message: parsed.failure.message })
  }
  const p = parsed.success
  const { days, hours, minutes, months, seconds, weekdays } = p
  const cron = both ? Cron.make({ seconds, minutes, hours, days, months, weekdays, and: true }) : p
  return { _tag: "Cron", expression, timeZone, cron } as const
}

const everyWhen = (interval: Duration.Input, faults: Faults) => {
  const everyMs = faults.duration("every", interval)
  if (everyMs === undefined) return undefined
  if (everyMs < intervalMinMs) return faults.add("every", "an interval of at least 1 second", interval)
  const text = typeof interval === "string" ? interval : `${everyMs / 1_000} seconds`
  return { _tag: "Every", text, everyMs: Math.round(everyMs) } as const
}

const misfireOf = (input: ScheduleOptions["misfire"], faults: Faults): Policy.Misfire => {
  if (typeof input === "object" && input !== null) {
    return { allWithin: faults.duration("misfire.allWithin", input.allWithin) ?? 0 }
  }
  if (input !== undefined && input !== "skip" && input !== "once") {
    faults.add("misfire", '"skip", "once" or { "allWithin": "1 hour" }', input)
  }
  return input ?? "once"
}

type Timing = ReturnType<typeof cronWhen> | ReturnType<typeof everyWhen>

/** The schedule, if nothing is at fault. */
const assemble = (
  name: string,
  timing: Timing,
  job: Job<unknown> | undefined,
  o: {
    readonly [K in "misfire" | "overlap" | "jitter" | "maxRuns" | "queue"]?: ScheduleOptions[K] | undefined
  } & { readonly startAt?: Date | number | string | undefined; readonly endAt?: Date | number | string | undefined },
  rev: number | undefined,
  faults: Faults
): Schedule | undefined => {
  if (!namePattern.test(name)) faults.add("name", 'a name like "clean_up" (1-100 of A-Z a-z 0-9 _ . -)', name)
  if (o.overlap !== undefined && !overlaps.includes(o.overlap)) {
    faults.add("overlap", `one of ${overlaps.join(", ")}`, o.overlap)
  }
  if (o.maxRuns !== undefined && !(Number.isInteger(o.maxRuns) && o.maxRuns > 0)) {
    faults.add("maxRuns", "a whole number above 0", o.maxRuns)
  }
  if (o.queue !== undefined && !queues.includes(o.queue)) faults.add("queue", `one of ${queues.join(", ")}`, o.queue)
  const startAt = faults.date("startAt", o.startAt)
  const endAt = faults.date("endAt", o.endAt)
  if (startAt !== undefined && endAt !== undefined && endAt < startAt)
    faults.add("endAt", "a time after startAt", o.endAt)
  const misfire = misfireOf(o.misfire, faults)
  const jitterMs = o.jitter === undefined ? 0 : (faults.duration("jitter", o.jitter) ?? 0)
  if (typeof timing === "object" && timing._tag === "Every" && jitterMs > timing.everyMs) {
    faults.add("jitter", `at most the interval (${timing.text})`, o.jitter)
  }
  if (faults.issues.length > 0 || job === undefined || typeof timing !== "object") return undefined
  return {
    name,
    when: { ...timing, ...(startAt === undefined ? {} : { startAt }), ...(endAt === undefined ? {} : { endAt }) },
    job,
    misfire,
    overlap: o.overlap ?? "allow",
    jitterMs,
    maxRuns: o.maxRuns,
    queue: o.queue,
    rev
  }
}

const textOf = (issues: ReadonlyArray<Issue>): string =>
  issues.map((i) => (i.path === "" ? i.message : `${i.path}: ${i.message}`)).join("; ")

const orThrow = (name: string, schedule: Schedule | undefined, faults: Faults): Schedule => {
  if (schedule === undefined) throw new Error(`schedule ${name}: ${textOf(faults.issues)}`)
  return schedule
}

/** At the times of a cron expression (5 fields, or 6 with seconds first) or of a `crontab`. Throws where it does not parse. */
export const cron = (
  expression: string | Crontab,
  name: string,
  job: Job<unknown>,
  options: ScheduleOptions = {}
): Schedule => {
  const faults = new Faults()
  const text = typeof expression === "string" ? expression : expressionOf(expression)
  const when = cronWhen(text, typeof expression !== "string", options, faults)
  return orThrow(name, assemble(name, when, job, options, undefined, faults), faults)
}

/** At every multiple of an interval (at least 1 s) since the epoch. */
export const every = (
  interval: Duration.Input,
  name: string,
  job: Job<unknown>,
  options: Omit<ScheduleOptions, "timeZone"> = {}
): Schedule => {
  const faults = new Faults()
  const schedule = assemble(name, everyWhen(interval, faults), job, options, undefined, faults)
  return orThrow(name, schedule, faults)
}

const jobOf = (spec: Spec, tasks: Iterable<AnyTask>, faults: Faults): Job<unknown> | undefined => {
  for (const task of tasks) {
    if (task.name !== spec.task) continue
    const job = task.jobFromJson(spec.payload ?? {})
    if (Result.isSuccess(job)) return job.success
    for (const { message, path } of job.failure.issues) {
      faults.issues.push({ path: path === "" ? "payload" : `payload.${path}`, message })
    }
    return undefined
  }
  return faults.add("task", "a task that is known here", spec.task)
}

/** The schedule that data describes, or all that is wrong with it, by path. */
export const fromSpec = (
  spec: Spec,
  tasks: Iterable<AnyTask>,
  rev?: number
): Result.Result<Schedule, ReadonlyArray<Issue>> => {
  const faults = new Faults()
  const job = jobOf(spec, tasks, faults)
  const ways = [spec.cron, spec.crontab, spec.every].filter((way) => way !== undefined)
  if (ways.length !== 1) faults.add("", "exactly one of cron, crontab and every", ways.length)
  const zone = spec.timeZone === undefined ? {} : { timeZone: spec.timeZone }
  if (spec.every !== undefined && spec.timeZone !== undefined) {
    faults.add("timeZone", "none for an interval: it has no time of day", spec.timeZone)
  }
  const when =
    spec.every !== undefined
      ? everyWhen(spec.every as Duration.Input, faults)
      : cronWhen(spec.cron ?? expressionOf(spec.crontab ?? {}), spec.cron === undefined, zone, faults)
  const options = {
    ...spec,
    misfire: spec.misfire as ScheduleOptions["misfire"],
    jitter: spec.jitter as Duration.Input
  }
  const schedule = assemble(spec.name, when, job, options, rev, faults)
  return schedule === undefined ? Result.fail(faults.issues) : Result.succeed(schedule)
}

const decodeStored = Schema.decodeUnknownExit(
  Schema.fromJsonString(Schema.Struct({ rev: Schema.Int, spec: Schema.Record(Schema.String, Schema.Unknown) }))
)

/** A definition as it is stored, read again. */
export const fromStored = (text: string): { readonly rev: number; readonly spec: Spec } | undefined => {
  const stored = decodeStored(text)
  return Exit.isSuccess(stored) ? { rev: stored.value.rev, spec: stored.value.spec as unknown as Spec } : undefined
}

/** How `when` is told to people. */
export const describe = (when: Policy.When): string => (when._tag === "Cron" ? when.expression : `every ${when.text}`)

/** Its time zones, told to people. */
export const zoneText = ({ when }: Schedule): string =>
  when._tag === "Every" ? "UTC" : typeof when.timeZone === "string" ? when.timeZone : when.timeZone.join(", ")
