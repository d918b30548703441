/**
 * One message to several people, each by a call of its own. Promises that who has it is noted and not called again by a later
 * attempt, that a recipient who can't be reached keeps it from nobody else, and that all ends within its time: what is left
 * then is for the next attempt.
 */
import { Clock, Effect, Exit, type Schema, Semaphore } from "effect"
import { cut } from "../domain/Text.ts"
import { ChannelError, type Sending, type Sent } from "./Channel.ts"

/** How long recipients are begun with, ms: a call that begins last still ends within the time of the task (40 s). */
const beginMs = 15_000
/** Recipients that are named in a warning. */
const namedMax = 3

/** What became of one recipient: its reference at the other side, or why it will never have the message. */
export type Reached = { readonly reference: string } | { readonly refused: string }

/** What is kept between attempts; names of recipients lead to what became of them. */
interface Progress {
  readonly sent: Record<string, string>
  readonly refused: Record<string, string>
  /** Called without an answer so far: since when, epoch ms. */
  readonly open: Record<string, number>
}

const textsOf = (value: unknown): Record<string, string> =>
  typeof value === "object" && value !== null
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string")
      )
    : {}

const progressOf = (kept: Schema.Json | null): Progress => {
  const { open, refused, sent } = (kept ?? {}) as { open?: unknown; refused?: unknown; sent?: unknown }
  const since = Object.entries(typeof open === "object" && open !== null ? open : {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number"
  )
  return { sent: textsOf(sent), refused: textsOf(refused), open: Object.fromEntries(since) }
}

const warningOf = (refused: Progress["refused"], all: number): string | undefined => {
  const names = Object.entries(refused)
  if (names.length === 0) return undefined
  const shown = names.slice(0, namedMax).map(([name, reason]) => `${name}: ${reason}`)
  const more = names.length > namedMax ? `; and ${names.length - namedMax} more` : ""
  return cut(`${names.length} of ${all} recipients can't be reached (${shown.join("; ")}${more})`, 500)
}

/** The errors of several calls as one: it is tried again when any may work then. */
const together = (channel: string, errors: ReadonlyArray<ChannelError>, reached: number, all: number): ChannelError => {
  const first = errors.find(({ retryable }) => !retryable) ?? errors[0]
  const after = errors.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  return new ChannelError({
    channel,
    reason: `${all === 1 ? "" : `${reached} of ${all} recipients have it; `}${first?.reason ?? "no more time"}`,
    retryable: errors.every(({ retryable }) => retryable),
    unsure: errors.some(({ unsure }) => unsure === true),
    ...(after.length === 0 ? {} : { retryAfterMs: Math.max(...after) })
  })
}

/**
 * Calls for each recipient that has no message yet, at most `concurrency` at a time. `send` fails where the channel does, and
 * answers `refused` where only this recipient can't be reached; `since` is set where an earlier attempt called without an
 * answer. `noteBefore`: each call is noted before it is made, for what must not come twice.
 */
export const each = <R>(
  channel: string,
  { note, progress: kept }: Pick<Sending<never>, "note" | "progress">,
  recipients: ReadonlyArray<string>,
  options: { readonly concurrency: number; readonly noteBefore: boolean },
  send: (recipient: string, since: number | undefined) => Effect.Effect<Reached, ChannelError, R>
): Effect.Effect<Sent, ChannelError, R> =>
  Effect.gen(function* () {
    const progress = progressOf(kept)
    const { open, refused, sent } = progress
    const waiting = recipients.filter((name) => sent[name] === undefined && refused[name] === undefined)
    const begun = yield* Clock.currentTimeMillis
    const lock = Semaphore.makeUnsafe(1)
    const keep = lock.withPermits(1)(Effect.suspend(() => note(structuredClone(progress) as unknown as Schema.Json)))
    const errors: Array<ChannelError> = []
    yield* Effect.forEach(
      waiting,
      Effect.fnUntraced(function* (name) {
        const now = yield* Clock.currentTimeMillis
        if (errors.length > 0 || now - begun > beginMs) return
        const since = open[name]
        if (options.noteBefore) {
          open[name] ??= now
          yield* keep
        }
        const exit = yield* Effect.exit(send(name, since))
        if (Exit.isSuccess(exit)) {
          delete open[name]
          if ("reference" in exit.value) sent[name] = exit.value.reference
          else refused[name] = cut(exit.value.refused, 200)
          return yield* keep
        }
        const error = yield* Effect.flip(Effect.failCause(exit.cause))
        if (error.unsure !== true && since === undefined) delete open[name]
        errors.push(error)
      }),
      { concurrency: options.concurrency, discard: true }
    )
    const reached = recipients.filter((name) => sent[name] !== undefined).length
    const lost = recipients.filter((name) => refused[name] !== undefined).length
    if (errors.length > 0 || reached + lost < recipients.length) {
      yield* keep
      const late = new ChannelError({ channel, reason: "there was no more time", retryable: true, retryAfterMs: 0 })
      return yield* together(channel, errors.length > 0 ? errors : [late], reached, recipients.length)
    }
    const warning = warningOf(refused, recipients.length)
    if (reached === 0 && warning !== undefined) {
      return yield* new ChannelError({ channel, reason: warning, retryable: false })
    }
    const reference = reached === 0 ? null : ({ sent } as Schema.Json)
    return { reference, ...(warning === undefined ? {} : { warning }) }
  })
