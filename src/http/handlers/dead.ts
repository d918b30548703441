/** Handlers of the group `dead`. */
import { Effect, type Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { QueueName } from "../../jobs/JobQueue.ts"
import * as Rate from "../../jobs/Rate.ts"
import * as Dead from "../../streams/DeadLetters.ts"
import { DeadLetters } from "../../streams/DeadLetters.ts"
import type { RedisError } from "../../streams/Redis.ts"
import { tasks } from "../../tasks/all.ts"
import { Api } from "../Api.ts"
import { requireAdmin } from "../Auth.ts"
import { Conflict, invalid, NotFound } from "../Errors.ts"
import { fromPayload, orUnavailable, unavailable } from "./common.ts"

const iso = (ms: number): string => new Date(ms).toISOString()

const row = (letter: Dead.DeadLetter) => ({
  ...letter,
  payload: letter.payload as Schema.Json,
  error: letter.error as Schema.Json,
  enqueuedAt: letter.enqueuedAt === null ? null : iso(letter.enqueuedAt),
  firstFailedAt: iso(letter.firstFailedAt),
  diedAt: iso(letter.diedAt),
  history: letter.history.map((h) => ({ ...h, at: iso(h.at) }))
})

interface Asked {
  readonly queue?: QueueName
  readonly task?: string
  readonly fingerprint?: string
  readonly since?: string
  readonly text?: string
}

const filterOf = ({ fingerprint, queue, since, task, text }: Asked) => {
  const at = since === undefined ? undefined : Date.parse(since)
  return Number.isNaN(at)
    ? Effect.fail(invalid("since", `expected a time like 2026-01-31T12:00:00Z, got ${JSON.stringify(since)}`))
    : Effect.succeed<Dead.Filter>({ fingerprint, queue, since: at, task, text })
}

/** A request for many must say which, or that it means all: an empty body is more often a mistake. */
const someOf = (asked: Asked & { readonly all?: boolean }) =>
  asked.all === true ||
  [asked.fingerprint, asked.queue, asked.since, asked.task, asked.text].some((f) => f !== undefined)
    ? filterOf(asked)
    : Effect.fail(invalid("all", "expected a filter (fingerprint, queue, since, task, text) or all: true, got neither"))

const rateOf = (text: string | undefined) =>
  text === undefined || Rate.parse(text) !== undefined
    ? Effect.succeed(text as Rate.RateInput | undefined)
    : Effect.fail(invalid("rate", `expected a rate like "50/s", "600/m" or "100/h", got ${JSON.stringify(text)}`))

type Fault = Effect.Error<ReturnType<DeadLetters["Service"]["edit"]>> | RedisError

const fault = (error: Fault) => {
  switch (error._tag) {
    case "DeadLetterUnknown":
      return new NotFound({ message: `expected a dead job that exists, got ${error.id}: GET /v1/dead lists them` })
    case "PayloadInvalid":
    case "PayloadTooLarge":
      return fromPayload(error)
    case "RedisError":
      return unavailable(error)
  }
}

export const DeadHandlers = HttpApiBuilder.group(
  Api,
  "dead",
  Effect.fnUntraced(function* (handlers) {
    const dead = yield* DeadLetters
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query: { cursor, limit, ...asked } }) {
        yield* requireAdmin
        if (cursor !== undefined && !Dead.isCursor(cursor)) {
          return yield* invalid("cursor", `expected one that a page has given, got ${JSON.stringify(cursor)}`)
        }
        const page = yield* orUnavailable(dead.list(yield* filterOf(asked), { cursor, limit }))
        return { letters: page.letters.map(row), cursor: page.cursor ?? null }
      }),
      groups: Effect.fnUntraced(function* ({ query }) {
        yield* requireAdmin
        const groups = yield* orUnavailable(dead.groups(yield* filterOf(query)))
        return groups.map((g) => ({
          ...g,
          error: g.error as Schema.Json,
          firstAt: iso(g.firstAt),
          lastAt: iso(g.lastAt)
        }))
      }),
      show: Effect.fnUntraced(function* ({ params }) {
        yield* requireAdmin
        return row(yield* Effect.mapError(dead.get(params.id), fault))
      }),
      edit: Effect.fnUntraced(function* ({ params, payload }) {
        yield* requireAdmin
        return row(yield* Effect.mapError(dead.edit(params.id, payload.payload, tasks), fault))
      }),
      replayOne: Effect.fnUntraced(function* ({ params, payload }) {
        yield* requireAdmin
        const id = yield* Effect.mapError(dead.replay(params.id, payload.payload, tasks), (error) =>
          error._tag === "UniqueKeyHeld" ? new Conflict({ message: error.message }) : fault(error)
        )
        return { id }
      }),
      discardOne: Effect.fnUntraced(function* ({ params }) {
        yield* requireAdmin
        if (yield* orUnavailable(dead.discard(params.id))) return
        return yield* fault(new Dead.DeadLetterUnknown({ id: params.id }))
      }),
      replay: Effect.fnUntraced(function* ({ payload: { limit, rate, ...asked } }) {
        yield* requireAdmin
        return yield* orUnavailable(dead.replayAll(yield* someOf(asked), { limit, rate: yield* rateOf(rate) }))
      }),
      discard: Effect.fnUntraced(function* ({ payload: { limit, ...asked } }) {
        yield* requireAdmin
        return yield* orUnavailable(dead.discardAll(yield* someOf(asked), { limit }))
      })
    })
  })
)
