/** One check_alert_conditions per project with rules; before that, what a crash has left untold is told (Repair.ts). */
import { Effect, Schema } from "effect"
import { Engine } from "../../jobs/Engine.ts"
import * as Task from "../../jobs/Task.ts"
import { Rules } from "../../store/Rules.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { CheckAlertConditions } from "./check_alert_conditions.ts"
import { makeRepair } from "./Repair.ts"

export const CheckAllAlertConditions = Task.make("check_all_alert_conditions", {
  payload: {},
  result: Schema.Struct({ projects: Schema.Int }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "1 minute"
})

export const CheckAllAlertConditionsLive = CheckAllAlertConditions.toLayer(
  Effect.gen(function* () {
    const rules = yield* Rules
    const engine = yield* Engine
    const repair = yield* makeRepair
    return Effect.fn("CheckAllAlertConditions")(function* () {
      yield* repair
      const projects = yield* Effect.mapError(rules.projects, dependencyFailed)
      yield* engine
        .enqueueAll(projects.map((projectId) => CheckAlertConditions.job({ projectId })))
        .pipe(Effect.mapError(dependencyFailed))
      return { projects: projects.length }
    })
  })
)
