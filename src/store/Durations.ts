/**
 * How long something took, as lines tell it: the SQL that reads milliseconds out of attributes, and out of the message where no
 * attribute tells it. Pure. A number of any size must not fail a cast, so what is no plausible duration is null.
 */
import { most } from "../domain/Sketch.ts"

/** Attributes that tell how long something took, and what one of their units is in ms; text may name its unit itself. */
const attributes: ReadonlyArray<readonly [ms: number, names: string]> = [
  [
    1,
    "duration_ms durationMs duration_millis durationMillis duration latency_ms latencyMs latency response_time_ms " +
      "response_time responseTimeMs responseTime elapsed_ms elapsedMs elapsed ElapsedMilliseconds elapsedTime " +
      "took_ms took request_time_ms processing_time_ms execution_time_ms executionTime query_time_ms time_ms time_taken"
  ],
  [
    1_000,
    "request_time duration_s duration_sec duration_seconds durationSeconds elapsed_seconds elapsed_s latency_seconds " +
      "latency_s took_s http.server.request.duration http.client.request.duration http.request.duration " +
      "upstream_response_time"
  ],
  [0.001, "duration_us durationUs latency_us elapsed_us took_us duration_micros"],
  [0.000001, "duration_ns durationNs latency_ns elapsed_ns"]
]

const units =
  `case when unit in ('ns') then 0.000001 when unit in ('us', 'µs', 'μs') then 0.001 ` +
  `when unit in ('s', 'sec', 'secs', 'second', 'seconds') then 1000 when unit in ('m', 'min', 'mins', 'minute', 'minutes') then 60000 ` +
  `when unit in ('h', 'hour', 'hours') then 3600000 else 1 end`
const unitWord = "ns|us|µs|μs|ms|msecs?|millis|milliseconds?|s|secs?|seconds?|m|mins?|minutes?"
const number = String.raw`\d{1,12}(?:\.\d{1,9})?`

/** A name as an SQL literal: only names of this file come here. */
const literal = (text: string): string => `'${text}'`

const inMs = (digits: string, unit: string): string =>
  `(select ${digits}::float8 * ${units} from (select lower(${unit}) as unit) u)`

/** A number, or text such as `12.5ms`, `1.2 s` and `1m2.5s`. */
const attributeSql = (name: string, ms: number): string => {
  const text = `(attributes ->> ${literal(name)})`
  const unit = `substring(${text} from '(?i)[a-zµμ]+$')`
  const plain = `substring(${text} from '^${number}')::float8`
  return (
    `case jsonb_typeof(attributes -> ${literal(name)}) ` +
    `when 'number' then case when ${text}::numeric between 0 and ${most} then ${text}::float8 * ${ms} end ` +
    `when 'string' then case when ${text} ~ '^${number}$' then ${plain} * ${ms} ` +
    `when ${text} ~* '^${number} ?(?:${unitWord})$' then ${inMs(plain, unit)} ` +
    String.raw`when ${text} ~ '^(?:\d{1,4}h)?(?:\d{1,4}m)?\d{1,4}(?:\.\d{1,9})?s$' then extract(epoch from ${text}::interval)::float8 * 1000 end end`
  )
}

const fromAttributes =
  `case when attributes ?| array[${attributes.flatMap(([, names]) => names.split(" ").map(literal)).join(", ")}] ` +
  `then coalesce(${attributes.flatMap(([ms, names]) => names.split(" ").map((name) => attributeSql(name, ms))).join(", ")}) end`

/** Characters of a message that are looked at. */
const messageMax = 1_000
/**
 * `took 12ms`, `duration: 1.2 s`, `latency_ms: 5`, `response time = 30 ms`: the unit stands in the name or behind. Nothing is
 * captured, which takes Postgres many times as long as finding: the number and its unit are read from the few letters found.
 */
const nameUnit = "[ _](?:ms|us|ns|secs?|seconds?|millis|milliseconds?|s)"
const said = `["'']?(?: was| of| is)?[ :=]*["'']?`
/** Without limits, which cost as much; the cast looks at some digits only. */
const digits = String.raw`\d+(?:\.\d+)?`
const named =
  String.raw`(?i)\m(?:took|taken|duration|latency|elapsed|spent|(?:response|request|processing|execution|query|run|total)[ _]?time)` +
  `(?:${nameUnit}${said}${digits}|${said}${digits} ?(?:${unitWord})${String.raw`\M`})`
/** `in 12 ms`, `(12.3ms)`: said of what is over. */
const done = String.raw`(?i)(?:\min |\()${digits} ?(?:${unitWord})\M`
/** What is still to come has not taken any time. */
const ahead = "expir|retr|again|schedul|next|wait|delay|reconnect|will|every"

const find = (pattern: string): string => `substring(left(message, ${messageMax}) from '${pattern}')`

const fromMessage =
  `(select case when told is not null then ${inMs(`substring(told from '${number}')`, String.raw`coalesce(substring(told from '[a-zA-Zµμ]+$'), substring(told from '[ _]([a-zA-Z]+)[^a-zA-Z]*$'))`)} end ` +
  // Without an offset each use of what was found would find it anew.
  `from (select coalesce(${find(named)}, case when message !~* '${ahead}' then ${find(done)} end) as told offset 0) found)`

/** What every message has that tells a duration, cheap to look for: a number with a unit, or a name that ends in one. */
const hint = String.raw`\d ?(?:${unitWord})\M|[_ ](?:ms|us|ns|secs?|seconds?|millis|milliseconds?|s)["'']? ?[:=]`

/** Milliseconds that a line tells, or null; of the columns `attributes` and `message`. */
export const durationSql = `coalesce(${fromAttributes}, case when message ~* '${hint}' then ${fromMessage} end)`
