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
/** `took 12ms`, `duration: 1.2 s`, `latency_ms: 5`, `response time = 30 ms`; the unit stands in the name or behind. */
const named =
  String.raw`\m(?:took|taken|duration|latency|elapsed|spent|(?:response|request|processing|execution|query|run|total)[ _]?time)` +
  String.raw`(?:[ _](ms|us|ns|secs?|seconds?|millis|milliseconds?|s))?["']?(?: (?:was|of|is))?\s{0,2}[:=]?\s{0,2}["']?` +
  `(${number})` +
  String.raw`\s?(${unitWord})?\M`
/** `in 12 ms`, `(12.3ms)`: said of what is over. */
const done = String.raw`(?:\min |\()(${number})\s?(${unitWord})\M`
/** What is still to come has not taken any time. */
const ahead = "expir|retr|again|schedul|next|wait|delay|reconnect|will|every"

const matchSql = (pattern: string): string => `regexp_match(left(message, ${messageMax}), '${pattern.replaceAll("'", "''")}', 'i')`

const fromMessage =
  `(select case when told is not null and coalesce(told[1], told[3]) is not null ` +
  `then ${inMs("told[2]", "coalesce(told[3], told[1])")} ` +
  `when over is not null then ${inMs("over[1]", "over[2]")} end ` +
  `from (select ${matchSql(named)} as told) n, ` +
  `lateral (select case when message !~* '${ahead}' then ${matchSql(done)} end as over) d)`

/** Milliseconds that a line tells, or null; of the columns `attributes` and `message`. */
export const durationSql = `coalesce(${fromAttributes}, case when message ~ '\\d' then ${fromMessage} end)`
