/**
 * Looks for what came unlike it usually comes: rates per template and service, templates that are new or gone, sessions
 * with odd sequences. Safe to run again and at any distance in time: what was found is kept once, and rates are judged anew from the
 * counts of four weeks and the lines of the last day. Who is told of it is left to rules and reports.
 */
import { Clock, Effect, Schema } from "effect"
import type { Finding } from "../../domain/Anomaly.ts"
import { ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Anomalies } from "../../store/Anomalies.ts"
import { Logs } from "../../store/Logs.ts"
import { Rollups } from "../../store/Rollups.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { withLines } from "./anomalies/Evidence.ts"
import { oddSessions } from "./anomalies/OddSessions.ts"
import { oddRates } from "./anomalies/OddRates.ts"
import { Instant, windowOf } from "./generate_insights.ts"

export const DetectAnomalies = Task.make("detect_anomalies", {
  payload: {
    projectId: ProjectId,
    /** The attribute whose value joins lines into sessions, dots between steps; without it the trace id does. */
    sessionBy: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))),
    /** Event time that is looked at; without it what no run has looked at yet. */
    from: Schema.optionalKey(Instant),
    /** Now, where it is not given. */
    to: Schema.optionalKey(Instant)
  },
  result: Schema.Struct({
    projectId: ProjectId,
    /** Findings that are new, and those that were known and lasted. */
    found: Schema.Int,
    again: Schema.Int,
    /** Series of counts, lines and sessions that were looked at. */
    series: Schema.Int,
    lines: Schema.Int,
    sessions: Schema.Int,
    /** Whether more lines came than one run reads: then the newest were looked at for sessions. */
    left: Schema.Boolean,
    /** The new findings with the highest scores, at most ten. */
    top: Schema.Array(
      Schema.Struct({ id: Schema.String, kind: Schema.String, title: Schema.String, score: Schema.Finite })
    )
  }),
  error: DependencyFailed,
  timeout: "10 minutes",
  retry: Retry.exponential({ attempts: 3, base: "2 seconds", cap: "1 minute" }),
  unique: ({ from = "", projectId, sessionBy = "", to = "" }) => [projectId, sessionBy, from, to].join(" ")
})

const dayMs = 86_400_000
/** Findings are kept this long after they ended, ms. */
const keptMs = 90 * dayMs
/** Findings of one run; the highest scores stay. */
const findingsMax = 200
/** Findings of one run that lines are looked up for. */
const evidenceMax = 50
const topMax = 10
/** Where only `to` is given. */
const askedDefaultMs = dayMs

interface Services {
  readonly anomalies: Anomalies["Service"]
  readonly logs: Logs["Service"]
  readonly rollups: Rollups["Service"]
}

interface Options {
  readonly projectId: ProjectId
  readonly sessionBy: string | undefined
  readonly asked: { readonly from: number; readonly to: number } | undefined
}

const detect = Effect.fnUntraced(function* (
  services: Services,
  { asked, projectId, sessionBy }: Options,
  progress: (value: unknown) => Effect.Effect<void>
) {
  const { anomalies } = services
  const now = yield* Clock.currentTimeMillis
  const rates = yield* oddRates(services, { project: projectId, now, asked })
  yield* progress({ done: 1, of: 2, series: rates.series })
  const sessions = yield* oddSessions(services, { project: projectId, sessionBy, now, asked })
  yield* progress({ done: 2, of: 2, series: rates.series, lines: sessions.lines })
  const ranked: ReadonlyArray<Finding> = [...rates.findings, ...sessions.findings]
    .filter(({ from, to }) => asked === undefined || (to > asked.from && from < asked.to))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, findingsMax)
  const findings = yield* Effect.forEach(ranked, (one, i) =>
    i < evidenceMax ? withLines(services.logs, projectId, one) : Effect.succeed(one)
  )
  const { again, created } = yield* anomalies.keep(projectId, findings, now)
  // After the findings: what is learnt counts as looked at.
  yield* sessions.save
  yield* rates.save
  yield* anomalies.forget(projectId, now - keptMs)
  return {
    projectId,
    found: created.length,
    again,
    series: rates.series,
    lines: sessions.lines,
    sessions: sessions.sessions,
    left: sessions.left,
    top: created.slice(0, topMax).map(({ id, kind, score, title }) => ({ id, kind, title, score }))
  }
})

export const DetectAnomaliesLive = DetectAnomalies.toLayer(
  Effect.gen(function* () {
    const services: Services = { anomalies: yield* Anomalies, logs: yield* Logs, rollups: yield* Rollups }
    return Effect.fn("DetectAnomalies")(function* ({ from, projectId, sessionBy, to }, job) {
      const named = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
      const asked = from === undefined && to === undefined ? undefined : yield* windowOf(named, askedDefaultMs)
      return yield* detect(services, { projectId, sessionBy, asked }, job.progress).pipe(
        Effect.mapError(dependencyFailed)
      )
    })
  })
)
