/**
 * Events that a door with structure has put on the stream (domain/SentEvent). What the sender said wins over what its text
 * says: only a `line` is asked of the other formats. A line that is no such event is left to them whole.
 */
import { type Level, levels } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import type { SentEvent } from "../domain/SentEvent.ts"
import { cleanText } from "./Clean.ts"
import { objectOf } from "./json.ts"
import { levelOfMessage } from "./LevelWords.ts"
import { type Found, event as made } from "./Parser.ts"

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? cleanText(value) : undefined
const hex = (value: unknown, digits: number): string | undefined =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]+$/iu.test(value) && !/^0+$/u.test(value)
    ? value.toLowerCase()
    : undefined
const isLevel = (value: unknown): value is Level => levels.includes(value as Level)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * The event that `encoded` carries; undefined where it is none. `parse` reads the raw `line` that some carry. The event's
 * own attributes and those of the line are kept side by side; of two with one name the sender's wins.
 */
export const readSent = (
  encoded: string,
  now: number,
  parse: (line: string, now: number) => LogEvent
): LogEvent | undefined => {
  const sent = objectOf(encoded) as SentEvent | undefined
  if (sent === undefined) return undefined
  const seenAt = typeof sent.seenAt === "number" && sent.seenAt > 0 && sent.seenAt < now ? sent.seenAt : now
  const inner = typeof sent.line === "string" ? parse(cleanText(sent.line), Math.trunc(seenAt)) : undefined
  const attributes = isObject(sent.attributes) ? sent.attributes : {}
  const message = inner?.message ?? text(sent.message) ?? ""
  const time = typeof sent.time === "number" && Number.isFinite(sent.time) && sent.time > 0 ? sent.time : undefined
  const level = isLevel(sent.level) && sent.level !== "unknown" ? sent.level : (inner?.level ?? levelOfMessage(message))
  const found: Found = {
    time: time === undefined ? inner?.time : Math.trunc(time),
    level,
    service: text(sent.service) ?? inner?.service,
    message,
    attributes: inner === undefined ? attributes : { ...inner.attributes, ...attributes },
    traceId: hex(sent.traceId, 32) ?? inner?.traceId,
    spanId: hex(sent.spanId, 16) ?? inner?.spanId
  }
  return made(found, now)
}
