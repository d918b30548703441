/**
 * One template: a row of units with holes, its text, and the form in which it is kept. Pure. How templates are found and
 * merged is left to Miner.ts.
 */
import { gap, hole, opened, type Units, variable, weak } from "./Units.ts"

export interface Template {
  /** A safe integer above 0, made at birth and kept while the template generalises. */
  readonly id: number
  /** How it was recognised at birth; see `signatureOf`. */
  readonly signature: string
  /** Kind and text of each unit; a hole's text counts only while it is `weak`. Both change in place. */
  readonly kinds: Array<number>
  readonly texts: Array<string>
  /** A list in it has had different lengths: each is told as one hole. */
  lists: boolean
  /** Whether a word was opened, so that lines with other signatures may be its own. */
  open: boolean
  /** The template that took this one in. */
  into: Template | undefined
  /** False when it was forgotten for want of room. */
  alive: boolean
  /** The miner's clock when it was met last. */
  used: number
  /** The message it was born of, shortened. */
  readonly sample: string
}

/** What templates tell of each hole. */
const shown = "<*>"

/** Longer texts are cut: they are for people. */
const textMax = 4_096

const isListGap = (text: string): boolean => text === " " || text === ", " || text === ","

/**
 * What two messages of one template have in common: the units with each hole as one character, lists of holes
 * (`<*>, <*>, <*>`) as one hole, whatever their length.
 */
export const signatureOf = (units: Units): string => {
  const { kinds, size, texts } = units
  let out = ""
  let between = ""
  let behindHole = false
  for (let i = 0; i < size; i++) {
    if (kinds[i]! >= weak) {
      if (behindHole && isListGap(between)) out = out.slice(0, -between.length)
      else out += hole
      behindHole = true
      between = ""
      continue
    }
    out += texts[i]
    if (kinds[i] === gap && behindHole && between.length < 3) between += texts[i]
    else behindHole = false
  }
  return out
}

/** The gaps of a message and where words or holes stand between them: only templates alike in this can differ by words. */
export const frameOf = (units: Units): string => {
  let out = ""
  for (let i = 0; i < units.size; i++) out += units.kinds[i] === gap ? units.texts[i] : hole
  return out
}

/** 53 bits of a text, never 0. Not for adversaries: who makes two texts collide gets two ids in a row. */
export const hash = (text: string): number => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0) || 1
}

/** The template as people read it. */
export const textOf = ({ kinds, lists, texts }: Template): string => {
  let out = ""
  for (let i = 0; i < kinds.length && out.length < textMax; i++) {
    out += kinds[i]! >= variable || (lists && kinds[i] === weak) ? shown : texts[i]
  }
  if (lists) out = out.replace(/<\*>(?:(?:, | |,)<\*>)+/gu, shown)
  return out.length > textMax ? out.slice(0, textMax).toWellFormed() : out.trimEnd()
}

/** Whether a message, or another template, is covered by this one. */
export const covers = (template: Template, units: Units): boolean => {
  const { kinds, texts } = template
  if (kinds.length !== units.size) return false
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i]! < weak && (units.kinds[i]! >= weak || texts[i] !== units.texts[i])) return false
  }
  return true
}

/** The one place where a template and units of the same frame differ; -1 for none or more. An opened word takes anything. */
export const onlyDifference = (template: Template, units: Units): number => {
  const { kinds, texts } = template
  if (kinds.length !== units.size) return -1
  let at = -1
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!
    const other = units.kinds[i]!
    if (kind === opened || (kind >= weak && other >= weak)) continue
    if (kind < weak && other < weak && texts[i] === units.texts[i]) continue
    if (at >= 0 || kind === gap) return -1
    at = i
  }
  return at
}

/** Opens what differs: a weak hole whose text varies, a list of another length. Answers whether the text changed. */
export const generalise = (template: Template, units: Units): boolean => {
  const { kinds, lists, texts } = template
  if (units.size !== kinds.length) {
    template.lists = true
    return !lists
  }
  if (lists) return false
  let changed = false
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] !== weak || (units.kinds[i] === weak && units.texts[i] === texts[i])) continue
    kinds[i] = variable
    texts[i] = ""
    changed = true
  }
  return changed
}

/** Memory that it takes, about in bytes. */
export const weightOf = (template: Template): number =>
  4 * template.signature.length + 2 * template.sample.length + 48 * template.kinds.length

interface Shape {
  /** One digit per unit. */
  readonly k: string
  readonly t: ReadonlyArray<string>
  readonly s: string
  readonly l?: true
}

/** All that a miner needs to go on with a template, as text. */
export const shapeOf = ({ kinds, lists, signature, texts }: Template): string =>
  JSON.stringify({
    k: kinds.join(""),
    t: texts.map((text, i) => (kinds[i]! >= variable ? "" : text)),
    s: signature,
    ...(lists && { l: true })
  } satisfies Shape)

/** The template of a kept shape; undefined when the text is none. */
export const ofShape = (id: number, text: string, sample: string): Template | undefined => {
  try {
    const { k, l, s, t } = JSON.parse(text) as Shape
    if (k.length !== t.length || !/^[0-5]*$/u.test(k)) return undefined
    const kinds = Array.from(k, Number)
    const template = { id, signature: s, kinds, texts: [...t], lists: l === true, open: kinds.includes(opened) }
    return { ...template, into: undefined, alive: true, used: 0, sample }
  } catch {
    return undefined
  }
}
