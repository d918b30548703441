/**
 * Gathers events that come one by one into batches and hands these to a sink, one at a time and in order. Promises a bounded
 * buffer that says when it is full and when there is room again, that a batch the sink refuses is offered again under the same
 * key until it is taken, and that what was gathered is handed over on shutdown, for a limited time.
 */
import { Duration, Effect, Schedule, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import type { SentEvent } from "../../domain/SentEvent.ts"

/**
 * Takes events of one project; succeeds when they are in the log stream. A failure is passing: nothing or a part was taken, and
 * the same events under the same `key` add what is missing.
 */
export type Sink = (events: ReadonlyArray<SentEvent>, key: string) => Effect.Effect<void, { readonly message: string }>

export interface GatherOptions {
  /** For the log. */
  readonly name: string
  readonly sink: Sink
  /** Events of a batch. */
  readonly batchMax?: number
  /** How long the first event of a batch waits for others. */
  readonly linger?: Duration.Input
  /** Events held; above it there is no room. */
  readonly heldMax?: number
  /** Characters held; above it there is no room. */
  readonly charsMax?: number
}

export interface Gather {
  /** Takes an event, whatever the room; `chars` is about how much memory it needs. */
  readonly add: (event: SentEvent, chars: number) => void
  readonly hasRoom: () => boolean
  /** Called each time when there is room again. */
  readonly onRoom: (listener: () => void) => void
}

/** How long what is left may take on shutdown. */
const drainTime = "5 seconds"

/** Waits between two offers of the same batch. */
export const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

export const make = Effect.fnUntraced(function* (options: GatherOptions): Effect.fn.Return<Gather, never, Scope.Scope> {
  const { batchMax = 500, charsMax = 8 * 1_024 * 1_024, heldMax = 5_000, name, sink } = options
  const lingerMs = Duration.toMillis(options.linger ?? "200 millis")
  const run = randomUUID()
  const listeners: Array<() => void> = []
  let held: Array<{ readonly event: SentEvent; readonly chars: number }> = []
  let chars = 0
  let batches = 0
  let busy = false
  let wake: (() => void) | undefined
  let drained: (() => void) | undefined
  const hasRoom = () => held.length < heldMax && chars < charsMax

  /** Until something is held and either a batch is full or the first of it has waited long enough. */
  const ready = Effect.callback<void>((resume) => {
    let timer: NodeJS.Timeout | undefined
    const look = () => {
      if (held.length >= batchMax || (held.length > 0 && drained !== undefined)) return resume(Effect.void)
      if (held.length > 0) timer ??= setTimeout(() => resume(Effect.void), lingerMs)
    }
    wake = look
    look()
    return Effect.sync(() => clearTimeout(timer))
  }).pipe(Effect.ensuring(Effect.sync(() => (wake = undefined))))

  const turn = Effect.gen(function* () {
    yield* ready
    const batch = held.slice(0, batchMax)
    const key = `${name}.${run}.${batches++}`
    busy = true
    yield* sink(
      batch.map(({ event }) => event),
      key
    ).pipe(
      Effect.tapError((error) =>
        Effect.logWarning(`${name}: a batch waits, the stream does not take it: ${error.message}`)
      ),
      Effect.retry(patience)
    )
    const had = hasRoom()
    held = held.slice(batch.length)
    for (const one of batch) chars -= one.chars
    busy = false
    if (!had && hasRoom()) for (const listener of listeners) listener()
    if (held.length === 0) drained?.()
  })
  yield* Effect.forkScoped(Effect.forever(turn))
  // Runs before the fiber above is ended.
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      drained = () => resume(Effect.void)
      if (held.length === 0 && !busy) drained()
      else wake?.()
    }).pipe(
      Effect.timeoutOption(drainTime),
      Effect.andThen(
        Effect.suspend(() =>
          held.length === 0 ? Effect.void : Effect.logError(`${name}: ${held.length} events could not be handed over`)
        )
      )
    )
  )
  return {
    add: (event, size) => {
      held.push({ event, chars: size })
      chars += size
      wake?.()
    },
    hasRoom,
    onRoom: (listener) => void listeners.push(listener)
  }
})
