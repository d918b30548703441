/** `loglytics schedule …`: schedules from the terminal, those in code and those added at run time. */
import { Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { queues } from "../../jobs/JobQueue.ts"
import { Schedules, type Spec } from "../../schedules/Schedules.ts"
import { table } from "../../schedules/table.ts"
import { tasks } from "../../tasks/all.ts"
import { CliFailure, iso, line, print, withEngine } from "../context.ts"
import * as flags from "../flags.ts"

const withSchedules = <A, E, R>(f: (schedules: Schedules["Service"]) => Effect.Effect<A, E, R>) =>
  withEngine(Effect.flatMap(Schedules, f).pipe(Effect.provide(Layer.fresh(Schedules.layer(table, tasks)))))

const name = Argument.String("name")
const text = (flag: string, description: string) =>
  Flag.String(flag).pipe(Flag.optional, Flag.withDescription(description))

const timing = {
  cron: text("cron", 'a cron expression, for example "0 9 * * mon-fri"'),
  every: text("every", 'an interval, for example "5 minutes"'),
  timeZone: text("time-zone", "IANA zone of the expression; several with commas; default UTC"),
  startAt: text("start-at", "no slot before this (ISO 8601)"),
  endAt: text("end-at", "no slot after this (ISO 8601)"),
  jitter: text("jitter", 'start up to so much later, for example "30 seconds"'),
  misfire: Flag.Literals("misfire", ["skip", "once"]).pipe(
    Flag.optional,
    Flag.withDescription("about slots missed while no beat ran")
  ),
  overlap: Flag.Literals("overlap", ["allow", "skip", "bufferOne", "cancelOther"]).pipe(
    Flag.optional,
    Flag.withDescription("about a job that has not ended when the next is due")
  ),
  maxRuns: Flag.Int("max-runs").pipe(Flag.optional, Flag.withDescription("fire so many slots and no more")),
  queue: Flag.Literals("queue", queues).pipe(Flag.optional, Flag.withDescription("another queue than the task's own")),
  description: text("description", "what it is for")
}

type Timing = { readonly [K in keyof typeof timing]: Option.Option<string | number> }

/** The flags that were given, as fields of a spec. */
const given = ({ timeZone, ...others }: Timing): Partial<Spec> => {
  const fields = Object.entries(others).flatMap(([key, value]) => (Option.isSome(value) ? [[key, value.value]] : []))
  const zones = Option.isSome(timeZone) ? String(timeZone.value).split(",") : []
  return { ...(Object.fromEntries(fields) as Partial<Spec>), ...(zones.length === 0 ? {} : { timeZone: zones }) }
}

const json = (value: string) =>
  Effect.try({
    try: () => JSON.parse(value) as unknown,
    catch: () => new CliFailure({ message: `payload: expected JSON, got ${JSON.stringify(value)}` })
  })

const time = (flag: string, value: string) => {
  const ms = Date.parse(value)
  return Number.isNaN(ms)
    ? Effect.fail(new CliFailure({ message: `${flag}: expected a time as ISO 8601, got ${JSON.stringify(value)}` }))
    : Effect.succeed(ms)
}

const list = Command.make("list", { json: flags.json }, (f) =>
  withSchedules((schedules) =>
    Effect.map(schedules.list, (rows) =>
      print(
        rows.map((r) => ({
          name: r.name,
          task: r.task,
          when: r.when,
          zone: r.timeZone,
          last: iso(r.lastAt),
          next: r.paused ? "paused" : iso(r.nextAt),
          source: r.source,
          ...(r.fault === null ? {} : { fault: r.fault })
        })),
        f.json
      )
    )
  )
).pipe(Command.withDescription("List schedules with their last and next slot"))

const show = Command.make("show", { name, json: flags.json }, (f) =>
  withSchedules((schedules) =>
    Effect.map(schedules.get(f.name, 10), (view) => {
      if (f.json) return line(JSON.stringify(view))
      line(
        `${view.name}  ${view.task}  ${view.when}  ${view.timeZone}  ${view.paused ? "paused" : `${view.runs} runs`}`
      )
      print(
        view.last.map((r) => ({ slot: iso(r.slot), job: r.job, state: r.state, why: r.why })),
        false,
        "no runs yet"
      )
      for (const at of view.next) line(`next  ${iso(at)}`)
    })
  )
).pipe(Command.withDescription("Show a schedule with its last and next runs"))

const create = Command.make(
  "create",
  {
    name,
    task: Argument.String("task"),
    payload: Argument.String("payload").pipe(Argument.withDescription("JSON"), Argument.withDefault("{}")),
    ...timing
  },
  ({ name: called, payload, task, ...when }) =>
    withSchedules((schedules) =>
      Effect.gen(function* () {
        const spec = { name: called, task, payload: yield* json(payload), ...given(when) }
        const { next } = yield* schedules.create(spec)
        line(`${called}  next ${iso(next[0] ?? null) ?? "-"}`)
      })
    )
).pipe(Command.withDescription("Add a schedule"))

const update = Command.make(
  "update",
  {
    name,
    task: text("task", "another task"),
    payload: text("payload", "another payload, JSON"),
    ...timing
  },
  ({ name: called, payload, task, ...when }) =>
    withSchedules((schedules) =>
      Effect.gen(function* () {
        const { next } = yield* schedules.update(called, {
          ...given(when),
          ...(Option.isSome(task) ? { task: task.value } : {}),
          ...(Option.isSome(payload) ? { payload: yield* json(payload.value) } : {})
        })
        line(`${called}  next ${iso(next[0] ?? null) ?? "-"}`)
      })
    )
).pipe(Command.withDescription("Change a schedule that was added at run time"))

const plain = (
  verb: string,
  done: string,
  description: string,
  act: (schedules: Schedules["Service"], name: string) => Effect.Effect<void, { readonly message: string }>
) =>
  Command.make(verb, { name }, (f) =>
    withSchedules((schedules) => Effect.map(act(schedules, f.name), () => line(`${f.name}  ${done}`)))
  ).pipe(Command.withDescription(description))

const run = Command.make("run", { name }, (f) =>
  withSchedules((schedules) => Effect.map(schedules.run(f.name), line))
).pipe(Command.withDescription("Queue a schedule's job now; prints its id"))

const backfill = Command.make(
  "backfill",
  {
    name,
    from: Flag.String("from").pipe(Flag.withDescription("slots from here (ISO 8601)")),
    to: Flag.String("to").pipe(Flag.withDescription("to here")),
    force: Flag.Boolean("force").pipe(Flag.withDefault(false), Flag.withDescription("also those that have fired")),
    limit: Flag.Int("limit").pipe(Flag.withDefault(1_000), Flag.withDescription("most jobs")),
    perSecond: Flag.Int("per-second").pipe(Flag.withDefault(100), Flag.withDescription("jobs started per second"))
  },
  ({ force, from, limit, name: called, perSecond, to }) =>
    withSchedules((schedules) =>
      Effect.gen(function* () {
        const range = { from: yield* time("from", from), to: yield* time("to", to) }
        const { jobs, known } = yield* schedules.backfill(called, { ...range, force, limit, perSecond })
        line(`${called}  ${jobs.length} jobs queued, ${known} slots had fired before`)
      })
    )
).pipe(Command.withDescription("Queue the jobs of slots of the past that did not fire"))

export const schedule = Command.make("schedule").pipe(
  Command.withDescription("Schedules: list, add, change, pause, run, backfill"),
  Command.withSubcommands([
    list,
    show,
    create,
    update,
    plain("delete", "deleted", "Delete a schedule that was added at run time", (s, n) => s.remove(n)),
    plain("pause", "paused", "Fire no slot until it is resumed", (s, n) => s.pause(n)),
    plain("resume", "resumed", "Go on; slots of the pause are not made up for", (s, n) => s.resume(n)),
    run,
    backfill
  ])
)
