/**
 * Microsoft Exchange's protocol logs of SMTP, IMAP and POP: comma separated, the time first, with a session, a running
 * number and both endpoints. The line is the message.
 */
import { cellsOf } from "./csv.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putAll, putEndpoint } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const mailbox = ["user.name", "duration_ms", "exchange.request_size", "exchange.response_size", "exchange.command", "exchange.parameters", "exchange.context"] // prettier-ignore

export const exchange: Parser = {
  name: "exchange",
  about: "Microsoft Exchange protocol logs: SMTP, IMAP, POP",
  fields: "client.address server.address session.id user.name exchange.command smtp.response.code duration_ms",
  begins: "0",
  parse: (line, now) => {
    if (line.charCodeAt(10) !== 84 || line.charCodeAt(24) !== 44 || line.length > 65_536) return undefined
    const cells = cellsOf(line, ",")
    const smtp = /^[0-9A-F]{16}$/u.test(cells[2] ?? "") && /^\d{1,9}$/u.test(cells[3] ?? "")
    const other = /^[0-9A-F]{16}$/u.test(cells[1] ?? "") && /^\d{1,9}$/u.test(cells[2] ?? "")
    const time = timeOfText(cells[0]!, now)
    if ((!smtp && !other) || cells.length < 8 || Number.isNaN(time)) return undefined
    const attributes: Record<string, unknown> = {}
    const from = smtp ? 2 : 1
    if (smtp) attributes["exchange.connector"] = cells[1]
    attributes["session.id"] = cells[from]
    attributes["event.sequence"] = Number(cells[from + 1])
    putEndpoint(attributes, "server", cells[from + 2])
    putEndpoint(attributes, "client", cells[from + 3])
    if (smtp) {
      put(attributes, "exchange.event", cells[6])
      const reply = /^(\d{3})(?: \d\.\d{1,3}\.\d{1,3})?[ -]?(.*)$/su.exec(cells[7]!)
      if (reply === null) put(attributes, "exchange.data", cells[7])
      else {
        attributes["smtp.response.code"] = Number(reply[1])
        put(attributes, "smtp.response.message", reply[2])
      }
      put(attributes, "exchange.context", cells[8])
    } else putAll(attributes, mailbox, cells.slice(5))
    const failed = Number(attributes["smtp.response.code"]) >= 400 || /AuthFailed|ErrMsg=|-ERR| NO /u.test(line)
    return event({ time, level: failed ? "warn" : "info", service: "exchange", message: line, attributes }, now)
  }
}
