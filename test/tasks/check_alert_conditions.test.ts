/** The safety net: what the pipeline missed is opened and ended, what it did is left alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { Alert } from "../../src/domain/Alert.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { AlertSink } from "../../src/pipeline/AlertSink.ts"
import { Alerts } from "../../src/store/Alerts.ts"
import { Logs } from "../../src/store/Logs.ts"
import { Rules } from "../../src/store/Rules.ts"
import { CheckAlertConditions, CheckAlertConditionsLive } from "../../src/tasks/live/check_alert_conditions.ts"
import { TestEngine } from "../../src/testing.ts"
import { storeLayer } from "../support/postgres.ts"

const start = Date.UTC(2026, 5, 1, 12)
const told: Array<Alert> = []
const sink = Layer.succeed(AlertSink, { changed: (alert) => Effect.sync(() => void told.push(alert)) })
const live = CheckAlertConditionsLive.pipe(
  Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), sink, storeLayer()))
)

const check = Effect.gen(function* () {
  const engine = yield* Engine
  const test = yield* TestEngine
  const id = yield* CheckAlertConditions.enqueue({ projectId: defaultProject })
  yield* test.drain
  return yield* engine.await(id)
})

describe("check_alert_conditions", () => {
  it.effect("opens what was missed, once, and ends it when it is long over", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const rules = yield* Rules
      const logs = yield* Logs
      const alerts = yield* Alerts
      yield* rules.create({
        project: defaultProject,
        name: "errors",
        type: "threshold",
        query: "level:error",
        window: "1 minute",
        threshold: 3,
        for: "0 seconds"
      })
      const events = Array.from({ length: 3 }, (_, i) => ({
        time: start,
        level: "error" as const,
        service: "",
        message: `boom ${i}`,
        attributes: {}
      }))
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 0 })
      yield* logs.append([{ id: "missed", project: defaultProject, observedAt: start - 10_000, events }])
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 1, resolved: 0 })
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 0 })
      assert.deepStrictEqual(
        (yield* alerts.list({ limit: 10 })).map(({ state, value }) => [state, value]),
        [["firing", 3]]
      )
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 0 })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 1 })
      assert.deepStrictEqual(
        told.map(({ state }) => state),
        ["firing", "resolved"]
      )
    }).pipe(Effect.provide(live))
  )
})
