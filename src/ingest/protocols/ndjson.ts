/**
 * Cuts a body that arrives in chunks into log lines: plain text, NDJSON, or JSON (an array, or objects one after the
 * other). Promises that memory holds one chunk and one line, that characters may be cut anywhere, and that every line is
 * either handed out or counted as rejected with its number and the reason. Unpacking and limits on the whole body are the
 * door's part.
 */
import { JsonSplitter } from "./JsonSplitter.ts"
import { type Rejection, Rejections, notAnObject, tooLong } from "./Rejections.ts"

/** What a body is said to be: any lines, one JSON object a line, or one JSON text. */
export type LineMode = "text" | "ndjson" | "json"

export interface LineDecoder {
  /** The lines that this chunk completes. Each is one line: without line ends inside. */
  readonly push: (chunk: Uint8Array) => Array<string>
  /** What is left when the body is over. */
  readonly end: () => Array<string>
  /** The first hundred; `rejectedTotal` counts all. */
  readonly rejected: ReadonlyArray<Rejection>
  readonly rejectedTotal: number
}

/** Longest line, bytes. */
export const lineMax = 256 * 1024
const newline = 10
const isBlank = (text: string): boolean => text === "" || (text.charCodeAt(0) <= 32 && text.trim() === "")

/** Lines ended by `\n` or `\r\n`. */
class LineSplitter {
  readonly rejections: Rejections
  readonly max: number
  readonly objects: boolean
  /** Bytes of the line under way, and whether it is too long already. */
  carry: Array<Buffer> = []
  carried = 0
  skipping = false
  line = 0

  constructor(rejections: Rejections, max: number, objects: boolean) {
    this.rejections = rejections
    this.max = max
    this.objects = objects
  }

  hold(bytes: Buffer): void {
    if (bytes.length === 0 || this.skipping) return
    this.carried += bytes.length
    if (this.carried > this.max + 1) {
      this.skipping = true
      this.carry = []
    } else this.carry.push(Buffer.from(bytes))
  }

  push(chunk: Uint8Array): Array<string> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const last = bytes.lastIndexOf(newline)
    if (last === -1) {
      this.hold(bytes)
      return []
    }
    const lines: Array<string> = []
    let from = 0
    if (this.carried > 0) {
      from = bytes.indexOf(newline) + 1
      this.finish(bytes.subarray(0, from - 1), lines)
    }
    if (from <= last) for (const text of bytes.toString("utf8", from, last).split("\n")) this.take(text, lines)
    this.hold(bytes.subarray(last + 1))
    return lines
  }

  /** Ends the line under way with its last bytes. */
  finish(bytes: Buffer, lines: Array<string>): void {
    this.hold(bytes)
    const { carry, skipping } = this
    this.carry = []
    this.carried = 0
    this.skipping = false
    if (!skipping) return this.take(Buffer.concat(carry).toString("utf8"), lines)
    this.line++
    this.rejections.add(this.line, tooLong(this.max))
  }

  take(raw: string, lines: Array<string>): void {
    this.line++
    let text = raw.endsWith("\r") ? raw.slice(0, -1) : raw
    if (this.line === 1 && text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    if (isBlank(text)) return
    if (text.length > this.max / 3 && Buffer.byteLength(text) > this.max) {
      return this.rejections.add(this.line, tooLong(this.max))
    }
    const fault = this.objects ? notAnObject(text) : undefined
    if (fault === undefined) lines.push(text)
    else this.rejections.add(this.line, fault)
  }

  end(): Array<string> {
    const lines: Array<string> = []
    if (this.carried > 0) this.finish(Buffer.alloc(0), lines)
    return lines
  }
}

/** A decoder of one body. `max` is the longest line, bytes. */
export const makeLineDecoder = (mode: LineMode, max = lineMax): LineDecoder => {
  const rejections = new Rejections()
  const splitter =
    mode === "json" ? new JsonSplitter(rejections, max) : new LineSplitter(rejections, max, mode === "ndjson")
  return {
    push: (chunk) => splitter.push(chunk),
    end: () => splitter.end(),
    rejected: rejections.list,
    get rejectedTotal() {
      return rejections.total
    }
  }
}
