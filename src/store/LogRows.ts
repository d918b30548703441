/**
 * Log events as Postgres rows: arrays of columns on the way in, `StoredEvent` on the way out. Pure. Promises that every
 * event becomes a row Postgres accepts (no NUL, no broken surrogates, no time out of range, attributes that are JSON), so
 * that one odd line cannot fail the batch it came in. Which rows are written is left to Logs.ts.
 */
import { type Level, fromSeverity, levels, severity } from "../domain/Level.ts"
import type { LogEvent, StoredEvent } from "../domain/LogEvent.ts"
import type { ProjectId } from "../domain/Ids.ts"
import { type BlockCutter, isTemplate } from "./Blocks.ts"

const day = 86_400_000
/** Year 1, the earliest that both an ISO string and Postgres can say without a sign. */
const earliest = Date.parse("0001-01-01T00:00:00.000Z")
/** Deeper attributes are kept as their JSON text: jsonb is parsed by recursion on the server's stack. */
const maxDepth = 200

/** What `fromRow` reads. */
export const columns =
  "project, time, observed_at, seq, level, service, message, attributes, trace_id, span_id, template"

// oxlint-disable-next-line no-control-regex -- NUL is what is looked for
const nul = /\u0000/gu
/** Text that Postgres can hold: NUL is dropped, a lone surrogate becomes U+FFFD. */
export const cleanText = (value: unknown): string => {
  const text = typeof value === "string" ? value : value === undefined || value === null ? "" : String(value)
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  return wellFormed.includes("\0") ? wellFormed.replace(nul, "") : wellFormed
}

/** `\u0000` and lone surrogates, as JSON.stringify writes them; also met in harmless text, which is then only slower. */
const suspicious = /\\u(?:0000|d[89a-f])/u

const cleanJson = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return cleanText(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= maxDepth) return cleanText(JSON.stringify(value))
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), cleanJson(item, depth + 1)]))
}

const isDeep = (json: string): boolean => {
  let depth = 0
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i)
    if ((char === 123 || char === 91) && ++depth > maxDepth) return true
    if (char === 125 || char === 93) depth--
  }
  return false
}

/** Attributes as JSON text that jsonb accepts; what is no JSON (a cycle, a bigint) becomes `{"_unreadable": reason}`. */
export const attributesJson = (attributes: Readonly<Record<string, unknown>>): string => {
  try {
    const json = JSON.stringify(attributes)
    if (json === undefined || json.charCodeAt(0) !== 123) return "{}"
    if (!suspicious.test(json) && (json.length < 2 * maxDepth || !isDeep(json))) return json
    return JSON.stringify(cleanJson(JSON.parse(json), 0))
  } catch (cause) {
    return JSON.stringify({ _unreadable: cleanText(cause instanceof Error ? cause.message : cause) })
  }
}

/** The event's time as it is kept: within year 1 and a day after arrival, else the time of arrival. */
export const cleanTime = (time: number, observedAt: number): number =>
  time >= earliest && time <= observedAt + day ? Math.trunc(time) : observedAt

/** Severity number of an event's level. */
export const severityOf = (level: Level): number => severity[level] ?? 0

/** Events as one array per column, each the text of a JSON or Postgres array: what `Logs.append` sends. */
export class RowColumns {
  private readonly batches: Array<number> = []
  private readonly times: Array<number> = []
  private readonly levels: Array<number> = []
  private readonly services: Array<string> = []
  private readonly messages: Array<string> = []
  private readonly attributes: Array<string> = []
  private readonly traceIds: Array<string | null> = []
  private readonly spanIds: Array<string | null> = []
  private readonly templates: Array<number | null> = []
  private ids = false
  /** About how many characters `toParams` will have. */
  size = 0

  /** `batch` is the number by which the statement finds the event's batch; `blocks` is shown what is stored of the event. */
  add(batch: number, project: ProjectId, observedAt: number, event: LogEvent, blocks: BlockCutter): void {
    const message = cleanText(event.message)
    const attributes = attributesJson(event.attributes)
    const time = cleanTime(event.time, observedAt)
    const service = cleanText(event.service)
    this.size += message.length + attributes.length + 64
    this.batches.push(batch)
    this.times.push(time)
    this.levels.push(severityOf(event.level))
    this.services.push(service)
    this.messages.push(message)
    this.attributes.push(attributes)
    const traceId = event.traceId === undefined ? null : cleanText(event.traceId)
    const spanId = event.spanId === undefined ? null : cleanText(event.spanId)
    this.traceIds.push(traceId)
    this.spanIds.push(spanId)
    this.ids ||= event.traceId !== undefined || event.spanId !== undefined
    this.templates.push(isTemplate(event.template) ? event.template : null)
    blocks.add({ project, observedAt, time, service, message, attributesJson: attributes, traceId, spanId }, event)
  }

  /** In the order of the statement's parameters; arrays that hold only nulls are sent empty. */
  toParams() {
    return {
      batches: `{${this.batches.join(",")}}`,
      times: `{${this.times.join(",")}}`,
      levels: `{${this.levels.join(",")}}`,
      services: JSON.stringify(this.services),
      messages: JSON.stringify(this.messages),
      attributes: `[${this.attributes.join(",")}]`,
      traceIds: this.ids ? JSON.stringify(this.traceIds) : "[]",
      spanIds: this.ids ? JSON.stringify(this.spanIds) : "[]",
      templates: `{${this.templates.map((id) => id ?? "null").join(",")}}`
    }
  }
}

/** Lines per level in the order of `levels`. */
export const countByLevel = (events: ReadonlyArray<LogEvent>): Array<number> => {
  const counts = levels.map(() => 0)
  for (const event of events) counts[Math.max(0, levels.indexOf(event.level))]!++
  return counts
}

/** What a select of `columns` gives. */
export interface LogRow {
  readonly project: ProjectId
  readonly time: Date
  readonly observed_at: Date
  readonly seq: string
  readonly level: number
  readonly service: string
  readonly message: string
  readonly attributes: StoredEvent["attributes"]
  readonly trace_id: string | null
  readonly span_id: string | null
  readonly template: string | null
}

export const fromRow = (row: LogRow): StoredEvent => ({
  id: row.seq,
  project: row.project,
  time: row.time.toISOString(),
  observedAt: row.observed_at.toISOString(),
  level: fromSeverity(row.level),
  service: row.service,
  message: row.message,
  attributes: row.attributes,
  ...(row.trace_id !== null && { traceId: row.trace_id }),
  ...(row.span_id !== null && { spanId: row.span_id }),
  ...(row.template !== null && { template: row.template })
})

/** The event as a later search will give it, without reading it back: for the live tail. */
export const toStored = (project: ProjectId, observedAt: number, seq: number, event: LogEvent): StoredEvent => ({
  id: String(seq),
  project,
  time: new Date(cleanTime(event.time, observedAt)).toISOString(),
  observedAt: new Date(observedAt).toISOString(),
  level: event.level,
  service: cleanText(event.service),
  message: cleanText(event.message),
  attributes: JSON.parse(attributesJson(event.attributes)) as StoredEvent["attributes"],
  ...(event.traceId !== undefined && { traceId: cleanText(event.traceId) }),
  ...(event.spanId !== undefined && { spanId: cleanText(event.spanId) }),
  ...(isTemplate(event.template) && { template: String(event.template) })
})
