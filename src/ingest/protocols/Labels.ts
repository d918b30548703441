/**
 * Labels as Loki and Prometheus write them, `{app="api", env="prod"}`, and what well-known labels mean. Reads what is not
 * quite right as far as it can be read: a sender that does not escape its quotes must not lose its lines.
 */
import type { SentEvent } from "../../domain/SentEvent.ts"
import { Attributes, bounded, hexId, type Json, levelOf, textOf } from "./Values.ts"

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v"
}
const escaped = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/gu

const unescape = (text: string): string =>
  text.includes("\\")
    ? text.replace(escaped, (_, x?: string, u?: string, long?: string, octal?: string, other?: string) => {
        if (other !== undefined) return escapes[other] ?? other
        const code = octal === undefined ? Number.parseInt(x ?? u ?? long ?? "", 16) : Number.parseInt(octal, 8)
        return code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD"
      })
    : text

/** Where the quoted text that begins behind `from` ends: at a quote that `,` or `}` follows. -1 without one. */
const closing = (text: string, from: number, quote: string): number => {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\" && quote === '"') i++
    else if (text[i] === quote) {
      let next = i + 1
      while (text[next] === " ") next++
      if (next >= text.length || text[next] === "," || text[next] === "}") return i
      // A blank run is passed once only: time stays linear.
      i = next - 1
    }
  }
  return -1
}

/**
 * The labels of a text. Names may hold whatever stands before `=`. What can't be read is kept as label `labels`.
 *
 * @example readLabels('{app="api",path="C:\\\\tmp"}') // { app: "api", path: "C:\\tmp" }
 */
export const readLabels = (text: string): Json => {
  const labels = new Attributes()
  let at = text.startsWith("{") ? 1 : 0
  for (;;) {
    while (text[at] === " " || text[at] === ",") at++
    if (at >= text.length || text[at] === "}") break
    const equals = text.indexOf("=", at)
    const name = equals < 0 ? "" : text.slice(at, equals).trim()
    let open = equals + 1
    while (text[open] === " ") open++
    const quote = text[open]
    const end = name === "" || (quote !== '"' && quote !== "`") ? -1 : closing(text, open + 1, quote)
    if (end < 0) {
      labels.put("labels", text.slice(at))
      break
    }
    const value = text.slice(open + 1, end)
    labels.put(name, quote === "`" ? value : unescape(value))
    at = end + 1
  }
  return labels.end()
}

/** Labels that scrapers give by custom, under the names that all other doors use. */
const names: Readonly<Record<string, string>> = {
  host: "host.name",
  hostname: "host.name",
  filename: "log.file.path",
  pod: "k8s.pod.name",
  namespace: "k8s.namespace.name",
  container: "k8s.container.name"
}
const services = ["service_name", "service", "app", "job"]
const levelNames = ["level", "detected_level", "severity"]

/** What labels say of an event. Those that are understood do not stay attributes. */
export const fromLabels = (
  labels: Json
): Pick<SentEvent, "level" | "service" | "traceId" | "spanId" | "attributes"> => {
  const understood = new Set<string>()
  const first = <A>(candidates: ReadonlyArray<string>, read: (value: unknown) => A | undefined): A | undefined => {
    for (const name of candidates) {
      if (!Object.hasOwn(labels, name)) continue
      const value = read(labels[name])
      if (value === undefined) continue
      understood.add(name)
      return value
    }
    return undefined
  }
  const service = first(services, (value) => {
    const text = textOf(value)
    return text === "" || text === "unknown_service" ? undefined : text
  })
  const level = first(levelNames, levelOf)
  const traceId = first(["trace_id", "traceID", "traceId"], (value) => hexId(value, 16))
  const spanId = first(["span_id", "spanID", "spanId"], (value) => hexId(value, 8))
  const rest = new Attributes()
  for (const name of Object.keys(labels)) {
    if (!understood.has(name)) rest.put(Object.hasOwn(names, name) ? names[name]! : name, labels[name])
  }
  return { level, service, traceId, spanId, attributes: bounded(rest.end()) }
}
