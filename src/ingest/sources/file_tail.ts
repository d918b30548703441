/**
 * Follows files of this host: hands over what is written to them, whole lines in the order of each file. The next lines are
 * read when the last were taken, and positions are saved after that. With a positions file a crash repeats at most one range
 * of a file, under the same key: a stream that knows keys adds it once. Which files and bytes are new is Tail's part.
 */
import { Clock, Duration, Effect, type Scope } from "effect"
import { SourceError } from "../Source.ts"
import { type Fresh, Tail } from "./Tail.ts"

export interface TailOptions {
  /** File names, `*`, `**` and `{a,b}` allowed. */
  readonly patterns: ReadonlyArray<string>
  /** Where files that are there at the start begin, unless a position is saved. Files that appear later are read whole. */
  readonly from?: "end" | "start"
  /** JSON file that positions are kept in between runs. */
  readonly positionsFile?: string
  /** Pause between two looks when nothing is new; default 250 ms. */
  readonly poll?: Duration.Input
  /** Whether lines of one stack trace become one event, which then may wait a second for more; default true. */
  readonly multiline?: boolean
  /** How often to look for files that came or went; default 1 second, less often where a look takes long. */
  readonly rescan?: Duration.Input
}

export interface TailBatch {
  readonly path: string
  /** Events; one of several lines has line ends inside. */
  readonly lines: ReadonlyArray<string>
  /** Names this very set of lines, also after a crash and a new start from the positions file. */
  readonly key: string
}

/** Bytes of new lines of all files that are held at once, about. */
const heldMax = 8 * 1024 * 1024

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
        fault: "unreachable",
        expected: "files that can be read",
        got: cause instanceof Error ? cause.message : String(cause),
        retryable: true
      })
  })

/** Opens the files; they are closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: TailOptions
): Effect.fn.Return<Follower, SourceError, Scope.Scope> {
  const { from = "end", multiline = true, patterns, positionsFile } = options
  const tail = new Tail(patterns, positionsFile, multiline)
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
  yield* run(() => tail.findRenamed(scannedAt))
  let scanTook = 0

  /** Hands over what was planned and saved before. */
  const handOver = Effect.fnUntraced(function* <E, R>(
    fresh: ReadonlyArray<Fresh>,
    handle: (batch: TailBatch) => Effect.Effect<void, E, R>
  ) {
    for (const one of fresh) tail.plan(one)
    if (fresh.length > 0) yield* run(() => tail.save())
    let count = 0
    for (const one of fresh) {
      if (one.lines.length > 0) yield* handle({ path: one.path, lines: one.lines, key: one.key })
      yield* run(() => tail.commit(one))
      count += one.lines.length
    }
    return count
  })

  const turn: Follower["turn"] = Effect.fnUntraced(function* (handle) {
    const now = yield* Clock.currentTimeMillis
    const due = now - scannedAt >= Math.max(rescanMs, scanTook * 20)
    if (due) {
      scannedAt = yield* scan(false)
      scanTook = (yield* Clock.currentTimeMillis) - now
    }
    let count = 0
    let files = due ? [...tail.files.values()] : [...tail.files.values()].filter((file) => tail.isLively(file, now))
    while (files.length > 0) {
      const fresh: Array<Fresh> = []
      const next: typeof files = []
      let bytes = 0
      for (const file of files) {
        const one = bytes < heldMax ? yield* run(() => tail.read(file, now)) : undefined
        if (one !== undefined || bytes >= heldMax) next.push(file)
        if (one === undefined) continue
        fresh.push(one)
        bytes += one.next - file.position
      }
      count += yield* handOver(fresh, handle)
      files = next
    }
    yield* run(() => tail.reap(now))
    // What was handed over is saved with the next plan, or when nothing is new.
    if (count === 0) yield* run(() => tail.save())
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
