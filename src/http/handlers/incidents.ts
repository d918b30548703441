/** Handlers of the group `incidents`. A key of the project may do all of it, in its own name. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { AlertId, ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import { type Change, Alerts } from "../../store/Alerts.ts"
import { Deliveries } from "../../store/Deliveries.ts"
import { Incidents } from "../../store/Incidents.ts"
import { Projects } from "../../store/Projects.ts"
import { Live } from "../../streams/Live.ts"
import { SendAlerts } from "../../tasks/live/send_alerts.ts"
import { Principal } from "../api/auth.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { orNotFound, orUnavailable } from "./common.ts"

const listDefault = 100
const deliveriesMax = 200
const alertsMax = 1_000

export const IncidentsHandlers = HttpApiBuilder.group(
  Api,
  "incidents",
  Effect.fnUntraced(function* (handlers) {
    const alerts = yield* Alerts
    const incidents = yield* Incidents
    const deliveries = yield* Deliveries
    const engine = yield* Engine
    const live = yield* Live
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))

    const changed = Effect.fnUntraced(function* (project: ProjectId, id: AlertId, change: Change) {
      const { name } = yield* Principal
      const found = yield* orUnavailable(alerts.change(project, id, change, name))
      const alert = yield* orNotFound(found, `an alert of project "${project}"`)
      yield* Effect.ignore(live.publish("alerts", project, [alert]))
      return alert
    })
    /** Those who were told hear of it. Where the job can't be made now, the incident is due and will be found. */
    const tell = (projectId: ProjectId, alertId: AlertId) =>
      Effect.ignore(engine.enqueue(SendAlerts.job({ projectId, alertId, reason: "answer" })))

    return handlers.handleAll({
      getAlert: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        const found = yield* orUnavailable(alerts.get(id))
        const alert = yield* orNotFound(
          found?.project === project ? found : undefined,
          `an alert of project "${project}"`
        )
        const { comments, decision, events } = yield* orUnavailable(alerts.story(id))
        const mine = yield* orUnavailable(incidents.list({ project, alert: id, limit: 20 }))
        const told = yield* Effect.forEach(mine, (incident) =>
          orUnavailable(deliveries.list({ project, incident: incident.id, limit: deliveriesMax }))
        )
        return { alert, timeline: events, comments, decision, incidents: mine, deliveries: told.flat() }
      }),
      acknowledge: Effect.fnUntraced(function* ({ params: { id }, payload: { note = null } }) {
        const project = yield* requested
        const alert = yield* changed(project, id, { acknowledged: true, note })
        yield* tell(project, id)
        return alert
      }),
      unacknowledge: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        const alert = yield* changed(project, id, { acknowledged: false })
        yield* tell(project, id)
        return alert
      }),
      assign: Effect.fnUntraced(function* ({ params: { id }, payload: { assignee } }) {
        return yield* changed(yield* requested, id, { assignee })
      }),
      comment: Effect.fnUntraced(function* ({ params: { id }, payload: { text } }) {
        const project = yield* requested
        const { name } = yield* Principal
        const made = yield* orUnavailable(alerts.comment(project, id, text, name))
        return yield* orNotFound(made, `an alert of project "${project}"`)
      }),
      list: ({ query: { limit, state } }) =>
        Effect.flatMap(requested, (project) =>
          orUnavailable(
            incidents.list({
              project,
              limit: limit ?? listDefault,
              ...(state === undefined ? {} : { open: state === "open" })
            })
          )
        ),
      get: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        const found = yield* orUnavailable(incidents.get(project, id))
        const incident = yield* orNotFound(found, `an incident of project "${project}"`)
        return {
          incident,
          alerts: yield* orUnavailable(alerts.list({ project, incident: id, limit: alertsMax })),
          deliveries: yield* orUnavailable(deliveries.list({ project, incident: id, limit: deliveriesMax }))
        }
      }),
      acknowledgeAll: Effect.fnUntraced(function* ({ params: { id }, payload: { note = null } }) {
        const project = yield* requested
        yield* orNotFound(yield* orUnavailable(incidents.get(project, id)), `an incident of project "${project}"`)
        const wanted = { project, incident: id, state: "firing", acknowledged: false, limit: alertsMax } as const
        const open = yield* orUnavailable(alerts.list(wanted))
        const done = yield* Effect.forEach(open, (alert) => changed(project, alert.id, { acknowledged: true, note }))
        if (done[0] !== undefined) yield* tell(project, done[0].id)
        return done
      })
    })
  })
)
