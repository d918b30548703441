/** Log events for the tests of the store: plain ones, and odd ones from a seed. */
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { levels } from "../../src/domain/Level.ts"
import type { Pattern, Query } from "../../src/domain/Query.ts"

export const noon = Date.parse("2026-03-01T12:00:00Z")

export const event = (change: Partial<LogEvent> = {}): LogEvent => ({
  time: noon,
  level: "info",
  service: "api",
  message: "hello",
  attributes: {},
  ...change
})

/** Numbers in [0, 1) from a seed (mulberry32): the same run again for the same seed. */
export const random = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (below: number): number => Math.floor(next() * below)
  const pick = <A>(from: ReadonlyArray<A>): A => from[int(from.length)]!
  const many = <A>(min: number, max: number, make: () => A): Array<A> =>
    Array.from({ length: min + int(max - min + 1) }, make)
  return { next, int, pick, many }
}
export type Random = ReturnType<typeof random>

/** What trips LIKE, JSON, arrays, case folding and byte counts. */
const scraps = [
  ..."aAbBzZ019 %_\\*'\"$(){}[]<>&|,;:.-+/?!~^\t\n\r",
  ..."äÄßẞéÉñÑıİiIΣσςΟοДджЖÅÅK😀日本٣ﬀǅΆ",
  "%%",
  "\\\\",
  "\\n",
  "\\u0041",
  "{}",
  "null",
  "{a,b}",
  "$1",
  "' or 1=1 --",
  "e\u0301",
  "ΟΔΟΣ",
  "ΣΑΣ ",
  "timeout",
  "GET",
  "error"
]
export const text = (r: Random, min = 0, max = 6): string => r.many(min, max, () => r.pick(scraps)).join("")

const keys = ["a", "b", "user", "http", "http.status", "user.id", "0", "-1", "ключ", "k%", "x y", 'q"', "__proto__", ""]
const numbers = [
  0, -0, 1, -1, 0.1, 1e-7, 1e21, 1.5e300, -2.5e-10, 42, 503, 9_007_199_254_740_991, 5e-324, 1.7976931348623157e308
]

const json = (r: Random, depth: number): unknown => {
  switch (r.int(depth > 0 ? 9 : 6)) {
    case 0:
      return r.pick(numbers)
    case 1:
      return r.next() < 0.5
    case 2:
      return null
    case 6:
      return r.many(0, 3, () => json(r, depth - 1))
    case 7:
    case 8:
      return attributes(r, depth - 1)
    case 3:
      return r.pick(["503", "-1.5", "007", "1e3", "12345678901234567890"])
    default:
      return text(r, 0, 3)
  }
}
export const attributes = (r: Random, depth = 2): Record<string, unknown> =>
  Object.fromEntries(r.many(0, 4, () => [r.pick(keys), json(r, depth)]))

const templates = [1, 77, 9_007_199_254_740_991]
const ids = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"]
export const oddEvent = (r: Random): LogEvent => ({
  time: noon + r.int(5) - 2,
  level: r.pick(levels),
  service: r.next() < 0.3 ? "" : text(r, 0, 3),
  message: text(r, 0, 8),
  attributes: attributes(r),
  ...(r.next() < 0.3 && { traceId: r.pick(ids) }),
  ...(r.next() < 0.3 && { spanId: r.pick(ids) }),
  ...(r.next() < 0.3 && { template: r.pick(templates) })
})

const cut = (r: Random, from: string): string => {
  const points = [...from]
  const at = r.int(points.length + 1)
  return points.slice(at, at + 1 + r.int(4)).join("")
}
/** Part of something that is there, in another case; or anything. */
const needle = (r: Random, from: string): string => {
  const found = r.next() < 0.7 ? cut(r, from) : text(r, 1, 2)
  const cased = r.pick([(s: string) => s, (s: string) => s.toUpperCase(), (s: string) => s.toLowerCase()])(found)
  return cased === "" ? "a" : cased
}
const pattern = (r: Random, from: string): Pattern => {
  switch (r.int(5)) {
    case 0:
      return ["", ""]
    case 1:
      return [from]
    case 2:
      return [cut(r, from.slice(0, 3)), ""]
    case 3:
      return ["", needle(r, from), ""]
    default:
      return r.many(1, 4, () => (r.next() < 0.3 ? "" : needle(r, from)))
  }
}

/** A query that has a fair chance to match some of `events`. */
export const oddQuery = (r: Random, events: ReadonlyArray<LogEvent>, depth = 3): Query => {
  const one = r.pick(events)
  const parts = () => r.many(2, 3, () => oddQuery(r, events, depth - 1))
  if (r.next() < 0.05) return { _tag: "Template", id: String(r.pick(templates)) }
  if (r.next() < 0.08) {
    const op = r.pick([">", ">=", "<", "<="] as const)
    return {
      _tag: "Compare",
      path: r.pick([["a"], ["b"], ["http", "status"], ["a", "b"]]),
      op,
      value: r.pick(numbers) + 0
    }
  }
  switch (r.int(depth > 0 ? 12 : 7)) {
    case 0:
      return { _tag: "Level", op: r.pick(["=", ">", ">=", "<", "<="] as const), level: r.pick(levels) }
    case 1:
      return { _tag: "Service", pattern: pattern(r, one.service) }
    case 2:
      return { _tag: "Trace", field: r.pick(["trace_id", "span_id"] as const), id: r.pick(ids) }
    case 3:
    case 4: {
      const path =
        r.next() < 0.5 ? [r.pick(keys)] : r.pick(keys.concat("a.b", "user.a", "a.0", "a.-1", "b.a.b")).split(".")
      const value = path.reduce<unknown>(
        (node, key) => (node as Record<string, unknown> | undefined)?.[key],
        one.attributes
      )
      const written =
        typeof value === "string" ? value : value === undefined || value === null ? "x" : JSON.stringify(value)
      return { _tag: "Attribute", path, pattern: pattern(r, written) }
    }
    case 7:
      return { _tag: "And", parts: parts() }
    case 8:
      return { _tag: "Or", parts: parts() }
    case 9:
    case 10:
      return { _tag: "Not", part: oddQuery(r, events, depth - 1) }
    case 11: {
      const words = r.many(2, 6, (): Query => {
        const part: Query = { _tag: "Word", text: needle(r, one.message) }
        return r.next() < 0.3 ? { _tag: "Not", part } : part
      })
      return { _tag: r.pick(["And", "Or"] as const), parts: words }
    }
    default:
      return { _tag: "Word", text: needle(r, one.message) }
  }
}
