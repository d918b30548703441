/**
 * Masks secrets before anything is stored, published or sent: bearer tokens, values of names like `password`, keys of
 * known makers, private keys, JWTs, payment cards, credentials in URLs, and attributes with such names. Pure; an event
 * without secrets comes back as it is. It can't know a secret that looks like any other word.
 */
import type { LogEvent } from "../domain/LogEvent.ts"

export const mask = "[redacted]"

/** One look, at the text in lower case, that most texts pass without a closer one: something of every rule below. */
const suspect =
  /bearer|passw|passp|pwd|secret|token|(?:api|access|private)[_ -]?key|authoriz|cookie|a[ks]ia|eyj|gh[pousr]_|github_pat|xox|sk[_-]|glpat|aiza|sg\.|lg_|:\/\/[^\s/]{1,300}@/u
const suspectDigits = /\d{4}[ -]?\d{4,6}[ -]?\d{4}/u

const names =
  "password|passwort|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|authorization|set-cookie|cookie"
/** `name=value`, `name: value`, `"name":"value"` and the same with escaped quotes. */
const named = new RegExp(
  `(${names})(\\\\?["']?\\s{0,3}[=:]\\s{0,3})` +
    `(\\\\"[^"\\\\]{0,4096}\\\\"|"(?:[^"\\\\]|\\\\.){0,4096}"|'[^']{0,4096}'|(?:(?:Basic|Bearer|Digest|Token|ApiKey)\\s{1,3})?[^\\s,;&"'(){}[\\]<>|]{1,4096})`,
  "giu"
)
/** Values that tell about a secret without being one. */
const harmless =
  /^(?:yes|no|true|false|null|none|nil|undefined|empty|missing|invalid|expired|required|\*+|x+|-|n\/a|\d{1,3}|\[redacted\])\.?$/iu
const bearer = /\b(bearer\s{1,3})(?=[^\s"']{0,200}\d)[A-Za-z0-9._~+/=-]{8,4096}/giu
const makers =
  /\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{22,255}|xox[abeprs]-[\w-]{10,255}|sk_(?:live|test)_\w{16,255}|sk-[\w-]{20,255}|glpat-[\w-]{20,255}|AIza[\w-]{35}|SG\.[\w-]{16,64}\.[\w-]{16,64}|lg_[\w-]{20,255})/gu
const privateKey = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/gu
const url = /(:\/\/[^\s/:@]{0,256}:)[^\s/@]{1,256}@/gu
const card = /(?<![\w.-])(?:\d{13,19}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{5})(?![\w-]|\.\d)/gu
/** Beginnings and lengths that issuers use. */
const issued =
  /^(?:4\d{12}(?:\d{3}(?:\d{3})?)?|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14})$/u

/** Whether the digits pass the check that card numbers carry (ISO/IEC 7812). */
export const luhn = (digits: string): boolean => {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

const maskNamed = (whole: string, name: string, between: string, value: string): string => {
  const quote = /^\\?["']/u.exec(value)?.[0] ?? ""
  const inner = value.slice(quote.length, value.length - quote.length)
  if (inner === "" || harmless.test(inner)) return whole
  // "token=AppWindowToken{…}", "unexpected token: end": a token without any digit is a word.
  if (/^token$/iu.test(name) && /^[A-Za-z_]+$/u.test(inner)) return whole
  // PWD is also the working directory.
  if (name.length === 3 && /^(?:[/~.]|[A-Za-z]:\\)/u.test(inner)) return whole
  return `${name}${between}${quote}${mask}${quote}`
}

const maskCard = (text: string): string => {
  const digits = text.replace(/[ -]/gu, "")
  return issued.test(digits) && luhn(digits) ? mask : text
}

const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95
/** End of the run of base64url characters that begins at `from`. */
const runEnd = (text: string, from: number): number => {
  let i = from
  while (i < text.length && (isWord(text.charCodeAt(i)) || text.charCodeAt(i) === 45)) i++
  return i
}

/**
 * JWTs: three parts between dots, the first beginning with `eyJ`. By hand, since a pattern looks again from each `eyJ` of
 * a part: here one look at a part decides for all of them, as the first `eyJ` of a part is followed by the most.
 */
const maskTokens = (text: string): string => {
  let out = ""
  let copied = 0
  for (let at = text.indexOf("eyJ"); at !== -1;) {
    let next = at + 3
    if (at === 0 || !isWord(text.charCodeAt(at - 1))) {
      next = runEnd(text, next)
      if (next - at >= 8 && text.charCodeAt(next) === 46) {
        const second = runEnd(text, next + 1)
        if (second - next > 5 && text.charCodeAt(second) === 46) {
          out += text.slice(copied, at) + mask
          copied = next = runEnd(text, second + 1)
        }
      }
    }
    at = text.indexOf("eyJ", next)
  }
  return copied === 0 ? text : out + text.slice(copied)
}

/** The text with its secrets masked. */
export const redactText = (text: string): string => {
  if (!suspect.test(text.toLowerCase()) && !suspectDigits.test(text)) return text
  const parts = text.replace(privateKey, mask).replace(url, `$1${mask}@`)
  return maskTokens(parts)
    .replace(makers, mask)
    .replace(named, maskNamed)
    .replace(bearer, `$1${mask}`)
    .replace(card, maskCard)
}

/** Names of attributes, in lower case without `_`, `-` and `.`, whose value is a secret whatever it looks like. */
const secretName =
  /(?:password|passwort|passwd|passphrase|pwd|secret|apikey|accesskey|secretkey|privatekey|authorization|cookie|credentials?|cardnumber|cvv|cvc|(?:^|access|refresh|id|auth|session|api|bearer|csrf|xsrf|security|bot|user)token)$/u
const known = new Map<string, boolean>()
const knownMax = 4096
/** Only keys as short as people write them are remembered, or a sender could fill the memory with long ones. */
const knownKeyMax = 64

const isSecretName = (key: string): boolean => {
  const cached = known.get(key)
  if (cached !== undefined) return cached
  const secret = secretName.test(
    key
      .slice(-64)
      .toLowerCase()
      .replace(/[_\-.\s]/gu, "")
  )
  if (key.length <= knownKeyMax) {
    if (known.size >= knownMax) known.clear()
    known.set(key, secret)
  }
  return secret
}

const redactValue = (value: unknown): unknown => {
  if (typeof value === "string") return redactText(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    let copy: Array<unknown> | undefined
    for (const [index, item] of value.entries()) {
      const clean = redactValue(item)
      if (clean !== item) (copy ??= [...(value as Array<unknown>)])[index] = clean
    }
    return copy ?? value
  }
  return redactObject(value as Readonly<Record<string, unknown>>)
}

const maskWhole = (value: unknown): unknown =>
  value === null || value === "" || typeof value === "boolean" || value === undefined ? value : mask

const redactObject = (object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(object)) {
    const value = object[key]
    const clean = isSecretName(key) ? maskWhole(value) : redactValue(value)
    if (clean !== value) (copy ??= { ...object })[key] = clean
  }
  return copy ?? object
}

/** The event with its secrets masked; the same object when it has none. */
export const redact = (event: LogEvent): LogEvent => {
  const message = redactText(event.message)
  const attributes = redactObject(event.attributes)
  return message === event.message && attributes === event.attributes ? event : { ...event, message, attributes }
}
