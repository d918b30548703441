/**
 * Where running text is read from: a bounded head of it, the place of the reading, and the values that stand behind a name:
 * quoted, in angle or square brackets, or bare. What a value is the value of is Embedded.ts's part.
 */
import { Findings } from "./Findings.ts"
import { closingQuote, isAddress } from "./Scan.ts"

/** Characters looked at, at most. */
export const maxText = 4096

const breaks = new Uint8Array(128)
for (const char of " \t,;()[]{}<>|\"'`=\r\n") breaks[char.charCodeAt(0)] = 1
export const isBlank = (code: number): boolean => code === 32 || code === 9 || Number.isNaN(code)
export const isBreak = (code: number): boolean => code < 128 && breaks[code] === 1

export class Values extends Findings {
  readonly text: string
  readonly end: number
  at = 0
  noQuote = false
  noApostrophe = false
  noTick = false

  constructor(text: string, attributes: Record<string, unknown>) {
    super(attributes)
    this.text = text
    this.end = Math.min(text.length, maxText)
  }

  /** The value of a pair or a quoted value from `at` on; moves behind it. */
  value(): string | undefined {
    const { at, text } = this
    const code = text.charCodeAt(at)
    if ((code === 34 && !this.noQuote) || (code === 39 && !this.noApostrophe) || (code === 96 && !this.noTick)) {
      const close = closingQuote(text, at)
      if (close === -1 || close > this.end) {
        if (code === 34) this.noQuote = true
        else if (code === 39) this.noApostrophe = true
        else this.noTick = true
        return undefined
      }
      this.at = close + 1
      return text.slice(at + 1, close)
    }
    if (code === 60) {
      let close = at + 1
      while (close < this.end && close - at < 256 && text.charCodeAt(close) !== 62) close++
      if (text.charCodeAt(close) === 62) {
        this.at = close + 1
        return text.slice(at + 1, close)
      }
    }
    let end = at
    // "[::1]:22": the address in brackets.
    if (code === 91) {
      const close = text.indexOf("]", at)
      if (close !== -1 && close < at + 48 && isAddress(text.slice(at + 1, close))) end = close + 1
    }
    for (; end < this.end; end++) {
      const next = text.charCodeAt(end)
      if (next === 32 || next === 44 || next === 59 || next === 34 || next === 9 || next === 93 || next === 41) break
    }
    this.at = end
    return text.slice(at, end)
  }
}
