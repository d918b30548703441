/** Findings in words: what came, what was expected, and what a reader can look at. Pure. */
import type { AnomalySample, Finding } from "../../domain/Anomaly.ts"
import type { Stretch } from "./Stretches.ts"
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
/** Services that are named as parts of a whole. */
const partsMax = 4
const sampleMax = 500

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`

/** "1,240", "0.4" */
const count = (n: number): string =>
  n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en-US") : String(Number(n.toPrecision(2)))

/** "2026-03-01 14:00", in UTC. */
const clock = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace("T", " ")

const stretch = (from: number, to: number): string => `from ${clock(from)} to ${clock(to)} UTC`

/** "about 21 were expected (7.6 times as many)". */
const against = (got: number, expected: number): string => {
  if (expected < 0.5) return "hardly any were expected"
  const about = `about ${count(expected)} were expected`
  if (got === 0) return about
  const ratio = got / expected
  return `${about} (${ratio >= 1 ? `${count(ratio)} times as many` : `${Math.round(ratio * 100)} % of them`})`
}

/** The model's reasons without its figures, which stand before them. */
const reasonsOf = (why: string): string => why.slice(why.indexOf(": ") + 2).replaceAll("; ", ", ")

const serviceName = (service: string): string => (service === "" ? "lines without a service" : service)

const sampleOf = (template: Shown): ReadonlyArray<AnomalySample> => [{ message: cut(template.sample, sampleMax) }]

/** What a series counts: lines of a template, lines or errors of a service or of all. */
export type Counted =
  | { readonly _tag: "Template"; readonly template: Shown; readonly errors: number }
  | { readonly _tag: "Service"; readonly service: string; readonly what: "lines" | "errors" }
  /** `of`: services that take part, with what they got. */
  | { readonly _tag: "All"; readonly what: "lines" | "errors"; readonly of?: ReadonlyArray<readonly [string, number]> }

/** What a finding is about, the same for the same series. */
export const subjectOf = (counted: Counted): string =>
  counted._tag === "Template"
    ? counted.template.id
    : counted._tag === "Service"
      ? `${counted.what}:${counted.service}`
      : counted.what === "lines"
        ? "all"
        : "errors"

const nameOf = (counted: Counted): string =>
  counted._tag === "Template"
    ? `"${cut(counted.template.text, 100)}"`
    : counted._tag === "Service"
      ? `${counted.what} of ${serviceName(counted.service)}`
      : counted.what === "lines"
        ? "all lines"
        : "errors"

const queryOf = (counted: Counted): string => {
  if (counted._tag === "Template") return `template:${counted.template.id}`
  const errors = counted.what === "errors" ? "level:>=error" : ""
  const service = counted._tag === "Service" ? `service:${JSON.stringify(counted.service)}` : ""
  return `${service} ${errors}`.trim() || "*"
}

const partsOf = (counted: Counted): string => {
  if (counted._tag === "Template") return counted.errors > 0 ? `, ${count(counted.errors)} of them errors` : ""
  if (counted._tag !== "All" || counted.of === undefined || counted.of.length === 0) return ""
  const named = counted.of.slice(0, partsMax).map(([service, n]) => `${count(n)} of ${serviceName(service)}`)
  return `, among them ${named.join(", ")}`
}

export const tellRate = (counted: Counted, odd: Stretch): Finding => {
  const more = odd.got > odd.expected
  const what = counted._tag !== "Template" && counted.what === "errors" ? "errors" : "lines"
  const got = odd.got === 0 ? `No ${what}` : `${count(odd.got)} ${what}`
  return {
    kind: counted._tag === "Template" ? "template_rate" : "service_rate",
    subject: subjectOf(counted),
    title: cut(`${more ? "Many more" : "Many fewer"}: ${nameOf(counted)}`, titleMax),
    from: odd.from,
    to: odd.to,
    score: odd.score,
    got: odd.got,
    expected: Math.round(odd.expected * 10) / 10,
    explanation:
      `${got} ${stretch(odd.from, odd.to)}${partsOf(counted)}; ${against(odd.got, odd.expected)}. ` +
      `What is odd: ${reasonsOf(odd.why)}.`,
    query: queryOf(counted),
    template: counted._tag === "Template" ? counted.template.text : null,
    samples: counted._tag === "Template" ? sampleOf(counted.template) : [],
    joinMs: 2 * hourMs
  }
}

export const tellNew = (template: Shown, fresh: NewTemplate): Finding => ({
  kind: "new_template",
  subject: template.id,
  title: cut(`New: "${template.text}"`, titleMax),
  from: fresh.at,
  to: Math.max(fresh.at, fresh.until),
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
export const tellManyNew = (all: ReadonlyArray<{ readonly template: Shown; readonly fresh: NewTemplate }>): Finding => {
  const from = Math.min(...all.map(({ fresh }) => fresh.at))
  const lines = all.reduce((sum, { fresh }) => sum + fresh.lines, 0)
  return {
    kind: "new_template",
    subject: "many",
    title: `${all.length} new patterns at once`,
    from,
    to: Math.max(from, ...all.map(({ fresh }) => fresh.until)),
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
  const title =
    result.kind === "new_event"
      ? `with ${name}`
      : result.kind === "length"
        ? `${count(result.got)} lines, usually ${count(result.expected)}`
        : `${name} ${count(result.got)} times, usually ${count(result.expected)}`
  const reason =
    result.kind === "new_event"
      ? `has ${name}, which hardly any session had before`
      : result.kind === "length"
        ? `has ${count(result.got)} lines where sessions like it have ${count(result.expected)}, a length that is rare`
        : `has ${name} ${count(result.got)} times where usual sessions have it ${count(result.expected)} times`
  const many =
    sessions.length > 1
      ? `${count(sessions.length)} of ${count(judged)} sessions are odd in the same way: one`
      : `Of ${count(judged)} sessions one`
  const keys = [...new Set(sessions.map(({ key }) => key))].slice(0, samplesMax)
  return {
    kind: "sequence",
    subject: `${result.kind}:${result.event ?? ""}`,
    title: cut(
      `${sessions.length > 1 ? `${count(sessions.length)} odd sessions` : "An odd session"}: ${title}`,
      titleMax
    ),
    from: Math.min(...sessions.map(({ from }) => from)),
    to: Math.max(...sessions.map(({ to }) => to)),
    score: result.score,
    got: result.got,
    expected: result.expected,
    explanation: `${many} ${reason}. ${keys.length > 1 ? "Sessions" : "Session"}: ${cut(keys.join(", "), textMax)}.`,
    query: query(keys[0] ?? ""),
    template: template?.text ?? null,
    samples: samples.slice(0, samplesMax).map((sample) => ({ ...sample, message: cut(sample.message, sampleMax) })),
    joinMs: hourMs
  }
}
