/**
 * What words of operations mean the same or nearly: groups written by hand in lexicon/, made into weights between terms. A
 * term is a stem, or the stems of a phrase joined by `_`. Pure; ranking is left to SemanticIndex.ts.
 */
import { devices } from "./lexicon/devices.ts"
import { machines } from "./lexicon/machines.ts"
import { software } from "./lexicon/software.ts"
import { states } from "./lexicon/states.ts"
import { stem } from "./Words.ts"

/** How near a term is to another: in one group; in the group's margin (after `~`). */
const weights = { member: 0.8, related: 0.4, back: 0.32 }

interface Group {
  /** What the group is called when a match is explained: its first member. */
  readonly name: string
  readonly members: ReadonlyArray<string>
  readonly related: ReadonlyArray<string>
}

/** "shut_down" → the term "shut_down" of stems. */
const termOf = (written: string): string => written.split(/[_-]/u).map(stem).join("_")
const termsOf = (list: string | undefined): ReadonlyArray<string> => [
  ...new Set(
    (list ?? "")
      .split(" ")
      .filter((w) => w !== "")
      .map(termOf)
  )
]

const read = (text: string): ReadonlyArray<Group> =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [members, related] = line.split("~")
      return { name: line.split(" ")[0] ?? "", members: termsOf(members), related: termsOf(related) }
    })

export const groups: ReadonlyArray<Group> = [states, machines, software, devices].flatMap(read)

const groupsOf = new Map<string, Array<{ readonly group: number; readonly member: boolean }>>()
for (const [index, { members, related }] of groups.entries()) {
  const enter = (term: string, member: boolean) => {
    const list = groupsOf.get(term)
    if (list === undefined) groupsOf.set(term, [{ group: index, member }])
    else if (!list.some((one) => one.group === index)) list.push({ group: index, member })
  }
  for (const term of members) enter(term, true)
  for (const term of related) enter(term, false)
}

/** The groups a term stands in, as numbers into `groups`. */
export const groupsWith = (term: string) => groupsOf.get(term) ?? []

/** First stem → phrases that begin with it, longest first. */
const phrases = new Map<string, Array<ReadonlyArray<string>>>()
for (const term of groupsOf.keys()) {
  const parts = term.split("_")
  if (parts.length < 2) continue
  const list = phrases.get(parts[0]!) ?? []
  phrases.set(
    parts[0]!,
    [...list, parts].toSorted((a, b) => b.length - a.length)
  )
}

/** The phrases that begin at `at` of a list of stems, longest first. */
export const phrasesAt = (stems: ReadonlyArray<string>, at: number): ReadonlyArray<ReadonlyArray<string>> =>
  phrases.get(stems[at] ?? "")?.filter((parts) => parts.every((part, i) => stems[at + i] === part)) ?? []

const expansions = new Map<string, ReadonlyMap<string, number>>()

/** Terms that mean about the same as `term`, itself not among them, each with its nearness (0 to 1). */
export const near = (term: string): ReadonlyMap<string, number> => {
  const known = expansions.get(term)
  if (known !== undefined) return known
  const found = new Map<string, number>()
  const enter = (other: string, weight: number) => {
    if (other !== term) found.set(other, Math.max(weight, found.get(other) ?? 0))
  }
  for (const { group, member } of groupsOf.get(term) ?? []) {
    const { members, related } = groups[group]!
    for (const other of members) enter(other, member ? weights.member : weights.back)
    if (member) for (const other of related) enter(other, weights.related)
  }
  // Only terms of the lexicon are remembered, so the memory is bounded by it.
  if (found.size > 0) expansions.set(term, found)
  return found
}

/** Both halves of a word that is written as one: "datanode" → data, node; undefined where it is not made of two known words. */
export const halves = (word: string): readonly [string, string] | undefined => {
  if (word.length < 7 || word.length > 24) return undefined
  for (let at = word.length - 3; at >= 3; at--) {
    const left = stem(word.slice(0, at))
    const right = stem(word.slice(at))
    if (groupsOf.has(left) && groupsOf.has(right)) return [left, right]
  }
  return undefined
}
