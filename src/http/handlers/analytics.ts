/** Handlers of the group `analytics`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { ProjectId } from "../../domain/Ids.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Anomalies } from "../../store/Anomalies.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { Rollups } from "../../store/Rollups.ts"
import * as Analytics from "../../tasks/analytics/Analytics.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { instant, orNotFound, orUnavailable } from "./common.ts"

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const listDefault = 10
const causesMaxMs = dayMs

const units = { m: minuteMs, h: hourMs, d: dayMs } as const

interface Asked {
  readonly from?: string
  readonly to?: string
  readonly step?: string
}

/** Whole steps; `leastMs` is the smallest that can be answered. */
const windowOf = Effect.fnUntraced(function* (project: ProjectId, query: Asked, leastMs: number) {
  const to = (yield* instant("query.to", query.to)) ?? (yield* Clock.currentTimeMillis)
  const from = (yield* instant("query.from", query.from)) ?? to - dayMs
  if (from >= to) return yield* invalid("query.from", "expected a time before `to`, got one that is not")
  const [, n = "", unit = ""] = /^(\d{1,4})([mhd])$/u.exec(query.step ?? "") ?? []
  const stepMs = query.step === undefined ? Analytics.stepOf(to - from) : Number(n) * (units[unit as "m"] ?? 0)
  if (stepMs < leastMs || stepMs % leastMs !== 0 || stepMs > 366 * dayMs) {
    const least = leastMs === hourMs ? "1h" : "1m"
    return yield* invalid("query.step", `expected whole multiples of ${least}, such as 6h or 1d, got ${query.step}`)
  }
  const window = { project, from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs, stepMs }
  if ((window.to - window.from) / stepMs > Analytics.pointsMax || Math.abs(window.from) > 8e15) {
    return yield* invalid("query.step", `expected at most ${Analytics.pointsMax} points, got a step for more`)
  }
  return window
})

const around = ({ from, stepMs, to }: Analytics.Window) => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  stepMs
})

export const AnalyticsHandlers = HttpApiBuilder.group(
  Api,
  "analytics",
  Effect.fnUntraced(function* (handlers) {
    const rollups = yield* Rollups
    const logs = yield* Logs
    const alerts = yield* Alerts
    const anomalies = yield* Anomalies
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    const windowed = (query: Asked, leastMs = hourMs) =>
      Effect.flatMap(requested, (project) => windowOf(project, query, leastMs))
    /** Answers with the window and what was found in it. */
    const answer = <A extends object, E extends { readonly message: string }>(
      window: Analytics.Window,
      effect: Effect.Effect<A, E, Rollups>
    ) =>
      orUnavailable(Effect.provideService(effect, Rollups, rollups)).pipe(
        Effect.map((found) => ({ ...around(window), ...found }))
      )
    const causes = (options: Parameters<typeof Analytics.causes>[0]) =>
      orUnavailable(
        Analytics.causes(options).pipe(
          Effect.provideService(Rollups, rollups),
          Effect.provideService(Anomalies, anomalies)
        )
      )
    /** Steps of less than an hour are counted by the minute, as far back as lines are kept. */
    const byMinute = (window: Analytics.Window) =>
      Effect.map(logs.timeline({ ...window, query: { _tag: "All" }, bucketMs: window.stepMs }), ({ buckets }) => ({
        points: buckets.map(({ at, byLevel, total }) => ({
          at,
          total,
          byLevel,
          errorRate: total === 0 ? 0 : Math.round(((byLevel.error + byLevel.fatal) / total) * 10_000) / 10_000
        }))
      }))
    return handlers.handleAll({
      overview: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query)
        return yield* answer(window, Analytics.overview(window))
      }),
      volume: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query, minuteMs)
        if (window.stepMs % hourMs !== 0) return yield* answer(window, byMinute(window))
        return yield* answer(
          window,
          Effect.map(Analytics.volume(window), (points) => ({ points }))
        )
      }),
      services: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query)
        return yield* answer(window, Analytics.services(window, query.limit ?? listDefault))
      }),
      latency: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query)
        return yield* answer(window, Analytics.latency(window, query.limit ?? listDefault, query.service))
      }),
      templates: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query)
        return yield* answer(window, Analytics.templates(window, query.limit ?? listDefault))
      }),
      hosts: Effect.fnUntraced(function* ({ query }) {
        const window = yield* windowed(query)
        return yield* answer(window, Analytics.hosts(window, query.limit ?? listDefault))
      }),
      causes: Effect.fnUntraced(function* ({ query }) {
        const project = yield* requested
        const from = (yield* instant("query.from", query.from)) ?? 0
        const to = (yield* instant("query.to", query.to)) ?? (yield* Clock.currentTimeMillis)
        if (from >= to || to - from > causesMaxMs) {
          return yield* invalid("query.from", "expected a time before `to` by at most a day, got one that is not")
        }
        return yield* causes({ project, from, to, service: query.service })
      }),
      alertCauses: Effect.fnUntraced(function* ({ params, query }) {
        const project = yield* requested
        const found = yield* orUnavailable(alerts.get(params.id))
        const alert = yield* orNotFound(
          found?.project === project ? found : undefined,
          `an alert of project "${project}"`
        )
        const window = Analytics.windowOfAlert(alert, yield* Clock.currentTimeMillis)
        return yield* causes({ project, ...window, service: query.service })
      })
    })
  })
)
