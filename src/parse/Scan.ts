/**
 * Small readers that the formats share: quoted strings, words of a line, values with their type, addresses with ports.
 * All are linear in what they read and never throw. What a word means is the formats' part.
 */

/** Index of the quote that ends the string opened at `at`, or -1. A backslash takes the next character with it. */
export const closingQuote = (line: string, at: number): number => {
  const quote = line.charCodeAt(at)
  for (let i = at + 1; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 92) i++
    else if (code === quote) return i
  }
  return -1
}

/** What stands between quotes, without the backslashes before quotes and backslashes. */
export const unquoted = (text: string): string => (text.includes("\\") ? text.replace(/\\(["\\])/gu, "$1") : text)

const decimal = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/u

/** Numbers and booleans as such, where nothing of their writing is lost ("007" and "1.50" stay text). */
export const typed = (text: string): unknown => {
  const first = text.charCodeAt(0)
  if ((first >= 48 && first <= 57) || first === 45) {
    if (text.length > 16 || !decimal.test(text)) return text
    const value = Number(text)
    return String(value) === text ? value : text
  }
  return text === "true" ? true : text === "false" ? false : text
}

/** A whole number of a token, or undefined where it is `-` or anything else. */
export const count = (text: string | undefined): number | undefined =>
  text !== undefined && text.length < 16 && /^\d+$/u.test(text) ? Number(text) : undefined

/** The value of a token, or undefined where it says that there is none. */
export const present = (text: string | undefined): string | undefined =>
  text === undefined || text === "" || text === "-" ? undefined : text

/**
 * The words of a line from `from` on, at most `max`: parted by blanks; what stands in double quotes or square brackets is
 * one word, without them. `last` then tells where the reading ended.
 */
export const wordsOf = (line: string, from: number, max: number): Array<string> => {
  const words: Array<string> = []
  let i = from
  while (i < line.length && words.length < max) {
    const code = line.charCodeAt(i)
    if (code === 32 || code === 9) {
      i++
      continue
    }
    let end = -1
    if (code === 34) end = closingQuote(line, i)
    else if (code === 91) end = line.indexOf("]", i)
    // "[::1]:443" is one word, with its brackets.
    const whole = end !== -1 && !(code === 91 && line.charCodeAt(end + 1) === 58)
    if (whole) {
      words.push(code === 34 ? unquoted(line.slice(i + 1, end)) : line.slice(i + 1, end))
      i = end + 1
      continue
    }
    const closed = end !== -1
    end = i + 1
    while (end < line.length && line.charCodeAt(end) !== 32 && line.charCodeAt(end) !== 9) end++
    words.push(line.slice(i, end))
    i = end
    // An opening without its end: the rest can hold no whole one either, so it is one word.
    if (!closed && (code === 34 || code === 91)) {
      words[words.length - 1] += line.slice(i)
      i = line.length
    }
  }
  return words
}

const v4 = /^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/u
const v6 = /^(?=[0-9a-f]*:[0-9a-f:.]*:)[0-9a-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?$/iu

/** Whether the text is an IP address, of either kind, without port. */
export const isAddress = (text: string): boolean => {
  if (text.length < 2 || text.length > 45) return false
  const first = text.charCodeAt(0)
  const hex = (first >= 48 && first <= 57) || first === 58 || ((first | 32) >= 97 && (first | 32) <= 102)
  if (!hex) return false
  if (v4.test(text)) return true
  if (!v6.test(text)) return false
  const groups = text.split(":")
  const short = text.indexOf("::")
  if (short !== -1 ? text.includes("::", short + 1) : groups.length !== (text.includes(".") ? 7 : 8)) return false
  return groups.length <= 9 && groups.every((group) => group.length <= 4 || group.includes("."))
}

export interface Endpoint {
  readonly address: string
  readonly port: number | undefined
}

const port = (text: string): number | undefined =>
  text.length >= 1 && text.length <= 5 && /^\d+$/u.test(text) && Number(text) < 65_536 ? Number(text) : undefined

/** IPv4 as IPv6 writes it, as IPv4. */
const bare = (address: string): string => {
  const mapped = /^::ffff:(?=\d+\.)/iu.exec(address)
  return mapped === null ? address : address.slice(mapped[0].length)
}

/** Whether the text has dots or colons enough for an address in it: most words that have any have too few. */
const hasAddress = (text: string): boolean => {
  let dots = 0
  let colons = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) dots++
    else if (code === 58) colons++
  }
  return dots > 2 || colons > 1
}

/**
 * The address and port of `1.2.3.4`, `1.2.3.4:5`, `1.2.3.4#5`, `[::1]:5`, `::1`, `::1:37752`, `/1.2.3.4:5`, `UDP/1.2.3.4/5`,
 * `ipv4:1.2.3.4:5`.
 */
export const endpointOf = (text: string): Endpoint | undefined => {
  if (text.length < 2 || text.length > 96 || !hasAddress(text)) return undefined
  if (isAddress(text)) return { address: bare(text), port: undefined }
  const slash = text.indexOf("/")
  if (slash !== -1) {
    const parts = text.split("/")
    for (let i = parts.length - 1; i >= 0 && i > parts.length - 4; i--) {
      const inner = parts[i]!.length > 1 ? endpointOf(parts[i]!) : undefined
      if (inner !== undefined) return { address: inner.address, port: inner.port ?? port(parts[i + 1] ?? "") }
    }
    return undefined
  }
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf("]")
    const inside = text.slice(1, close)
    if (close === -1 || !isAddress(inside)) return undefined
    return { address: bare(inside), port: text.charCodeAt(close + 1) === 58 ? port(text.slice(close + 2)) : undefined }
  }
  const at = Math.max(text.lastIndexOf(":"), text.lastIndexOf("#"))
  if (at < 2) return undefined
  if (text.charCodeAt(0) === 105 && /^ipv[46]:/u.test(text)) return endpointOf(text.slice(5))
  const number = port(text.slice(at + 1))
  const address = text.slice(0, at)
  return number !== undefined && isAddress(address) ? { address: bare(address), port: number } : undefined
}

/** Puts address and port of `text` under `name`; text that is no address is kept whole, `-` not at all. */
export const putEndpoint = (attributes: Record<string, unknown>, name: string, text: string | undefined): void => {
  if (present(text) === undefined) return
  const endpoint = endpointOf(text!)
  attributes[`${name}.address`] = endpoint?.address ?? text
  if (endpoint?.port !== undefined) attributes[`${name}.port`] = endpoint.port
}

/** Adds the attribute unless the value says that there is none. */
export const put = (attributes: Record<string, unknown>, name: string, value: unknown): void => {
  if (value === undefined || value === "" || value === "-" || value === null) return
  attributes[name] = value
}

/** Adds the attributes that `names` give to the words in turn, with their types; an empty name leaves a word out. */
export const putAll = (
  attributes: Record<string, unknown>,
  names: ReadonlyArray<string>,
  words: ReadonlyArray<string>
): void => {
  const end = Math.min(names.length, words.length)
  for (let i = 0; i < end; i++) {
    const word = words[i]!
    if (names[i] !== "" && word !== "" && word !== "-") attributes[names[i]!] = typed(word)
  }
}
