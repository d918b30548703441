/**
 * One log line, parsed. `LogEvent` is what parsers make and stages pass on: plain data with times in epoch milliseconds,
 * because a Schema object per line would cost more than the parsing. `StoredEvent` is its shape on the HTTP API and the
 * WebSocket.
 */
import { Schema } from "effect"
import { Level } from "./Level.ts"
import { ProjectId } from "./Ids.ts"

export interface LogEvent {
  /** Event time, epoch ms: the line's own, else the time of arrival. */
  readonly time: number
  readonly level: Level
  /** Who wrote the line: service, program, component; "" when the line does not say. */
  readonly service: string
  readonly message: string
  /** Fields of the line that are none of the above. JSON values only. */
  readonly attributes: Readonly<Record<string, unknown>>
  /** 32 hex digits. */
  readonly traceId?: string
  /** 16 hex digits. */
  readonly spanId?: string
  /** Id of the line's template (store/Templates): a safe integer above 0; absent for a line that was not mined. */
  readonly template?: number
}

export const StoredEvent = Schema.Struct({
  /** Position in the store; also the cursor's tie-breaker. Decimal digits. */
  id: Schema.String,
  project: ProjectId,
  /** Event time, ISO 8601 with milliseconds, UTC. */
  time: Schema.String,
  /** When Loglytics accepted the line, ISO 8601. */
  observedAt: Schema.String,
  level: Level,
  service: Schema.String,
  message: Schema.String,
  attributes: Schema.Record(Schema.String, Schema.Json),
  traceId: Schema.optionalKey(Schema.String),
  spanId: Schema.optionalKey(Schema.String),
  /** Id of the line's template, decimal digits. */
  template: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "LogEvent" })
export type StoredEvent = typeof StoredEvent.Type

/** A stored event as parsers make it, so that the same predicates judge both. */
export const asLogEvent = ({ template, ...event }: StoredEvent): LogEvent => ({
  ...event,
  time: Date.parse(event.time),
  ...(template === undefined ? {} : { template: Number(template) })
})
