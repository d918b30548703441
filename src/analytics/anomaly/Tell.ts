/** Findings in words: what came, what was expected, and what a reader can look at. Pure. */
import type { AnomalySample, Finding } from "../../domain/Anomaly.ts"
import type { OddHours } from "./Hours.ts"
import type { NewTemplate, Vanished } from "./Novelty.ts"
import type { SequenceScore } from "./Sequences.ts"
import type { Session } from "./Sessions.ts"

/** A template as findings show it. */
export interface Shown {
  readonly id: string
  readonly text: string
  readonly sample: string
}

const hourMs = 3_600_000
const textMax = 300
const titleMax = 160
const samplesMax = 5
const sampleMax = 500

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`

/** "1,240", "0.4" */
const count = (n: number): string =>
  n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en-US") : String(Number(n.toPrecision(2)))

/** "2026-03-01 14:00", in UTC. */
const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace("T", " ")

const stretch = (from: number, to: number): string => `from ${clock(from)} to ${clock(to)} UTC`

const times = (got: number, expected: number): string => {
  if (got === 0) return "none at all"
  if (expected < 0.05) return "where hardly any were expected"
  const ratio = got / expected
  return ratio >= 1 ? `${count(ratio)} times as many` : `${Math.round(ratio * 100)} % of them`
}

const sampleOf = (template: Shown): ReadonlyArray<AnomalySample> => [{ message: cut(template.sample, sampleMax) }]

/** What a series counts: lines of a template, or of a service. */
export type Counted =
  | { readonly _tag: "Template"; readonly template: Shown; readonly errors: number }
  | { readonly _tag: "Service"; readonly service: string; readonly what: "lines" | "errors" }
  | { readonly _tag: "All" }

export const tellRate = (counted: Counted, odd: OddHours): Finding => {
  const more = odd.got > odd.expected
  const name =
    counted._tag === "Template"
      ? `"${cut(counted.template.text, 100)}"`
      : counted._tag === "Service"
        ? `${counted.what} of ${counted.service === "" ? "lines without a service" : counted.service}`
        : "all lines"
  const what = counted._tag === "Service" && counted.what === "errors" ? "errors" : "lines"
  const part = counted._tag === "Template" && counted.errors > 0 ? `, ${count(counted.errors)} of them errors` : ""
  return {
    kind: counted._tag === "Template" ? "template_rate" : "service_rate",
    subject:
      counted._tag === "Template"
        ? counted.template.id
        : counted._tag === "Service"
          ? `${counted.what}:${counted.service}`
          : "all",
    title: cut(`${more ? "Many more" : "Many fewer"}: ${name}`, titleMax),
    from: odd.from,
    to: odd.to,
    score: odd.score,
    got: odd.got,
    expected: Math.round(odd.expected * 10) / 10,
    explanation:
      `${count(odd.got)} ${what} ${stretch(odd.from, odd.to)}${part}; about ${count(odd.expected)} were expected ` +
      `(${times(odd.got, odd.expected)}). In the oddest hour: ${odd.why}.`,
    query:
      counted._tag === "Template"
        ? `template:${counted.template.id}`
        : counted._tag === "Service" && counted.service !== ""
          ? `service:${JSON.stringify(counted.service)}${counted.what === "errors" ? " level:>=error" : ""}`
          : "*",
    template: counted._tag === "Template" ? counted.template.text : null,
    samples: counted._tag === "Template" ? sampleOf(counted.template) : [],
    joinMs: 2 * hourMs
  }
}

export const tellNew = (template: Shown, fresh: NewTemplate, now: number): Finding => ({
  kind: "new_template",
  subject: template.id,
  title: cut(`New: "${template.text}"`, titleMax),
  from: fresh.at,
  to: Math.max(fresh.at, now),
  score: fresh.score,
  got: fresh.lines,
  expected: 0,
  explanation:
    `Never seen before ${clock(fresh.at)} UTC, then ${count(fresh.lines)} lines within an hour` +
    `${fresh.errors > 0 ? `, ${count(fresh.errors)} of them errors` : ""}, while its source sent as much as usual.`,
  query: `template:${template.id}`,
  template: template.text,
  samples: sampleOf(template),
  joinMs: Number.POSITIVE_INFINITY
})

/** Many that are new at once: one finding. */
export const tellManyNew = (
  all: ReadonlyArray<{ readonly template: Shown; readonly fresh: NewTemplate }>,
  now: number
): Finding => {
  const from = Math.min(...all.map(({ fresh }) => fresh.at))
  const lines = all.reduce((sum, { fresh }) => sum + fresh.lines, 0)
  return {
    kind: "new_template",
    subject: "many",
    title: `${all.length} new patterns at once`,
    from,
    to: Math.max(from, now),
    score: Math.max(...all.map(({ fresh }) => fresh.score)),
    got: all.length,
    expected: 0,
    explanation:
      `${all.length} patterns that were never seen before came since ${clock(from)} UTC, with ${count(lines)} lines in ` +
      `their strongest hours: this looks like a new version or a new source. The strongest is ` +
      `"${cut(all[0]?.template.text ?? "", textMax)}".`,
    query: all
      .slice(0, 20)
      .map(({ template }) => `template:${template.id}`)
      .join(" OR "),
    template: null,
    samples: all.slice(0, samplesMax).flatMap(({ template }) => sampleOf(template)),
    joinMs: 24 * hourMs
  }
}

export const tellVanished = (template: Shown, gone: Vanished): Finding => ({
  kind: "vanished_template",
  subject: template.id,
  title: cut(`Gone: "${template.text}"`, titleMax),
  from: gone.from,
  to: gone.to,
  score: gone.score,
  got: 0,
  expected: Math.round(gone.expected),
  explanation:
    `Came nearly every hour, and not once ${stretch(gone.from, gone.to)}, where about ${count(gone.expected)} lines were ` +
    `expected; other lines still come.`,
  query: `template:${template.id}`,
  template: template.text,
  samples: sampleOf(template),
  joinMs: 2 * hourMs
})

/** Odd sessions of one kind and event. */
export interface OddSessions {
  readonly result: SequenceScore
  readonly sessions: ReadonlyArray<Session>
  readonly judged: number
  readonly template: Shown | undefined
  readonly samples: ReadonlyArray<AnomalySample>
  /** Finds the lines of a session, given its key. */
  readonly query: (key: string) => string
}

export const tellSequence = ({ judged, query, result, samples, sessions, template }: OddSessions): Finding => {
  const name = `"${cut(template?.text ?? `event ${result.event ?? 0}`, textMax)}"`
  const reason =
    result.kind === "new_event"
      ? `has ${name}, which hardly any session had before`
      : result.kind === "length"
        ? `has ${count(result.got)} lines where sessions like it have ${count(result.expected)}, a length that is rare`
        : `has ${name} ${count(result.got)} times where usual sessions have it ${count(result.expected)} times`
  const many =
    sessions.length > 1 ? `${count(sessions.length)} of ${count(judged)} sessions` : `1 of ${count(judged)} sessions`
  const keys = sessions.slice(0, samplesMax).map(({ key }) => key)
  return {
    kind: "sequence",
    subject: `${result.kind}:${result.event ?? ""}`,
    title: cut(`Odd ${sessions.length > 1 ? "sessions" : "session"}: ${reason}`, titleMax),
    from: Math.min(...sessions.map(({ from }) => from)),
    to: Math.max(...sessions.map(({ to }) => to)),
    score: result.score,
    got: result.got,
    expected: result.expected,
    explanation: `${many} are odd in the same way. One ${reason}. Sessions: ${cut(keys.join(", "), textMax)}.`,
    query: query(keys[0] ?? ""),
    template: template?.text ?? null,
    samples: samples.slice(0, samplesMax).map((sample) => ({ ...sample, message: cut(sample.message, sampleMax) })),
    joinMs: hourMs
  }
}
