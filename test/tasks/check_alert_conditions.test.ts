/** The safety net: what the pipeline has judged and not kept is opened, what no judge knows of ends, all else is left alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as Judge from "../../src/alerts/Judge.ts"
import type { Alert } from "../../src/domain/Alert.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import type { AlertRule, NewRule } from "../../src/domain/Rule.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { AlertSink } from "../../src/pipeline/AlertSink.ts"
import { Alerts } from "../../src/store/Alerts.ts"
import { Rules } from "../../src/store/Rules.ts"
import { LogStream } from "../../src/streams/LogStream.ts"
import { CheckAlertConditions, CheckAlertConditionsLive } from "../../src/tasks/live/check_alert_conditions.ts"
import { TestEngine } from "../../src/testing.ts"
import { freshNamespace, redisLayer } from "../support/engine.ts"
import { storeLayer } from "../support/postgres.ts"

const start = Date.UTC(2026, 5, 1, 12)
const prefix = freshNamespace("check")
let rooms = 0

const live = () => {
  const told: Array<string> = []
  const sink = Layer.succeed(AlertSink, {
    changed: ({ group, ruleName, state }: Alert) =>
      Effect.sync(() => void told.push([ruleName, ...Object.values(group), state].join(" ")))
  })
  const stream = LogStream.layer({
    partitions: 1,
    batchesMax: 10,
    bytesMax: 1_000_000,
    rememberMs: 60_000,
    leaseMs: 60_000
  }).pipe(Layer.provide(redisLayer(`${prefix}-${++rooms}`)))
  const layer = CheckAlertConditionsLive.pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), sink, storeLayer(), stream))
  )
  return { told, layer }
}

const check = Effect.gen(function* () {
  const engine = yield* Engine
  const test = yield* TestEngine
  const id = yield* CheckAlertConditions.enqueue({ projectId: defaultProject })
  yield* test.drain
  return yield* engine.await(id)
})

const make = Effect.fnUntraced(function* (rule: NewRule) {
  const rules = yield* Rules
  return yield* rules.create({ project: defaultProject, ...rule })
})

const errors = { name: "errors", type: "threshold", query: "level:error", window: "10 seconds", threshold: 2 } as const

const lines = (count: number, at: number, service = "api") =>
  Array.from({ length: count }, () => ({
    time: at,
    level: "error" as const,
    service,
    message: "boom",
    attributes: {}
  }))

/** A partition's owner, which judges and commits, and does not keep alerts where it is told to lose them. */
const pipeline = Effect.fnUntraced(function* (rules: ReadonlyArray<AlertRule>) {
  const stream = yield* LogStream
  const alerts = yield* Alerts
  const owned = (yield* stream.own(0, "me"))!
  const judge = Judge.make(rules)
  const commit = Effect.suspend(() =>
    owned.commit(
      [],
      new Map(
        [...judge.changes()].map(([field, text]) => [
          field === "" ? defaultProject : `${defaultProject} ${field}`,
          text
        ])
      )
    )
  )
  return {
    judge,
    /** Keeps what it has found and commits. */
    keep: (verdicts: ReadonlyArray<Judge.Verdict>) =>
      Effect.andThen(Effect.forEach(verdicts, alerts.apply, { discard: true }), commit),
    /** Commits what it has found without keeping it. */
    lose: () => commit
  }
})

const states = Effect.gen(function* () {
  const alerts = yield* Alerts
  const list = yield* alerts.list({ project: defaultProject, limit: 100 })
  return list.map(({ group, ruleName, state }) => [ruleName, ...Object.values(group), state].join(" ")).toSorted()
})

describe("check_alert_conditions", () => {
  const lost = live()
  it.effect("opens what was judged and not kept, of rules of any type and each of their groups, once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const rule = yield* make({ ...errors, groupBy: ["service"], keepFiringFor: "1 hour" })
      const gone = yield* make({ name: "gone", type: "absence", query: "service:backup", window: "1 minute" })
      const { judge, lose } = yield* pipeline([rule, gone])
      judge.batch([...lines(2, start, "a"), ...lines(2, start, "b"), ...lines(1, start, "c")], start, "b1")
      judge.tick(start + 200_000)
      yield* lose()
      assert.deepStrictEqual(yield* check, { rules: 2, opened: 0, resolved: 0 })
      yield* TestClock.setTime(start + 300_000)
      assert.deepStrictEqual(yield* check, { rules: 2, opened: 3, resolved: 0 })
      assert.deepStrictEqual(yield* check, { rules: 2, opened: 0, resolved: 0 })
      const fired = ["errors a firing", "errors b firing", "gone firing"]
      assert.deepStrictEqual([yield* states, lost.told.toSorted()], [fired, fired])
      const alerts = yield* Alerts
      const [one] = yield* alerts.list({ project: defaultProject, rule: "errors", limit: 1 })
      assert.deepInclude(one, { value: 2, firedAt: new Date(start).toISOString() })
    }).pipe(Effect.scoped, Effect.provide(lost.layer))
  )

  const kept = live()
  it.effect("leaves alone what goes on though no line comes: keepFiringFor, no data", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const rule = yield* make({ ...errors, keepFiringFor: "1 hour" })
      const silent = yield* make({ ...errors, name: "silent", noData: "alert", noDataAfter: "1 minute" })
      const { judge, keep } = yield* pipeline([rule, silent])
      yield* keep(judge.batch(lines(2, start), start, "b1"))
      yield* keep(judge.tick(start + 100_000))
      const before = yield* states
      assert.deepStrictEqual(before, ["errors firing", "silent resolved", "silent true firing"])
      for (const minutes of [3, 20, 50]) {
        yield* TestClock.setTime(start + minutes * 60_000)
        assert.deepStrictEqual(yield* check, { rules: 2, opened: 0, resolved: 0 })
      }
      assert.deepStrictEqual([yield* states, kept.told], [before, []])
    }).pipe(Effect.scoped, Effect.provide(kept.layer))
  )

  const old = live()
  it.effect("ends what no judge knows of, once all that was accepted has been judged", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const rule = yield* make(errors)
      const { judge } = yield* pipeline([rule])
      const alerts = yield* Alerts
      const stream = yield* LogStream
      // Kept, and then the state is gone with the Redis that held it.
      for (const verdict of judge.batch(lines(2, start), start, "b1")) yield* alerts.apply(verdict)
      yield* TestClock.setTime(start + 30_000)
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 0 })
      yield* TestClock.setTime(start + 90_000)
      // Something waits: it may be about that alert.
      yield* stream.append({ id: "b2", project: defaultProject, receivedAt: start, lines: ["x"] })
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 0 })
      const anew = yield* pipeline([rule])
      anew.judge.batch(lines(1, start + 80_000), start + 80_000, "b2")
      yield* anew.lose()
      assert.deepStrictEqual(yield* check, { rules: 1, opened: 0, resolved: 1 })
      assert.deepStrictEqual([yield* states, old.told], [["errors resolved"], ["errors resolved"]])
    }).pipe(Effect.scoped, Effect.provide(old.layer))
  )
})
