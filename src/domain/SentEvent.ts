/**
 * A log event as doors with structure of their own (OTLP, Loki, syslog, clouds) hand it over: what the sender said, before
 * any format was asked. It travels as one line of JSON in a batch of the format `event`; parse/event.ts reads it back.
 * What is not said is found in the text or left out; nothing here is checked or redacted yet.
 */
import type { Level } from "./Level.ts"

export interface SentEvent {
  /** Event time, epoch ms; a fraction is allowed. */
  readonly time?: number | undefined
  /** When a stop on the way had it, epoch ms: stands for the time of arrival where the text of `line` has no time of its own. */
  readonly seenAt?: number | undefined
  readonly level?: Level | undefined
  readonly service?: string | undefined
  /** The final text. Give it or `line`. */
  readonly message?: string | undefined
  /** Raw text of any format: the formats read it, then what else is said here is laid over it. */
  readonly line?: string | undefined
  /** JSON values only. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** 32 hex digits. */
  readonly traceId?: string | undefined
  /** 16 hex digits. */
  readonly spanId?: string | undefined
}

/** The `format` of a batch whose lines are encoded events. */
export const format = "event"

/** The event as a line of a batch of this format. */
export const encode = (event: SentEvent): string => JSON.stringify(event)
