/**
 * How much of real lines the formats read: for lines with known fields and times, the share of the fields whose value
 * is found in the event, the share of the times that are exact, and the time per line. The lines lie beside the project
 * where it is developed: `node bench/formats.ts [folder] [--misses]`.
 *
 * Products name fields differently, so only values are compared: text with text, numbers with what they print as, times
 * with times. A field whose expected value says "nothing" (empty or `-`) is no field.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LogEvent } from "../src/domain/LogEvent.ts"
import { parseLine } from "../src/parse/all.ts"
import { levelOfWord } from "../src/parse/LevelWords.ts"
import { timeOfText } from "../src/parse/Time.ts"

const now = Date.UTC(2026, 10, 23, 20)

export interface Sample {
  readonly kind: string
  readonly line: string
  readonly fields: Readonly<Record<string, unknown>>
  /** ISO time, or null where none is known. */
  readonly time: string | null
}

export const samplesOf = (folder: URL | string): ReadonlyArray<Sample> =>
  readFileSync(new URL("crowdsec_dev.ndjson", folder), "utf8")
    .trim()
    .split("\n")
    .map((row) => JSON.parse(row) as Record<string, never>)
    .map((row) => ({
      kind: row["parser"]!,
      line: row["raw"]!,
      fields: row["expected"]!,
      time: row["timestamp"] ?? null
    }))

/** Vector's examples whose source is one log line and whose result is an object of its fields. */
const wanted = new Set(
  (
    "parse_apache_log parse_aws_alb_log parse_aws_vpc_flow_log parse_cef parse_common_log parse_glog parse_key_value " +
    "parse_klog parse_linux_authorization parse_logfmt parse_nginx_log parse_syslog"
  ).split(" ")
)
export const examplesOf = (folder: URL | string): ReadonlyArray<Sample> =>
  readFileSync(new URL("vrl_parse_examples.ndjson", folder), "utf8")
    .trim()
    .split("\n")
    .map((row) => JSON.parse(row) as { fn: string; source: string; ret: Record<string, unknown> })
    .filter(({ fn, source }) => wanted.has(fn) && !/delimiter: |translate_|"instance_id|format: "version/u.test(source))
    .map(({ fn, ret, source }) => {
      const raw = /s'((?:[^'\\]|\\.)*)'/su.exec(source)?.[1]
      const line = raw ?? (JSON.parse(`"${/"((?:[^"\\]|\\.)*)"/su.exec(source)![1]!}"`) as string)
      const { timestamp, ...fields } = ret
      return { kind: fn, line, fields, time: typeof timestamp === "string" && timestamp.length > 19 ? timestamp : null }
    })

const leaves = (value: unknown, into: Set<string>): Set<string> => {
  if (Array.isArray(value)) for (const item of value) leaves(item, into)
  else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) leaves(item, into)
  else into.add(String(value).toLowerCase())
  return into
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ")
/** Names that say that the value is a part of the line's time. */
const timely =
  /^@?(?:.*_)?(?:date|time|timestamp|year|month|monthday|day|hour|minute|second|milliseconds|tz|zone|y|m|d|t|ms|datetime|datetimestamp|timestamp8601|time_local|accept_date)$/u

/** Whether a value of a time field is the event's time or a part of it. */
const inTime = (name: string, text: string, event: LogEvent, line: string): boolean => {
  if (!timely.test(name) || event.time === now) return false
  const time = timeOfText(text, now)
  if (Math.abs(time - event.time) < 1000) return true
  const at = line.indexOf(text)
  if (at === -1) return false
  // A part (day, month, "12:34:56", a zone) of the stamp at the line's head, which was read as a whole.
  return /^(?:\d{1,4}|[A-Z][a-z]{2}|UTC|[\d:.]{5,18}|[\d/-]{6,10}|[\dT:.+\-/ ZUC]{8,34})$/u.test(text) && at < 140
    ? !Number.isNaN(event.time) || months.includes(text.toLowerCase())
    : false
}

const absent = (value: unknown): boolean =>
  value === null ||
  (typeof value === "string" && /^[\s-]*$/u.test(value)) ||
  (Array.isArray(value) && value.length === 0)

/** Names of the fields that are not found. */
export const missed = (sample: Sample, event: LogEvent): ReadonlyArray<string> => {
  const { attributes } = event
  const found = leaves([attributes, event.level, event.service, event.message, event.traceId ?? ""], new Set())
  const protocol = `${String(attributes["network.protocol.name"])}/${String(attributes["network.protocol.version"])}`
  const target = attributes["url.full"] ?? attributes["url.original"] ?? attributes["url.path"]
  for (const text of [protocol, `${String(attributes["http.request.method"])} ${String(target)} ${protocol}`]) {
    found.add(text.toLowerCase())
  }
  for (const name of ["client", "server"]) {
    found.add(`${String(attributes[`${name}.address`])}:${String(attributes[`${name}.port`])}`)
  }
  return Object.keys(sample.fields).filter((name) => {
    const value = sample.fields[name]
    if (absent(value)) return false
    if (typeof value === "object" && value !== null) {
      return [...leaves(value, new Set())].some((leaf) => !found.has(leaf))
    }
    const text = String(value)
    if (found.has(text.toLowerCase()) || found.has(text.trim().toLowerCase())) return false
    if (levelOfWord(text.replace(/^:/u, "")) === event.level) return false
    return !inTime(name, text, event, sample.line)
  })
}

/** Whether the time is the expected one, to the precision of the two: ours is milliseconds, some expected have seconds. */
export const exact = (sample: Sample, event: LogEvent): boolean => {
  const time = Date.parse(sample.time!)
  return event.time === time || (time % 1000 === 0 && Math.floor(event.time / 1000) * 1000 === time)
}

export interface Score {
  readonly fields: number
  readonly missed: number
  readonly times: number
  readonly wrong: number
  readonly byKind: ReadonlyMap<string, ReadonlyArray<string>>
}

export const scoreOf = (samples: ReadonlyArray<Sample>): Score => {
  let [fields, misses, times, wrong] = [0, 0, 0, 0]
  const byKind = new Map<string, Array<string>>()
  for (const sample of samples) {
    const event = parseLine(sample.line, { now })
    fields += Object.values(sample.fields).filter((value) => !absent(value)).length
    const names = missed(sample, event)
    misses += names.length
    const late = sample.time !== null && !exact(sample, event)
    if (sample.time !== null) times++
    if (late) wrong++
    if (names.length > 0 || late) {
      const notes = byKind.get(sample.kind) ?? []
      notes.push(
        `${names.map((name) => `${name}=${JSON.stringify(sample.fields[name])}`).join(" ")}${late ? ` TIME ${sample.time}` : ""}\n      ${sample.line.slice(0, 400)}\n      ${new Date(event.time).toISOString()} ${event.level} ${event.service} ${JSON.stringify(event.attributes).slice(0, 900)}`
      )
      byKind.set(sample.kind, notes)
    }
  }
  return { fields, missed: misses, times, wrong, byKind }
}

const microseconds = (samples: ReadonlyArray<Sample>): number => {
  const lines = samples.map((sample) => sample.line)
  const rounds = 40
  let least = Number.POSITIVE_INFINITY
  for (let take = 0; take < 5; take++) {
    // Time of the processor, so that a busy machine does not count.
    const from = process.cpuUsage()
    for (let round = 0; round < rounds; round++) for (const line of lines) parseLine(line, { now })
    const { system, user } = process.cpuUsage(from)
    least = Math.min(least, system + user)
  }
  return least / (rounds * lines.length)
}

const main = (): void => {
  const args = process.argv.slice(2)
  const folder = args.find((arg) => !arg.startsWith("--")) ?? "../../shared/data/parse/"
  const base = new URL(folder.endsWith("/") ? folder : `${folder}/`, import.meta.url)
  for (const [name, samples] of [
    ["lines of 60 programs", samplesOf(base)],
    ["vrl examples", examplesOf(base)]
  ] as const) {
    const score = scoreOf(samples)
    const share = (part: number, all: number) => `${(100 - (100 * part) / all).toFixed(2)} % of ${all}`
    console.log(
      `${name}: fields ${share(score.missed, score.fields)}, times ${share(score.wrong, score.times)}, ${microseconds(samples).toFixed(2)} µs a line`
    )
    if (args.includes("--misses")) {
      for (const [kind, notes] of score.byKind) {
        console.log(`  ${kind} (${notes.length})`)
        for (const note of notes.slice(0, 4)) console.log(`    ${note}`)
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
