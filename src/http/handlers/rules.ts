/** Handlers of the group `rules`. A key of the project may do all of it, as with single rules. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as RuleFile from "../../domain/RuleFile.ts"
import { timeMax, timeMin } from "../../store/Cursor.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { Rules } from "../../store/Rules.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { statusOf } from "../../tasks/live/RuleStatus.ts"
import { tryRule } from "../../tasks/live/TryRule.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { Invalid, invalid } from "../Errors.ts"
import { instant, orUnavailable } from "./common.ts"
import { makeRuleChanges } from "./rule_changes.ts"

const dayMs = 86_400_000
/** Longest stretch that a rule is tried on, ms. */
const stretchMax = 90 * dayMs

const iso = (ms: number): string => new Date(ms).toISOString()

/** Faults of a body, each with its place. */
const refused = (faults: ReadonlyArray<RuleFile.Fault>): Invalid => {
  const issues = faults.map(({ message, path }) => ({ path: path === "" ? "payload" : `payload.${path}`, message }))
  return new Invalid({ message: issues.map(({ message, path }) => `${path}: ${message}`).join("; "), issues })
}

const windowOf = Effect.fnUntraced(function* (given: { readonly from?: string; readonly to?: string }) {
  const to = (yield* instant("payload.to", given.to)) ?? (yield* Clock.currentTimeMillis)
  const from = (yield* instant("payload.from", given.from)) ?? to - dayMs
  if (from >= to) return yield* invalid("payload.from", "expected a time before `to`, got one that is not")
  if (from < timeMin || to > timeMax || to - from > stretchMax) {
    return yield* invalid("payload.from", `expected at most 90 days before \`to\`, got ${iso(from)} to ${iso(to)}`)
  }
  return { from, to }
})

export const RulesHandlers = HttpApiBuilder.group(
  Api,
  "rules",
  Effect.fnUntraced(function* (handlers) {
    const logs = yield* Logs
    const rules = yield* Rules
    const projects = yield* Projects
    const streams = yield* Effect.context<LogStream | Rules>()
    const changes = yield* makeRuleChanges
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))

    return handlers.handleAll({
      try: Effect.fnUntraced(function* ({ payload: { rule, ...asked } }) {
        const project = yield* requested
        const window = yield* windowOf(asked)
        const { alerts, issues, scannedTo, ...trial } = yield* orUnavailable(
          tryRule(logs, { project, rule, ...window })
        )
        if (issues.length > 0) {
          return yield* refused(issues.map(({ message, path }) => ({ path: ["rule", ...path].join("."), message })))
        }
        return {
          ...trial,
          alerts: alerts.map(({ firedAt, resolvedAt, startedAt, ...rest }) => ({
            ...rest,
            startedAt: iso(startedAt),
            firedAt: iso(firedAt),
            resolvedAt: resolvedAt === null ? null : iso(resolvedAt)
          })),
          from: iso(window.from),
          to: iso(window.to),
          complete: scannedTo >= window.to,
          scannedTo: iso(scannedTo)
        }
      }),
      status: Effect.fnUntraced(function* () {
        const project = yield* requested
        return yield* orUnavailable(Effect.provideContext(statusOf(project), streams))
      }),
      export: () =>
        Effect.flatMap(requested, (project) => Effect.map(orUnavailable(rules.list(project)), RuleFile.write)),
      import: Effect.fnUntraced(function* ({ payload, query }) {
        const project = yield* requested
        const read = RuleFile.read(payload)
        if (!read.ok) return yield* refused(read.faults)
        const dryRun = query.dryRun === "true"
        const how = { dryRun, prune: query.prune === "true" }
        const { ambiguous, ended, ...done } = yield* orUnavailable(rules.sync(project, read.rules, how))
        if (ambiguous.length > 0) {
          const names = ambiguous.map((name) => JSON.stringify(name)).join(", ")
          return yield* invalid(
            "payload.rules",
            `expected names that mean one rule each, got ${names} twice in the project`
          )
        }
        if (!dryRun && done.created.length + done.changed.length + done.removed.length > 0) {
          yield* changes.tell(project, ended)
        }
        return { dryRun, ...done }
      })
    })
  })
)
