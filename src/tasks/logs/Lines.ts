/** Reading an uploaded file line by line in batches, shared by the tasks that do. */
import { Effect, Schema } from "effect"
import type { Readable } from "node:stream"
import type { LogFileId, ProjectId } from "../../domain/Ids.ts"
import { makeLineDecoder } from "../../ingest/protocols/ndjson.ts"
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

/** Lines per batch. */
const batchLines = 2_000

/**
 * Hands a file's lines to `f` in batches of the same cut each time; returns how many lines there were. `index` counts
 * batches from 0, `readBytes` is how far the file has been read.
 */
export const eachBatch = <E, R>(
  source: Readable,
  fileId: string,
  f: (lines: ReadonlyArray<string>, index: number, readBytes: number) => Effect.Effect<void, E, R>
): Effect.Effect<number, E | LogFileUnreadable, R> =>
  Effect.gen(function* () {
    const decoder = makeLineDecoder("text")
    const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const next = Effect.tryPromise({
      try: () => iterator.next(),
      catch: (error) =>
        new LogFileUnreadable({
          fileId,
          reason: error instanceof Error ? error.message : String(error),
          retryable: !(error instanceof Error && "code" in error && error.code === "ENOENT")
        })
    })
    let waiting: Array<string> = []
    let index = 0
    let total = 0
    let readBytes = 0
    const flush = Effect.fnUntraced(function* (least: number) {
      while (waiting.length >= least) {
        const lines = waiting.slice(0, batchLines)
        waiting = waiting.slice(batchLines)
        yield* f(lines, index++, readBytes)
        total += lines.length
      }
    })
    for (;;) {
      const step = yield* next
      if (step.done === true) break
      readBytes += step.value.length
      waiting.push(...decoder.push(step.value))
      yield* flush(batchLines)
    }
    waiting.push(...decoder.end())
    yield* flush(1)
    return total
  })
