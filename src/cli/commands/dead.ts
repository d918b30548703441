/** `loglytics dead …`: jobs that gave up, from the terminal. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { queues } from "../../jobs/JobQueue.ts"
import * as Rate from "../../jobs/Rate.ts"
import { DeadLetters, type Filter, isCursor } from "../../streams/DeadLetters.ts"
import { tasks } from "../../tasks/all.ts"
import { CliFailure, iso, line, print, withEngine } from "../context.ts"
import * as flags from "../flags.ts"

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

const filterFlags = {
  queue: Flag.Literals("queue", queues).pipe(Flag.optional, Flag.withDescription("only this queue")),
  task: Flag.String("task").pipe(Flag.optional, Flag.withDescription("only this task")),
  fingerprint: Flag.String("fingerprint").pipe(
    Flag.withAlias("f"),
    Flag.optional,
    Flag.withDescription("only failures like this one; `dead list --groups` shows them")
  ),
  since: Flag.String("since").pipe(
    Flag.optional,
    Flag.withDescription("died at this time or later, for example 2026-01-31T12:00Z")
  ),
  text: Flag.String("text").pipe(Flag.optional, Flag.withDescription("found in id, payload or error"))
}

type Flags = { readonly [K in keyof Filter]?: Option.Option<string> }

const filterOf = (given: Flags) => {
  const get = (name: keyof Flags) => Option.getOrUndefined(given[name] ?? Option.none())
  const since = get("since")
  const at = since === undefined ? undefined : Date.parse(since)
  return Number.isNaN(at)
    ? Effect.fail(new CliFailure({ message: `--since: expected a time like 2026-01-31T12:00Z, got ${since}` }))
    : Effect.succeed({
        queue: get("queue") as Filter["queue"],
        task: get("task"),
        fingerprint: get("fingerprint"),
        text: get("text"),
        since: at
      } satisfies Filter)
}

const jsonOf = (text: string) =>
  Effect.fromOption(decodeJson(text)).pipe(
    Effect.mapError(() => new CliFailure({ message: `payload: expected JSON, got ${JSON.stringify(text)}` }))
  )

/** The ids named, or the question about all that match. */
const sure = (ids: ReadonlyArray<string>, yes: boolean, what: string) =>
  ids.length > 0 || yes ? Effect.succeed(true) : Prompt.run(Prompt.Confirm({ message: what }))

const many = {
  ids: Argument.String("id").pipe(Argument.atLeast(0), Argument.withDescription("none: all that match")),
  ...filterFlags,
  limit: Flag.Int("limit").pipe(Flag.optional, Flag.withDescription("at most so many, the oldest first")),
  yes: Flag.Boolean("yes").pipe(Flag.withAlias("y"), Flag.withDefault(false), Flag.withDescription("do not ask"))
}

const told = (word: string) => ({
  onProgress: ({ done, skipped }: { readonly done: number; readonly skipped: number }) =>
    void process.stderr.write(`\r${word} ${done}${skipped > 0 ? `, left ${skipped}` : ""}`)
})
const ended = (word: string, { done, skipped }: { readonly done: number; readonly skipped: number }) => {
  if (done + skipped > 0) process.stderr.write("\n")
  line(`${word} ${done}${skipped > 0 ? `, left ${skipped} as they were` : ""}`)
}

const list = Command.make(
  "list",
  {
    ...filterFlags,
    limit: Flag.Int("limit").pipe(Flag.withDefault(50), Flag.withDescription("1 to 500")),
    cursor: Flag.String("cursor").pipe(Flag.optional, Flag.withDescription("go on where the last list ended")),
    groups: Flag.Boolean("groups").pipe(Flag.withDefault(false), Flag.withDescription("count by fingerprint")),
    json: flags.json
  },
  ({ cursor, groups, json, limit, ...given }) =>
    withEngine(
      Effect.gen(function* () {
        const dead = yield* DeadLetters
        const filter = yield* filterOf(given)
        if (groups) {
          const rows = yield* dead.groups(filter)
          return print(
            rows.map(({ count, error, fingerprint, lastAt, sample, task }) => ({
              fingerprint,
              count,
              task,
              last: iso(lastAt),
              sample,
              error: `${error._tag}: ${(error.message ?? "").slice(0, 80)}`
            })),
            json
          )
        }
        const from = Option.getOrUndefined(cursor)
        if (from !== undefined && !isCursor(from)) {
          return yield* new CliFailure({ message: `--cursor: expected one that a list has given, got ${from}` })
        }
        const page = yield* dead.list(filter, { limit, cursor: from })
        print(
          page.letters.map(({ attempts, diedAt, error, fingerprint, id, task }) => ({
            job: id,
            task,
            died: iso(diedAt),
            attempts,
            fingerprint,
            error: `${error._tag}: ${(error.message ?? "").slice(0, 80)}`
          })),
          json
        )
        if (page.cursor !== undefined) process.stderr.write(`more: --cursor ${page.cursor}\n`)
      })
    )
).pipe(Command.withDescription("Dead jobs, newest first"))

const show = Command.make("show", { id: Argument.String("id") }, ({ id }) =>
  withEngine(
    Effect.gen(function* () {
      line(JSON.stringify(yield* (yield* DeadLetters).get(id), null, 2))
    })
  )
).pipe(Command.withDescription("Payload, error and history of one"))

const edit = Command.make(
  "edit",
  { id: Argument.String("id"), payload: Argument.String("payload").pipe(Argument.withDescription("JSON")) },
  ({ id, payload }) =>
    withEngine(
      Effect.gen(function* () {
        const edited = yield* (yield* DeadLetters).edit(id, yield* jsonOf(payload), tasks)
        line(JSON.stringify(edited.payload))
      })
    )
).pipe(Command.withDescription("Give one another payload"))

const replay = Command.make(
  "replay",
  {
    ...many,
    rate: Flag.String("rate").pipe(Flag.optional, Flag.withDescription('how fast, for example "50/s"'))
  },
  ({ ids, limit, rate, yes, ...given }) =>
    withEngine(
      Effect.gen(function* () {
        const dead = yield* DeadLetters
        const filter = yield* filterOf(given)
        const pace = Option.getOrUndefined(rate)
        if (pace !== undefined && Rate.parse(pace) === undefined) {
          return yield* new CliFailure({ message: `--rate: expected a rate like 50/s, 600/m or 100/h, got ${pace}` })
        }
        if (!(yield* sure(ids, yes, "Put every dead job back that matches?"))) return
        for (const id of ids) line(`${yield* dead.replay(id)}  queued`)
        if (ids.length > 0) return
        const options = { limit: Option.getOrUndefined(limit), rate: pace as Rate.RateInput | undefined }
        ended("replayed", yield* dead.replayAll(filter, { ...options, ...told("replayed") }))
      })
    )
).pipe(Command.withDescription("Put dead jobs back into their queues"))

const discard = Command.make("discard", many, ({ ids, limit, yes, ...given }) =>
  withEngine(
    Effect.gen(function* () {
      const dead = yield* DeadLetters
      const filter = yield* filterOf(given)
      if (!(yield* sure(ids, yes, "Throw every dead job away that matches?"))) return
      const missing: Array<string> = []
      for (const id of ids) {
        const there = yield* dead.discard(id)
        line(`${id}  ${there ? "discarded" : "not there"}`)
        if (!there) missing.push(id)
      }
      if (missing.length > 0) return yield* new CliFailure({ message: `not a dead job: ${missing.join(", ")}` })
      if (ids.length > 0) return
      const options = { limit: Option.getOrUndefined(limit), ...told("discarded") }
      ended("discarded", yield* dead.discardAll(filter, options))
    })
  )
).pipe(Command.withDescription("Throw dead jobs away"))

export const dead = Command.make("dead").pipe(
  Command.withDescription("Jobs that gave up"),
  Command.withSubcommands([list, show, edit, replay, discard])
)
