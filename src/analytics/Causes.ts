/**
 * What changed most: compares how the lines of a window spread over templates, services and levels with the time before it,
 * and ranks what differs by how hard that is to put down to chance. Pure. Every finding says in words what was counted,
 * what was to be expected and why it stands where it stands; it names candidates, not proof.
 */
import { fromSeverity } from "../domain/Level.ts"
import type { Share } from "../store/Rollups.ts"

/** Lines of a stretch of time, ms long. */
export interface Side {
  readonly shares: ReadonlyArray<Share>
  readonly ms: number
}

/** Something found by others (anomalies), to be ranked along. */
export interface OtherFinding {
  readonly name: string
  readonly change: Cause["change"]
  readonly lines: number
  readonly expected: number
  /** As sure as the scores here: about 3 is faint, 10 is clear. */
  readonly score: number
  readonly explanation: string
  /** "" where no query finds its lines. */
  readonly query: string
}

export interface Cause {
  readonly kind: "template" | "service" | "level" | "anomaly"
  /** The template's id, the service's or level's name. */
  readonly key: string
  readonly text: string
  readonly change: "new" | "more" | "fewer" | "gone"
  readonly lines: number
  /** Of these, error and fatal. */
  readonly errors: number
  /** Lines that the time before lets expect in a window as long. */
  readonly expected: number
  /** How many times as many as expected; null where none was. */
  readonly ratio: number | null
  readonly score: number
  readonly explanation: string
  /** Finds its lines in the search. */
  readonly query: string
}

interface Count {
  now: number
  before: number
  /** Of the lines now, those of error and fatal. */
  errors: number
  service: string
}

/** Counts below this differ by chance too often to be told. */
const scoreMin = 3
const causesMax = 50
/** Errors weigh more than others: they are more often what people look for. */
const errorWeight = 1.5
const quietWeight = 0.6

/** How surprising `seen` is where `expected` was to be: the signed root of the Poisson likelihood ratio, so about sigmas. */
export const surprise = (seen: number, expected: number): number => {
  const e = Math.max(expected, 0.5)
  const g = 2 * ((seen === 0 ? 0 : seen * Math.log(seen / e)) - (seen - e))
  return Math.sign(seen - e) * Math.sqrt(Math.max(0, g))
}

const countBy = (now: Side, before: Side, keyOf: (share: Share) => string): ReadonlyMap<string, Count> => {
  const counts = new Map<string, Count>()
  const at = (share: Share): Count => {
    const key = keyOf(share)
    const count = counts.get(key) ?? { now: 0, before: 0, errors: 0, service: share.service }
    counts.set(key, count)
    return count
  }
  for (const share of now.shares) {
    const count = at(share)
    count.now += share.lines
    if (share.level >= 17) count.errors += share.lines
  }
  for (const share of before.shares) at(share).before += share.lines
  return counts
}

const number = (n: number): string =>
  n >= 10 ? Math.round(n).toLocaleString("en-US") : String(Math.round(n * 10) / 10)

/** A length of time in words: `5 min`, `3.5 h`. */
export const span = (ms: number): string =>
  ms < 90_000
    ? `${number(ms / 1_000)} s`
    : ms < 5_400_000
      ? `${number(ms / 60_000)} min`
      : `${number(ms / 3_600_000)} h`

interface Context {
  readonly now: Side
  readonly before: Side
  readonly texts: ReadonlyMap<string, { readonly text: string; readonly firstSeen: number }>
  /** Start of the window, epoch ms. */
  readonly from: number
}

const changeOf = (count: Count, isFirst: boolean): Cause["change"] =>
  count.before === 0 ? (isFirst ? "new" : "more") : count.now === 0 ? "gone" : "more"

const quoted = (text: string): string => `"${text.length > 160 ? `${text.slice(0, 159)}…` : text}"`

const subjectOf = (kind: Cause["kind"], text: string): string =>
  kind === "template"
    ? `Lines like ${quoted(text)}`
    : kind === "service"
      ? `Lines of ${text === "" ? "no named service" : text}`
      : `Lines of the level ${text}`

const explain = (cause: Omit<Cause, "explanation" | "query">, { before, now }: Context): string => {
  const { errors } = cause
  const subject = subjectOf(cause.kind, cause.text)
  const came = `${number(cause.lines)} came in ${span(now.ms)}`
  const told =
    cause.change === "new"
      ? `${subject} had never been seen before: ${came}`
      : cause.change === "gone"
        ? `${subject} stopped: none came in ${span(now.ms)}, where ${number(cause.expected)} were to be expected from the ${span(before.ms)} before`
        : `${subject}: ${came}, where ${number(cause.expected)} were to be expected from the ${span(before.ms)} before` +
          (cause.ratio === null ? "" : ` (${number(cause.ratio)} times as many)`)
  const told2 = errors > 0 && cause.kind !== "level" ? `; ${number(errors)} of them tell an error` : ""
  return `${told}${told2}. Score ${cause.score}: ${cause.score >= 10 ? "far beyond chance" : cause.score >= 5 ? "hardly chance" : "may be chance"}.`
}

/** A value as the search language takes it. */
const value = (text: string): string => `"${text.replaceAll(/["\\]/gu, String.raw`\$&`)}"`

const queryOf = (kind: Cause["kind"], key: string): string =>
  kind === "template" ? `template:${key}` : kind === "service" ? `service:${value(key)}` : `level:${key}`

const weightOf = (kind: Cause["kind"], key: string, count: Count): number => {
  const bad = kind === "level" ? ["error", "fatal"].includes(key) : count.errors * 2 >= count.now && count.now > 0
  return bad ? errorWeight : kind === "level" ? quietWeight : 1
}

const causesOf = (kind: "template" | "service" | "level", context: Context): ReadonlyArray<Cause> => {
  const { before, from, now, texts } = context
  const keyOf = (share: Share): string =>
    kind === "template" ? share.template : kind === "service" ? share.service : fromSeverity(share.level)
  const causes: Array<Cause> = []
  for (const [key, count] of countBy(now, before, keyOf)) {
    if (kind === "template" && key === "") continue
    const known = texts.get(key)
    const expected = before.ms <= 0 ? 0 : (count.before / before.ms) * now.ms
    const surprising = surprise(count.now, expected)
    const isFirst = kind === "template" && known !== undefined && known.firstSeen >= from - now.ms
    const change = surprising < 0 && count.now > 0 ? "fewer" : changeOf(count, isFirst)
    const weight = weightOf(kind, key, count) * (change === "new" ? 1.3 : 1)
    const score = Math.round(Math.abs(surprising) * weight * 10) / 10
    if (score < scoreMin) continue
    const ratio = expected === 0 ? null : Math.round((count.now / expected) * 100) / 100
    const text = kind === "template" ? (known?.text ?? `template ${key}`) : key
    const { errors, now: lines } = count
    const cause = { kind, key, text, change, lines, errors, expected: Math.round(expected * 10) / 10, ratio, score }
    causes.push({ ...cause, explanation: explain(cause, context), query: queryOf(kind, key) })
  }
  return causes
}

/** What was counted, without the score. */
export const toldOf = ({ explanation }: Cause): string => explanation.slice(0, explanation.lastIndexOf(" Score "))

/**
 * What differs between `now` and `before`, the most likely cause first. `from`: start of the window, epoch ms; `texts`: of
 * the templates; `others`: what anomaly detection found in the window.
 */
export const rank = (context: Context, anomalies: ReadonlyArray<OtherFinding> = []): ReadonlyArray<Cause> =>
  [
    ...(["template", "service", "level"] as const).flatMap((kind) => causesOf(kind, context)),
    ...anomalies.map(({ change, expected, explanation, lines, name, query, score }): Cause => ({
      kind: "anomaly",
      key: name,
      text: name,
      change,
      lines,
      errors: 0,
      expected,
      ratio: expected === 0 ? null : Math.round((lines / expected) * 100) / 100,
      score,
      explanation,
      query
    }))
  ]
    .sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
    .slice(0, causesMax)
