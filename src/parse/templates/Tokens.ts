/**
 * A message as a row of units: words, what stands between them, and what is variable by its looks (typed masks: numbers,
 * hex, ids, addresses, paths, sizes, times, flags, values of `key=value`, quoted texts). Pure and linear; at most 8 KB and
 * 256 units are looked at. Which messages belong together is left to Miner.ts.
 */
import { joinDates } from "./Dates.ts"
import { gap, name, type Units, variable, weak, word } from "./Units.ts"

/** Characters of a message that are looked at. */
const lengthMax = 8_192
/** Units of a message that are looked at; what follows counts as one variable. */
const unitsMax = 256
/** Characters of a quoted text that counts as one value. */
const quotedMax = 48

const letter = 1
const digit = 2
const hex = 4
const slash = 8
const dot = 16
const mark = 32
const upper = 64
const inWord = 128

const classes = new Uint8Array(128)
for (let c = 48; c < 58; c++) classes[c] = digit | hex | inWord
for (let c = 65; c < 91; c++) classes[c] = letter | upper | inWord | (c < 71 ? hex : 0)
for (let c = 97; c < 123; c++) classes[c] = letter | inWord | (c < 103 ? hex : 0)
for (const c of "_$") classes[c.charCodeAt(0)] = mark | inWord
for (const c of "-+%~*^") classes[c.charCodeAt(0)] = inWord
for (const c of "/\\") classes[c.charCodeAt(0)] = slash | inWord
classes[46] = dot | inWord

const classOf = (code: number): number => (code < 128 ? classes[code]! : letter | inWord)

/** Words that say yes, no or nothing. */
const flags = new Set([
  "true",
  "false",
  "True",
  "False",
  "TRUE",
  "FALSE",
  "null",
  "NULL",
  "None",
  "nil",
  "undefined",
  "NaN"
])

const space = (code: number): boolean => code === 32 || (code > 8 && code < 14)
const urlEnd = new Set(Array.from("\"'<>)]};,|`", (char) => char.charCodeAt(0)))
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/u

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** `com.example.app`, `host/port`. */
const isName = (text: string, seen: number): boolean =>
  (seen & slash) !== 0 || ((seen & dot) !== 0 && text.indexOf(".") !== text.lastIndexOf("."))

/** `node-129`, `core.2275`: how much of the word names what is counted; 0 where nothing does. */
const prefixOf = (text: string): number => {
  let i = 0
  while (i < text.length && (classOf(text.charCodeAt(i)) & letter) !== 0) i++
  if (i < 2 || i + 1 >= text.length) return 0
  const code = text.charCodeAt(i)
  if (code !== 45 && code !== 46) return 0
  for (let k = i + 1; k < text.length; k++) if ((classOf(text.charCodeAt(k)) & (letter | digit)) === 0) return 0
  return i + 1
}

/** One scan: what the loop over the message knows. */
class Scan {
  private readonly text: string
  private readonly out: Units
  private size = 0
  constructor(text: string, out: Units) {
    this.text = text
    this.out = out
  }

  private push(kind: number, text: string): void {
    this.out.kinds[this.size] = kind
    this.out.texts[this.size++] = text
  }

  /** The unit before the last `back` ones that is no space. */
  private before(): string {
    let i = this.size - 1
    if (i >= 0 && this.out.texts[i] === " ") i--
    return i >= 0 && this.out.kinds[i] === gap ? this.out.texts[i]! : ""
  }

  run(): void {
    const { text } = this
    const end = Math.min(text.length, lengthMax)
    let at = 0
    while (at < end && space(text.charCodeAt(at))) at++
    while (at < end && this.size < unitsMax) {
      const code = text.charCodeAt(at)
      if (space(code)) {
        let next = at + 1
        while (next < end && space(text.charCodeAt(next))) next++
        if (next < end) this.push(gap, " ")
        at = next
      } else if ((classOf(code) & inWord) !== 0) at = this.word(at, end)
      else if (code === 34 || code === 39) at = this.quoted(at, end, code)
      else {
        if (code !== 1) this.push(gap, text[at]!)
        at++
        if (code === 58 && text.startsWith("//", at)) at = this.url(at, end)
        // An empty pair that stands alone is a value that was not there.
        if ((code === 40 || code === 91) && at < end && text.charCodeAt(at) === code + (code === 40 ? 1 : 2)) {
          if (at > 1 && space(text.charCodeAt(at - 2))) this.push(variable, "")
        }
      }
    }
    if (at < text.length && this.size > 0) this.push(variable, "")
    this.out.size = this.size
  }

  /** What follows `scheme://`. */
  private url(from: number, end: number): number {
    const { text } = this
    this.push(gap, "//")
    let at = from + 2
    while (at < end && !space(text.charCodeAt(at)) && !urlEnd.has(text.charCodeAt(at))) at++
    // A sentence's own point or colon.
    while (at > from + 2 && (text.charCodeAt(at - 1) === 46 || text.charCodeAt(at - 1) === 58)) at--
    if (at > from + 2) this.push(variable, "")
    return at
  }

  /** Where a row of at least four hex groups between colons (a MAC address, IPv6) that begins at `from` ends, else -1. */
  private groups(from: number, end: number): number {
    const { text } = this
    let at = from
    let count = 0
    let length = 0
    for (; at < end && at - from < 80; at++) {
      const code = text.charCodeAt(at)
      if (code === 58) {
        if (length === 0 && text.charCodeAt(at - 1) !== 58) return -1
        count++
        length = 0
      } else if ((classOf(code) & hex) !== 0 && ++length <= 4) continue
      else break
    }
    if (count < 4 || length > 4) return -1
    return at < end && (classOf(text.charCodeAt(at)) & (letter | digit)) !== 0 ? -1 : at
  }

  /** A short quoted text without digits and slashes is one value. */
  private quoted(from: number, end: number, quote: number): number {
    const { text } = this
    this.push(gap, text[from]!)
    if (quote === 39 && from > 0 && (classOf(text.charCodeAt(from - 1)) & inWord) !== 0) return from + 1
    let i = from + 1
    const last = Math.min(end, from + quotedMax)
    let seen = 0
    while (i < last) {
      const code = text.charCodeAt(i)
      if (code === quote) break
      if (code === 10) return from + 1
      seen |= classOf(code)
      i++
    }
    if (i >= last || i === from + 1 || (seen & (digit | slash)) !== 0 || (seen & letter) === 0) return from + 1
    if (quote === 39 && i + 1 < end && (classOf(text.charCodeAt(i + 1)) & letter) !== 0) return from + 1
    this.push(weak, text.slice(from + 1, i))
    return i
  }

  private word(from: number, end: number): number {
    const { text } = this
    const second = from + 1 < end ? text.charCodeAt(from + 1) : 32
    if (second === 58 || text.charCodeAt(from + 2) === 58 || text.charCodeAt(from + 4) === 58) {
      const groupsEnd = this.groups(from, end)
      if (groupsEnd > 0) {
        this.push(variable, "")
        return groupsEnd
      }
      // C:\path
      if (second === 58 && text.charCodeAt(from + 2) === 92 && (classOf(text.charCodeAt(from)) & letter) !== 0) {
        let at = from + 3
        while (at < end && (classOf(text.charCodeAt(at)) & inWord) !== 0) at++
        this.push(variable, "")
        return at
      }
    }
    let at = from
    let seen = 0
    let hexOnly = hex
    while (at < end) {
      const code = text.charCodeAt(at)
      const cls = classOf(code)
      if ((cls & inWord) === 0) break
      if (code === 46) {
        // A dot ends the word unless another word character follows it.
        const next = at + 1 < end ? text.charCodeAt(at + 1) : 32
        if (next === 46 || (classOf(next) & inWord) === 0) break
      }
      if (at > from && (cls & upper) !== 0 && (classOf(text.charCodeAt(at - 1)) & upper) === 0) seen |= 256
      seen |= cls
      hexOnly &= cls
      at++
    }
    if (at === from) {
      while (at < end && text.charCodeAt(at) === 46) at++
      this.push(gap, text.slice(from, at))
      return at
    }
    this.classify(text.slice(from, at), seen, hexOnly, at < end ? text.charCodeAt(at) : 32)
    return at
  }

  private classify(text: string, seen: number, hexOnly: number, next: number): void {
    if ((seen & (letter | digit)) === 0) {
      if ((seen & slash) !== 0 && text.length > 1) this.push(variable, text)
      else this.push(gap, text)
      return
    }
    const isKey = next === 61
    if ((seen & digit) !== 0) return this.digits(text, seen, next, isKey)
    if (isKey) return this.push(word, text)
    if (flags.has(text) || (hexOnly !== 0 && text.length >= 8)) return this.push(variable, text)
    const first = text.charCodeAt(0)
    if ((seen & slash) !== 0 && (first === 47 || first === 92 || text.split(/[/\\]/u).length > 2)) {
      return this.push(variable, text)
    }
    if (this.size > 1 && this.before() === "=") return this.push(weak, text)
    this.push(isName(text, seen) ? name : word, text)
  }

  private digits(text: string, seen: number, next: number, isKey: boolean): void {
    const first = text.charCodeAt(0)
    const startsWithLetter = (classOf(first) & letter) !== 0
    if (startsWithLetter && (isKey || (next === 40 && text.length < 32 && !/\d\d/u.test(text)))) {
      return this.push(word, text)
    }
    const afterEquals = this.size > 1 && this.before() === "="
    if (!afterEquals && startsWithLetter && (seen & (slash | dot | mark)) === 0 && text.length <= 5) {
      // ssh2, eth0, L3: a name that ends in its only digit.
      let i = 0
      while (i < text.length && !isDigit(text.charCodeAt(i))) i++
      if (i === text.length - 1) return this.push(word, text)
    }
    if (startsWithLetter && !afterEquals) {
      const prefix = prefixOf(text)
      if (prefix > 0 && (seen & slash) === 0) {
        this.push(word, text.slice(0, prefix - 1))
        this.push(gap, text.slice(prefix - 1, prefix))
        return this.push(variable, text.slice(prefix))
      }
    }
    const cut = (seen & slash) === 0 ? -1 : text.indexOf("/")
    if (cut > 0 && ipv4.test(text.slice(cut + 1))) {
      this.push(variable, text.slice(0, cut))
      this.push(gap, "/")
      return this.push(variable, text.slice(cut + 1))
    }
    this.push(variable, text)
  }
}

/** Cuts a message into units, written into `out`. */
export const scan = (message: string, out: Units): void => {
  new Scan(message, out).run()
  joinDates(out)
}
