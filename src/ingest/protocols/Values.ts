/**
 * What the protocols share when they make events of strangers' values: attributes with a limit on their number, times of
 * any unit, ids of any spelling. Nothing here throws, and nothing copies a key that JavaScript would take for a prototype.
 */
import { fromName, type Level } from "../../domain/Level.ts"
import { cleanValue, droppedKey, keysMax } from "../../parse/Clean.ts"
import { fromEpoch } from "../../parse/Time.ts"

export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Attributes with at most `keysMax` names; how many more there were stands in `dropped_attributes`. */
export class Attributes {
  readonly values: Record<string, unknown> = {}
  count = 0
  dropped = 0

  /** Keeps a value under a name; a later value of the same name wins. Empty names are nobody's. */
  put(name: string, value: unknown): void {
    if (name === "" || name === "__proto__" || value === undefined || value === null) return
    if (!Object.hasOwn(this.values, name)) {
      if (this.count >= keysMax) {
        this.dropped++
        return
      }
      this.count++
    }
    this.values[name] = value
  }

  end(): Record<string, unknown> {
    if (this.dropped > 0) this.values[droppedKey] = this.dropped
    return this.values
  }
}

/** Characters of JSON that attributes shared by many events of one request may have: each event carries them. */
export const sharedMax = 16 * 1024

/** Shared attributes within `sharedMax`: those that would go beyond it are counted, not kept. */
export const bounded = (values: Json): Json => {
  let size = 0
  const kept = new Attributes()
  for (const name of Object.keys(values)) {
    const value = values[name]
    size += name.length + (typeof value === "string" ? value.length : textOf(value).length)
    if (size > sharedMax) kept.dropped++
    else kept.put(name, value)
  }
  return kept.end()
}

/** `at` of a text of hex digits or of base64 of as many bytes, as lower-case hex; undefined when it is neither. */
export const hexId = (text: unknown, bytes: number): string | undefined => {
  if (typeof text !== "string" || text.length > bytes * 2) return undefined
  let hex = text
  if (text.length !== bytes * 2) {
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/u.test(text)) return undefined
    hex = Buffer.from(text, "base64").toString("hex")
  }
  return hex.length === bytes * 2 && /^[0-9a-f]+$/iu.test(hex) && !/^0+$/u.test(hex) ? hex.toLowerCase() : undefined
}

/** Bytes as hex where they are as many as wanted and not all zero. */
export const hexOfBytes = (bytes: Uint8Array, length: number): string | undefined =>
  bytes.length === length && bytes.some((byte) => byte !== 0) ? Buffer.from(bytes).toString("hex") : undefined

/**
 * Epoch ms of nanoseconds, given as a number or as decimal digits; undefined for 0, which means "not known". NaN when it is
 * neither.
 */
export const msOfNanos = (value: unknown): number | undefined => {
  if (value === undefined || value === null || value === "") return undefined
  if (typeof value === "number") return value > 0 ? value / 1e6 : value === 0 ? undefined : Number.NaN
  if (typeof value !== "string" || !/^\d{1,20}$/u.test(value)) return Number.NaN
  const ms = Number(value.slice(0, -6)) + Number(value.slice(-6)) / 1e6
  return ms === 0 ? undefined : ms
}

/** Epoch ms of seconds, ms, µs or ns since 1970, told apart by size; undefined when it is no time. */
export const msOfEpoch = (value: unknown): number | undefined => {
  const number =
    typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : Number.NaN
  const ms = fromEpoch(number)
  return Number.isNaN(ms) ? undefined : ms
}

/** The level of a word, or of a number as pino and bunyan count. */
export const levelOf = (value: unknown): Level | undefined => {
  if (typeof value !== "string" && typeof value !== "number") return undefined
  const text = String(value)
  if (/^[1-6]0$/u.test(text))
    return (["trace", "debug", "info", "warn", "error", "fatal"] as const)[Number(text[0]) - 1]
  return text.length <= 16 ? fromName(text.trim()) : undefined
}

/** Text of a value that should be one. */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(cleanValue(value))

/** A value for an error message: short, and its kind alone where it could be deep. */
export const shown = (value: unknown): string => {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object"
  return JSON.stringify(typeof value === "string" ? value.slice(0, 40) : value) ?? "nothing"
}
