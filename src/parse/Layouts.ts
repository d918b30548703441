/**
 * The layouts that common loggers give a line around its time: who wrote it, on which thread, in which file. Those behind
 * the time are asked only where nothing has told the service yet, by the first character that is no blank; each pattern is
 * anchored and bounded.
 */
import { levelOfSyslog } from "./Fields.ts"
import { levelOfWord } from "./LevelWords.ts"
import type { Found } from "./Parser.ts"
import { putEndpoint } from "./Scan.ts"

interface Layout {
  readonly pattern: RegExp
  /** Names of the groups, in turn; `service`, `level`, `trace` and `span` are those parts of the event. */
  readonly names: ReadonlyArray<string>
  /** What the text behind blanks begins with: `A` is any letter, `0` any digit. */
  readonly begins: string
  /** Whether it holds a level that was found already: asked only where one was. */
  readonly leveled: boolean
}

const level = "[A-Za-z]{3,11}"
/** A class or module: parts with dots between them. */
const dotted = "(?:[A-Za-z_$][\\w$]{0,60}\\.){1,12}[A-Za-z_$][\\w$<>-]{0,80}"
const layout = (begins: string, pattern: string, ...names: ReadonlyArray<string>): Layout => ({
  pattern: new RegExp(pattern, "uy"),
  names,
  begins,
  leveled: pattern.includes(level) && !names.includes("level")
})

const layouts: ReadonlyArray<Layout> = [
  // Spring Boot: "  WARN 7 --- [app] [thread] [trace-span] logger : text"
  layout(
    "A",
    ` {1,4}${level} {1,4}(\\d{1,10}) --- (?:\\[[^\\]]{0,80}\\] )??\\[ {0,40}([^\\]]{1,120})\\] (?:\\[ *(?:([0-9a-f]{32})-([0-9a-f]{16}))? *\\] )?(\\S{1,120}) {0,60}: `,
    "process.pid",
    "thread.name",
    "trace",
    "span",
    "service"
  ),
  // Spring Cloud Sleuth: " ERROR [app,trace,span,true] 7 --- [thread] logger : text"
  layout(
    "A",
    ` {1,4}${level} {1,4}\\[[^\\],]{0,80},(?:([0-9a-f]{16,32}))?,(?:([0-9a-f]{16}))?(?:,(?:true|false)?)?\\] {1,4}(\\d{1,10}) --- \\[ {0,40}([^\\]]{1,120})\\] (\\S{1,120}) {0,60}: `,
    "trace",
    "span",
    "process.pid",
    "thread.name",
    "service"
  ),
  // zap's console: "\tWARN\tlogger\tfile.go:88\ttext"
  layout(
    "A",
    `\\t${level}\\t(?:([\\w.-]{1,120})\\t)?([\\w./@-]{1,160}\\.go):(\\d{1,7})\\t`,
    "service",
    "code.file.path",
    "code.line.number"
  ),
  // AWS Lambda: "\t<request>\tERROR\ttext", "\t<request>\ttext"
  layout("A0", `\\t([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\t`, "faas.invocation_id"),
  // Logback and Tomcat: " INFO  [thread] a.b.Class [user=1] text"
  layout("A", ` {1,4}${level} {1,5}\\[([^\\]]{1,120})\\] (${dotted})(?= |$)`, "thread.name", "service"),
  // Keycloak, WildFly, Quarkus: " WARN  [logger] (thread) text"
  layout("A", ` {1,3}${level} {1,3}\\[([\\w.$-]{1,120})\\] \\(([^)]{1,120})\\) `, "service", "thread.name"),
  // Solr: " INFO  (thread) [ core] logger [core] text"
  layout("A", ` ${level} {1,3}\\(([^)]{1,120})\\) \\[[^\\]]{0,200}\\] ([\\w.$]{1,120}) `, "thread.name", "service"),
  // Splunk: " WARN  Component [77 thread] - text"
  layout(
    "A",
    ` {1,3}${level} {1,3}([\\w.:-]{1,80}) \\[(\\d{1,10}) ([^\\]]{1,80})\\] - `,
    "service",
    "thread.id",
    "thread.name"
  ),
  // Home Assistant: " WARNING (MainThread) [logger] text"
  layout("A", ` ${level} \\(([^)]{1,80})\\) \\[([\\w.$-]{1,120})\\] `, "thread.name", "service"),
  // Nest: ", 10:11:12 AM     WARN [Context] text"
  layout("A", ` {1,8}(?:LOG|ERROR|WARN|DEBUG|VERBOSE|FATAL) \\[([\\w.$ -]{1,80})\\] `, "service"),
  // Jira: " http-nio-8080-exec-7 WARN user …"
  layout("A", ` ([\\w-]{1,80}-\\d{1,6}) (?:DEBUG|INFO|WARN|ERROR|FATAL) `, "thread.name"),
  // Rust: " WARN my_crate::server: text", "Z ERROR my_crate] text", " INFO span{id=1}: my_crate: text"
  layout(
    "A",
    ` {1,4}${level} {1,4}(?:[\\w:]{1,60}\\{[^{}]{0,200}\\}: ?){0,4}([a-z_][\\w]{0,60}(?:::\\w{1,60}){0,8})(?:: |\\] )`,
    "service"
  ),
  // java.util.logging: " com.shop.Main run"
  layout("A", ` (${dotted}) [\\w$<>]{1,80}$`, "service"),
  // fail2ban: " fail2ban.actions   [123]: NOTICE  [jail] text"
  layout(
    "A",
    ` (fail2ban\\.[a-z]{1,20}) {0,24}\\[(\\d{1,10})\\]: ${level} {1,4}(?:\\[([\\w.-]{1,60})\\] )?`,
    "service",
    "process.pid",
    "fail2ban.jail"
  ),
  // MongoDB before 4.4: " W NETWORK  [conn7] text"
  layout("A", ` ([DIWEF])\\d? ([A-Z_-]{1,20}) {1,10}\\[([^\\]]{1,80})\\] `, "level", "service", "thread.name"),
  // stunnel: " LOG5[77]: text"
  layout("A", ` LOG([0-7])\\[([^\\]]{1,40})\\]: `, "level", "thread.id"),
  // unbound: "] unbound[7:0] info: text"
  layout("]", `\\] ([\\w-]{1,40})\\[(\\d{1,10}):\\d{1,4}\\] (${level}): `, "service", "process.pid", "level"),
  // Go: " main.go:12: text"; Cassandra: " Class.java:12 - text"
  layout(
    "A",
    ` ([\\w./-]{1,120}\\.(?:go|java|scala|kt|py|rb|rs|cc|cpp|c)):(\\d{1,7})(?:: | - )`,
    "code.file.path",
    "code.line.number"
  ),
  // OpenStack: " 2931 INFO logger [req-…] text"
  layout(
    "0",
    ` (\\d{1,10}) ${level} ([\\w.-]{1,120}) \\[(?:(req-[\\w-]{8,64})|-)`,
    "process.pid",
    "service",
    "http.request.id"
  ),
  // Apple's unified log: " 0x1a2b     Error       0x0                  58     0    Program: text"
  layout(
    "0",
    ` 0x[0-9a-f]{1,16} {1,12}(${level}) {1,16}0x[0-9a-f]{1,16} {1,20}(\\d{1,10}) {1,8}\\d{1,4} {1,8}([\\w.-]{1,80}): `,
    "level",
    "process.pid",
    "service"
  ),
  // Odoo: " 77 INFO database logger: text"
  layout("0", ` (\\d{1,10}) ${level} (\\S{1,63}) (${dotted}): `, "process.pid", "db.namespace", "service"),
  // nginx Unit: " [info] 77#88 text"
  layout("[", ` \\[${level}\\] (\\d{1,10})#(\\d{1,10}) `, "process.pid", "thread.id"),
  // Rspamd: " #77(normal) <tag>; part; "
  layout(
    "#",
    ` #(\\d{1,10})\\((\\w{1,30})\\) <[^>]{0,40}>; ([\\w-]{1,40}); `,
    "process.pid",
    "process.name",
    "service"
  ),
  // LiteSpeed: " [INFO] [77] [1.2.3.4:5#vhost] text"
  layout("[", ` \\[${level}\\] \\[(\\d{1,10})\\] (?:\\[([^\\]#]{7,50})[^\\]]{0,80}\\] )?`, "process.pid", "client"),
  // RabbitMQ: " [error] <0.777.0> text"
  layout("[", ` \\[${level}\\] (<\\d{1,6}\\.\\d{1,10}\\.\\d{1,6}>) `, "process.pid"),
  // Jenkins: " [id=17]\tWARNING\tclass#method: text"
  layout("[", `[ \\t]\\[id=(\\d{1,10})\\]\\t${level}\\t([\\w.$#-]{1,120}): `, "thread.id", "service"),
  // ClickHouse: " [ 77 ] {query} <Error> logger: text"
  layout(
    "[",
    ` \\[ (\\d{1,10}) \\] \\{([^}]{0,64})\\} <${level}> ([\\w.() -]{1,120}): `,
    "thread.id",
    "db.query.id",
    "service"
  ),
  // ZooKeeper: " [myid:1] - INFO  [thread:Class@136] - text"
  layout(
    "[-",
    ` (?:\\[myid:\\d{0,5}\\] )?- ${level} {1,3}\\[([^\\]]{1,160}):([A-Za-z_$][\\w$]{0,80}@\\d{1,6})\\] - `,
    "thread.name",
    "service"
  ),
  // Python: " - logger - LEVEL - text"
  layout("-", ` - ([\\w.$/-]{1,120}) - ${level} - `, "service"),
  // Loguru: " | ERROR    | module:function:line - text"
  layout(
    "|",
    ` \\| ${level} {1,8}\\| ([\\w.$<>-]{1,120}):([\\w<>]{1,80}):(\\d{1,7}) - `,
    "service",
    "code.function.name",
    "code.line.number"
  ),
  // Celery: ": INFO/MainProcess] text"
  layout(":", `: (${level})/([\\w-]{1,60})\\] `, "level", "process.name"),
  // Elasticsearch: "][WARN ][logger] [node] text"
  layout("]", `\\]\\[${level} {0,4}\\]\\[([\\w.$ -]{1,120})\\] \\[([^\\]]{1,80})\\]`, "service", "host.name"),
  // Flask: "] ERROR in app: text"
  layout("]", `\\] ${level} in ([\\w.]{1,120}): `, "service"),
  // Minecraft: "] [thread/INFO]: text"
  layout("]", `\\] \\[([^\\]/]{1,80})/(${level})\\](?: \\[[^\\]]{1,80}\\])?: `, "thread.name", "level"),
  // GlusterFS: "] E [MSGID: 114058] [file.c:2310:function] text"
  layout(
    "]",
    `\\] ([TDINWECAM]) (?:\\[MSGID: (\\d{1,10})\\] )?\\[([\\w./-]{1,120}):(\\d{1,7}):(\\w{1,80})\\] `,
    "level",
    "event.id",
    "code.file.path",
    "code.line.number",
    "code.function.name"
  ),
  // Envoy's own log: "][7][warning][upstream] [source/x.cc:12] text"
  layout(
    "]",
    `\\]\\[(\\d{1,10})\\]\\[${level}\\]\\[([\\w.-]{1,60})\\] (?:\\[([\\w./-]{1,160}):(\\d{1,7})\\] )?`,
    "thread.id",
    "service",
    "code.file.path",
    "code.line.number"
  ),
  // Airflow: "] {file.py:12} INFO - text"
  layout("]", `\\] \\{([\\w./-]{1,120}):(\\d{1,7})\\} ${level} - `, "code.file.path", "code.line.number"),
  // Monolog, Laravel: "] channel.LEVEL: text"
  layout("]", `\\] ([\\w-]{1,60})\\.[A-Z]{3,9}: `, "service"),
  // Gunicorn: "] [7] [INFO] text"
  layout("]", `\\] \\[(\\d{1,10})\\] \\[[A-Z]{4,8}\\] `, "process.pid"),
  // vsftpd: " [pid 7] [user] text"
  layout("[", ` \\[pid (\\d{1,10})\\] (?:\\[([^\\]]{1,64})\\] )?`, "process.pid", "user.name"),
  // Python's Django apps: "] [INFO] [a.b] text"
  layout("]", `\\] \\[${level}\\] \\[(${dotted})\\] `, "service"),
  // Overseerr: " [warn][Auth]: text"
  layout("[", ` \\[${level}\\]\\[([\\w. -]{1,60})\\]: `, "service"),
  // PHP: "] PHP Fatal error:  text"
  layout("]", `\\] PHP (Fatal|Parse|Warning|Notice|Deprecated|Recoverable|Strict|Core|Compile)\\b`, "level")
]

const classOf = (code: number): string =>
  code >= 48 && code <= 57 ? "0" : (code | 32) >= 97 && (code | 32) <= 122 ? "A" : String.fromCharCode(code)
const byClass: Readonly<Record<string, ReadonlyArray<Layout>>> = Object.fromEntries(
  Array.from("A0[]-|:#", (kind) => [kind, layouts.filter(({ begins }) => begins.includes(kind))])
)

const numbers = new Set(["process.pid", "code.line.number", "thread.id", "duration_ms", "faas.memory_mb"])
const phpLevels: Readonly<Record<string, Found["level"]>> = { Parse: "fatal", Recoverable: "error", Core: "error", Compile: "error", Strict: "info", Deprecated: "warn" } // prettier-ignore
const letters: Readonly<Record<string, Found["level"]>> = { T: "trace", D: "debug", I: "info", N: "info", W: "warn", E: "error", C: "fatal", A: "fatal", F: "fatal" } // prettier-ignore
const levelOf = (text: string): Found["level"] =>
  /^\d$/u.test(text) ? levelOfSyslog(Number(text)) : (letters[text] ?? phpLevels[text] ?? levelOfWord(text))

const put = (found: Found, name: string, value: string): void => {
  if (name === "service") found.service = value
  else if (name === "level") found.level = levelOf(value) ?? found.level
  else if (name === "trace") found.traceId ??= value.length === 32 ? value : undefined
  else if (name === "span") found.spanId ??= value
  else if (name === "client") putEndpoint(found.attributes, name, value)
  else found.attributes[name] ??= numbers.has(name) && /^\d{1,15}(?:\.\d{1,6})?$/u.test(value) ? Number(value) : value
}

const fill = (found: Found, names: ReadonlyArray<string>, parts: RegExpExecArray): void => {
  for (const [index, name] of names.entries()) {
    const value = parts[index + 1]?.trim()
    if (value !== undefined && value !== "") put(found, name, value)
  }
}

/** Kafka and others name the logger last: "text (kafka.server.KafkaServer)". */
const last = /\(((?:[a-z][\w]{0,40}\.){1,8}[A-Z][\w$]{0,80})\)$/u

/** Adds what the layout behind the time, which ends at `end`, tells. */
export const laidOut = (line: string, end: number, found: Found): void => {
  let first = end
  while (first < end + 8 && (line.charCodeAt(first) === 32 || line.charCodeAt(first) === 9)) first++
  for (const { leveled, names, pattern } of byClass[classOf(line.charCodeAt(first))] ?? []) {
    if (leveled && found.level === undefined) continue
    pattern.lastIndex = end
    const parts = pattern.exec(line)
    if (parts !== null) return fill(found, names, parts)
  }
  if (line.charCodeAt(line.length - 1) !== 41) return
  const logger = last.exec(line.length > 256 ? line.slice(-256) : line)
  if (logger !== null) found.service = logger[1]
}

/** Behind a line's beginning and before its time. */
const heads: ReadonlyArray<readonly [RegExp, ...ReadonlyArray<string>]> = [
  // Redis: "1:M "
  [/^(\d{1,10}):[XCSM] $/u, "process.pid"],
  // NATS: "[1] "; Nest: "[Nest] 7  - "
  [/^\[(?:Nest\] )?(\d{1,10})(?:\] \[?| {1,3}- )$/u, "process.pid"],
  // Cassandra: "WARN  [thread] "
  [/^[A-Z]{4,8} {1,3}\[([^\]]{1,120})\] $/u, "thread.name"]
]
export const beforeTime = (head: string, found: Found): void => {
  for (const [pattern, ...names] of heads) {
    const parts = pattern.exec(head)
    if (parts !== null) return fill(found, names, parts)
  }
}

const bare: ReadonlyArray<readonly [RegExp, ...ReadonlyArray<string>]> = [
  // Python's logging without configuration: "ERROR:urllib3.pool:text"
  [/^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):(?!root:)([A-Za-z_][\w.-]{0,119}):/u, "service"],
  // .NET: "fail: Shop.Orders[13]"
  [/^(?:trce|dbug|info|warn|fail|crit): ([\w.]{1,160})\[(\d{1,10})\]$/u, "service", "event.id"],
  // AWS Lambda itself: "START RequestId: …", "REPORT RequestId: …\tDuration: 102.25 ms\t…Memory Size: 128 MB"
  [
    /^(?:START|END|REPORT) RequestId: ([0-9a-f-]{36})(?:\tDuration: ([\d.]{1,14}) ms\t[^\n]{0,120}?Memory Size: (\d{1,6}) MB)?/u,
    "faas.invocation_id",
    "duration_ms",
    "faas.memory_mb"
  ],
  // PHP without a time: "PHP Warning:  text"
  [/^PHP (Fatal|Parse|Warning|Notice|Deprecated|Recoverable|Strict|Core|Compile)\b/u, "level"]
]
/** Of a line without a time. */
export const untimed = (line: string, found: Found): void => {
  for (const [pattern, ...names] of bare) {
    const parts = pattern.exec(line.length > 400 ? line.slice(0, 400) : line)
    if (parts !== null) return fill(found, names, parts)
  }
}
