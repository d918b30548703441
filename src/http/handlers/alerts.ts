/** Handlers of the group `alerts`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { ProjectId, RuleId } from "../../domain/Ids.ts"
import type { NewRule } from "../../domain/Rule.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Notifications } from "../../store/Notifications.ts"
import { Projects } from "../../store/Projects.ts"
import { Rules } from "../../store/Rules.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { instant, orNotFound, orUnavailable } from "./common.ts"
import { makeRuleChanges } from "./rule_changes.ts"

const listDefault = 100

export const AlertsHandlers = HttpApiBuilder.group(
  Api,
  "alerts",
  Effect.fnUntraced(function* (handlers) {
    const rules = yield* Rules
    const alerts = yield* Alerts
    const notifications = yield* Notifications
    const changes = yield* makeRuleChanges
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    const ruleOf = Effect.fnUntraced(function* (project: ProjectId, id: RuleId) {
      const rule = yield* orUnavailable(rules.get(id))
      return yield* orNotFound(rule?.project === project ? rule : undefined, `a rule of project "${project}"`)
    })
    const change = Effect.fnUntraced(function* (project: ProjectId, id: RuleId, said: NewRule) {
      const found = yield* orUnavailable(rules.update(project, id, said))
      const { ended, rule } = yield* orNotFound(found, `a rule of project "${project}"`)
      yield* changes.tell(project, ended)
      return rule
    })
    return handlers.handleAll({
      createRule: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requested
        const rule = yield* orUnavailable(rules.create({ project, ...payload }))
        yield* changes.tell(project, [])
        return rule
      }),
      listRules: () => Effect.flatMap(requested, (project) => orUnavailable(rules.list(project))),
      getRule: ({ params }) => Effect.flatMap(requested, (project) => ruleOf(project, params.id)),
      replaceRule: Effect.fnUntraced(function* ({ params, payload }) {
        return yield* change(yield* requested, params.id, payload)
      }),
      enableRule: Effect.fnUntraced(function* ({ params, payload }) {
        const {
          createdAt: _made,
          id,
          project,
          updatedAt: _changed,
          ...said
        } = yield* ruleOf(yield* requested, params.id)
        return yield* change(project, id, { ...said, enabled: payload.enabled })
      }),
      removeRule: Effect.fnUntraced(function* ({ params }) {
        const project = yield* requested
        const { ended, removed } = yield* orUnavailable(rules.remove(project, params.id))
        yield* orNotFound(removed ? true : undefined, `a rule of project "${project}"`)
        yield* changes.tell(project, ended)
      }),
      listAlerts: Effect.fnUntraced(function* ({ query: { acked, from, label, limit, to, ...query } }) {
        const project = yield* requested
        const equals = label?.indexOf("=") ?? -1
        return yield* orUnavailable(
          alerts.list({
            project,
            limit: limit ?? listDefault,
            state: query.state,
            severity: query.severity,
            rule: query.rule,
            incident: query.incident,
            acknowledged: acked === undefined ? undefined : acked === "true",
            label: label === undefined ? undefined : { name: label.slice(0, equals), value: label.slice(equals + 1) },
            from: yield* instant("query.from", from),
            to: yield* instant("query.to", to)
          })
        )
      }),
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
