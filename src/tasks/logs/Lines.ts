/**
 * Reading an uploaded file in batches of events, shared by the tasks that do: lines, those of a stack trace as one. A line that is
 * too long is cut and its parts marked; nothing of it is lost.
 */
import { Effect, Schema } from "effect"
import type { Readable } from "node:stream"
import type { LogFileId, ProjectId } from "../../domain/Ids.ts"
import { lineMax, makeLineDecoder } from "../../ingest/protocols/ndjson.ts"
import * as Multiline from "../../parse/Multiline.ts"
import type { LogFiles } from "../../store/LogFiles.ts"
import { dependencyFailed } from "../errors.ts"

/** The file is gone, unreadable, or its lines could not be stored. */
export class LogFileUnreadable extends Schema.TaggedError<LogFileUnreadable>()("LogFileUnreadable", {
  fileId: Schema.String,
  reason: Schema.String,
  /** Whether trying again can help. */
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `file ${this.fileId}: ${this.reason}`
  }
}

/** How long one attempt may take: files have up to 10 GB, and more where the limit of uploads was raised. */
export const fileTimeout = "12 hours"

/** The file that a job names, if it is its project's. */
export const fileOf = Effect.fnUntraced(function* (
  files: LogFiles["Service"],
  projectId: ProjectId,
  fileId: LogFileId
) {
  const file = yield* files.get(fileId).pipe(Effect.mapError(dependencyFailed))
  if (file !== undefined && file.project === projectId) return file
  return yield* new LogFileUnreadable({ fileId, reason: "there is no such file in this project", retryable: false })
})

/** Events per batch, and characters after which one is closed. */
const batchLines = 2_000
const batchChars = 2 * 1_024 * 1_024
/** Longest line that is read, bytes; more in one line is no text, and left out. */
const readMax = 16 * 1_024 * 1_024

/** Nothing will mend these: the file is gone, or not what it says it is (zlib's and zstd's codes). */
const isFinal = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^(?:ENOENT|Z_|ZSTD_|ERR_ZSTD)/u.test(String(error.code))

/** Parts of a line, none longer than what one event may be. */
const cut = (line: string): ReadonlyArray<string> => {
  if (line.length <= lineMax) return [line]
  const parts: Array<string> = []
  for (let at = 0; at < line.length;) {
    let end = Math.min(line.length, at + lineMax)
    // Not within a pair of surrogates.
    if (end < line.length && (line.charCodeAt(end) & 0xfc00) === 0xdc00) end--
    parts.push(at === 0 ? line.slice(0, end) : `${Multiline.continued}${line.slice(at, end)}`)
    at = end
  }
  return parts
}

/**
 * Hands a file's events to `f` in batches of the same cut each time; returns how many there were. `index` counts
 * batches from 0, `readBytes` is how far the file has been read.
 */
export const eachBatch = <E, R>(
  source: Readable,
  fileId: string,
  f: (lines: ReadonlyArray<string>, index: number, readBytes: number) => Effect.Effect<void, E, R>
): Effect.Effect<number, E | LogFileUnreadable, R> =>
  Effect.gen(function* () {
    const decoder = makeLineDecoder("text", readMax)
    const assembler = Multiline.make()
    const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const next = Effect.tryPromise({
      try: () => iterator.next(),
      catch: (error) =>
        new LogFileUnreadable({
          fileId,
          reason: error instanceof Error ? error.message : String(error),
          retryable: !isFinal(error)
        })
    })
    let waiting: Array<string> = []
    let chars = 0
    let index = 0
    let total = 0
    let readBytes = 0
    const flush = Effect.suspend(() => {
      const lines = waiting
      waiting = []
      chars = 0
      total += lines.length
      return f(lines, index++, readBytes)
    })
    const take = Effect.fnUntraced(function* (events: ReadonlyArray<string>) {
      for (const event of events) {
        waiting.push(event)
        chars += event.length
        if (waiting.length >= batchLines || chars >= batchChars) yield* flush
      }
    })
    for (;;) {
      const step = yield* next
      if (step.done === true) break
      readBytes += step.value.length
      yield* take(assembler.push(decoder.push(step.value).flatMap(cut)))
    }
    yield* take([...assembler.push(decoder.end().flatMap(cut)), ...assembler.end()])
    if (waiting.length > 0) yield* flush
    if (decoder.rejectedTotal > 0)
      yield* Effect.logWarning(`file ${fileId}: left out ${decoder.rejectedTotal} lines of more than ${readMax} bytes`)
    return total
  })
