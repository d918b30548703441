/** Handlers of the group `alerts`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Alerts } from "../../store/Alerts.ts"
import { Notifications } from "../../store/Notifications.ts"
import { Projects } from "../../store/Projects.ts"
import { Rules } from "../../store/Rules.ts"
import { Live } from "../../streams/Live.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { orNotFound, orUnavailable } from "./common.ts"

const listDefault = 100

export const AlertsHandlers = HttpApiBuilder.group(
  Api,
  "alerts",
  Effect.fnUntraced(function* (handlers) {
    const rules = yield* Rules
    const alerts = yield* Alerts
    const notifications = yield* Notifications
    const stream = yield* LogStream
    const live = yield* Live
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    /** The rule is kept before the stream is told, and told before the answer: lines sent after it are judged by it. */
    const tellPipeline = (project: string) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => orUnavailable(stream.rulesChanged(project, now)))
    return handlers.handleAll({
      createRule: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requested
        const rule = yield* orUnavailable(rules.create({ project, ...payload }))
        yield* tellPipeline(project)
        return rule
      }),
      listRules: () => Effect.flatMap(requested, (project) => orUnavailable(rules.list(project))),
      removeRule: Effect.fnUntraced(function* ({ params }) {
        const project = yield* requested
        const { ended, removed } = yield* orUnavailable(rules.remove(project, params.id))
        yield* orNotFound(removed ? true : undefined, `a rule of project "${project}"`)
        yield* tellPipeline(project)
        if (ended.length > 0) yield* Effect.ignore(live.publish("alerts", project, ended))
      }),
      listAlerts: ({ query }) =>
        Effect.flatMap(requested, (project) =>
          orUnavailable(
            alerts.list({
              project,
              limit: query.limit ?? listDefault,
              ...(query.state === undefined ? {} : { state: query.state })
            })
          )
        ),
      listNotifications: ({ query }) =>
        Effect.flatMap(requested, (project) => orUnavailable(notifications.list(project, query.limit ?? listDefault))),
      readNotification: Effect.fnUntraced(function* ({ params }) {
        const project = yield* requested
        const found = yield* orUnavailable(notifications.markRead(project, params.id))
        yield* orNotFound(found, `a notification of project "${project}"`)
      })
    })
  })
)
