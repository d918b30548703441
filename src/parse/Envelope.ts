/**
 * Joins what an envelope (Docker, Kubernetes, Compose, syslog) says of a line with what the line's own format reads in
 * it: the envelope's time wins, the inner level, service and trace ids do, attributes are kept side by side.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { embedded } from "./Embedded.ts"
import { levelOfMessage } from "./LevelWords.ts"
import { type Found, type Inner, event } from "./Parser.ts"
import { toldBy } from "./Programs.ts"
import { stackOf } from "./Stack.ts"
import { traces } from "./Traces.ts"

export interface Outer {
  readonly time?: number | undefined
  readonly level?: LogEvent["level"] | undefined
  readonly service?: string | undefined
  readonly attributes: Record<string, unknown>
}

/** The event of text that has no format of its own: what it names, its level where it opens with one. */
export const prosaic = (text: string, outer: Outer, now: number): LogEvent => {
  const found: Found = { ...outer, level: outer.level ?? levelOfMessage(text), message: text }
  traces(text, found)
  stackOf(text, found.attributes)
  if (outer.service !== undefined && outer.service !== "") toldBy(outer.service, text, found.attributes)
  embedded(text, found.attributes)
  return event(found, now)
}

/** The event of a text within an envelope; `inner` reads the text, `prosaic` does where it does not. */
export const enveloped = (raw: string, outer: Outer, now: number, inner: Inner | undefined): LogEvent => {
  const text = inner?.mask?.(raw) ?? raw
  const read = text.length === 0 ? undefined : inner?.(text, now)
  if (read === undefined) return prosaic(text, outer, now)
  const found: Found = {
    time: outer.time ?? read.time,
    level: read.level === "unknown" ? outer.level : read.level,
    service: read.service === "" ? outer.service : read.service,
    message: read.message,
    attributes: { ...read.attributes, ...outer.attributes },
    traceId: read.traceId,
    spanId: read.spanId
  }
  // The program's name yields to that of the part of it that wrote, but is not lost.
  const { service } = outer
  if (service !== undefined && service !== "" && read.service !== "" && read.service !== service) {
    found.attributes["process.name"] ??= service
  }
  return event(found, now)
}
