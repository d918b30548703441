/**
 * The parts of an HTTP request under OpenTelemetry's names: the request line, the status and the level that it means, a
 * URL. Which words of a line are which is the formats' part.
 */
import type { Level } from "../domain/Level.ts"
import { putEndpoint } from "./Scan.ts"

export const levelOfStatus = (status: number): Level => (status >= 500 ? "error" : status >= 400 ? "warn" : "info")

/** Path, query and, where the target is a whole URL, its scheme, host and port. */
export const putTarget = (attributes: Record<string, unknown>, target: string): void => {
  let path = target
  const scheme = target.indexOf("://")
  if (scheme > 0 && scheme < 12) {
    attributes["url.full"] = target
    attributes["url.scheme"] = target.slice(0, scheme)
    const slash = target.indexOf("/", scheme + 3)
    const authority = target.slice(scheme + 3, slash === -1 ? undefined : slash)
    const colon = /:(\d{1,5})$/u.exec(authority)
    attributes["server.address"] = colon === null ? authority : authority.slice(0, colon.index)
    if (colon !== null) attributes["server.port"] = Number(colon[1])
    path = slash === -1 ? "/" : target.slice(slash)
  }
  const query = path.indexOf("?")
  if (query === -1) {
    attributes["url.path"] = path
    return
  }
  attributes["url.path"] = path.slice(0, query)
  attributes["url.query"] = path.slice(query + 1)
  if (path === target) attributes["url.original"] = target
}

const request = /^([A-Z][A-Z_-]{1,20}) (\S+)(?: ([A-Z]+)\/([\d.]+))?$/u

/** A request line (`GET /x HTTP/1.1`). False where the text is none; it is then kept as `http.request.line`. */
export const putRequest = (attributes: Record<string, unknown>, line: string): boolean => {
  const parts = request.exec(line)
  if (parts === null) {
    if (line !== "" && line !== "-") attributes["http.request.line"] = line
    return false
  }
  attributes["http.request.method"] = parts[1]
  putTarget(attributes, parts[2]!)
  if (parts[3] !== undefined) {
    attributes["network.protocol.name"] = parts[3].toLowerCase()
    attributes["network.protocol.version"] = parts[4]
  }
  return true
}

const methods = new Set(
  (
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH " +
    "PURGE BAN LINK UNLINK MKCALENDAR CHECKOUT MERGE NOTIFY SUBSCRIBE UNSUBSCRIBE BIND ACL"
  ).split(" ")
)
export const isMethod = (word: string): boolean => methods.has(word)

/** The host that was asked for, with its port. */
export const putServer = (attributes: Record<string, unknown>, host: string | undefined): void => {
  if (host === undefined || host === "" || host === "-") return
  const colon = /^([^:]+):(\d{1,5})$/u.exec(host)
  if (colon === null) putEndpoint(attributes, "server", host)
  else {
    attributes["server.address"] = colon[1]
    attributes["server.port"] = Number(colon[2])
  }
}
