/**
 * Follows files of this host: hands over what is written to them, whole lines in the order of each file. The next lines are
 * read when the last were taken, and positions are saved after that: a crash repeats lines, it never loses them. Which
 * files and bytes are new is Tail's part.
 */
import { Clock, Duration, Effect, type Scope } from "effect"
import { SourceError } from "../Source.ts"
import { Tail } from "./Tail.ts"

export interface TailOptions {
  /** File names, `*`, `**` and `{a,b}` allowed. */
  readonly patterns: ReadonlyArray<string>
  /** Where files that are there at the start begin, unless a position is saved. Files that appear later are read whole. */
  readonly from?: "end" | "start"
  /** JSON file that positions are kept in between runs. */
  readonly positionsFile?: string
  /** Pause between two looks when nothing is new; default 250 ms. */
  readonly poll?: Duration.Input
  /** How often to look for files that came or went; default 1 second. */
  readonly rescan?: Duration.Input
}

export interface TailBatch {
  readonly path: string
  readonly lines: ReadonlyArray<string>
}

/** One look at all files. */
export interface Follower {
  /** Hands over what is new; answers how many lines that were. */
  readonly turn: <E, R>(
    handle: (batch: TailBatch) => Effect.Effect<void, E, R>
  ) => Effect.Effect<number, E | SourceError, R>
}

const attempt = <A>(patterns: ReadonlyArray<string>, run: () => Promise<A>): Effect.Effect<A, SourceError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new SourceError({
        source: `tail ${patterns.join(" ")}`,
        expected: "files that can be read",
        got: cause instanceof Error ? cause.message : String(cause),
        retryable: true
      })
  })

/** Opens the files; they are closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: TailOptions
): Effect.fn.Return<Follower, SourceError, Scope.Scope> {
  const { from = "end", patterns, positionsFile } = options
  const tail = new Tail(patterns, positionsFile)
  const run = <A>(action: () => Promise<A>) => attempt(patterns, action)
  yield* Effect.addFinalizer(() => Effect.promise(() => tail.close()))
  yield* run(() => tail.load())
  const scan = Effect.fnUntraced(function* (fromEnd: boolean) {
    const now = yield* Clock.currentTimeMillis
    const problems = yield* run(() => tail.scan(now, fromEnd))
    for (const problem of problems) yield* Effect.logWarning(problem)
    return now
  })
  const rescanMs = Duration.toMillis(options.rescan ?? "1 second")
  let scannedAt = yield* scan(from === "end")

  const turn: Follower["turn"] = Effect.fnUntraced(function* (handle) {
    const now = yield* Clock.currentTimeMillis
    if (now - scannedAt >= rescanMs) scannedAt = yield* scan(false)
    let count = 0
    for (const file of tail.files.values()) {
      for (;;) {
        const fresh = yield* run(() => tail.read(file, now))
        if (fresh === undefined) break
        if (fresh.lines.length > 0) yield* handle({ path: file.path, lines: fresh.lines })
        yield* run(() => tail.commit(fresh))
        count += fresh.lines.length
      }
    }
    yield* run(() => tail.reap(now))
    yield* run(() => tail.save())
    return count
  })
  return { turn }
})

/** Follows the files until interrupted. */
export const follow = <E, R>(
  options: TailOptions,
  handle: (batch: TailBatch) => Effect.Effect<void, E, R>
): Effect.Effect<never, E | SourceError, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const follower = yield* make(options)
      for (;;) {
        const count = yield* follower.turn(handle)
        if (count === 0) yield* Effect.sleep(options.poll ?? "250 millis")
      }
    })
  )
