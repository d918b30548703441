/**
 * What a block must hold so that a line of it can match a query: items of its signature and levels. Pure. Promises to ask
 * for nothing that a matching line may lack; the exact condition stays with QuerySql.ts. Negations ask for nothing.
 */
import { type Level, levels } from "../domain/Level.ts"
import { type Query, anyPattern, matches } from "../domain/Query.ts"
import type { Params } from "./QuerySql.ts"
import {
  canonical,
  existsHash,
  gramHashes,
  gramPlaces,
  pathSeed,
  serviceHash,
  templateHash,
  traceHash,
  valueHash,
  valuePlaces
} from "./Signature.ts"

/** What the signature must say yes to. */
export type Need =
  | { readonly _tag: "Item"; readonly places: ReadonlyArray<number> }
  | { readonly _tag: "And" | "Or"; readonly parts: ReadonlyArray<Need> }

/** Stretches asked for per word: a few of a long phrase deny as much as all. */
const gramsMax = 12

const spread = <A>(items: ReadonlyArray<A>, max: number): ReadonlyArray<A> =>
  items.length <= max
    ? items
    : Array.from({ length: max }, (_, n) => items[Math.floor((n * (items.length - 1)) / (max - 1))]!)

const item = (hash: number): Need => ({ _tag: "Item", places: valuePlaces(hash) })
const joined = (tag: "And" | "Or", parts: ReadonlyArray<Need>): Need | undefined =>
  parts.length > 1 ? { _tag: tag, parts } : parts[0]

/** A step that may count into an array: such values are not in signatures. */
const isIndex = (step: string): boolean => /^[+-]?\d+$/u.test(step)

/** What must be in the signature of a block that holds a match; undefined: anything may. */
export const needOf = (query: Query): Need | undefined => {
  switch (query._tag) {
    case "And":
      return joined(
        "And",
        query.parts.flatMap((part) => needOf(part) ?? [])
      )
    case "Or": {
      const needs = query.parts.map(needOf)
      const known = needs.filter((need) => need !== undefined)
      return known.length === needs.length ? joined("Or", known) : undefined
    }
    case "Word":
      return joined(
        "And",
        spread(gramHashes(canonical(query.text)), gramsMax).map((hash): Need => ({
          _tag: "Item",
          places: gramPlaces(hash)
        }))
      )
    case "Service":
      return query.pattern.length === 1 ? item(serviceHash(query.pattern[0]!)) : undefined
    case "Trace":
      return item(traceHash(query.field, query.id))
    case "Template":
      return item(templateHash(query.id))
    case "Attribute": {
      if (query.path.some(isIndex)) return undefined
      const seed = pathSeed(query.path.join("."))
      return item(
        query.pattern.length === 1 && !anyPattern(query.pattern) ? valueHash(seed, query.pattern[0]!) : existsHash(seed)
      )
    }
    case "Compare":
      return query.path.some(isIndex) ? undefined : item(existsHash(pathSeed(query.path.join("."))))
    default:
      return undefined
  }
}

const needText = (need: Need, params: Params): string => {
  if (need._tag !== "Item") {
    return `(${need.parts.map((part) => needText(part, params)).join(need._tag === "And" ? " and " : " or ")})`
  }
  return need.places
    .map((place) => `get_bit(bits, ${params.add(place, "integer")} % (octet_length(bits) * 8)) = 1`)
    .join(" and ")
}

/** The levels that a match can have. */
const possible = (query: Query): ReadonlyArray<Level> => {
  switch (query._tag) {
    case "Level":
      return levels.filter((level) => matches(query, { level, time: 0, service: "", message: "", attributes: {} }))
    case "And":
      return levels.filter((level) => query.parts.every((part) => possible(part).includes(level)))
    case "Or":
      return levels.filter((level) => query.parts.some((part) => possible(part).includes(level)))
    case "Not":
      return query.part._tag === "Level" ? levels.filter((level) => !possible(query.part).includes(level)) : levels
    default:
      return levels
  }
}

/** Conditions on `blocks` that every block with a match fulfils. */
export const pruneSql = (query: Query, params: Params): ReadonlyArray<string> => {
  const need = needOf(query)
  const wanted = possible(query)
  const counts = levels.flatMap((level, index) => (wanted.includes(level) ? [`by_level[${index + 1}]`] : []))
  return [
    ...(counts.length === levels.length ? [] : [`${["0", ...counts].join(" + ")} > 0`]),
    ...(need === undefined ? [] : [`(bits is null or (${needText(need, params)}))`])
  ]
}
