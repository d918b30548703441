/**
 * The layouts that common loggers give a line behind its time: who wrote it, on which thread, in which file. Asked only
 * where nothing has told the service yet; each pattern is anchored and bounded.
 */
import type { Found } from "./Parser.ts"

interface Layout {
  readonly pattern: RegExp
  /** Names of the groups, in turn. */
  readonly names: ReadonlyArray<string>
}

const level = "(?:[A-Za-z]{3,11})"
const layout = (pattern: string, ...names: ReadonlyArray<string>): Layout => ({
  pattern: new RegExp(pattern, "uy"),
  names
})

const layouts: ReadonlyArray<Layout> = [
  // Spring Boot: "  WARN 7 --- [thread] logger : text"
  layout(
    ` {1,4}${level} {1,4}(\\d{1,10}) --- (?:\\[[^\\]]{0,80}\\] )?\\[([^\\]]{1,120})\\] (\\S{1,120}) {0,60}: `,
    "process.pid",
    "thread.name",
    "service"
  ),
  // Elasticsearch: "][WARN ][logger] [node] text"
  layout(`\\]\\[${level} {0,4}\\]\\[([\\w.$ -]{1,120})\\] \\[([^\\]]{1,80})\\]`, "service", "host.name"),
  // Python: " - logger - LEVEL - text"
  layout(` - ([\\w.$/-]{1,120}) - ${level} - `, "service"),
  // Home Assistant: " WARNING (MainThread) [logger] text"
  layout(` ${level} \\(([^)]{1,80})\\) \\[([\\w.$-]{1,120})\\] `, "thread.name", "service"),
  // Keycloak, WildFly, Quarkus: " WARN  [logger] (thread) text"
  layout(` {1,3}${level} {1,3}\\[([\\w.$-]{1,120})\\] \\(([^)]{1,120})\\) `, "service", "thread.name"),
  // fail2ban: " fail2ban.actions   [123]: NOTICE  [jail] text"
  layout(
    ` (fail2ban\\.[a-z]{1,20}) {0,24}\\[(\\d{1,10})\\]: ${level} {1,4}(?:\\[([\\w.-]{1,60})\\] )?`,
    "service",
    "process.pid",
    "fail2ban.jail"
  ),
  // Rust: " WARN my_crate::server: text", "Z ERROR my_crate] text"
  layout(` {1,4}${level} {1,4}([a-z_][\\w]{0,60}(?:::\\w{1,60}){0,8})(?:: |\\] )`, "service"),
  // Monolog, Laravel: "] channel.LEVEL: text"
  layout(`\\] ([\\w-]{1,60})\\.[A-Z]{3,9}: `, "service"),
  // Gunicorn: "] [7] [INFO] text"
  layout(`\\] \\[(\\d{1,10})\\] \\[[A-Z]{4,8}\\] `, "process.pid"),
  // Go: " main.go:12: text"
  layout(` ([\\w./-]{1,120}\\.go):(\\d{1,7}): `, "code.file.path", "code.line.number")
]

/** By what stands right behind the time: a blank or a bracket. */
const blank = layouts.filter(({ pattern }) => pattern.source.startsWith(" "))
const bracket = layouts.filter(({ pattern }) => pattern.source.startsWith("\\]"))

/** Kafka and others name the logger last: "text (kafka.server.KafkaServer)". */
const last = /\(((?:[a-z][\w]{0,40}\.){1,8}[A-Z][\w$]{0,80})\)$/u

/** Adds what the layout behind the time, which ends at `end`, tells. */
export const laidOut = (line: string, end: number, found: Found): void => {
  const code = line.charCodeAt(end)
  for (const { names, pattern } of code === 93 ? bracket : code === 32 ? blank : []) {
    pattern.lastIndex = end
    const parts = pattern.exec(line)
    if (parts === null) continue
    for (const [index, name] of names.entries()) {
      const value = parts[index + 1]?.trimEnd()
      if (value === undefined || value === "") continue
      if (name === "service") found.service = value
      else found.attributes[name] ??= /^(?:process\.pid|code\.line\.number)$/u.test(name) ? Number(value) : value
    }
    return
  }
  if (line.charCodeAt(line.length - 1) !== 41) return
  const logger = last.exec(line.length > 256 ? line.slice(-256) : line)
  if (logger !== null) found.service = logger[1]
}
