/** Raw lines become events by their project's decoder: format, time, level, fields, secrets masked. Never fails: a line is at least text. */
import { Effect } from "effect"
import type { LogEntry } from "../../streams/LogStream.ts"
import type { Decoders } from "../Decoders.ts"
import type { Decoded } from "../Stage.ts"

/** Decodes entries one by one, letting other fibers run between two of them. */
export const decode = (decoders: Decoders, entries: ReadonlyArray<LogEntry>): Effect.Effect<ReadonlyArray<Decoded>> =>
  Effect.forEach(
    entries,
    Effect.fnUntraced(function* (entry) {
      yield* Effect.yieldNow
      if (entry.kind === "rules") {
        if (entry.settings !== undefined) yield* decoders.changed(entry.project, entry.settings)
        return { entry, events: [] }
      }
      const decoder = yield* decoders.of(entry.project)
      return { entry, events: decoder.lines(entry.lines, entry.receivedAt, entry.format) }
    })
  )
