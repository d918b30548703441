/**
 * Values whose name says that they are secret: `password=…`, `"api_key": "…"`, `--token …`, headers, command lines, SQL. A
 * name alone is not enough: what tells about a secret without being one ("password: YES", "token: end") is left.
 */
import type { RedactionRule } from "../../domain/Redaction.ts"
import { type Finder, eachMatch, mask } from "./Edit.ts"

const passwordNames = "password|passwort|passwd|passphrase|pwd|(?<![a-z])pass"
const secretNames =
  "secret(?:[_-]?(?:access)?[_-]?key)?|credentials?|" +
  "(?:api|access|secret|private|encryption|signing|master|account|auth|shared|hmac|consumer|service|app|storage)[_ -]?key"
const tokenNames = "token|(?<![a-z])otp|(?<![a-z])cv[vc]2?"
const headerNames = "authorization|cookie"
const sessionNames = "jsessionid|phpsessid|asp\\.net_sessionid|connect\\.sid"
const opened = "\\\\{0,7}"

/** `name=value`, `name: value`, `"name":"value"`, `:name=>"value"`, `name]=value`, and the same with escaped quotes. */
const named = new RegExp(
  `(${passwordNames}|${secretNames}|${tokenNames}|${headerNames}|${sessionNames})((?:[_-]?(?:hash|value)|\\d)?(?:${opened}["'])?\\]?\\s{0,3}(?:=>|[:=]|%3[ad])\\s{0,3})` +
    `(\\\\{1,7}"[^"\\\\]{0,4096}(?:\\\\{1,7}"|$)|"(?:[^"\\\\]|\\\\.){0,4096}(?:"|$)|'[^']{0,4096}(?:'|$)|` +
    `(?:(?:basic|bearer|digest|token|apikey|negotiate|ntlm|oauth|aws4-hmac-sha256)\\s{1,3})?[^\\s,;&"'(){}[\\]<>|]{1,4096})`,
  "giu"
)
/** `<password>value</password>`, also with attributes. */
const element = new RegExp(
  `<(?:\\w{0,40}:)?\\w{0,40}?(${passwordNames}|${secretNames}|${tokenNames})((?:\\s[^<>]{0,256})?>)([^<>]{1,4096})(?=</)`,
  "giu"
)
/** `--password value`; with `=` it is `named`'s. */
const flag = new RegExp(
  `(?<![\\w-])--?(?:\\w{1,20}-){0,3}(${passwordNames}|${secretNames}|token)(\\s{1,3})((?!-)["']?[^\\s"']{1,4096})`,
  "giu"
)

/** Values that tell about a secret without being one. */
const harmless =
  /^(?:yes|no|true|false|null|\(?null\)?|none|nil|undefined|empty|missing|invalid|incorrect|wrong|expired|required|changed|updated|reset|set|unset|given|ok|failed|accepted|rejected|denied|mismatch|unknown|not|was|is|has|had|for|must|should|cannot|can't|too|and|or|redacted|masked|filtered|hidden|removed|protected|\*+|x+|\.+|-+|n\/a|\d{1,3}|\$\w*|%[a-z]|\$?\{.*|<.*|\[(?:redacted|filtered|masked|hidden).*)[.,!]?$/iu
const word = /^[A-Za-z_]+$/u
const noToken = /^(?:\d{1,4}|[\w$.]{1,200}@[0-9a-f]{1,16})$/u
const file = /^(?:[a-z0-9-]+\/[a-z0-9.-]+|[\w-]+\.(?:crt|key|pem|cer|p12|jks|txt|json|ya?ml))$/u
/** Behind a value: another word of a sentence. */
const sentence = /^ [a-z]{2,}(?![\w=:])/u
/** Tokens that are no secret: of pages, of compilers, of assemblies. */
const openToken =
  /(?:public[_-]?key|cancell?ation|next|page|paging|pagination|continuation|sync|fenc(?:e|ing)|w|window)[_-]?$/iu

const ruleOf = (name: string): RedactionRule => {
  const lower = name.toLowerCase()
  if (lower.startsWith("cv")) return "card"
  if (lower === "token" || lower === "otp") return "token"
  if (lower === "authorization") return "authorization"
  if (lower === "cookie" || lower.includes("sess") || lower.endsWith(".sid")) return "cookie"
  return /^p(?:ass|wd)/u.test(lower) ? "password" : "secret"
}

/** What of a value is masked: without its quotes. */
const inside = (value: string): readonly [before: number, after: number] => {
  const quote = /^\\*["']/u.exec(value)?.[0] ?? ""
  if (quote === "") return [0, 0]
  const closed = value.length >= quote.length * 2 && value.endsWith(quote)
  return [quote.length, closed ? quote.length : 0]
}

const isHarmless = (rule: RedactionRule, name: string, between: string, inner: string, rest: string): boolean => {
  if (rule === "card") return !/^\d{3,4}$/u.test(inner)
  if (inner === "" || harmless.test(inner)) return true
  // "token=AppWindowToken{…}", "unexpected token: end": a token without any digit is a word, a short number counts tokens.
  // Neither is an object's name: "token: android.os.BinderProxy@8fcd5ee".
  if (rule === "token") return (name.toLowerCase() === "token" && word.test(inner)) || noToken.test(inner)
  // PWD is also the working directory.
  if (name.length === 3 && /^(?:[/~.]|[A-Za-z]:\\)/u.test(inner)) return true
  // Kubernetes names its secrets namespace/name, and files in them.
  if (rule === "secret" && file.test(inner)) return true
  const said = between.endsWith(": ") && !/["']/u.test(between) && /^[a-z]+$/u.test(inner)
  // Keys and cookies are no plain words: "cookie: disabled".
  if (said && rule !== "password") return true
  // A sentence: "password: please try again". A usage: "--password PASSWORD".
  return (said && sentence.test(rest)) || (between.trim() === "" && /^[A-Z_]+$/u.test(inner))
}

/** Pairs of a Cookie header behind the first, and attributes of a Set-Cookie header. */
const morePairs = /(?:;\s?[^\s=;,"']{1,256}(?:=[^\s;"']{0,4096})?){1,64}/uy
/** The parameters of a scheme that has several. */
const moreParameters = /[^\r\n\\]{0,4096}/uy

const until = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

const emit = (
  match: RegExpExecArray,
  end: number,
  text: string,
  on: (rule: RedactionRule) => boolean,
  edits: Parameters<Finder>[2]
): void => {
  const [, name = "", between = "", value = ""] = match
  const rule = ruleOf(name)
  if (!on(rule)) return
  const [before, after] = inside(value)
  const inner = value.slice(before, value.length - after)
  if (isHarmless(rule, name, between, inner, text.slice(end, end + 40))) return
  if (rule === "token" && openToken.test(text.slice(Math.max(0, match.index - 16), match.index))) return
  let to = end - after
  if (before === 0 && rule === "cookie") to = until(morePairs, text, to)
  if (before === 0 && /^(?:digest|oauth|aws4)/iu.test(inner)) to = until(moreParameters, text, to)
  edits.push({ from: end - value.length + before, to, text: mask, rule })
}

export const namedValues: Finder = (text, on, edits) => {
  eachMatch(named, text, (match, end) => emit(match, end, text, on, edits))
  if (text.includes("</")) eachMatch(element, text, (match, end) => emit(match, end, text, on, edits))
  if (text.includes("-")) eachMatch(flag, text, (match, end) => emit(match, end, text, on, edits))
}

const mysql = /\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,200}?\s-p([^\s"']{1,256})/gu
const sshpass = /\bsshpass\s{1,3}-p\s{0,3}["']?([^\s"']{1,256})/gu
const redisCli = /\bredis-cli\b[^\n]{0,200}?\s-a\s{1,3}["']?([^\s"']{1,256})/gu
const curl = /\bcurl\b[^\n]{0,400}?\s(?:-u|--user)[ =]["']?[^\s:"']{1,256}:([^\s"']{1,256})/gu
const sql = /\b(?:identified\s{1,3}by|password)\s{1,3}(?:as\s{1,3})?'([^']{1,4096})(?=')/giu

/** Passwords on command lines and in SQL. */
export const commandLines: Finder = (text, on, edits) => {
  if (!on("password")) return
  for (const pattern of [mysql, sshpass, redisCli, curl, sql]) {
    eachMatch(pattern, text, (match, end) => {
      const value = match[1] ?? ""
      if (!harmless.test(value)) edits.push({ from: end - value.length, to: end, text: mask, rule: "password" })
    })
  }
}

/**
 * Names of attributes, in lower case without `_`, `-`, `.` and blanks, whose value is a secret whatever it looks like. Each
 * with its rule.
 */
const secretNamesOf: ReadonlyArray<readonly [RedactionRule, RegExp]> = [
  ["password", /(?:password|passwort|passwd|passphrase|pwd|^(?:db|user|pg|smtp|redis)?pass)(?:hash)?$/u],
  ["authorization", /authorization$/u],
  ["cookie", /(?:cookies?|jsessionid|phpsessid|connectsid|sessiontoken)$/u],
  [
    "secret",
    /(?:secret|(?:api|access|secret|private|encryption|signing|master|account|hmac|shared|consumer)key|credentials?)$/u
  ],
  ["token", /(?:(?:^|access|refresh|id|auth|session|api|bearer|csrf|xsrf|security|bot|user|oauth)token|^otp)$/u],
  ["card", /(?:cardnumber|^cv[vc]2?|^ccnumber|^pan)$/u],
  ["iban", /iban$/u],
  ["us_ssn", /^(?:ssn|socialsecuritynumber)$/u]
]

/** The rule whose name an attribute has, whether on or off. */
export const ruleOfName = (key: string): RedactionRule | undefined => {
  const plain = key
    .slice(-64)
    .toLowerCase()
    .replace(/[_\-.\s]/gu, "")
  return secretNamesOf.find(([, pattern]) => pattern.test(plain))?.[0]
}
