/**
 * Cuts a TCP stream of syslog into messages (RFC 6587): octet-counted frames and lines ended by LF, told apart frame by
 * frame. Promises that memory holds one message of at most `messageMax` bytes, that a longer one is cut and says how long it
 * was, and that bytes which are no syslog at all come out as lines. What a message says is read by parse/syslog.
 */

/** Longest message, bytes. */
export const messageMax = 64 * 1_024
/** A longer frame than this is not believed: its count is taken for text, so that a lie can't swallow what follows. */
export const countMax = 16 * 1_024 * 1_024

/** One message. */
export interface Message {
  readonly text: string
  /** How long it was, bytes, where it was cut or ended early. */
  readonly cutFrom?: number
}

const lineFeed = 10
const blank = 32
/** Digits of a count that is looked at. */
const digitsMax = 9

/** `before`: not known yet what kind of frame comes; `line`: up to the next LF; `count`: `left` more bytes. */
type Mode = "before" | "line" | "count"

/** The text of one message: without the line end, NUL or blank that some senders put behind it. */
export const textOf = (bytes: Buffer): string => {
  let end = bytes.length
  for (; end > 0; end--) {
    const last = bytes[end - 1]
    if (last !== 0 && last !== 10 && last !== 13) break
  }
  return bytes.toString("utf8", 0, end)
}

export class Framer {
  private mode: Mode = "before"
  /** Bytes of the frame under way that are kept, how many they are, and how many it had in all. */
  private parts: Array<Buffer> = []
  private kept = 0
  private seen = 0
  /** Bytes of a counted frame that are still to come. */
  private left = 0

  /** Bytes held of a message that is not whole yet. */
  get held(): number {
    return this.kept
  }

  /** The messages that this chunk completes. */
  push(chunk: Buffer): Array<Message> {
    const messages: Array<Message> = []
    let at = 0
    while (at < chunk.length) {
      if (this.mode === "before") at = this.begin(chunk, at)
      else if (this.mode === "count") {
        const end = Math.min(chunk.length, at + this.left)
        this.keep(chunk.subarray(at, end))
        this.left -= end - at
        at = end
        if (this.left === 0) this.finish(messages)
      } else {
        const newline = chunk.indexOf(lineFeed, at)
        const end = newline === -1 ? chunk.length : newline
        this.keep(chunk.subarray(at, end))
        at = end + (newline === -1 ? 0 : 1)
        if (newline !== -1) this.finish(messages)
      }
    }
    return messages
  }

  /** The connection is over: what is left is a message too; one that was announced longer is marked. */
  end(): Array<Message> {
    const messages: Array<Message> = []
    if (this.seen > 0) this.finish(messages)
    return messages
  }

  /** Tells the kind of the next frame by its first bytes, which may come one by one; returns where to go on. */
  private begin(chunk: Buffer, from: number): number {
    let at = from
    // Between frames: the LF that some senders put behind a counted frame as well.
    if (this.kept === 0) while (at < chunk.length && (chunk[at] === 10 || chunk[at] === 13 || chunk[at] === 0)) at++
    while (at < chunk.length) {
      const byte = chunk[at]!
      const head = this.kept === 0 ? "" : Buffer.concat(this.parts).toString("latin1")
      const counted = head.endsWith(" ")
      if (!counted && byte >= 48 && byte <= 57 && head.length < digitsMax && !(head === "" && byte === 48)) {
        this.keep(Buffer.of(byte))
        at++
      } else if (!counted && byte === blank && head !== "") {
        this.keep(Buffer.of(byte))
        at++
      } else {
        const count = Number(head)
        if (counted && byte === 60 && count <= countMax) {
          this.clear()
          this.mode = "count"
          this.left = count
        } else this.mode = "line"
        return at
      }
    }
    return at
  }

  private keep(bytes: Buffer): void {
    this.seen += bytes.length
    const room = messageMax - this.kept
    if (room <= 0 || bytes.length === 0) return
    const part = bytes.length > room ? bytes.subarray(0, room) : bytes
    this.kept += part.length
    // A copy: a slice would hold the whole chunk that it came in.
    this.parts.push(Buffer.from(part))
    if (this.parts.length > 64) this.parts = [Buffer.concat(this.parts)]
  }

  private clear(): void {
    this.mode = "before"
    this.parts = []
    this.kept = 0
    this.seen = 0
    this.left = 0
  }

  private finish(messages: Array<Message>): void {
    const text = textOf(this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts))
    const whole = this.seen + this.left
    const cut = whole > this.kept
    if (text.trim() !== "") messages.push(cut ? { text, cutFrom: whole } : { text })
    this.clear()
  }
}
