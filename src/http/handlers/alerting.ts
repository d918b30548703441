/** Handlers of the group `alerting`. As with rules, a key of the project may change what it may read. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { inApp } from "../../domain/Channel.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { silenceFault, type SilenceSpec } from "../../domain/Silence.ts"
import type { RouteSpec } from "../../domain/Route.ts"
import { Engine } from "../../jobs/Engine.ts"
import { Channels } from "../../store/Channels.ts"
import { Incidents } from "../../store/Incidents.ts"
import { Projects } from "../../store/Projects.ts"
import { Routes } from "../../store/Routes.ts"
import { Silences } from "../../store/Silences.ts"
import { preview, viewOf } from "../../tasks/live/Alerting.ts"
import { SendAlerts } from "../../tasks/live/send_alerts.ts"
import { Principal } from "../api/auth.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { instant, orNotFound, orUnavailable } from "./common.ts"

const checked = Effect.fnUntraced(function* (spec: SilenceSpec) {
  const now = yield* Clock.currentTimeMillis
  const fault = silenceFault(spec, now)
  if (fault !== undefined) return yield* invalid(`payload.${fault.path}`, fault.message)
})

export const AlertingHandlers = HttpApiBuilder.group(
  Api,
  "alerting",
  Effect.fnUntraced(function* (handlers) {
    const silences = yield* Silences
    const routes = yield* Routes
    const channels = yield* Channels
    const incidents = yield* Incidents
    const engine = yield* Engine
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    /** What fires already is looked at anew. Where the job can't be made now, incidents that are due will be found. */
    const look = (projectId: ProjectId) =>
      Effect.ignore(engine.enqueue(SendAlerts.job({ projectId, reason: "silence" })))

    /** A channel that is not there would keep alerts from people without a word. */
    const checkedRoute = Effect.fnUntraced(function* (project: ProjectId, { channels: first, escalate }: RouteSpec) {
      const known = new Set<string>([inApp, ...(yield* orUnavailable(channels.list(project))).map(({ id }) => id)])
      const lists = [
        { path: "payload.channels", ids: first },
        ...(escalate ?? []).map((step, i) => ({ path: `payload.escalate.${i}.channels`, ids: step.channels }))
      ]
      for (const { ids, path } of lists) {
        const strange = ids === "all" ? -1 : ids.findIndex((id) => !known.has(id))
        if (strange === -1) continue
        const got = JSON.stringify(ids[strange])
        return yield* invalid(
          `${path}.${strange}`,
          `expected in_app or the id of a channel of this project, got ${got}`
        )
      }
    })

    return handlers.handleAll({
      listSilences: Effect.fnUntraced(function* ({ query: { over } }) {
        const project = yield* requested
        const now = yield* Clock.currentTimeMillis
        const list = yield* orUnavailable(silences.list(project, over === "true"))
        return list.map((silence) => viewOf(silence, now))
      }),
      createSilence: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requested
        yield* checked(payload)
        const { name } = yield* Principal
        const made = yield* orUnavailable(silences.create(project, payload, name))
        yield* look(project)
        // By now: one that begins at once has begun.
        return viewOf(made, yield* Clock.currentTimeMillis)
      }),
      changeSilence: Effect.fnUntraced(function* ({ params: { id }, payload }) {
        const project = yield* requested
        yield* checked(payload)
        const found = yield* orUnavailable(silences.replace(project, id, payload))
        const silence = yield* orNotFound(found, `a silence of project "${project}"`)
        yield* look(project)
        return viewOf(silence, yield* Clock.currentTimeMillis)
      }),
      endSilence: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        yield* orNotFound(yield* orUnavailable(silences.end(project, id)), `a silence of project "${project}"`)
        yield* look(project)
      }),
      listInhibitions: () => Effect.flatMap(requested, (project) => orUnavailable(silences.inhibitions(project))),
      createInhibition: Effect.fnUntraced(function* ({ payload }) {
        return yield* orUnavailable(silences.createInhibition(yield* requested, payload))
      }),
      changeInhibition: Effect.fnUntraced(function* ({ params: { id }, payload }) {
        const project = yield* requested
        const found = yield* orUnavailable(silences.replaceInhibition(project, id, payload))
        const inhibition = yield* orNotFound(found, `an inhibition of project "${project}"`)
        yield* look(project)
        return inhibition
      }),
      removeInhibition: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        const removed = yield* orUnavailable(silences.removeInhibition(project, id))
        yield* orNotFound(removed ? true : undefined, `an inhibition of project "${project}"`)
        yield* look(project)
      }),
      listRoutes: () => Effect.flatMap(requested, (project) => orUnavailable(routes.list(project))),
      createRoute: Effect.fnUntraced(function* ({ payload: { position, ...spec } }) {
        const project = yield* requested
        yield* checkedRoute(project, spec)
        return yield* orUnavailable(routes.create(project, spec, position))
      }),
      changeRoute: Effect.fnUntraced(function* ({ params: { id }, payload: { position, ...spec } }) {
        const project = yield* requested
        yield* checkedRoute(project, spec)
        const found = yield* orUnavailable(routes.replace(project, id, spec, position))
        const route = yield* orNotFound(found, `a route of project "${project}"`)
        yield* look(project)
        return route
      }),
      removeRoute: Effect.fnUntraced(function* ({ params: { id } }) {
        const project = yield* requested
        const removed = yield* orUnavailable(routes.remove(project, id))
        yield* orNotFound(removed ? true : undefined, `a route of project "${project}"`)
      }),
      preview: Effect.fnUntraced(function* ({ payload: { at, ...imagined } }) {
        const project = yield* requested
        const now = (yield* instant("payload.at", at)) ?? (yield* Clock.currentTimeMillis)
        return preview(imagined, yield* orUnavailable(incidents.scene(project, now)), now)
      })
    })
  })
)
