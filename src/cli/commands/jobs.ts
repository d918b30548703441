/** Jobs from the terminal: enqueue, result, revoke, purge. */
import { type Duration, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { Engine } from "../../jobs/Engine.ts"
import { type QueueName, queues } from "../../jobs/JobQueue.ts"
import { celeryState, isFinal } from "../../jobs/Outcome.ts"
import { jobFrom } from "../../jobs/Registry.ts"
import { Control } from "../../streams/Control.ts"
import { Inspect } from "../../streams/Inspect.ts"
import { tasks } from "../../tasks/all.ts"
import { CliFailure, iso, line, withEngine } from "../context.ts"
import * as flags from "../flags.ts"

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

export const enqueue = Command.make(
  "enqueue",
  {
    task: Argument.String("task"),
    payload: Argument.String("payload").pipe(Argument.withDescription("JSON"), Argument.withDefault("{}")),
    delay: Flag.String("delay").pipe(
      Flag.optional,
      Flag.withDescription('run no sooner than, for example "5 minutes"')
    ),
    queue: Flag.Literals("queue", queues).pipe(
      Flag.optional,
      Flag.withDescription("another queue than the task's own")
    ),
    wait: Flag.Boolean("wait").pipe(Flag.withDefault(false), Flag.withDescription("wait and print the result"))
  },
  ({ delay, payload, queue, task, wait }) =>
    withEngine(
      Effect.gen(function* () {
        const json = Option.getOrUndefined(decodeJson(payload))
        if (json === undefined)
          return yield* new CliFailure({ message: `payload: expected JSON, got ${JSON.stringify(payload)}` })
        const engine = yield* Engine
        const job = yield* jobFrom(tasks, task, json)
        const id = yield* engine.enqueue(job, {
          ...(Option.isSome(delay) ? { delay: delay.value as Duration.Input } : {}),
          ...(Option.isSome(queue) ? { queue: queue.value } : {})
        })
        if (!wait) return line(id)
        line(JSON.stringify(yield* engine.await(id)))
      })
    )
).pipe(Command.withDescription("Queue a task by name; prints the job's id"))

export const result = Command.make(
  "result",
  {
    id: Argument.String("id"),
    wait: Flag.Boolean("wait").pipe(Flag.withDefault(false), Flag.withDescription("wait for the end")),
    json: flags.json
  },
  ({ id, json, wait }) =>
    withEngine(
      Effect.gen(function* () {
        const inspect = yield* Inspect
        if (wait) yield* Effect.ignore((yield* Engine).await(id))
        const job = yield* inspect.job(id)
        if (job === undefined)
          return yield* new CliFailure({ message: `no job has the id ${id}, or its result has expired` })
        if (json) return line(JSON.stringify(job))
        line(`${job.task}  ${celeryState(job.state)}  attempt ${job.attempt}  queued ${iso(job.enqueuedAt) ?? "-"}`)
        if (job.progress !== undefined && !isFinal(job.state)) line(`progress  ${JSON.stringify(job.progress)}`)
        if (job.error !== undefined) line(`error     ${job.error._tag}: ${job.error.message ?? ""}`)
        if (job.result !== undefined) line(`result    ${JSON.stringify(job.result)}`)
      })
    )
).pipe(Command.withDescription("Status and result of a job"))

export const revoke = Command.make(
  "revoke",
  {
    ids: Argument.String("id").pipe(Argument.atLeast(1)),
    terminate: Flag.Boolean("terminate").pipe(
      Flag.withDefault(false),
      Flag.withDescription("interrupt it where it runs, too")
    )
  },
  ({ ids, terminate }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        const what = yield* control.revokeAll(ids, { terminate })
        ids.forEach((id, i) => line(`${id}  ${what[i]}`))
        const unknown = ids.filter((_, i) => what[i] === "unknown")
        if (unknown.length > 0) {
          return yield* new CliFailure({
            message: `no job has the id ${unknown.join(", ")}, or its result has expired`
          })
        }
      })
    )
).pipe(Command.withDescription("Cancel jobs"))

export const purge = Command.make(
  "purge",
  {
    queue: Argument.Literals("queue", queues).pipe(Argument.optional),
    yes: Flag.Boolean("yes").pipe(Flag.withAlias("y"), Flag.withDefault(false), Flag.withDescription("do not ask"))
  },
  ({ queue, yes }) =>
    withEngine(
      Effect.gen(function* () {
        const control = yield* Control
        const wanted: ReadonlyArray<QueueName> = Option.isSome(queue) ? [queue.value] : queues
        const message = `Cancel every waiting and delayed job of ${wanted.join(", ")}?`
        if (!yes && !(yield* Prompt.run(Prompt.Confirm({ message })))) return
        for (const name of wanted) line(`${name}  ${yield* control.purge(name)} jobs cancelled`)
      })
    )
).pipe(Command.withDescription("Cancel every job that nobody has begun"))
