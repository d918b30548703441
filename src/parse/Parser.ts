/**
 * The contract of the log formats. A format answers one line with an event or says that the line is not its own; it is
 * pure, never throws and takes time linear in the line. Which format is asked first is decided in all.ts.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { day } from "./Time.ts"

/** Reads the text that a line of an envelope (syslog, Docker, Kubernetes) carries; undefined where no format knows it. */
export interface Inner {
  (text: string, now: number): LogEvent | undefined
  /** Masks what the envelope carries, for who takes it apart without a format. */
  readonly mask?: (text: string) => string
}

export interface Parser {
  /** As users name the format: `json`, `logfmt`, … */
  readonly name: string
  /** Whose lines they are, in a few words, for the documentation. */
  readonly about: string
  /** The attributes that come out, the most telling ones, for the documentation; "" where they are the line's own. */
  readonly fields: string
  /**
   * The characters that a line of this format can begin with, so that others are not even asked: `0` stands for every
   * digit, `a` and `A` for every letter of that case. Absent: any.
   */
  readonly begins?: string
  /**
   * The line's event, or undefined when the line is not of this format. `now` is the time of arrival, epoch ms; `inner`
   * reads what an envelope holds, and is absent where envelopes are nested too deep.
   */
  readonly parse: (line: string, now: number, inner?: Inner) => LogEvent | undefined
}

/** A format that takes every line. */
export interface Total extends Parser {
  readonly parse: (line: string, now: number) => LogEvent
}

export interface ParseContext {
  /** When the line arrived, epoch ms: its time when it has none, and the bound of how new it can be. */
  readonly now: number
  /** The format that the source is known to write: asked first, and only asked. */
  readonly format?: string
  /** The project's own formats (Custom.ts): asked before the others, also of what is in envelopes. */
  readonly custom?: ReadonlyArray<Parser>
  /** Masks secrets in a text before a format takes it apart: a value is known by the words around it. */
  readonly mask?: (text: string) => string
  /** What earlier lines of the same source said of the later ones: the columns of a table. Filled by `parseLine`. */
  readonly memory?: Memory
}

/** One source's columns, where its lines are rows: of CSV, or as `#Fields:` of W3C names them. */
export interface Memory {
  /** Whether the source's first line is past: only it can be the header of a table. */
  begun?: boolean
  columns?: { readonly kind: "csv" | "w3c"; readonly separator: string; readonly names: ReadonlyArray<string> }
}

/** What a format found; everything but the message may be missing. */
export interface Found {
  time?: number | undefined
  level?: LogEvent["level"] | undefined
  service?: string | undefined
  message: string
  attributes: Record<string, unknown>
  traceId?: string | undefined
  spanId?: string | undefined
}

/** Longer names of services are cut: they are indexed. */
const maxService = 128

/**
 * The event of what was found. A time more than a day after arrival is taken for a wrong clock: the event then has the
 * time of arrival and keeps its own as attribute `event_time`.
 */
export const event = (found: Found, now: number): LogEvent => {
  const { attributes, time } = found
  const ahead = time !== undefined && time > now + day
  if (ahead && time < 8.64e15) attributes["event_time"] = new Date(time).toISOString()
  const service = found.service ?? ""
  const made: { -readonly [Key in keyof LogEvent]: LogEvent[Key] } = {
    time: time === undefined || ahead ? now : time,
    level: found.level ?? "unknown",
    service: service.length > maxService ? service.slice(0, maxService) : service,
    message: found.message,
    attributes
  }
  if (found.traceId !== undefined) made.traceId = found.traceId
  if (found.spanId !== undefined) made.spanId = found.spanId
  return made
}
