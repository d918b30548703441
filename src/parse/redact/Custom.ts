/**
 * A project's own masks: RE2 patterns, which take time linear in the line, with a limit on how large they compile. Promises
 * that a pattern that can't be used is told with its reason and never run.
 */
import { RE2JS } from "re2js"
import type { CustomRedaction } from "../../domain/Redaction.ts"
import type { Edit } from "./Edit.ts"

/** Instructions of a compiled pattern: each costs time on every character of every line, in the worst case. */
export const programMax = 500
/** Matches of one rule in one text. */
const matchesMax = 1_000

export type CustomFinder = (text: string, edits: Array<Edit>) => void
export type CompiledRule =
  | { readonly ok: true; readonly find: CustomFinder }
  | { readonly ok: false; readonly fault: string }

/** Parts of a replacement: text, or the number of a group. */
const partsOf = (replacement: string): ReadonlyArray<string | number> =>
  [...replacement.matchAll(/\$(\d{1,2}|\$)|[^$]+|\$/gu)].map(([whole, ref]) =>
    ref === undefined ? whole : ref === "$" ? "$" : Number(ref)
  )

/**
 * Text without which the pattern can't match, where that is plain to see: looking for it costs a hundredth of running the
 * pattern. "" where it is not.
 */
export const literalOf = (pattern: string): string => {
  if (/[|?]|\\[QEpP]/u.test(pattern)) return ""
  let best = ""
  let depth = 0
  for (const { 0: piece, index } of pattern.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|\{[^}]*\}|[\w @:/=<>"',;%&#~!-]+|./gu)) {
    if (piece === "(") depth++
    else if (piece === ")") depth--
    else if (depth === 0 && /^[\w @:/=<>"',;%&#~!-]+$/u.test(piece)) {
      // A repetition behind it may take the last character away.
      const sure = /^[*{]/u.test(pattern.slice(index + piece.length)) ? piece.slice(0, -1) : piece
      if (sure.length > best.length) best = sure
    }
  }
  return best
}

/** Compiles one rule. Pure. */
export const compileRule = ({ name, pattern, replacement }: CustomRedaction): CompiledRule => {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, fault: `expected a pattern in RE2's syntax, got ${JSON.stringify(pattern)}: ${reason}` }
  }
  const size = compiled.programSize()
  if (size > programMax) {
    return { ok: false, fault: `expected a pattern of at most ${programMax} instructions, got ${size}: repeat less` }
  }
  const parts = partsOf(replacement)
  const groups = compiled.groupCount()
  const wrong = parts.find((part) => typeof part === "number" && part > groups)
  if (wrong !== undefined) {
    return { ok: false, fault: `expected a replacement with groups up to $${groups}, got $${wrong}` }
  }
  const literal = literalOf(pattern)
  return {
    ok: true,
    find: (text, edits) => {
      if (literal !== "" && !text.includes(literal)) return
      const matcher = compiled.matcher(text)
      for (let count = 0; count < matchesMax && matcher.find(); count++) {
        const [from, to] = [matcher.start(), matcher.end()]
        if (from === to) continue
        const put = parts.map((part) => (typeof part === "number" ? (matcher.group(part) ?? "") : part)).join("")
        edits.push({ from, to, text: put, rule: name })
      }
    }
  }
}
