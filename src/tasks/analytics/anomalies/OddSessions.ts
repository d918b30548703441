/** The part of detect_anomalies that looks at sessions: reads new lines, judges each session that ended, and learns from it. */
import { Effect } from "effect"
import { type SequenceScore, type SequenceState, make } from "../../../analytics/anomaly/Sequences.ts"
import { type Session, sessionsOf } from "../../../analytics/anomaly/Sessions.ts"
import { tellSequence } from "../../../analytics/anomaly/Tell.ts"
import type { Finding } from "../../../domain/Anomaly.ts"
import type { ProjectId } from "../../../domain/Ids.ts"
import type { StoredEvent } from "../../../domain/LogEvent.ts"
import type { Query } from "../../../domain/Query.ts"
import type { Anomalies } from "../../../store/Anomalies.ts"
import type { Logs } from "../../../store/Logs.ts"
import type { Rollups } from "../../../store/Rollups.ts"

const minuteMs = 60_000
/** A session is over after so much silence, ms, and is read from so far back. */
const idleMs = 2 * minuteMs
const reachMs = 30 * minuteMs
/** Lines later than this before now may still come. */
const settleMs = minuteMs
/** Without a run before: so far back. */
const firstMs = 24 * 60 * minuteMs
/** Lines of one run. */
const linesMax = 50_000
const pageMax = 5_000
/** Sessions that are learnt from in silence first. */
const learnSessions = 200
/** Live sessions are not known to be normal: what at most this part of them does is rare. */
const rare = 0.005
const findingsMax = 20
const samplesMax = 5

interface Services {
  readonly anomalies: Anomalies["Service"]
  readonly logs: Logs["Service"]
  readonly rollups: Rollups["Service"]
}

interface Options {
  readonly project: ProjectId
  readonly sessionBy: string | undefined
  readonly now: number
  /** Event time that is looked at, epoch ms; without it what came since the last run. */
  readonly asked: { readonly from: number; readonly to: number } | undefined
}

interface Kept {
  readonly until: number
  readonly state: SequenceState
}

/** Only what this program wrote itself is in the table; an older shape begins anew. */
const keptOf = (state: unknown): Kept | undefined => {
  if (typeof state !== "object" || state === null || !("version" in state) || state.version !== 1) return undefined
  return state as unknown as Kept
}

const attributeOf = (event: StoredEvent, name: string): string | undefined => {
  const whole = event.attributes[name]
  let value: unknown = whole
  if (whole === undefined) {
    value = event.attributes
    for (const step of name.split(".")) {
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, step)
          ? (value as Record<string, unknown>)[step]
          : undefined
    }
  }
  return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 200) : undefined
}

/**
 * The newest lines of a window, oldest of these first, as many as one run reads, and from when on that is all: where more come than
 * can be read, a run samples what came last instead of falling behind for ever.
 */
const read = Effect.fnUntraced(function* (
  logs: Logs["Service"],
  project: ProjectId,
  query: Query | undefined,
  from: number,
  to: number
) {
  const lines: Array<StoredEvent> = []
  let cursor: string | undefined
  while (lines.length < linesMax) {
    const page = yield* logs
      .search({
        project,
        from,
        to,
        order: "newest",
        limit: pageMax,
        ...(query === undefined ? {} : { query }),
        ...(cursor === undefined ? {} : { cursor })
      })
      .pipe(Effect.catchTag("CursorInvalid", Effect.die))
    lines.push(...page.events)
    if (page.next === null) return { lines: lines.toReversed(), from, whole: true }
    if (!page.complete) return { lines: lines.toReversed(), from: Date.parse(page.scannedTo ?? "") || to, whole: false }
    cursor = page.next
  }
  return { lines: lines.toReversed(), from: Date.parse(lines.at(-1)!.time), whole: false }
})

interface Odd {
  readonly result: SequenceScore
  readonly sessions: Array<Session>
}

const judge = (model: ReturnType<typeof make>, sessions: ReadonlyArray<Session>): ReadonlyArray<Odd> => {
  const odd = new Map<string, Odd>()
  for (const session of sessions) {
    const result = model.state.sessions < learnSessions ? undefined : model.score(session.events)
    model.learn(session.events)
    if (result === undefined || result.score < 0.5) continue
    const key = `${result.kind} ${result.event ?? ""}`
    const known = odd.get(key)
    if (known === undefined) odd.set(key, { result, sessions: [session] })
    else {
      known.sessions.push(session)
      if (result.score > known.result.score) odd.set(key, { result, sessions: known.sessions })
    }
  }
  return [...odd.values()].toSorted((a, b) => b.result.score - a.result.score).slice(0, findingsMax)
}

export const oddSessions = Effect.fnUntraced(function* ({ anomalies, logs, rollups }: Services, options: Options) {
  const { asked, now, project, sessionBy } = options
  const name = `sequences:${sessionBy ?? ""}`
  const kept = asked === undefined ? keptOf(yield* anomalies.model(project, name)) : undefined
  const since = asked?.from ?? kept?.until ?? now - firstMs
  const query: Query | undefined =
    sessionBy === undefined ? undefined : { _tag: "Attribute", path: sessionBy.split("."), pattern: ["", ""] }
  const to = Math.max(since, Math.min(asked?.to ?? now, now - settleMs))
  const found = yield* read(logs, project, query, since - reachMs, to)
  const ended = sessionsOf(
    found.lines.map((line) => ({
      time: Date.parse(line.time),
      key: sessionBy === undefined ? line.traceId : attributeOf(line, sessionBy),
      event: Number(line.template ?? 0)
    })),
    { since, to, idleMs }
  )
  // What begins where reading ended may have begun before it.
  const sessions = found.whole ? ended : ended.filter(({ from }) => from > found.from + idleMs)
  const model = make({ rare }, kept?.state)
  const odd = judge(model, sessions)
  const lastOf = new Map<number, StoredEvent>()
  for (const line of found.lines) if (line.template !== undefined) lastOf.set(Number(line.template), line)
  const events = odd.flatMap(({ result }) => (result.event === undefined ? [] : [String(result.event)]))
  const texts = yield* rollups.texts(project, events)
  const queryOf = (key: string) => (sessionBy === undefined ? `trace_id:${key}` : `${sessionBy}:${JSON.stringify(key)}`)
  const findings = odd.map(({ result, sessions: same }): Finding => {
    const lines = same[0]!.lines.map((index) => found.lines[index]!)
    const about = lines.filter((line) => Number(line.template) === result.event)
    const line = result.event === undefined ? undefined : lastOf.get(result.event)
    const text = texts.get(String(result.event))?.text ?? line?.message
    return tellSequence({
      result,
      sessions: same,
      judged: sessions.length,
      template: text === undefined ? undefined : { id: String(result.event), text, sample: line?.message ?? text },
      samples: [...about, ...lines.filter((one) => !about.includes(one))]
        .slice(0, samplesMax)
        .map(({ id, message, service, time }) => ({ id, time, service, message })),
      query: queryOf
    })
  })
  return {
    findings,
    lines: found.lines.length,
    sessions: sessions.length,
    left: !found.whole,
    save:
      asked !== undefined || (sessions.length === 0 && kept === undefined)
        ? Effect.void
        : anomalies.saveModel(project, name, { version: 1, until: to, state: model.state }, now)
  }
})
