/**
 * Tells people of alerts: looks at what an alert's change, a timer or a person's act has touched, decides (alerts/), keeps state
 * and messages in one transaction (store/Incidents), and only then makes jobs of them: one per message and channel, and one for
 * the next look. It looks at how things are, so a job that runs twice, late or for nothing tells nobody anything twice.
 */
import { Clock, Effect, Schema } from "effect"
import { judgeAt } from "../../alerts/Dispatch.ts"
import { type Alert, AlertState } from "../../domain/Alert.ts"
import { AlertId, ProjectId } from "../../domain/Ids.ts"
import { IncidentId } from "../../domain/Incident.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { PublicUrl } from "../../notify/Channel.ts"
import { LiveBus } from "../../notify/LiveBus.ts"
import { type Dispatched, Incidents } from "../../store/Incidents.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { isSent, senders } from "../notifications/Senders.ts"

/** Why somebody looks; for those who read the list of jobs. */
const Reason = Schema.Literals(["wait", "interval", "repeat", "escalate", "timer", "silence", "answer", "repair"])

export const SendAlerts = Task.make("send_alerts", {
  payload: {
    projectId: ProjectId,
    /** An alert that changed, and the state it came to. */
    alertId: Schema.optionalKey(AlertId),
    state: Schema.optionalKey(AlertState),
    /** An incident to look at. Without alert and incident: all of the project that are open. */
    incidentId: Schema.optionalKey(IncidentId),
    reason: Schema.optionalKey(Reason)
  },
  result: Schema.Struct({ sent: Schema.Array(Schema.String) }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "1 minute",
  retry: Retry.exponential({ attempts: 8, base: "1 second", cap: "1 minute" })
})

/** The job that looks at an incident when its time has come. */
const timer = (projectId: ProjectId, { before, id, nextAt }: Dispatched["incidents"][number], now: number) => {
  if (nextAt === null) return undefined
  // A timer that came too early, by the clock of another, would be taken for the one that is to follow it.
  const suffix = nextAt === before ? `.${now}` : ""
  return {
    job: SendAlerts.job({ projectId, incidentId: id, reason: "timer" }),
    options: { id: `${id}.${nextAt}${suffix}`, eta: Math.max(nextAt, now + 1) }
  }
}

/** Messages → jobs of their channels, under ids that make each message one job. */
export const enqueueMessages = Effect.fnUntraced(function* (waiting: Dispatched["waiting"], suffix = "") {
  const engine = yield* Engine
  for (const { channel, kind, message, project } of waiting) {
    if (!isSent(kind)) continue
    const job = senders[kind].job({ projectId: project, channelId: channel, message })
    yield* Effect.mapError(engine.enqueue(job, { id: `${message.key}${suffix}` }), dependencyFailed)
  }
})

/** Jobs that look at alerts which ended because their rules were changed. */
export const lookAt = Effect.fnUntraced(function* (alerts: ReadonlyArray<Alert>) {
  const engine = yield* Engine
  for (const { firedAt, id, project, state } of alerts) {
    if (firedAt === null) continue
    const job = SendAlerts.job({ projectId: project, alertId: id, state })
    yield* Effect.mapError(engine.enqueue(job, { id: `${id}.${state}` }), dependencyFailed)
  }
})

export const SendAlertsLive = SendAlerts.toLayer(
  Effect.gen(function* () {
    const incidents = yield* Incidents
    const engine = yield* Engine
    const bus = yield* LiveBus
    const base = yield* PublicUrl

    return Effect.fn("SendAlerts")(function* ({ alertId, incidentId, projectId }) {
      const now = yield* Clock.currentTimeMillis
      const turn = { project: projectId, alert: alertId, incident: incidentId, now }
      const done = yield* Effect.mapError(incidents.dispatch(turn, judgeAt(now, isSent, base)), dependencyFailed)
      if (done === undefined) return yield* Task.cancel("the alert is gone")
      yield* Effect.provideService(enqueueMessages(done.waiting), Engine, engine)
      for (const one of done.incidents) {
        const next = timer(projectId, one, now)
        if (next !== undefined) yield* Effect.mapError(engine.enqueue(next.job, next.options), dependencyFailed)
      }
      if (done.changed.length > 0) yield* bus.push("alerts", projectId, done.changed)
      return { sent: done.waiting.map(({ message }) => message.key) }
    })
  })
)
