/**
 * Grok: patterns by name (`%{IP:client.address} %{NUMBER:duration_ms:float}`), made into a pattern of RE2's syntax, which
 * takes time linear in the line. The library has the names that everybody uses, written without look-around; definitions
 * of one's own may use it and each other. What is not defined, nested too deep or too long is told with its place.
 */

/** Definitions within definitions, and characters of the whole pattern once all are put in. */
const depthMax = 12
const expandedMax = 64 * 1024

const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
/** The usual names. A definition is RE2, and may name others. */
export const library: Readonly<Record<string, string>> = {
  WORD: "\\b\\w+\\b",
  NOTSPACE: "\\S+",
  SPACE: "\\s*",
  DATA: ".*?",
  GREEDYDATA: ".*",
  GREEDYMULTILINE: "(?s:.*)",
  QUOTEDSTRING: "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`(?:[^`\\\\]|\\\\.)*`",
  QS: "%{QUOTEDSTRING}",
  UUID: "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
  INT: "[+-]?[0-9]+",
  POSINT: "\\b[1-9][0-9]*\\b",
  NONNEGINT: "\\b[0-9]+\\b",
  BASE10NUM: "[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)",
  NUMBER: "%{BASE10NUM}",
  BASE16NUM: "[+-]?(?:0x)?[0-9A-Fa-f]+",
  BOOLEAN: "(?i:true|false)",
  USERNAME: "[a-zA-Z0-9._-]+",
  USER: "%{USERNAME}",
  EMAILLOCALPART: "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}",
  EMAILADDRESS: "%{EMAILLOCALPART}@%{HOSTNAME}",
  IPV4: `${octet}(?:\\.${octet}){3}`,
  IPV6: "[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\\.[0-9]{1,3}){0,3}(?:%\\w+)?",
  IP: "%{IPV4}|%{IPV6}",
  HOSTNAME: "\\b[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,62})(?:\\.[0-9A-Za-z_-]{1,63})*\\.?",
  HOST: "%{HOSTNAME}",
  IPORHOST: "%{IP}|%{HOSTNAME}",
  HOSTPORT: "(?:%{IPORHOST}):%{POSINT}",
  MAC: "(?:[A-Fa-f0-9]{2}[:-]){5}[A-Fa-f0-9]{2}|(?:[A-Fa-f0-9]{4}\\.){2}[A-Fa-f0-9]{4}",
  UNIXPATH: "(?:/[\\w_%!$@:.,+~-]*)+",
  WINPATH: "(?:[A-Za-z]:|\\\\)(?:\\\\[^\\\\?*]*)+",
  PATH: "%{UNIXPATH}|%{WINPATH}",
  URIPROTO: "[A-Za-z][A-Za-z0-9+.-]+",
  URIHOST: "(?:%{IPORHOST})(?::[0-9]{1,5})?",
  URIPATH: "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
  URIQUERY: "[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\\[\\]<>-]*",
  URIPARAM: "\\?%{URIQUERY}",
  URIPATHPARAM: "%{URIPATH}(?:%{URIPARAM})?",
  URI: "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
  MONTH:
    "\\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\\b",
  MONTHNUM: "0?[1-9]|1[0-2]",
  MONTHDAY: "0[1-9]|[12][0-9]|3[01]|[1-9]",
  DAY: "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]{3,6})?",
  YEAR: "[0-9]{4}|[0-9]{2}",
  HOUR: "2[0123]|[01]?[0-9]",
  MINUTE: "[0-5][0-9]",
  SECOND: "(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?",
  TIME: "(?:%{HOUR}):(?:%{MINUTE})(?::(?:%{SECOND}))?",
  DATE_US: "(?:%{MONTHNUM})[/-](?:%{MONTHDAY})[/-](?:%{YEAR})",
  DATE_EU: "(?:%{MONTHDAY})[./-](?:%{MONTHNUM})[./-](?:%{YEAR})",
  DATE: "%{DATE_US}|%{DATE_EU}",
  ISO8601_TIMEZONE: "Z|[+-](?:%{HOUR})(?::?(?:%{MINUTE}))",
  TIMESTAMP_ISO8601:
    "[0-9]{4}-(?:0[1-9]|1[0-2]|[1-9])-(?:0[1-9]|[12][0-9]|3[01]|[1-9])[T ](?:%{HOUR}):?(?:%{MINUTE})(?::?(?:%{SECOND}))?(?:%{ISO8601_TIMEZONE})?",
  DATESTAMP: "(?:%{DATE})[- ](?:%{TIME})",
  TZ: "[A-Z]{3,5}",
  DATESTAMP_RFC822: "%{DAY} %{MONTH} (?:%{MONTHDAY}) (?:%{YEAR}) (?:%{TIME}) %{TZ}",
  HTTPDATE: "(?:%{MONTHDAY})/%{MONTH}/[0-9]{4}:(?:%{TIME}) [+-][0-9]{4}",
  SYSLOGTIMESTAMP: "%{MONTH} +(?:%{MONTHDAY}) (?:%{TIME})",
  PROG: "[!-Z\\\\^-~]+",
  SYSLOGPROG: "%{PROG:service}(?:\\[%{POSINT:process.pid:int}\\])?",
  SYSLOGHOST: "%{IPORHOST}",
  SYSLOGBASE: "%{SYSLOGTIMESTAMP:time} (?:%{SYSLOGHOST:host.name}) %{SYSLOGPROG}:",
  LOGLEVEL:
    "(?i:\\b(?:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?|panic)\\b)",
  JAVACLASS: "(?:[a-zA-Z$_][a-zA-Z$_0-9]*\\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
  COMMONAPACHELOG:
    '%{IPORHOST:client.address} %{NOTSPACE:user.identity} %{NOTSPACE:user.name} \\[%{HTTPDATE:time}\\] "(?:%{WORD:http.request.method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:network.protocol.version})?|%{DATA:http.request.line})" %{NONNEGINT:http.response.status_code:int} (?:%{NONNEGINT:http.response.body.size:int}|-)',
  COMBINEDAPACHELOG: "%{COMMONAPACHELOG} %{QS:http.request.header.referer} %{QS:user_agent.original}"
}

export type FieldType = "string" | "int" | "float" | "bool"
export interface Field {
  /** Name of the group in the pattern. */
  readonly group: string
  readonly name: string
  readonly type: FieldType
}
export type Expanded =
  | { readonly ok: true; readonly pattern: string; readonly fields: ReadonlyArray<Field> }
  | { readonly ok: false; readonly fault: string }

const types: Readonly<Record<string, FieldType>> = {
  int: "int",
  integer: "int",
  long: "int",
  float: "float",
  double: "float",
  number: "float",
  bool: "bool",
  boolean: "bool",
  string: "string",
  text: "string"
}
const fieldName = /^[A-Za-z_@][\w.@-]{0,99}$/u

/** A fault that is told with its place; only thrown and caught in here. */
class Fault extends Error {}

class Expansion {
  readonly fields: Array<Field> = []
  readonly own: Readonly<Record<string, string>>
  length = 0
  constructor(own: Readonly<Record<string, string>>) {
    this.own = own
  }

  group(name: string, type: FieldType, where: string): string {
    if (!fieldName.test(name) || name === "__proto__") {
      throw new Fault(
        `expected a field's name of letters, digits, ".", "_" and "-", got ${JSON.stringify(name)} ${where}`
      )
    }
    const group = `f${this.fields.length}`
    this.fields.push({ group, name, type })
    return group
  }

  /** Puts definitions in place of their names, and groups under names that RE2 takes. */
  expand(pattern: string, depth: number, within: string): string {
    let out = ""
    let inClass = false
    for (let i = 0; i < pattern.length; i++) {
      const char = pattern[i]!
      const where = within === "" ? `at character ${i + 1}` : `in ${within}`
      if (char === "\\") {
        out += char + (pattern[++i] ?? "")
      } else if (inClass) {
        if (char === "]") inClass = false
        out += char
      } else if (char === "[") {
        inClass = true
        out += char
        // A bracket right behind the opening is a character of the class.
        if (pattern[i + 1] === "^") out += pattern[++i]!
        if (pattern[i + 1] === "]") {
          out += "\\]"
          i++
        }
      } else if (char === "%" && pattern[i + 1] === "{") {
        const close = pattern.indexOf("}", i)
        if (close === -1) throw new Fault(`expected "}" behind "%{" ${where}`)
        out += this.reference(pattern.slice(i + 2, close), depth, where)
        i = close
      } else if (char === "(" && /^\(\?P?<[^=!]/u.test(pattern.slice(i, i + 5))) {
        const open = pattern.indexOf("<", i)
        const close = pattern.indexOf(">", open)
        if (close === -1) throw new Fault(`expected ">" behind "(?<" ${where}`)
        out += `(?P<${this.group(pattern.slice(open + 1, close), "string", where)}>`
        i = close
      } else out += char
    }
    this.length += out.length
    if (this.length > expandedMax)
      throw new Fault(`expected at most ${expandedMax} characters with all definitions put in`)
    return out
  }

  reference(text: string, depth: number, where: string): string {
    const [name = "", field, type, ...more] = text.split(":")
    if (more.length > 0) throw new Fault(`expected %{NAME:field:type}, got %{${text}} ${where}`)
    const definition = Object.hasOwn(this.own, name)
      ? this.own[name]
      : Object.hasOwn(library, name)
        ? library[name]
        : undefined
    if (definition === undefined)
      throw new Fault(`expected the name of a pattern, got ${JSON.stringify(name)} ${where}`)
    if (depth >= depthMax) throw new Fault(`expected definitions at most ${depthMax} deep, got more in ${name}`)
    const kind = type === undefined ? "string" : types[type]
    if (kind === undefined)
      throw new Fault(`expected a type of int, float, bool or string, got ${JSON.stringify(type)} ${where}`)
    const opening = field === undefined || field === "" ? "(?:" : `(?P<${this.group(field, kind, where)}>`
    return `${opening}${this.expand(definition, depth + 1, name)})`
  }
}

/** The pattern with all definitions put in. `own` are definitions beside the library's; they win over it. */
export const expand = (pattern: string, own: Readonly<Record<string, string>> = {}): Expanded => {
  const expansion = new Expansion(own)
  try {
    return { ok: true, pattern: expansion.expand(pattern, 0, ""), fields: expansion.fields }
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.message }
    throw error
  }
}
