/**
 * Cuts a JSON text that arrives in chunks into its elements without holding more than one of them: the elements of an
 * array, or objects one after the other. Only brackets and strings are told apart here; each element is then parsed whole.
 * An element keeps its own digits and order: objects are handed on as written, on one line.
 */
import { type Rejections, notAnObject, tooLong } from "./Rejections.ts"

const [quote, comma, backslash, open, close, openBrace, closeBrace] = [34, 44, 92, 91, 93, 123, 125] as const
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

export class JsonSplitter {
  readonly rejections: Rejections
  readonly max: number
  /** Whether the text is an array, once its first character is known. */
  array: boolean | undefined
  over = false
  /** Number of the element under way, or of the last one. */
  element = 0
  inside = false
  bare = false
  depth = 0
  quoted = false
  escaped = false
  carry: Array<Buffer> = []
  carried = 0

  constructor(rejections: Rejections, max: number) {
    this.rejections = rejections
    this.max = max
  }

  push(chunk: Uint8Array): Array<string> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: Array<string> = []
    let start = 0
    for (let i = 0; i < bytes.length; i++) {
      const code = bytes[i]!
      if (!this.inside) {
        if (!this.begins(code)) continue
        start = i
        // What ends a bare word does not end one that begins with it.
        if (this.bare) continue
      }
      // A bare word (number, true, rubbish) ends before what ends it, all else with its last character.
      if (this.bare && (isSpace(code) || code === comma || code === close || code === openBrace)) {
        this.finish(bytes.subarray(start, i), lines)
        i--
      } else if (!this.bare && this.ends(code)) this.finish(bytes.subarray(start, i + 1), lines)
    }
    if (this.inside) this.hold(bytes.subarray(start))
    return lines
  }

  /** Whether an element begins with this character, which stands outside of all. */
  begins(code: number): boolean {
    // A byte order mark counts as a blank.
    if (isSpace(code) || ((code === 0xef || code === 0xbb || code === 0xbf) && this.array === undefined)) return false
    if (this.array === undefined) {
      this.array = code === open
      if (this.array) return false
    }
    if (code === comma && !this.over) return false
    if (code === close && this.array && !this.over) {
      this.over = true
      return false
    }
    this.element++
    this.inside = true
    this.bare = code !== openBrace && code !== open && code !== quote
    this.depth = 0
    this.quoted = false
    this.escaped = false
    return true
  }

  /** Whether the element ends with this character. */
  ends(code: number): boolean {
    if (this.quoted) {
      if (this.escaped) this.escaped = false
      else if (code === backslash) this.escaped = true
      else if (code === quote) {
        this.quoted = false
        return this.depth === 0
      }
      return false
    }
    if (code === quote) this.quoted = true
    else if (code === openBrace || code === open) this.depth++
    else if (code === closeBrace || code === close) return --this.depth <= 0
    return false
  }

  hold(bytes: Buffer): void {
    this.carried += bytes.length
    if (this.carried > this.max) this.carry = []
    else if (bytes.length > 0) this.carry.push(Buffer.from(bytes))
  }

  finish(bytes: Buffer, lines: Array<string>): void {
    const size = this.carried + bytes.length
    const text = size > this.max ? "" : Buffer.concat([...this.carry, bytes]).toString("utf8")
    this.inside = false
    this.carry = []
    this.carried = 0
    if (size > this.max) return this.rejections.add(this.element, tooLong(this.max))
    if (this.over) return this.rejections.add(this.element, "expected nothing behind the array, got more")
    const line = lineOf(text)
    if (typeof line === "string") {
      if (line.trim() !== "") lines.push(line)
    } else this.rejections.add(this.element, line.fault)
  }

  end(): Array<string> {
    const lines: Array<string> = []
    if (this.inside && this.bare) this.finish(Buffer.alloc(0), lines)
    else if (this.inside) this.rejections.add(this.element, "expected the rest of the element, got the end of the body")
    if (this.array === true && !this.over && !this.inside) {
      this.rejections.add(this.element + 1, "expected `]`, got the end of the body")
    }
    this.inside = false
    return lines
  }
}

/** The element as one line: an object as it is written, a string as the line it holds. */
const lineOf = (text: string): string | { readonly fault: string } => {
  if (text.charCodeAt(0) === quote) {
    try {
      const value = JSON.parse(text) as string
      // A text of many lines stays one event.
      return /[\r\n]/u.test(value) ? JSON.stringify({ message: value }) : value
    } catch {
      return { fault: "expected a JSON object or string, got a broken string" }
    }
  }
  const fault = notAnObject(text)
  if (fault !== undefined) return { fault: fault.replace("a JSON object", "a JSON object or string") }
  return /[\r\n]/u.test(text) ? text.replace(/[\r\n]+/gu, " ") : text
}
