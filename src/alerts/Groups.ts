/** Which group of a rule a line belongs to, and which of its lines an alert shows. Pure. */
import type { SampleLine } from "../domain/Alert.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { numberText } from "../domain/Query.ts"
import type { Seen } from "./Rule.ts"

/** Characters of a group's value, of a line that an alert shows, and of one before it. */
const valueMax = 200
const sampleMax = 500
const beforeMax = 200
/** Lines that an alert shows, and lines before each of them. */
export const samplesMax = 5
const beforeLines = 3

/** At most `max` characters, no half of a surrogate pair at the end. */
export const cut = (text: string, max: number): string => {
  if (text.length <= max) return text
  const end = text.charCodeAt(max - 1) >>> 10 === 0x36 ? max - 1 : max
  return `${text.slice(0, end)}…`
}

const step = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined

/** The value of a field as text; undefined where the line has none. */
export const fieldOf = (name: string): ((event: LogEvent) => string | undefined) => {
  if (name === "service") return ({ service }) => service
  if (name === "level") return ({ level }) => level
  if (name === "template") return ({ template }) => (template === undefined ? undefined : String(template))
  const path = name.split(".")
  return ({ attributes }) => {
    const direct = step(attributes, name)
    const value = direct === undefined && path.length > 1 ? path.reduce<unknown>(step, attributes) : direct
    if (typeof value === "string") return cut(value.replaceAll("\0", ""), valueMax).toWellFormed()
    if (typeof value === "number") return numberText(value)
    return typeof value === "boolean" ? String(value) : undefined
  }
}

export interface Grouping {
  readonly names: ReadonlyArray<string>
  /** The values of a line; a field that it does not have is "". */
  readonly valuesOf: (event: LogEvent) => ReadonlyArray<string>
}

export const grouping = (names: ReadonlyArray<string>): Grouping => {
  const fields = names.map(fieldOf)
  return { names, valuesOf: (event) => fields.map((field) => field(event) ?? "") }
}

/** The key of a group; "" where the rule has none. */
export const keyOf = (values: ReadonlyArray<string>): string => (values.length === 0 ? "" : JSON.stringify(values))

/** Lines from the same place: of the same service and host. */
const placeOf = ({ attributes, service }: LogEvent): string => {
  const host = attributes["host.name"] ?? attributes["host"]
  return typeof host === "string" ? `${service}\n${host}` : service
}

/** Of each line of a batch, the one before it from the same place; −1 where there is none. */
const previousOf = (events: ReadonlyArray<LogEvent>): Int32Array => {
  const last = new Map<string, number>()
  const previous = new Int32Array(events.length)
  for (const [index, event] of events.entries()) {
    const place = placeOf(event)
    previous[index] = last.get(place) ?? -1
    last.set(place, index)
  }
  return previous
}

/** Lines of earlier batches that are remembered, to be shown before those of the next; lines and characters, at most. */
const recentLines = 200
const recentSize = 64_000

/** The last lines of what was remembered and a batch. */
export const recentOf = (before: ReadonlyArray<LogEvent>, events: ReadonlyArray<LogEvent>): ReadonlyArray<LogEvent> => {
  const recent: Array<LogEvent> = []
  let size = 0
  for (const lines of [events, before]) {
    for (let at = lines.length - 1; at >= 0; at--) {
      const event = lines[at]!
      size += event.message.length
      if (recent.length >= recentLines || size > recentSize) return recent.reverse()
      recent.push(event)
    }
  }
  return recent.reverse()
}

/** What a batch brought and what came before it; made for the first alert that shows a line of it. */
export interface Around {
  readonly events: ReadonlyArray<LogEvent>
  /** See previousOf. */
  readonly previous: Int32Array
  /** The last lines of each place in earlier batches, oldest first; as many as a line shows. */
  readonly earlier: (place: string) => ReadonlyArray<LogEvent>
}

export const aroundOf = (events: ReadonlyArray<LogEvent>, recent: ReadonlyArray<LogEvent>): Around => {
  let places: Map<string, Array<LogEvent>> | undefined
  const read = (): Map<string, Array<LogEvent>> => {
    const found = new Map<string, Array<LogEvent>>()
    for (let at = recent.length - 1; at >= 0; at--) {
      const event = recent[at]!
      const place = placeOf(event)
      const lines = found.get(place)
      if (lines === undefined) found.set(place, [event])
      else if (lines.length < beforeLines) lines.unshift(event)
    }
    return found
  }
  return { events, previous: previousOf(events), earlier: (place) => (places ??= read()).get(place) ?? [] }
}

/** A line as an alert shows it. */
export const sampleOf = ({ event, time }: Seen, index: number, { earlier, events, previous }: Around): SampleLine => {
  const before: Array<string> = []
  for (let at = previous[index]!; at >= 0 && before.length < beforeLines; at = previous[at]!) {
    before.unshift(cut(events[at]!.message, beforeMax))
  }
  if (before.length < beforeLines) {
    const more = earlier(placeOf(event)).slice(before.length - beforeLines)
    before.unshift(...more.map(({ message }) => cut(message, beforeMax)))
  }
  return { time, service: cut(event.service, valueMax), message: cut(event.message, sampleMax), before }
}
