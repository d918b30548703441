/** `loglytics control …`: steer tasks, queues and workers while they run. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { RateInput } from "../../jobs/Rate.ts"
import { queues } from "../../jobs/JobQueue.ts"
import { Control } from "../../streams/Control.ts"
import { Inspect } from "../../streams/Inspect.ts"
import type { AskOptions, Replies } from "../../streams/Requests.ts"
import { asking, askOptions, printReplies } from "../asking.ts"
import { CliFailure, line, withEngine } from "../context.ts"
import * as flags from "../flags.ts"

const task = Argument.String("task")
const queue = Argument.Literals("queue", queues)
const by = Argument.Int("by").pipe(
  Argument.withDefault(1),
  Argument.filter(
    (n) => n >= 1,
    (n) => `expected a number of permits, 1 or more, got ${n}`
  )
)

/** Something that is kept in Redis; prints a line (or JSON) when it is done. */
const done = (json: boolean, words: string, answer: Readonly<Record<string, unknown>>): void =>
  line(json ? JSON.stringify(answer) : words)

/** Says on standard error when workers run and none knows the task: a typing error, or its workers are away just now. */
const warnUnknown = (name: string) =>
  Effect.gen(function* () {
    const known = yield* (yield* Inspect).registered
    if (known.length === 0 || known.includes(name)) return
    process.stderr.write(
      `loglytics: no running worker knows a task named ${JSON.stringify(name)}; it is set all the same ` +
        `(queues: ${queues.join(", ")}; tasks: loglytics inspect registered)\n`
    )
  })

/** Something that running workers are told. */
const told = (
  name: string,
  description: string,
  tell: (
    control: Control["Service"],
    options: AskOptions
  ) => Effect.Effect<Replies<unknown>, { readonly message: string }>
) =>
  Command.make(name, { json: flags.json, ...asking }, ({ destination, json, timeout }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        yield* printReplies(yield* tell(control, yield* askOptions({ destination, timeout })), json)
      })
    )
  ).pipe(Command.withDescription(description))

const toldOf = <A>(
  name: string,
  description: string,
  argument: Argument.Argument<A>,
  tell: (
    control: Control["Service"],
    value: A,
    options: AskOptions
  ) => Effect.Effect<Replies<unknown>, { readonly message: string }>
) =>
  Command.make(name, { value: argument, json: flags.json, ...asking }, ({ destination, json, timeout, value }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        yield* printReplies(yield* tell(control, value, yield* askOptions({ destination, timeout })), json)
      })
    )
  ).pipe(Command.withDescription(description))

const rateLimit = Command.make(
  "rate_limit",
  {
    task,
    rate: Argument.String("rate").pipe(Argument.withDescription('"10/s", "600/m", "100/h", "none" or "default"')),
    json: flags.json
  },
  ({ json, rate, task: name }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        if (rate !== "default") yield* warnUnknown(name)
        yield* control.rateLimit(name, rate === "none" || rate === "0" ? null : (rate as RateInput | "default"))
        done(json, `${name}  rate limit ${rate}`, { task: name, rate })
      })
    )
).pipe(Command.withDescription("How often jobs of a task may start, over all workers"))

const concurrency = Command.make(
  "concurrency",
  {
    task,
    limit: Argument.String("limit").pipe(Argument.withDescription('a number, "none" or "default"')),
    json: flags.json
  },
  ({ json, limit, task: name }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        if (limit !== "default") yield* warnUnknown(name)
        if (limit !== "none" && limit !== "default" && !/^[1-9]\d*$/u.test(limit)) {
          return yield* new CliFailure({
            message: `expected a concurrency of at least 1, none or default, got ${limit}`
          })
        }
        yield* control.concurrency(name, limit === "none" ? null : limit === "default" ? limit : Number(limit))
        done(json, `${name}  concurrency ${limit}`, { task: name, concurrency: limit })
      })
    )
).pipe(Command.withDescription("How many jobs of a task may run at once, over all workers"))

const timeLimit = Command.make(
  "time_limit",
  {
    task,
    soft: Flag.String("soft").pipe(Flag.optional, Flag.withDescription('interrupt after, for example "30 seconds"')),
    hard: Flag.String("hard").pipe(Flag.optional, Flag.withDescription("abandon after")),
    default: Flag.Boolean("default").pipe(Flag.withDefault(false), Flag.withDescription("as the task's code says")),
    json: flags.json
  },
  ({ default: own, hard, json, soft, task: name }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        const limits = {
          ...(Option.isSome(soft) ? { soft: soft.value as `${number} seconds` } : {}),
          ...(Option.isSome(hard) ? { hard: hard.value as `${number} seconds` } : {})
        }
        if (!own) yield* warnUnknown(name)
        yield* control.timeLimit(name, own ? "default" : limits)
        done(json, `${name}  time limits ${own ? "default" : JSON.stringify(limits)}`, { task: name, ...limits })
      })
    )
).pipe(Command.withDescription("Time limits of a task, for attempts that begin from now on"))

/** Pauses and resumes a queue or a task, by what it is named. */
const pausing = (name: "pause" | "resume", description: string) =>
  Command.make(name, { what: Argument.String("queue or task"), json: flags.json }, ({ json, what }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        const known = queues.find((q) => q === what)
        if (known !== undefined) yield* control[name](known)
        else if (name === "pause") {
          yield* warnUnknown(what)
          yield* control.pauseTask(what)
        } else {
          const jobs = yield* control.resumeTask(what)
          return done(json, `${what}  resumed, ${jobs} jobs put back`, { resumed: what, jobs })
        }
        done(json, `${what}  ${name}d`, { [`${name}d`]: what })
      })
    )
  ).pipe(Command.withDescription(description))

const revokeTask = Command.make(
  "revoke_task",
  {
    task,
    keep: Flag.Boolean("keep-running").pipe(Flag.withDefault(false), Flag.withDescription("let finish what runs")),
    json: flags.json
  },
  ({ json, keep, task: name }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        const { cancelled, requested } = yield* control.revokeTask(name, { terminate: !keep })
        if (cancelled + requested === 0) {
          return yield* new CliFailure({ message: `no job of the task ${name} waits or runs` })
        }
        done(json, `${name}  ${cancelled} cancelled, ${requested} told to stop`, { task: name, cancelled, requested })
      })
    )
).pipe(Command.withDescription("Cancel every job of a task that is there now"))

export const control = Command.make("control").pipe(
  Command.withDescription("Steer tasks, queues and workers while they run"),
  Command.withSubcommands([
    rateLimit,
    concurrency,
    timeLimit,
    pausing("pause", "Hold a queue, or set the jobs of a task aside"),
    pausing("resume", "Let a queue or a task go on"),
    revokeTask,
    toldOf("pool_grow", "More permits", by, (c, n, o) => c.pool(n, o)),
    toldOf("pool_shrink", "Fewer permits", by, (c, n, o) => c.pool(-n, o)),
    toldOf("add_consumer", "Read a queue", queue, (c, q, o) => c.addConsumer(q, o)),
    toldOf("cancel_consumer", "Read a queue no more", queue, (c, q, o) => c.cancelConsumer(q, o)),
    told("drain", "Finish what runs, take nothing new", (c, o) => c.drain(o)),
    told("undrain", "Take jobs again", (c, o) => c.undrain(o)),
    told("shutdown", "End worker processes gracefully", (c, o) => c.shutdown(o))
  ])
)
