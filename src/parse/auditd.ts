/**
 * The kernel's audit log: `type=SYSCALL msg=audit(1684329817.579:2995): key=value …`, with user messages in quotes. The
 * line is the message.
 */
import { ownPairs } from "./logfmt.ts"
import { type Parser, event } from "./Parser.ts"
import { isAddress, typed } from "./Scan.ts"

const head = /^(?:node=(\S{1,255}) )?type=(\w{3,40}) msg=(audit)\((\d{9,10})\.(\d{3}):(\d{1,20})\): ?/u

const names: Readonly<Record<string, string>> = {
  pid: "process.pid",
  ppid: "process.parent_pid",
  exe: "process.executable.path",
  comm: "process.name",
  acct: "user.name",
  uid: "user.id",
  hostname: "client.domain",
  addr: "client.address",
  res: "event.outcome",
  op: "event.action"
}

export const auditd: Parser = {
  name: "auditd",
  about: "Linux audit log",
  fields: "audit.type audit.id process.pid process.executable.path user.name client.address event.outcome",
  begins: "tn",
  parse: (line, now) => {
    const parts = head.exec(line)
    if (parts === null) return undefined
    const attributes: Record<string, unknown> = {
      "audit.type": parts[2],
      "audit.id": Number(parts[6]),
      "audit.source": parts[3]
    }
    if (parts[1] !== undefined) attributes["host.name"] = parts[1]
    let rest = line.slice(parts[0].length)
    // User-space messages nest their pairs in single quotes, behind a group separator others resolve names.
    const quote = rest.indexOf("msg='")
    if (quote !== -1) rest = rest.slice(0, quote) + rest.slice(quote + 5).replace(/'[^']*$/u, "")
    const pairs = ownPairs(rest.replaceAll("\u001D", " "))
    for (const [key, value] of Object.entries(pairs)) {
      if (value === "?" || value === "(null)" || value === "" || (key === "addr" && !isAddress(String(value)))) continue
      attributes[names[key] ?? key] = typeof value === "string" ? typed(value) : value
    }
    const failed = attributes["event.outcome"] === "failed" || attributes["success"] === "no"
    const time = Number(parts[4]) * 1000 + Number(parts[5])
    return event({ time, level: failed ? "warn" : "info", service: "audit", message: line, attributes }, now)
  }
}
