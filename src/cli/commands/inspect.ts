/** `loglytics inspect …` and `loglytics status`: what workers, queues and the log stream do right now. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import * as Rate from "../../jobs/Rate.ts"
import { Inspect } from "../../streams/Inspect.ts"
import * as LogDepth from "../../streams/LogDepth.ts"
import { Redis } from "../../streams/Redis.ts"
import type { Ask } from "../../streams/Requests.ts"
import { asking, askOptions, printReplies } from "../asking.ts"
import { CliFailure, iso, line, print, settings, withLook } from "../context.ts"
import * as flags from "../flags.ts"

const view = (
  name: string,
  description: string,
  rows: (
    inspect: Inspect["Service"]
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, { readonly message: string }>
) =>
  Command.make(name, { json: flags.json }, ({ json }) =>
    withLook(
      Effect.gen(function* () {
        print(yield* rows(yield* Inspect), json)
      })
    )
  ).pipe(Command.withDescription(description))

/** A question that workers answer themselves; fails where none runs. */
const asked = (name: string, what: Exclude<Ask, "query_task">, description: string) =>
  Command.make(name, { json: flags.json, ...asking }, ({ destination, json, timeout }) =>
    withLook(
      Effect.gen(function* () {
        const i = yield* Inspect
        yield* printReplies(yield* i.ask(what, {}, yield* askOptions({ destination, timeout })), json)
      })
    )
  ).pipe(Command.withDescription(description))

export const inspect = Command.make("inspect").pipe(
  Command.withDescription("What workers run, hold, wait for and can do"),
  Command.withSubcommands([
    view("active", "Jobs that run now", (i) =>
      Effect.map(i.active, (rows) =>
        rows.map(({ jobId, startedAt, task, worker }) => ({ job: jobId, task, worker, started: iso(startedAt) }))
      )
    ),
    view("reserved", "Jobs that workers hold and have not begun", (i) =>
      Effect.map(i.reserved, (rows) => rows.map(({ at, id, queue, task }) => ({ job: id, task, queue, held: iso(at) })))
    ),
    view("scheduled", "Jobs that wait for their time", (i) =>
      Effect.map(i.scheduled, (rows) => rows.map(({ at, id, queue, task }) => ({ job: id, task, queue, due: iso(at) })))
    ),
    view("registered", "Tasks that some worker can run", (i) =>
      Effect.map(i.registered, (names) => names.map((task) => ({ task })))
    ),
    view("stats", "Workers and what they have done", (i) =>
      Effect.map(i.workers, (rows) =>
        rows.map((w) => ({
          worker: w.id,
          pid: w.pid,
          concurrency: w.concurrency,
          running: w.running.length,
          reserved: w.reserved,
          processed: w.processed,
          failed: w.failed,
          heartbeat: iso(w.heartbeatAt)
        }))
      )
    ),
    view("revoked", "Ids revoked within the last day", (i) =>
      Effect.map(i.revoked, (rows) => rows.map(({ at, id }) => ({ job: id, at: iso(at) })))
    ),
    view("limits", "What was set for tasks at run time", (i) =>
      Effect.map(i.settings, ({ tasks }) =>
        [...tasks].map(([task, set]) => ({
          task,
          rate: set.rate === undefined ? null : set.rate === null ? "none" : Rate.text(set.rate),
          concurrency: set.concurrency === undefined ? null : (set.concurrency ?? "none"),
          soft_ms: set.time?.softMs ?? null,
          hard_ms: set.time?.hardMs ?? null
        }))
      )
    ),
    view("clock", "By how many ms each worker's clock is ahead of that of Redis", (i) =>
      Effect.map(i.clock(), (rows) => rows.map((row) => ({ ...row })))
    ),
    asked("ping", "ping", "Which workers answer"),
    asked("active_queues", "active_queues", "Queues that each worker reads"),
    asked("conf", "conf", "Options of each worker"),
    asked("report", "stats", "Figures of each worker"),
    asked("tasks", "registered", "Tasks of each worker with their options"),
    Command.make(
      "query_task",
      { ids: Argument.String("id").pipe(Argument.atLeast(1)), json: flags.json, ...asking },
      ({ destination, ids, json, timeout }) =>
        withLook(
          Effect.gen(function* () {
            const i = yield* Inspect
            const all = yield* i.queryTask(ids, yield* askOptions({ destination, timeout }))
            yield* printReplies(all, json)
            if (!all.replies.some((reply) => reply.ok && reply.value.length > 0)) {
              return yield* new CliFailure({ message: `no worker holds ${ids.join(", ")}` })
            }
          })
        )
    ).pipe(Command.withDescription("Which workers hold these jobs"))
  ])
)

export const status = Command.make("status", { json: flags.json }, ({ json }) =>
  withLook(
    Effect.gen(function* () {
      const look = yield* Inspect
      const queues = yield* look.queues
      const workers = yield* look.workers
      const logs = yield* LogDepth.all(yield* Redis, (yield* settings).logPartitions)
      if (json) return line(JSON.stringify({ queues, workers, logs }))
      print(
        queues.map((q) => ({
          queue: q.name,
          waiting: q.backlog,
          "in flight": q.inFlight,
          delayed: q.delayed,
          dead: q.dead,
          "oldest s": Math.round(q.oldestAgeMs / 1_000),
          state: q.paused ? "paused" : "open"
        })),
        false
      )
      line("")
      print(
        logs.map((p) => ({
          "log partition": p.partition,
          batches: p.backlog,
          bytes: p.bytes,
          "oldest s": Math.round(p.oldestAgeMs / 1_000),
          owner: p.owner
        })),
        false
      )
      line("")
      print(
        workers.map((w) => ({
          worker: w.id,
          running: `${w.running.length}/${w.concurrency}`,
          processed: w.processed,
          failed: w.failed
        })),
        false,
        "no worker has a heartbeat"
      )
    })
  )
).pipe(Command.withDescription("Queues, log partitions and workers"))
