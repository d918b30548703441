/**
 * W3C extended log files: IIS, CloudFront, Windows Firewall. `#Fields:` of the same source names the columns; without it the default
 * columns of these are known by their shape. The line is the message.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { isMethod, levelOfStatus, putTarget } from "./Http.ts"
import { type Memory, type Parser, event } from "./Parser.ts"
import { isAddress, put, putEndpoint, typed } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const names: Readonly<Record<string, string>> = {
  action: "event.action",
  protocol: "network.transport",
  "src-ip": "source.address",
  "src-port": "source.port",
  "dst-ip": "destination.address",
  "dst-port": "destination.port",
  size: "network.bytes",
  path: "network.direction",
  pid: "process.pid",
  "s-ip": "server.address",
  "s-port": "server.port",
  "s-computername": "host.name",
  "s-sitename": "iis.site",
  "c-ip": "client.address",
  "c-port": "client.port",
  "cs-method": "http.request.method",
  "cs-username": "user.name",
  "cs-version": "network.protocol.version",
  "cs-protocol-version": "network.protocol.version",
  "cs-protocol": "url.scheme",
  "cs(user-agent)": "user_agent.original",
  "cs(referer)": "http.request.header.referer",
  "cs(cookie)": "http.request.header.cookie",
  "cs(host)": "server.address",
  "cs-host": "server.address",
  "x-host-header": "http.request.header.host",
  "cs-uri-query": "url.query",
  "sc-status": "http.response.status_code",
  "sc-substatus": "iis.substatus",
  "sc-win32-status": "iis.win32_status",
  "sc-bytes": "http.response.size",
  "cs-bytes": "http.request.size",
  "x-edge-location": "aws.cloudfront.edge_location",
  "x-edge-result-type": "aws.cloudfront.result_type",
  "x-edge-response-result-type": "aws.cloudfront.response_result_type",
  "x-edge-detailed-result-type": "aws.cloudfront.detailed_result_type",
  "x-edge-request-id": "http.request.id",
  "x-forwarded-for": "client.forwarded",
  "ssl-protocol": "tls.protocol.version",
  "ssl-cipher": "tls.cipher",
  "sc-content-type": "http.response.content_type",
  "sc-content-len": "http.response.body.size"
}

const iis = (
  "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status " +
  "sc-substatus sc-win32-status time-taken"
).split(" ")
const cloudfront = (
  "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query " +
  "cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for " +
  "ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port " +
  "time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end"
).split(" ")

const firewall =
  "date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype icmpcode info path pid".split(
    " "
  )
const firewallRow =
  /^(?:ALLOW|DROP|CLOSE|OPEN|INFO-EVENTS-LOST) (?:TCP|UDP|ICMP|\d{1,3}) [\da-f.:]{2,45} [\da-f.:]{2,45} /u

/** Agents are written without blanks: IIS has a plus for them, CloudFront %20, often twice. */
const unblank = (text: string): string =>
  text.includes("%") ? text.replace(/%(?:25)?20/gu, " ").replace(/%(?:25)?22/gu, '"') : text.replaceAll("+", " ")

/** The columns that a `#Fields:` line names. */
export const fieldsOf = (line: string): NonNullable<Memory["columns"]> | undefined => {
  if (!line.startsWith("#Fields:") || line.length > 4096) return undefined
  const columns = line.slice(8).trim().split(/\s+/u)
  return columns.length < 2 ? undefined : { kind: "w3c", separator: "", names: columns }
}

/** The event of a row under its columns; undefined where it is none. */
export const w3cRow = (columns: ReadonlyArray<string>, line: string, now: number): LogEvent | undefined => {
  const cells = line.split(line.includes("\t") ? "\t" : " ")
  if (cells.length !== columns.length || cells.length > 128) return undefined
  const attributes: Record<string, unknown> = {}
  let [date, clock, stem, status] = ["", "", "", 0]
  for (const [index, column] of columns.entries()) {
    const cell = cells[index]!
    const key = column.toLowerCase()
    if (key === "date") date = cell
    else if (key === "time") clock = cell
    else if (cell === "-" || cell === "") continue
    else if (key === "cs-uri-stem") stem = cell
    else if (key === "time-taken" && /^\d{1,12}(?:\.\d{1,9})?$/u.test(cell)) {
      attributes["duration_ms"] = cell.includes(".") ? Math.round(Number(cell) * 1e6) / 1e3 : Number(cell)
    } else if (key === "c-ip" || key === "s-ip") putEndpoint(attributes, key === "c-ip" ? "client" : "server", cell)
    else if (key === "cs(user-agent)") put(attributes, "user_agent.original", unblank(cell))
    else if (key === "cs-version" || key === "cs-protocol-version") {
      attributes["network.protocol.version"] = cell.replace(/^HTTP\//u, "")
    } else attributes[names[key] ?? column] = typed(cell)
    if (key === "sc-status") status = Number(cell)
  }
  const time = timeOfText(`${date} ${clock}`, now)
  if (Number.isNaN(time)) return undefined
  if (stem !== "") putTarget(attributes, stem)
  const level = status >= 100 ? levelOfStatus(status) : "info"
  return event({ time, level, message: line, attributes }, now)
}

export const w3c: Parser = {
  name: "w3c",
  about: "IIS, CloudFront and Windows Firewall (W3C extended), by `#Fields:` or their default columns",
  fields:
    "client.address server.address http.request.method url.path url.query http.response.status_code user_agent.original duration_ms",
  begins: "0",
  parse: (line, now) => {
    const blank = line.charCodeAt(10)
    if (line.charCodeAt(4) !== 45 || (blank !== 32 && blank !== 9)) return undefined
    if (blank === 9) {
      const columns = line.split("\t", 40).length
      if (columns < 24 || columns > cloudfront.length) return undefined
      return w3cRow(cloudfront.slice(0, columns), line, now)
    }
    if (line.charCodeAt(19) !== 32) return undefined
    if (firewallRow.test(line.slice(20, 160))) {
      return w3cRow(firewall.slice(0, line.split(" ", 19).length), line, now)
    }
    // An address begins with a digit, a letter up to f, or a colon.
    if (!/[\da-f:]/iu.test(line[20] ?? "")) return undefined
    const cells = line.slice(0, 4096).split(" ", 16)
    if (cells.length < 14 || !isAddress(cells[2]!) || !isMethod(cells[3]!) || !isAddress(cells[8]!)) return undefined
    return w3cRow(cells.length === 14 ? iis.slice(0, 14) : iis, line, now)
  }
}
