/**
 * Lines that are one JSON object, of any logger; JSON of any other kind is no log event and is left to the plain format.
 * Docker's and Fluent Bit's envelopes (`log`, `stream`) are opened: the inner line is read by its own format.
 */
import { cleanValue, suspicious } from "./Clean.ts"
import { enveloped } from "./Envelope.ts"
import { type Fields, fromFields } from "./Fields.ts"
import { kubernetesOf, shaped } from "./JsonShapes.ts"
import type { Inner, Parser } from "./Parser.ts"
import { timeOfText } from "./Time.ts"

/** The object that `text` is, clean and bounded; undefined when it is not one. */
export const objectOf = (text: string): Fields | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return (suspicious(text) ? cleanValue(value) : value) as Fields
}

const firstCode = (line: string): number => {
  let i = 0
  while (line.charCodeAt(i) === 32 || line.charCodeAt(i) === 9) i++
  return line.charCodeAt(i)
}

/** Docker's json-file, and Fluent Bit's records of Kubernetes. */
const container = (fields: Fields, now: number, inner: Inner | undefined) => {
  const { kubernetes, log, stream, time, ...rest } = fields
  const attributes: Record<string, unknown> = { "log.iostream": stream }
  for (const [key, value] of Object.entries(rest)) if (key !== "__proto__") attributes[key] = value
  if (typeof kubernetes === "object" && kubernetes !== null)
    Object.assign(attributes, kubernetesOf(kubernetes as Fields))
  const text = log as string
  // Docker cuts lines at 16 KB; all but the last part have no newline.
  if (!text.endsWith("\n") && kubernetes === undefined) attributes["log.partial"] = true
  const at = typeof time === "string" ? timeOfText(time, now) : Number.NaN
  return enveloped(text.trimEnd(), { time: Number.isNaN(at) ? undefined : at, attributes }, now, inner)
}

export const json: Parser = {
  name: "json",
  about:
    "any JSON object: pino, bunyan, winston, zap, zerolog, logrus, ECS, GELF, journald, CloudTrail, Google LogEntry, Azure, " +
    "Lambda, Docker, MongoDB, Caddy, Traefik, Suricata EVE",
  fields: "",
  begins: "{ \t",
  parse: (line, now, inner) => {
    if (firstCode(line) !== 123) return undefined
    const fields = objectOf(line)
    if (fields === undefined) return undefined
    if (typeof fields["log"] === "string" && typeof fields["stream"] === "string") return container(fields, now, inner)
    return fromFields(shaped(fields), line, now)
  }
}
