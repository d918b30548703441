/**
 * The safety net under telling: finds what a crash between keeping and enqueuing has left undone and makes its jobs again.
 * Whatever is found is looked at anew, so what was done all the same is not done twice. Called by check_all_alert_conditions.
 */
import { Clock, Effect } from "effect"
import { type ChannelKind, inApp } from "../../domain/Channel.ts"
import { Engine } from "../../jobs/Engine.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Channels } from "../../store/Channels.ts"
import { Deliveries } from "../../store/Deliveries.ts"
import { Incidents } from "../../store/Incidents.ts"
import { dependencyFailed } from "../errors.ts"
import { enqueueMessages, SendAlerts } from "./send_alerts.ts"

/** What is younger is left to those who are at it, ms. */
const graceMs = 60_000
/** Of each kind, in one turn. */
const limit = 1_000

/** Made once; each run gives alerts nobody looked at, incidents whose time is past and messages nobody began their jobs again. */
export const makeRepair = Effect.gen(function* () {
  const alerts = yield* Alerts
  const incidents = yield* Incidents
  const deliveries = yield* Deliveries
  const channels = yield* Channels
  const engine = yield* Engine

  /** The kinds of the channels of these messages; a channel that is gone has none. */
  const kindsOf = Effect.fnUntraced(function* (ids: ReadonlySet<string>) {
    const kinds = new Map<string, ChannelKind>([[inApp, "in_app"]])
    for (const id of ids) {
      const found = kinds.has(id) ? undefined : yield* channels.get(id as typeof inApp)
      if (found !== undefined) kinds.set(id, found.kind)
    }
    return kinds
  })

  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    // A job that died may still be known by its id: the time makes another of it.
    const again = `.again.${Math.floor(now / graceMs)}`
    const unrouted = yield* alerts.unrouted(now - graceMs, limit)
    for (const { id, project, state } of unrouted) {
      const job = SendAlerts.job({ projectId: project, alertId: id, state, reason: "repair" })
      yield* engine.enqueue(job, { id: `${id}.${state}${again}` })
    }
    const overdue = yield* incidents.overdue(now - graceMs, limit)
    for (const { id, project } of overdue) {
      const job = SendAlerts.job({ projectId: project, incidentId: id, reason: "repair" })
      yield* engine.enqueue(job, { id: `${id}${again}` })
    }
    const waiting = yield* deliveries.waiting(now - graceMs)
    const kinds = yield* kindsOf(new Set(waiting.map(({ channel }) => channel)))
    const known = waiting.flatMap((one) => {
      const kind = kinds.get(one.channel)
      return kind === undefined ? [] : [{ ...one, kind }]
    })
    for (const { channel, message } of waiting) {
      if (!kinds.has(channel)) yield* deliveries.drop(message.key, "the channel is gone")
    }
    yield* Effect.provideService(enqueueMessages(known, again), Engine, engine)
    return { alerts: unrouted.length, incidents: overdue.length, messages: known.length }
  }).pipe(Effect.mapError(dependencyFailed))
})
