/** What decoders say of lines that they refuse: which, why, and how many in all. */

export interface Rejection {
  /** From 1; in JSON the element's number. Empty lines count. */
  readonly line: number
  readonly reason: string
}

/** Rejections listed, at most. */
export const rejectedMax = 100

/** Collects rejections up to the limit. */
export class Rejections {
  readonly list: Array<Rejection> = []
  total = 0
  add(line: number, reason: string): void {
    if (this.total++ < rejectedMax) this.list.push({ line, reason })
  }
}

/** What a text that should be a JSON object is instead; undefined when it is one. */
export const notAnObject = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return undefined
    const got = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`
    return `expected a JSON object, got ${got}`
  } catch {
    const start = text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text
    return `expected a JSON object, got ${JSON.stringify(start)}`
  }
}

export const tooLong = (max: number): string => `expected at most ${max} bytes, got more`
