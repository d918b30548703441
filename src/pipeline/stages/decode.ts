/** Raw lines become events: each line's format, time, level and fields, secrets masked. Never fails: a line is at least text. */
import { Effect } from "effect"
import type { LogEvent } from "../../domain/LogEvent.ts"
import { parseLine } from "../../parse/all.ts"
import { redact } from "../../parse/Redact.ts"
import type { LogEntry } from "../../streams/LogStream.ts"
import type { Decoded } from "../Stage.ts"

/** Parses and redacts lines that arrived at `receivedAt` (epoch ms); `format` where all of them are known to have one. */
export const decodeLines = (lines: ReadonlyArray<string>, receivedAt: number, format?: string): Array<LogEvent> => {
  const context = { now: receivedAt, ...(format === undefined ? {} : { format }) }
  return lines.map((line) => redact(parseLine(line, context)))
}

/** Decodes entries one by one, letting other fibers run between two of them. */
export const decode = (entries: ReadonlyArray<LogEntry>): Effect.Effect<ReadonlyArray<Decoded>> =>
  Effect.forEach(entries, (entry) =>
    Effect.as(Effect.yieldNow, { entry, events: decodeLines(entry.lines, entry.receivedAt, entry.format) })
  )
