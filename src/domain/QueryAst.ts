/**
 * A query as data, and what each of its nodes means. Query.ts reads, writes and runs it; the store makes SQL of it: all must
 * agree with what is written here.
 */
import type { Level } from "./Level.ts"

/** Compared by severity number: `unknown` is below all others. */
export type LevelOp = "=" | ">" | ">=" | "<" | "<="

export type CompareOp = ">" | ">=" | "<" | "<="

/** A string that counts as a number; the same pattern stands in the store's SQL. */
export const decimal = /^-?[0-9]{1,15}([.][0-9]{1,15})?$/u

/**
 * The literal pieces between `*`s: `["api"]` is exactly "api", `["api-", ""]` is "api-" and anything after it, `["", ""]`
 * is anything. Compared with the whole value, case-insensitively. In SQL: escape each piece for LIKE, join with `%`.
 */
export type Pattern = ReadonlyArray<string>

export type Query =
  /** Every event. */
  | { readonly _tag: "All" }
  /** Two parts or more. */
  | { readonly _tag: "And"; readonly parts: ReadonlyArray<Query> }
  /** Two parts or more. */
  | { readonly _tag: "Or"; readonly parts: ReadonlyArray<Query> }
  | { readonly _tag: "Not"; readonly part: Query }
  /** `text` is a case-insensitive substring of the message. Never empty. */
  | { readonly _tag: "Word"; readonly text: string }
  | { readonly _tag: "Level"; readonly op: LevelOp; readonly level: Level }
  | { readonly _tag: "Service"; readonly pattern: Pattern }
  /** The event's trace or span id is `id` (lower-case). */
  | { readonly _tag: "Trace"; readonly field: "trace_id" | "span_id"; readonly id: string }
  /**
   * The attribute at `path` matches: the nested value (`attributes #>> path`), or, where the path has several steps, a
   * top-level key that is the dotted name itself (`attributes ->> 'http.status'`). Strings are compared as they are,
   * numbers and booleans by their JSON text (numbers as Postgres' jsonb writes them, without exponent). Objects and
   * arrays match only the pattern `*`; null and missing match nothing (so `-a:x` matches events without `a`).
   */
  | { readonly _tag: "Attribute"; readonly path: ReadonlyArray<string>; readonly pattern: Pattern }
  /**
   * The attribute at `path` (found as above) is a number, or a string of a plain decimal one (`decimal`), and compares so
   * with `value`, which is finite. Both are compared as 64-bit floats.
   */
  | { readonly _tag: "Compare"; readonly path: ReadonlyArray<string>; readonly op: CompareOp; readonly value: number }
  /** The event was made by the template `id`: decimal digits without leading zeros, never "0". */
  | { readonly _tag: "Template"; readonly id: string }

export type Parsed =
  | { readonly ok: true; readonly query: Query }
  | {
      readonly ok: false
      /** Zero-based index into the text, in UTF-16 units. */
      readonly position: number
      readonly expected: string
      readonly got: string
    }

export const all: Query = { _tag: "All" }
/** `*` alone: any value. */
export const anyPattern = (pattern: Pattern): boolean => pattern.length > 1 && pattern.every((piece) => piece === "")
