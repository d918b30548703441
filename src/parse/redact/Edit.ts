/** What a rule finds: a stretch of a text and what is to stand in its place. Merging them lets every rule see the whole text. */
import type { RedactionRule } from "../../domain/Redaction.ts"

export const mask = "[redacted]"

export interface Edit {
  /** Index of the first character, in UTF-16 units. */
  readonly from: number
  /** Index behind the last one. */
  readonly to: number
  readonly text: string
  /** The name of a rule, built in or custom. */
  readonly rule: string
}

/** Looks for what its rules mask. `on` says which of them the project has. */
export type Finder = (text: string, on: (rule: RedactionRule) => boolean, edits: Array<Edit>) => void

/** Edits without overlap, in order: where several meet, all that any of them covers goes, under the mask of the first. */
export const merged = (edits: ReadonlyArray<Edit>): ReadonlyArray<Edit> => {
  if (edits.length < 2) return edits
  const out: Array<Edit> = []
  // Sorting is stable: of two that begin alike and end alike, the rule that was asked first wins.
  for (const edit of edits.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const last = out.at(-1)
    if (last === undefined || edit.from >= last.to) out.push(edit)
    else if (edit.to > last.to) out[out.length - 1] = { ...last, to: edit.to }
  }
  return out
}

/** The text with its edits done. They must be in order and apart, as `merged` gives them. */
export const applied = (text: string, edits: ReadonlyArray<Edit>): string => {
  let out = ""
  let at = 0
  for (const edit of edits) {
    out += text.slice(at, edit.from) + edit.text
    at = edit.to
  }
  return out + text.slice(at)
}

/** Each match of a global pattern; `group` is what is masked (0: all of it), which must stand at the end of the match or be it. */
export const eachMatch = (pattern: RegExp, text: string, f: (match: RegExpExecArray, end: number) => void): void => {
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === "") pattern.lastIndex++
    else f(match, match.index + match[0].length)
  }
}
