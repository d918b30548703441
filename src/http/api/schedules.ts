/** Schedules made and steered at run time (admin keys only). The list of all stands in the group `engine`. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Conflict, Invalid, TooBusy } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, projectErrors } from "./common.ts"
import { JobState, ScheduleRow } from "./engine.ts"
import { QueuedTask } from "./tasks.ts"

const Text = Schema.String
const Field = Schema.Union([Schema.String, Schema.Int])
const Crontab = Schema.Struct({
  second: Schema.optionalKey(Field),
  minute: Schema.optionalKey(Field),
  hour: Schema.optionalKey(Field),
  day_of_week: Schema.optionalKey(Field),
  day_of_month: Schema.optionalKey(Field),
  month_of_year: Schema.optionalKey(Field)
}).annotate({ identifier: "Crontab", description: "As Celery's: what is left out is `*`; both kinds of day must fit" })

const fields = {
  task: Text,
  /** Default `{}`. */
  payload: Schema.Json,
  /** 5 fields, or 6 with seconds first. One of cron, crontab and every. */
  cron: Text,
  crontab: Crontab,
  /** For example "5 minutes"; at least 1 second. */
  every: Text,
  /** IANA zone or zones of cron and crontab; default UTC. */
  timeZone: Schema.Union([Text, Schema.Array(Text)]),
  misfire: Schema.Union([Schema.Literals(["skip", "once"]), Schema.Struct({ allWithin: Text })]),
  overlap: Schema.Literals(["allow", "skip", "bufferOne", "cancelOther"]),
  jitter: Text,
  /** ISO 8601. */
  startAt: Text,
  endAt: Text,
  maxRuns: Schema.Int,
  queue: Schema.Literals(["high-priority", "default", "low-priority"]),
  description: Schema.String.check(Schema.isMaxLength(500))
}

const { task, ...others } = fields
const optional = {
  payload: Schema.optionalKey(others.payload),
  cron: Schema.optionalKey(others.cron),
  crontab: Schema.optionalKey(others.crontab),
  every: Schema.optionalKey(others.every),
  timeZone: Schema.optionalKey(others.timeZone),
  misfire: Schema.optionalKey(others.misfire),
  overlap: Schema.optionalKey(others.overlap),
  jitter: Schema.optionalKey(others.jitter),
  startAt: Schema.optionalKey(others.startAt),
  endAt: Schema.optionalKey(others.endAt),
  maxRuns: Schema.optionalKey(others.maxRuns),
  queue: Schema.optionalKey(others.queue),
  description: Schema.optionalKey(others.description)
}

export const NewSchedule = Schema.Struct({ name: Text, task, ...optional }).annotate({ identifier: "NewSchedule" })

/** null takes a field away. */
export const ScheduleChanges = Schema.Struct({
  task: Schema.optionalKey(task),
  payload: Schema.optionalKey(others.payload),
  cron: Schema.optionalKey(Schema.NullOr(others.cron)),
  crontab: Schema.optionalKey(Schema.NullOr(others.crontab)),
  every: Schema.optionalKey(Schema.NullOr(others.every)),
  timeZone: Schema.optionalKey(Schema.NullOr(others.timeZone)),
  misfire: Schema.optionalKey(Schema.NullOr(others.misfire)),
  overlap: Schema.optionalKey(Schema.NullOr(others.overlap)),
  jitter: Schema.optionalKey(Schema.NullOr(others.jitter)),
  startAt: Schema.optionalKey(Schema.NullOr(others.startAt)),
  endAt: Schema.optionalKey(Schema.NullOr(others.endAt)),
  maxRuns: Schema.optionalKey(Schema.NullOr(others.maxRuns)),
  queue: Schema.optionalKey(Schema.NullOr(others.queue)),
  description: Schema.optionalKey(Schema.NullOr(others.description))
}).annotate({ identifier: "ScheduleChanges" })

export const ScheduleView = Schema.Struct({
  ...ScheduleRow.fields,
  /** How it was described; null where it is defined in code. */
  spec: Schema.NullOr(Schema.Json),
  /** Slots fired so far. */
  runs: Schema.Int,
  /** Its last 10 runs, newest first. */
  last: Schema.Array(
    Schema.Struct({
      /** null where it was run by hand. */
      slot: Schema.NullOr(Schema.String),
      at: Schema.String,
      /** null where the slot was left out: `why` says why. */
      job: Schema.NullOr(Schema.String),
      state: Schema.NullOr(JobState),
      why: Schema.String
    })
  ),
  /** Its next slots. */
  next: Schema.Array(Schema.String)
}).annotate({ identifier: "ScheduleView" })

const named = { name: Schema.String }
const errors = [...projectErrors, Invalid, Conflict] as const

export class SchedulesGroup extends HttpApiGroup.make("schedules")
  .add(
    HttpApiEndpoint.post("create", "/", {
      payload: NewSchedule,
      success: ScheduleView.pipe(HttpApiSchema.status(201)),
      error: errors
    }).annotate(OpenApi.Summary, "Add a schedule"),
    HttpApiEndpoint.get("get", "/:name", { params: named, success: ScheduleView, error: errors }).annotate(
      OpenApi.Summary,
      "A schedule with its last and next runs"
    ),
    HttpApiEndpoint.patch("update", "/:name", {
      params: named,
      payload: ScheduleChanges,
      success: ScheduleView,
      error: errors
    }).annotate(OpenApi.Summary, "Change the fields that are given"),
    HttpApiEndpoint.delete("remove", "/:name", {
      params: named,
      success: HttpApiSchema.NoContent,
      error: errors
    }).annotate(OpenApi.Summary, "Delete a schedule (one defined in code can only be paused)"),
    HttpApiEndpoint.post("pause", "/:name/pause", {
      params: named,
      success: HttpApiSchema.NoContent,
      error: errors
    }).annotate(OpenApi.Summary, "Fire no slot until it is resumed"),
    HttpApiEndpoint.post("resume", "/:name/resume", {
      params: named,
      success: HttpApiSchema.NoContent,
      error: errors
    }).annotate(OpenApi.Summary, "Go on; slots of the pause are not made up for"),
    HttpApiEndpoint.post("run", "/:name/run", {
      params: named,
      success: QueuedTask.pipe(HttpApiSchema.status(202)),
      error: [...errors, TooBusy]
    }).annotate(OpenApi.Summary, "Queue its job now"),
    HttpApiEndpoint.post("backfill", "/:name/backfill", {
      params: named,
      payload: Schema.Struct({
        from: Schema.String,
        to: Schema.String,
        force: Schema.optionalKey(Schema.Boolean),
        limit: Schema.optionalKey(Schema.Int),
        perSecond: Schema.optionalKey(Schema.Finite)
      }),
      success: Schema.Struct({ task_ids: Schema.Array(Schema.String), known: Schema.Int }).pipe(
        HttpApiSchema.status(202)
      ),
      error: [...errors, TooBusy]
    }).annotate(OpenApi.Summary, "Queue the jobs of slots of the past that did not fire")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/schedules") {}
